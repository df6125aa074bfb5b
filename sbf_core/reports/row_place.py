"""Where in a payload a row stands: the line of a text, or the path in JSON. The format's own reader says it."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from sbf_core.dataset.archive import Archive
from sbf_core.dataset.columns import EPOCH_UNITS, MEMBER_SOURCE, Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import PayloadRefused, UsageError, printable
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.model import PayloadFile, Reading, Record, Slot
from sbf_core.payload.unpack import unpacked
from sbf_core.silver.cast import FALSE, TRUE
from sbf_core.value import Value

#: A larger payload is not searched: an explanation should not take longer than a run.
_BYTES_MAX = 64 * 1024**2
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OWN_WAY = "its plugin reads the payload in a way of its own"


@attrs.frozen(kw_only=True)
class Place(Value):
    """Where a row stands.

    Attributes:
        where: ``line 12`` or ``$.data[17]``; empty where it was not found.
        raw: what the vendor wrote there for the column, as text.
        note: why it was not found.
    """

    where: str = ""
    raw: str = ""
    note: str = ""


def place_in_payload(
    path: Path, extension: str, entry: DatasetKeymapEntry, key: Mapping[str, Any], column: str
) -> Place:
    """Look for the one row of a payload that has a key.

    Rows are compared as a reader would: texts without blanks around them, numbers by their value, days in the
        format that the dataset declares.

    Args:
        path: the payload.
        extension: what it is stored as.
        entry: its dataset, whose declaration says how fields are called.
        key: the values of the key in silver.
        column: the column whose raw text is wanted.
    """
    asked = [one for one in entry.columns if one.key and not one.from_request and not one.index_of]
    wanted = next((one for one in entry.columns if one.name == column), None)
    with tempfile.TemporaryDirectory() as folder:
        staging = Path(folder)
        try:
            places = [
                place
                for row in _rows(path, extension, entry, staging, key)
                for place in [_fits(row, asked, key, wanted)]
                if place is not None
            ]
        except (OSError, PayloadRefused, UsageError) as error:
            return Place(note=f"the payload cannot be read as it is declared: {error}")
    if len(places) != 1:
        return Place(note=_OWN_WAY if not places else f"{len(places)} rows of the payload have this key")
    return places[0]


@attrs.frozen
class _Row(Value):
    """One record with its texts by the vendor's names."""

    place: str
    texts: Mapping[str, str | None]


def _rows(
    path: Path, extension: str, entry: DatasetKeymapEntry, staging: Path, key: Mapping[str, Any]
) -> Iterator[_Row]:
    if path.stat().st_size > _BYTES_MAX:
        raise PayloadRefused("it is too large to be searched")
    if entry.archive is not None:
        yield from _rows_of_members(path, extension, entry, entry.archive, staging, key)
        return
    plain, kind = unpacked(path, extension, member=entry.member, target=staging / "payload")
    yield from _rows_of_file(plain, kind, entry, staging)


def _rows_of_members(
    path: Path, extension: str, entry: DatasetKeymapEntry, archive: Archive, staging: Path, key: Mapping[str, Any]
) -> Iterator[_Row]:
    """Those of the members of an archive whose names say what the key does."""
    from sbf_core.payload.archive import members_of  # few payloads are archives of many files

    named = [(one, one.source.removeprefix(MEMBER_SOURCE)) for one in entry.columns if one.key]
    for member in members_of(path, extension, archive, target=staging / "payload"):
        values = archive.values(member.name) or {}
        if all(_same(one, values[part], key[one.name]) for one, part in named if one.source.startswith(MEMBER_SOURCE)):
            for row in _rows_of_file(member.path, member.extension, entry, staging):
                yield attrs.evolve(row, place=f"{printable(member.name)}, {row.place}")


def _rows_of_file(plain: Path, kind: str, entry: DatasetKeymapEntry, staging: Path) -> Iterator[_Row]:
    file = PayloadFile(file_id="payload", path=plain, extension=kind, byte_count=plain.stat().st_size)
    if file.byte_count > _BYTES_MAX:
        raise PayloadRefused("it is too large to be searched")
    reading = reading_of(entry, kind)
    if reading is None:
        raise PayloadRefused(f"no format is declared for {kind or 'it'}")
    try:
        yield from _named(reading, file)
    except PayloadRefused:
        fields = _all_fields(reading, file, staging)
        if not fields:
            raise
        yield from _named(fields, file)


def _named(reading: Reading, file: PayloadFile) -> Iterator[_Row]:
    names = [slot.column.source_name for slot in reading.slots]
    records: Iterator[Record] = reader_of(reading.format.kind).records(reading, file)
    yield from (
        _Row(record.place, dict(zip(names, record.values, strict=True))) for record in records if not record.fault
    )


def _all_fields(reading: Reading, file: PayloadFile, staging: Path) -> Reading | None:
    """The same payload with every field that it has, where the declared ones are not all there: a plugin's SELECT makes
    them of others.
    """
    bare = attrs.evolve(reading, slots=())
    fields = reader_of(reading.format.kind).look(bare, file, None, staging=staging).fields
    slots = tuple(
        Slot(name=f"f{place}", column=Column(name="any", type="VARCHAR", nullable=True, optional=True, source=name))
        for place, name in enumerate(fields)
    )
    return attrs.evolve(bare, slots=slots) if slots else None


def _fits(row: _Row, asked: Sequence[Column], key: Mapping[str, Any], wanted: Column | None) -> Place | None:
    """Where a row stands that has the key: in the field that a value of the key names, where each value has a column of
    its own.
    """
    across = ""
    by_letters = {name.lower(): name for name in row.texts}
    for one in asked:
        name = by_letters.get(one.source_name.lower())
        if name is not None:
            if not _same(one, row.texts[name], key[one.name]):
                return None
        elif str(key[one.name]).lower() in by_letters and not across and len(asked) > 1:
            across = by_letters[str(key[one.name]).lower()]
        else:
            return None
    field = across or ("" if wanted is None else by_letters.get(wanted.source_name.lower(), ""))
    where = row.place
    if across:
        where += f", column {field}"
    elif where.startswith("$") and field:
        where += field[1:] if field.startswith("@") else f", {field}" if field.startswith("$") else f".{field}"
    return Place(where=where, raw=(row.texts.get(field) or "").strip())


def _same(column: Column, raw: str | None, value: Any) -> bool:
    text = "" if raw is None else raw.strip()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return Decimal(text) == Decimal(str(value))
        except InvalidOperation:
            return False
    if isinstance(value, bool):
        return text.lower() in (TRUE if value else FALSE)
    if isinstance(value, dt.datetime):
        return text == str(value) or value in _moments(column, text)
    if isinstance(value, dt.date):
        shown = (
            value.strftime(column.date_format) if column.date_format and not column.epoch else value.isoformat()[:10]
        )
        return text in (shown, str(value))
    return text == str(value).strip()


def _moments(column: Column, text: str) -> list[dt.datetime]:
    """What a text may be as a moment, in UTC without its zone: two in an hour that a zone repeats, none where it is no
    moment.
    """
    try:
        if column.epoch:
            microseconds = int(Decimal(text) * 1_000_000 / 1000 ** EPOCH_UNITS.index(column.epoch))
            return [_naive(_EPOCH + dt.timedelta(microseconds=microseconds))]
        form = column.date_format
        told = dt.datetime.strptime(text, form) if form else dt.datetime.fromisoformat(text)  # noqa: DTZ007 - see below
    except (ValueError, InvalidOperation, OverflowError):
        return []
    if told.tzinfo is not None:
        return [_naive(told)]
    zone = ZoneInfo(column.zone or "UTC")
    return [_naive(told.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]


def _naive(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
