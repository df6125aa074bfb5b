"""``UniverseService``: the tickers to work on."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.atomic_file import regular_file
from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.universe.members import UniverseMember, UniverseSettings
from sbf_core.universe.tickers import checked_tickers, tidied
from sbf_core.user_dates import day

MembersHook = Callable[[], Iterable[UniverseMember]]


class UniverseService:
    """Answers who belongs to the universe, and when.

    Args:
        settings: where the tickers come from.
        cursor: gives a cursor on the open database, for a query over silver.
        members_hook: asks the plugin named in the settings.
    """

    def __init__(
        self,
        settings: UniverseSettings | None = None,
        *,
        cursor: Callable[[], duckdb.DuckDBPyConnection] | None = None,
        members_hook: MembersHook | None = None,
    ) -> None:
        self.settings = settings or UniverseSettings()
        self.notes: list[str] = []
        self._cursor = cursor
        self._members_hook = members_hook
        self._members: tuple[UniverseMember, ...] | None = None

    def members(self, *, as_of: dt.date | None = None) -> tuple[UniverseMember, ...]:
        """Every member in the source's order; with ``as_of`` those of that day.

        Raises:
            UsageError: a ticker cannot be one, a file has no such column, a query is no SELECT.
            EnvironmentFault: the file cannot be read.
        """
        if self._members is None:
            self._members = self._load()
        if as_of is None:
            return self._members
        return tuple(member for member in self._members if member.holds_on(as_of))

    def tickers(self, *, ticker_limit: int = 0, as_of: dt.date | None = None) -> tuple[str, ...]:
        """The tickers of the members, each once; the first ``ticker_limit`` of them if it is not 0."""
        tickers = tuple(dict.fromkeys(member.ticker for member in self.members(as_of=as_of)))
        return tickers[:ticker_limit] if ticker_limit else tickers

    def _load(self) -> tuple[UniverseMember, ...]:
        settings = self.settings
        if settings.tickers:
            return self._checked([(ticker, None, None) for ticker in settings.tickers], where=settings.origin)
        if settings.file is not None:
            return self._checked(_read_file(settings.file), where=str(settings.file))
        if settings.plugin:
            if self._members_hook is None:
                raise UsageError(
                    f"plugin {settings.plugin!r} gives no universe",
                    fix="choose a plugin with the hook universe_members",
                    code="UNIVERSE",
                )
            given = [(member.ticker, member.valid_from, member.valid_to) for member in self._members_hook()]
            return self._checked(given, where=settings.origin)
        if settings.query:
            return self._checked(self._ask(settings.query), where=settings.origin)
        return ()

    def _ask(self, query: str) -> list[tuple[Any, Any, Any]]:
        if self._cursor is None:
            raise UsageError("a query over silver needs an open database", code="UNIVERSE")
        try:
            result = self._cursor().execute(f"SELECT * FROM ({query}\n) LIMIT 1000000")
        except duckdb.CatalogException:
            return []  # the silver table is filled by a plugin that has not run yet
        except duckdb.Error as error:
            raise UsageError(
                f"the universe query fails: {str(error).splitlines()[0]}", where=query, code="UNIVERSE"
            ) from error
        names = [column[0] for column in result.description]
        if "ticker" not in names:
            raise UsageError("the universe query gives no column 'ticker'", where=query, code="UNIVERSE")
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return [(row["ticker"], row.get("valid_from"), row.get("valid_to")) for row in rows]

    def _checked(self, given: Sequence[tuple[Any, Any, Any]], *, where: str) -> tuple[UniverseMember, ...]:
        named = [(str(ticker), start or None, end or None) for ticker, start, end in given if ticker is not None]
        cleaned = [(tidied(ticker), start, end) for ticker, start, end in named]
        days = [(start, end) for _, start, end in named]
        _, notes = checked_tickers([ticker for ticker, _, _ in named], where=where, days=days)
        self.notes.extend(notes)
        members = [
            UniverseMember(ticker=ticker, valid_from=_day(start, where), valid_to=_day(end, where))
            for ticker, start, end in cleaned
        ]
        self._look_for_never(members, where)
        return tuple(dict.fromkeys(members))

    def _look_for_never(self, members: Sequence[UniverseMember], where: str) -> None:
        """Refuse members that belong on no day: nobody would ask for them, without a word. A query's are told: of
        a row that came and went on one day it may give such a span.
        """
        never = [one for one in members if one.valid_from and one.valid_to and one.valid_from > one.valid_to]
        if not never:
            return
        one, more = never[0], f"; and {len(never) - 1} more" if len(never) > 1 else ""
        what = f"ticker {one.ticker!r} belongs from {one.valid_from} to {one.valid_to}, which is before{more}"
        if self.settings.query:
            self.notes.append(f"{where}: {what}; such members are never asked for")
            return
        raise UsageError(what, where=where, fix="swap valid_from and valid_to, or leave the row out", code="UNIVERSE")


def _day(value: Any, where: str) -> dt.date | None:
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    return day(str(value).strip(), where=where)


def _read_file(path: Path) -> list[tuple[Any, Any, Any]]:
    try:
        text = regular_file(path).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(
            "there is no such universe file", where=str(path), fix="mend universe.file", code="UNIVERSE"
        ) from error
    except OSError as error:
        raise EnvironmentFault(f"the universe file cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the universe file is not UTF-8 at byte {error.start}", where=str(path), code="UNIVERSE"
        ) from error
    lines = text.splitlines()
    if path.suffix.lower() != ".csv":
        return [(line, None, None) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    reader = csv.DictReader(lines)
    if "ticker" not in (reader.fieldnames or ()):
        raise UsageError(
            "the universe file has no column 'ticker'",
            where=str(path),
            fix="give it a header line with ticker",
            code="UNIVERSE",
        )
    return [(row["ticker"], row.get("valid_from"), row.get("valid_to")) for row in reader]
