"""Fields that a vendor added, dropped or renamed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import attrs
import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Json
from sbf_core.duck.identifiers import literal_list, quoted
from sbf_core.errors import FieldGone, SbfError, printable
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.silver.inspection import Inspected
from sbf_core.silver.tables import current_table, history_table
from sbf_core.value import Value
from sbf_core.vocabulary import Drift

_SHOWN_MAX = 5


@attrs.frozen(kw_only=True)
class Gone(Value):
    """A payload that lacks a declared field which came until then.

    Attributes:
        column: the column that it fills.
        reason: for a reader, with what to declare.
    """

    column: str
    reason: str


def is_by_name(column: Column) -> bool:
    """Whether a column takes a field by its name: from no path, and from the payload."""
    return not column.from_request and column.source_name[:1] not in ("$", "@")


def fields_by_name(entry: DatasetKeymapEntry) -> list[tuple[str, ...]]:
    """For each column that takes a field by its name: the names that it may have."""
    return [column.source_names for column in entry.columns if is_by_name(column)]


def undeclared(entry: DatasetKeymapEntry, fields: Sequence[str]) -> list[str]:
    """Fields of payloads that no column takes."""
    known = {name for names in fields_by_name(entry) for name in names}
    return [name for name in fields if name not in known]


class DriftWatch:
    """Looks for fields that are gone from the payloads of a batch.

    Args:
        conn: with the payloads in ``stage``.
        entry: their dataset.
        fetched: when each was fetched, by id.
    """

    def __init__(
        self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, fetched: Mapping[str, dt.datetime]
    ) -> None:
        self._conn = conn
        self._entry = entry
        self._fetched = fetched
        self._came: dict[str, dt.datetime | None] = {}

    def gone(self, items: Sequence[Inspected], refused: Mapping[str, FieldGone]) -> dict[str, Gone]:
        """Payloads that lack a field in every row which came in rows of earlier payloads, by id.

        Args:
            items: the payloads of the batch that could be looked at; one that failed afterwards is among them.
            refused: payloads that were refused because a field is gone.
        """
        by_id = {item.file_id: item for item in items}
        gone: dict[str, Gone] = {}
        for file_id, refusal in refused.items():
            if self._has_come(refusal.column, file_id):
                gone[file_id] = Gone(column=refusal.column, reason=f"{refusal.what}; {refusal.fix}")
        for file_id, columns in self._suspects().items():
            came = [name for name in columns if self._has_come(name, file_id)]
            error = lost_field(self._entry, by_id[file_id], came) if came and file_id in by_id else None
            if error is not None:
                gone[file_id] = Gone(column=error.column, reason=self._reason(error, by_id[file_id]))
        return gone

    def _suspects(self) -> dict[str, list[str]]:
        """Columns that no row of a payload fills, and that may be NULL, by payload."""
        columns = [column for column in self._entry.columns if column.may_lack and not column.optional]
        names = [column.name for column in columns if not column.from_request]
        if not names:
            return {}
        counts = ", ".join(f"count(s.{quoted(name)})" for name in names)
        empty = " OR ".join(f"count(s.{quoted(name)}) = 0" for name in names)
        rows = self._conn.execute(
            f"SELECT s._bronze_file_id, {counts} FROM stage AS s WHERE NOT s._context GROUP BY 1 HAVING {empty}"
        ).fetchall()
        return {
            file_id: [name for name, count in zip(names, filled, strict=True) if not count] for file_id, *filled in rows
        }

    def _has_come(self, name: str, file_id: str) -> bool:
        """Whether a payload that was fetched before has filled the column."""
        if name not in self._came:
            filled = f"WHERE t.{quoted(name)} IS NOT NULL"
            row = self._conn.execute(
                "SELECT min(f.at) FROM ("
                f"SELECT min(t.recorded_at) AS at FROM {current_table(self._entry)} AS t {filled} "
                f"UNION ALL SELECT min(t.recorded_at) FROM {history_table(self._entry)} AS t {filled} "
                "AND NOT t._deleted "
                f"UNION ALL SELECT min(t.recorded_at) FROM stage AS t {filled} AND t._reason IS NULL) AS f"
            ).fetchone()
            self._came[name] = row[0] if row else None
        came = self._came[name]
        return came is not None and file_id in self._fetched and came < to_naive_utc(self._fetched[file_id])

    def _reason(self, error: FieldGone, item: Inspected) -> str:
        others = undeclared(self._entry, item.look.fields if item.look is not None else ())
        shown = ", ".join(repr(printable(name)) for name in others[:_SHOWN_MAX])
        hint = f"; fields that are not declared: {shown}" if others else ""
        return f"{error.what}{hint}; {error.fix}"


def lenient(entry: DatasetKeymapEntry) -> DatasetKeymapEntry:
    """The dataset as payloads are read that may lack fields: those of columns that may be NULL."""
    columns = tuple(attrs.evolve(column, optional=column.optional or column.may_lack) for column in entry.columns)
    return attrs.evolve(entry, columns=columns)


def lost_field(entry: DatasetKeymapEntry, item: Inspected, columns: Collection[str]) -> FieldGone | None:
    """Whether every record of a payload lacks the field of one of some columns; it is read once, exactly."""
    reading = reading_of(entry, item.extension)
    if reading is None:
        return None
    known = set(item.look.fields) if item.look is not None else set()
    wanted = {
        slot.column.name for slot in reading.slots if slot.column.name in columns and not known & set(slot.sources)
    }
    if not wanted or not isinstance(reading.format, Json):  # other formats name their fields in one place
        return None
    slots = tuple(
        attrs.evolve(slot, column=attrs.evolve(slot.column, nullable=slot.column.name not in wanted))
        for slot in reading.slots
    )
    try:
        for _ in reader_of(reading.format.kind).records(attrs.evolve(reading, slots=slots), item.payload_file):
            pass
    except FieldGone as gone:
        return gone
    except SbfError:
        return None
    return None


def why_refused(entry: DatasetKeymapEntry, item: Inspected, *, staging: Path) -> SbfError | None:
    """Why a payload that failed is none, as a value: it is read once more, exactly."""
    reading = reading_of(entry, item.extension)
    if reading is None:
        return None
    reader = reader_of(reading.format.kind)
    try:
        reader.look(reading, item.payload_file, None, staging=staging)
        for _ in reader.records(reading, item.payload_file):
            pass
    except SbfError as error:
        return error
    return None


def without_gone(
    conn: duckdb.DuckDBPyConnection, gone: Mapping[str, Gone], errors: Mapping[str, str], *, drift: Drift | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Take payloads that lack a field out of ``stage``, unless they are only told of; returns why payloads failed, and
    why they are held, by id.

    Args:
        conn: with the payloads in ``stage``.
        gone: those that lack a field.
        errors: why payloads failed, be it for that.
        drift: what to do with them.
    """
    reasons = {file_id: one.reason for file_id, one in gone.items()}
    if gone and drift is not Drift.TELL:
        ids = literal_list(sorted(gone))
        conn.execute(f"DELETE FROM stage WHERE list_contains({ids}, stage._bronze_file_id)")
    if drift is Drift.HOLD:
        return {file_id: text for file_id, text in errors.items() if file_id not in gone}, reasons
    return {**errors, **(reasons if drift is Drift.FAIL else {})}, {}


def notes_of_emptied(gone: Mapping[str, Gone]) -> tuple[str, ...]:
    """What a user should know where payloads are promoted that lack a field: one line for each column."""
    first = {one.column: one.reason for one in reversed(list(gone.values()))}
    counts = {column: sum(one.column == column for one in gone.values()) for column in first}
    return tuple(
        f"{counts[column]} {'payload has' if counts[column] == 1 else 'payloads have'} nothing for {column} any more, "
        f"so it is emptied where rows came: {reason}"
        for column, reason in first.items()
    )
