"""Rows of days that were not asked for: what a vendor dates ahead, or before the dataset begins."""

from __future__ import annotations

import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.silver.judging import row_json


def reject_outside(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Reject the rows in ``stage`` that are of no day that was asked for; whether there may be any.

    That is a day after the last that was asked for and ``horizon`` days more, where the address says until when; and
    one before ``first_date``, where it says since when. Of other payloads nobody asked for certain days.
    """
    date = _dated(entry)
    if date is None or not may_be_outside(conn, entry):
        return False
    day = f"CAST(stage.{quoted(date.name)} AS DATE)"
    tests: dict[str, str] = {}
    if entry.days_ahead is not None:
        tests["after_horizon"] = f"{day} > b.to_date + {entry.days_ahead}"
    if entry.is_asked_since:
        tests["before_first_date"] = f"{day} < DATE {literal(entry.first_date.isoformat())}"
    for reason, test in tests.items():
        conn.execute(
            f"UPDATE stage SET _reason = {literal(f'{reason}:{date.name}')}, _outcome = NULL, _row = "
            f"{row_json(entry, 'stage')} FROM batch_file AS b WHERE stage._bronze_file_id = b.bronze_file_id AND "
            f"stage._reason IS NULL AND {test}"
        )
    return True


def may_be_outside(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> bool:
    """Whether the earliest and the latest row say that there is anything to look for: nearly always there is not."""
    date = _dated(entry)
    if date is None:
        return False
    row = conn.execute(
        f"SELECT CAST(min(s.{quoted(date.name)}) AS DATE), CAST(max(s.{quoted(date.name)}) AS DATE) FROM stage AS s"
    ).fetchone()
    bound = conn.execute("SELECT min(b.to_date) FROM batch_file AS b").fetchone()
    assert row is not None and bound is not None
    (first, last), (least,) = row, bound
    if first is None:
        return False
    is_ahead = entry.days_ahead is not None and least is not None and (last - least).days > entry.days_ahead
    return is_ahead or (entry.is_asked_since and first < entry.first_date)


def _dated(entry: DatasetKeymapEntry) -> Column | None:
    """The column with the day of a row, where certain days are asked for."""
    date = next((column for column in entry.columns if column.row_date), None)
    return date if entry.days_ahead is not None or entry.is_asked_since else None
