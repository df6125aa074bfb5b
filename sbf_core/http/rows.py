"""Rows that a function of a plugin gives, as an answer: kept as Parquet, and answered from a recording in a replay."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.arrow_stream import ArrowTable, Capsule
from sbf_core.duck.engine_errors import first_line, is_inputs_fault
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.parquet_writer import (
    Field,
    TextRows,
    check_fields,
    scratch,
    shut,
    write_sorted,
    writing_connection,
)
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.http.session import FetchSession
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.vocabulary import OnDuplicate

#: A row: a mapping, or an instance of a class of attrs.
Rows = ArrowTable | Iterable[Mapping[str, object] | attrs.AttrsInstance]
_BYTES_MAX = 512 * 1024**2
_ROWS_AT_ONCE = 5_000
_FIX = "give rows as mappings or attrs instances, or a table with __arrow_c_stream__"


def fetch_rows(
    entry: DatasetKeymapEntry,
    request: RunRequest,
    http: FetchSession,
    rows: Callable[[], Rows],
    *,
    address: str,
    names: Sequence[str] = (),
) -> RunResult:
    """What a function gives, for the hook ``fetch`` to answer; in a replay what it gave then, and it is not called.

    Args:
        entry: the dataset.
        request: what is asked.
        http: of the hook.
        rows: gives a table with an Arrow stream (of pyarrow, polars, pandas, DuckDB), whose types are kept; or rows,
            as mappings with the same names or instances of a class of attrs, whose values are kept as texts with all
            their digits; lists and mappings within as JSON.
        address: by which the answer is known. It says what the function depends on, such as ``f"book of
            {request.ticker} since {request.from_date}"``, and no secret.
        names: those that are kept of each row, which may lack some of them; empty: each row has the same ones.

    Returns:
        One Parquet payload, sorted by the key and all other columns, so that equal rows are equal bytes; or why there
        is none, as where a value cannot be kept exactly. What the function raises is raised.
    """
    recorded = http.recorded(request, address, extension="parquet")
    if recorded is not None:
        return recorded
    began, given = time.monotonic(), rows()
    payload, error, kind = b"", "", ""
    with scratch() as folder:
        file = folder / "answer.parquet"
        try:
            count = _written(entry, given, folder, file, names)
            payload = file.read_bytes()
            if not count and not entry.is_data.may_be_empty:
                kind, payload = FailureKind.EMPTY, b""
                error = "the function gave no rows; is_data=DataRules(may_be_empty=True), if it may"
        except DatasetFailure as failure:
            kind, error = FailureKind.QUERY, str(failure)
    return RunResult(
        request=request,
        address=address,
        payload=payload,
        extension="parquet",
        fetched_at=dt.datetime.now(dt.UTC),
        elapsed_seconds=time.monotonic() - began,
        error=error or None,
        kind=kind,
    )


def _written(entry: DatasetKeymapEntry, given: object, folder: Path, file: Path, names: Sequence[str]) -> int:
    if hasattr(given, "__arrow_c_stream__"):
        return _from_arrow(entry, cast("ArrowTable", given), folder, file)
    return _from_rows(entry, given, folder, file, names)


def _is_sorted(entry: DatasetKeymapEntry) -> bool:
    return entry.on_duplicate is OnDuplicate.REJECT


def _from_arrow(entry: DatasetKeymapEntry, table: ArrowTable, folder: Path, file: Path) -> int:
    stream = Capsule(table)
    fields = stream.fields()
    check_fields(fields, where="")
    with writing_connection(folder) as conn:
        shut(conn)
        conn.register("given", stream)
        typed = ", ".join(f"CAST({quoted(one.name)} AS {one.type}) AS {quoted(one.name)}" for one in fields)
        try:
            sort, first = _is_sorted(entry), entry.key_sources
            return write_sorted(conn, f"SELECT {typed} FROM given", fields, file, first=first, sort=sort)
        except duckdb.Error as error:
            if not is_inputs_fault(error):
                raise
            raise DatasetFailure(f"the table cannot be kept: {first_line(error)}") from None


def _from_rows(entry: DatasetKeymapEntry, given: object, folder: Path, file: Path, wanted: Sequence[str]) -> int:
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise DatasetFailure(f"the function gave {type(given).__name__}, which is no rows", fix=_FIX)
    rows = iter(given)
    head = list(islice(rows, 1))
    declared = [column.source_name for column in entry.columns if not column.from_request]
    names = list(wanted or (_mapping(head[0]) if head else declared))
    fields = [Field(name, "VARCHAR") for name in names]
    check_fields(fields, where="")
    texts = TextRows(folder, fields, bytes_max=_BYTES_MAX, where="")
    try:
        left = _texts(names, chain(head, rows), may_lack=bool(wanted))
        while batch := list(islice(left, _ROWS_AT_ONCE)):
            texts.add(batch)
        return texts.write(file, first=entry.key_sources, sort=_is_sorted(entry))
    finally:
        texts.close()


def _texts(names: Sequence[str], rows: Iterable[object], *, may_lack: bool) -> Iterator[list[str | None]]:
    for number, row in enumerate(rows, start=1):
        values = _mapping(row)
        if not may_lack and set(values) != set(names):
            odd = sorted(map(str, set(values) ^ set(names)))[0]
            what = f"row {number} has other names than the first: {odd!r}"
            raise DatasetFailure(what, fix="give all of them in each row, or say which are kept: names=(...)")
        yield [_text(values.get(name), name) for name in names]


def _mapping(row: object) -> Mapping[str, object]:
    if isinstance(row, Mapping):
        return row
    kind: Any = type(row)
    if attrs.has(kind):
        return {field.name: getattr(row, field.name) for field in attrs.fields(kind)}
    raise DatasetFailure(f"a row is {type(row).__name__}", fix=_FIX)


def _text(value: object, name: str) -> str | None:
    """A value with all its digits, as the columns of a dataset read it."""
    if value is None:
        return None
    if isinstance(value, Enum):
        value = value.value
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, float):
        return float.__repr__(value)  # the fewest digits that give the same number, also of a subclass
    if isinstance(value, (str, int, UUID)):
        return str(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)) and kind.__module__ == "datetime":
        return value.isoformat()
    if isinstance(value, (Mapping, list, tuple)):
        return _json(value, name)
    what = f"the value of {name!r} is {kind.__name__}, which is not kept exactly"
    raise DatasetFailure(what, fix="give a text, number, Decimal, date, datetime, time, UUID, bool or None")


def _json(value: object, name: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        what = f"the value of {name!r} holds what JSON has not: {error}"
        raise DatasetFailure(what, fix="give texts and numbers in it") from None
