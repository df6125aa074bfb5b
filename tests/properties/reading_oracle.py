"""What silver must hold of a history of payloads, and what must be rejected of it, by plain Python.

Records are those of ``text_oracle`` and ``json_oracle``, values those of ``cast_oracle``; here they are judged: keys
that a payload states twice, payloads that are refused whole, which payload is the last to speak of a key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
from properties.cast_oracle import value_of
from properties.json_oracle import json_records
from properties.text_oracle import Found, Refused, text_records

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv, Json

Row = tuple[Any, ...]


@attrs.frozen
class Reject:
    """A record that is not taken: why, of which column, and where it stands."""

    reason: str
    column: str | None
    place: str


@attrs.frozen
class Outcome:
    """What becomes of one payload.

    Attributes:
        is_refused: it is refused whole.
        seen: how many records are told of.
        rows: those that are taken, by key.
        rejects: the others.
        why: for whoever looks at a failure.
    """

    is_refused: bool
    seen: int
    rows: dict[Row, Row]
    rejects: tuple[Reject, ...]
    why: str = ""


def outcome_of(entry: DatasetKeymapEntry, payload: bytes) -> Outcome:
    """What becomes of one payload."""
    try:
        records = _records(entry, payload)
        if not records and not entry.is_data.may_be_empty:
            raise Refused("no rows")
    except Refused as error:
        return Outcome(True, 0, {}, (), str(error))
    judged = [_judged(entry, record) for record in records]
    reasons: list[tuple[str, str | None] | None] = [reason for _, reason in judged]
    rows = [row for row, _ in judged]
    taken = _settle(entry, rows, reasons)
    bad = sum(reason is not None for reason in reasons)
    is_refused = bad > entry.reject_share_max * len(records) or any(
        reason is not None and reason[0] == "decimal_comma" for reason in reasons
    )
    if is_refused:
        reasons, taken = [reason or ("file_refused", None) for reason in reasons], {}
    rejects = tuple(
        Reject(*reason, record.place) for record, reason in zip(records, reasons, strict=True) if reason is not None
    )
    return Outcome(is_refused, len(records), taken, rejects)


def _records(entry: DatasetKeymapEntry, payload: bytes) -> list[Found]:
    if isinstance(entry.format, Csv):
        return text_records(entry.format, entry.columns, payload)
    assert isinstance(entry.format, Json)
    return json_records(entry.rows_at, entry.columns, payload)


def _judged(entry: DatasetKeymapEntry, record: Found) -> tuple[Row, tuple[str, str | None] | None]:
    """The values of a record, and why it is none: the first column that does not fit."""
    if record.fault:
        return (), (record.fault, record.column)
    assert isinstance(entry.format, (Csv, Json))
    reason: tuple[str, str | None] | None = None
    values = []
    for place, (column, text) in enumerate(zip(entry.columns, record.texts, strict=True)):
        marks = (".", "") if place in record.numbers else (entry.format.decimal, entry.format.thousands)
        value, why = value_of(column, text, *marks)
        if value is None and why is None and not column.nullable:
            why = "missing_key" if column.key else "missing"
        reason = reason or (None if why is None else (why, column.name))
        values.append(value)
    return tuple(values), reason


def _settle(
    entry: DatasetKeymapEntry, rows: Sequence[Row], reasons: list[tuple[str, str | None] | None]
) -> dict[Row, Row]:
    """The rows by key. Of equal ones the first counts; others are rejected, or those that the declared rule does not
    choose.
    """
    by_key: dict[Row, list[int]] = {}
    for number, row in enumerate(rows):
        if reasons[number] is None:
            by_key.setdefault(key_of(entry, row), []).append(number)
    taken = {}
    for key, numbers in by_key.items():
        chosen = numbers[-1 if entry.on_duplicate == "last" else 0]
        others = [number for number in numbers if rows[number] != rows[chosen]]
        if others and entry.on_duplicate == "reject":
            others = numbers
        else:
            taken[key] = rows[chosen]
        for number in others:
            reasons[number] = ("duplicate_key", None)
    return taken


def key_of(entry: DatasetKeymapEntry, row: Row) -> Row:
    """The values of the key."""
    return tuple(value for column, value in zip(entry.columns, row, strict=True) if column.key)


def current(outcomes: Sequence[Outcome]) -> list[Row]:
    """The rows that hold in the end: of each key that of the last payload that has it."""
    held: dict[Row, Row] = {}
    for outcome in outcomes:
        held.update(outcome.rows)
    return list(held.values())


def versions(outcomes: Sequence[Outcome]) -> Counter[tuple[int, Row]]:
    """Each value that a key had, with the number of the payload that brought it."""
    held: dict[Row, Row] = {}
    found: Counter[tuple[int, Row]] = Counter()
    for number, outcome in enumerate(outcomes):
        for key, row in outcome.rows.items():
            if held.get(key) != row:
                found[number, row] += 1
                held[key] = row
    return found
