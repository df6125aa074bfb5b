"""The rows for each of which a dataset is asked: its query checked before a run, and asked while it goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import duckdb

from sbf_core.bronze.paths import encoded
from sbf_core.clock import from_naive_utc
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.for_each import ForEach
from sbf_core.dataset.series_name import series_of
from sbf_core.duck.engine_errors import first_line, is_inputs_fault
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.planner import planner
from sbf_core.errors import DatasetFailure, UsageError, nearest, printable
from sbf_core.gold.order import tables_read
from sbf_core.gold.time_limit import time_limit
from sbf_core.plan.given_series import GivenSeries
from sbf_core.silver.tables import create_tables
from sbf_core.universe.members import Membership
from sbf_core.universe.tickers import step_or_sign_in

#: What can be written as a text in one way only.
_KEY_TYPES = frozenset(
    ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
     "UHUGEINT", "UUID", "DATE")
)  # fmt: skip
_MOMENT = "TIMESTAMP"
_SHOWN = 40


def _fault(entry: DatasetKeymapEntry, what: str, fix: str) -> UsageError:
    return UsageError(f"for_each {what}", where=f"dataset {entry.id}", fix=fix, code="FOR_EACH")


def sources_of(entry: DatasetKeymapEntry, installed: Mapping[str, DatasetKeymapEntry]) -> frozenset[str]:
    """The identities of the datasets whose silver a dataset's query reads.

    Args:
        entry: a dataset with ``for_each``.
        installed: every dataset by its silver table, without schema.

    Raises:
        UsageError: the query is not one SELECT, reads what no dataset fills, or gives other columns than are declared.
    """
    assert entry.for_each is not None
    known = {f"silver.{table}{ending}": one for table, one in installed.items() for ending in ("", "_history")}
    known |= {f"silver.{name}": one for one in installed.values() if one.keep_view for name in one.former_tables}
    with planner({}) as conn:
        try:
            read = tables_read(conn, entry.for_each.query, where="")
        except UsageError as error:
            raise _fault(entry, f"is {error.what}" if error.what[:3] == "not" else error.what, error.fix) from error
        conn.execute("CREATE SCHEMA silver")
        sources = {}
        for table in sorted(read):
            one = known.get(table)
            if one is None:
                what = "is built after all is fetched" if table.startswith("gold.") else "is filled by no dataset"
                hint = nearest(table, known) or "read silver tables of installed plugins, see `sbf datasets`"
                raise _fault(entry, f"reads {table}, which {what}", hint)
            if one.id == entry.id:
                raise _fault(entry, f"reads {table}, its own table", "leave it out: what was asked for is known")
            sources[one.id] = one
        for one in sources.values():
            create_tables(conn, one)
        _check_columns(conn, entry, entry.for_each)
    return frozenset(sources)


def _check_columns(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, for_each: ForEach) -> None:
    try:
        described = conn.execute(f"DESCRIBE SELECT * FROM ({_text(for_each)}\n) AS given").fetchall()
    except duckdb.Error as error:
        raise _fault(entry, f"cannot be asked: {first_line(error)}", "mend its query") from error
    given = {row[0]: row[1] for row in described}
    wanted = [*for_each.key, *([for_each.changed] if for_each.changed else [])]
    lacking = [name for name in wanted if name not in given]
    if lacking:
        raise _fault(entry, f"gives no column {lacking[0]!r}", nearest(lacking[0], given) or "name it in the query")
    surplus = [name for name in given if name not in wanted]
    if surplus:
        what = f"gives the column {surplus[0]!r}, which is neither in key nor changed"
        raise _fault(entry, what, "leave it out of the query, or add it to key")
    for name in for_each.key:
        if given[name] not in _KEY_TYPES:
            what = f"gives {name!r} as {given[name]}, which can be written in several ways"
            raise _fault(entry, what, f"cast it in the query: CAST({name} AS VARCHAR) AS {name}")
    if for_each.changed and given[for_each.changed] != _MOMENT:
        what = f"gives {for_each.changed!r} as {given[for_each.changed]}, and changed is a TIMESTAMP in UTC"
        raise _fault(entry, what, "take recorded_at, or cast it in the query")


def _text(for_each: ForEach) -> str:
    return for_each.query.strip().rstrip(";")


def rows_of(
    conn: duckdb.DuckDBPyConnection | None, entry: DatasetKeymapEntry, *, limit: int, seconds_max: float
) -> GivenSeries:
    """The rows that a dataset's query gives now; none while a table that it reads is not there.

    Args:
        conn: a connection of its own; None where there is no database yet.
        entry: a dataset with ``for_each``, whose query was checked by ``sources_of``.
        limit: of so many rows at most; 0: of all.
        seconds_max: how long the query may take.

    Raises:
        DatasetFailure: the query fails, or takes longer.
    """
    for_each = entry.for_each
    assert for_each is not None
    none_yet = GivenSeries(
        membership=Membership(tickers=()), notes=(f"{entry.id}: a table that its for_each reads is not there yet",)
    )
    if conn is None:
        return none_yet
    parts = ", ".join(f"CAST(given.{quoted(name)} AS VARCHAR)" for name in for_each.key)
    # within what Python knows as moments, whatever a vendor says
    newest = f"max(given.{quoted(for_each.changed)})" if for_each.changed else "NULL"
    changed = (
        f"least(greatest({newest}, TIMESTAMP '0001-01-01'), TIMESTAMP '9999-12-31')" if for_each.changed else newest
    )
    select = f"SELECT {parts}, {changed} FROM ({_text(for_each)}\n) AS given GROUP BY ALL ORDER BY ALL"
    where = f"for_each of dataset {entry.id}"
    try:
        with time_limit(conn, seconds_max, where=where):
            given = conn.execute(select).fetchall()
    except duckdb.CatalogException:
        return none_yet
    except duckdb.Error as error:
        if not is_inputs_fault(error):
            raise
        what = f"its query fails: {first_line(error)}"
        raise DatasetFailure(what, where=where, fix="mend the query; nothing was asked") from error
    return _asked(entry, for_each, given, limit)


def _asked(entry: DatasetKeymapEntry, for_each: ForEach, given: list[tuple[Any, ...]], limit: int) -> GivenSeries:
    notes: list[str] = []
    left_out: list[str] = []
    moments: dict[str, dt.datetime] = {}
    tickers: list[str] = []
    for *parts, moment in given:
        why = next((why for part in parts if (why := _why_not(part))), "")
        series = "" if why else series_of(parts)
        why = why or _why_no_folder(series)
        if why:
            shown = ", ".join(printable(str(part)[:_SHOWN]) for part in parts)
            left_out.append(f"({shown}) {why}")
            continue
        tickers.append(series)
        if moment is not None:
            moments[series] = from_naive_utc(moment)
    if left_out:
        rows = counted(len(left_out), "row")
        notes.append(f"{entry.id}: {rows} of for_each cannot be asked for, e.g. {left_out[0]}")
    if limit and len(tickers) > limit:
        notes.append(f"{entry.id}: for_each gives {counted(len(tickers), 'row')}, and the first {limit} are asked for")
        tickers = tickers[:limit]
    return GivenSeries(membership=Membership(tickers=tuple(tickers), changed=moments), notes=tuple(notes))


def _why_not(part: str | None) -> str:
    """Why a part of a row cannot be asked for; any text that has letters can, as it is."""
    if part is None:
        return "has no value"
    return "is empty" if not part else step_or_sign_in(part)


def _why_no_folder(series: str) -> str:
    try:
        encoded(series)
    except UsageError as error:
        return error.what
    return ""
