"""Rows of a database as answers: what a ``SqlRecipe`` asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from sbf_core.dataset.cursor import CursorBy
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.series_name import EACH, unescaped
from sbf_core.dataset.sql_recipe import SqlRecipe
from sbf_core.duck.parquet_writer import Field, TooLarge, scratch
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.http.live import LiveSession
from sbf_core.http.sql_cursor import check_moments, check_numbers, names_of
from sbf_core.http.sql_query import QueryFailure, SqlQuery
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.vocabulary import OnDuplicate

#: Modules with a function ``ask``, by the kind of the connection; the library of each is loaded by who asks it.
_ASKERS = {
    "postgresql": "sbf_core.http.sql_postgres",
    "mysql": "sbf_core.http.sql_mysql",
    "sqlite": "sbf_core.http.sql_sqlite",
    "duckdb": "sbf_core.http.sql_files",
    "parquet": "sbf_core.http.sql_files",
}


def values_of(entry: DatasetKeymapEntry, recipe: SqlRecipe, request: RunRequest) -> dict[str, str | int]:
    """What stands for each placeholder of a query; a number where a cursor is one, so that no database compares it as a
    text, or as a double.
    """
    ticker = request.ticker or ""
    sent = recipe.cursor.sent(request.cursor) if recipe.cursor is not None else ""
    return {
        "ticker": unescaped(ticker) if entry.for_each is not None else ticker,
        **{f"{EACH}{name}": part for name, part in entry.each(request.ticker).items()},
        "discriminator": request.discriminator,
        "from_date": request.from_date.strftime(recipe.date_format) if request.from_date else "",
        "to_date": request.to_date.strftime(recipe.date_format) if request.to_date else "",
        "cursor": int(sent) if recipe.cursor is not None and recipe.cursor.by is CursorBy.NUMBER else sent,
    }


class SqlAnswers:
    """Answers the queries of one dataset.

    Args:
        entry: the dataset.
        recipe: its recipe.
        live: keys, clock, what is known of the source, and where relative paths start.
    """

    def __init__(self, entry: DatasetKeymapEntry, recipe: SqlRecipe, live: LiveSession) -> None:
        self._entry = entry
        self._recipe = recipe
        self._live = live

    def expect(self, series: Sequence[str]) -> None:
        """Nothing: a query is asked when its turn comes."""

    def close(self) -> None:
        """Nothing: each query has a connection of its own."""

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """The rows of a request, or why there are none.

        Args:
            request: what is asked.
            path: its address, see ``SqlRecipe.address``.
            extension: ``parquet``.
            in_place: it makes no difference.

        Raises:
            UsageError: a key is not set, or the library of the database is not installed.
        """
        del in_place
        began, source = time.monotonic(), self._entry.source
        breaker = self._live.breaker(source)
        kind, error, payload = "", "", b""
        refusal = breaker.refusal()
        if refusal:
            kind, error = FailureKind.NOT_ASKED, f"{source} was not asked: {refusal}"
        else:
            try:
                payload = self._payload(request)
                breaker.succeeded()
            except DatasetFailure as failure:
                kind, error = _kind_of(failure), str(failure)
                if kind == FailureKind.CONNECT:
                    breaker.failed(failure.what)
                else:
                    breaker.succeeded()
        return RunResult(
            request=request,
            address=path,
            payload=payload,
            extension=extension,
            fetched_at=self._live.clock.now(),
            elapsed_seconds=time.monotonic() - began,
            error=error or None,
            kind=kind,
        )

    def _payload(self, request: RunRequest) -> bytes:
        recipe, entry = self._recipe, self._entry
        secrets = {name: self._live.keys.get(key, blanks=True) for name, key in recipe.secrets.items()}
        goes_by = recipe.cursor.column if recipe.cursor is not None else ""
        column = next((one for one in entry.columns if one.name == goes_by), None)
        is_counted = recipe.cursor is not None and recipe.cursor.by is CursorBy.NUMBER
        ask: Callable[[SqlQuery, Path], tuple[list[Field], int]] = import_module(_ASKERS[recipe.kind]).ask
        with scratch() as folder:
            query = SqlQuery(
                recipe=recipe,
                values=values_of(entry, recipe, request),
                secrets=secrets,
                files=self._live.files,
                folder=folder,
                deadline=time.monotonic() + recipe.deadline_seconds,
                first=entry.key_sources,
                sort=entry.on_duplicate is OnDuplicate.REJECT,
                counted=names_of(column) if is_counted and column is not None else frozenset(),
            )
            file = folder / "answer.parquet"
            fields, rows = ask(query, file)
            if recipe.cursor is not None and column is not None:
                if is_counted:
                    check_numbers(recipe.kind, column, fields)
                else:
                    check_moments(recipe.cursor, column, fields, file)
            if not rows and not entry.is_data.may_be_empty:
                fix = "is_data=DataRules(may_be_empty=True), if it may"
                raise QueryFailure(FailureKind.EMPTY, "the query gave no rows", fix=fix)
            if file.stat().st_size > query.bytes_max:
                what = f"the answer is larger than {recipe.mebibytes_max} MiB"
                raise TooLarge(what, fix="ask for fewer rows, or raise mebibytes_max")
            return file.read_bytes()


def _kind_of(failure: DatasetFailure) -> FailureKind:
    if isinstance(failure, QueryFailure):
        return failure.kind
    return FailureKind.TOO_LARGE if isinstance(failure, TooLarge) else FailureKind.QUERY
