"""What the formats share that only Python reads: lines of a text, JSON with its own digits, wanted fields."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sbf_core.errors import FieldGone, PayloadRefused
from sbf_core.payload.model import Digits, Look, PayloadFile, Reading, Record, Slot

_RAW_MAX = 200
Row = TypeVar("Row")


class RecordsOnly(ABC):
    """A ``FormatReader`` that never asks the engine: no payload is regular."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """Nothing is looked at but whether there is anything: ``records`` reads all of it and refuses what it must."""
        if not file.byte_count:
            raise PayloadRefused("is empty")
        return Look(file=file, is_regular=False, payload=payload)

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """Never asked."""
        raise AssertionError("only records")

    def doubt(self, reading: Reading) -> str | None:
        """None: the engine reads nothing of it."""
        return None

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """See ``FormatReader.types``."""
        return {}

    @abstractmethod
    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """See ``FormatReader``."""


class Number(Digits):
    """The digits of a JSON number, told apart from a JSON text."""

    __slots__ = ()


def short(raw: str) -> str:
    """What stands at a faulty place, cut for the reject."""
    flat = raw.rstrip("\r\n")
    return flat if len(flat) <= _RAW_MAX else flat[: _RAW_MAX - 3] + "..."


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text with their ends. Only line feeds and carriage returns end one; a byte order mark is no text.

    Raises:
        PayloadRefused: a byte is none of the encoding.
    """
    count = 0
    try:
        with path.open(encoding=encoding, errors="strict", newline="") as stream:
            for line in stream:
                count += 1
                yield line.removeprefix("\ufeff") if count == 1 else line
    except UnicodeError as error:
        why = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
        what = f"is not written in {encoding}: {why}, some lines behind line {count}"
        raise PayloadRefused(what, fix='declare the encoding, e.g. encoding="cp1252"') from error


def without_last(rows: Iterator[Row], count: int) -> Iterator[Row]:
    """All but the last rows."""
    held = list(islice(rows, count))
    for row in rows:
        held.append(row)
        yield held.pop(0)


def document_of(path: Path) -> Any:
    """A JSON document in which each number is a ``Number`` with the vendor's digits.

    Raises:
        PayloadRefused: it is no JSON in UTF-8 (RFC 8259), or holds an object with a name twice, of which no value could
            be right.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"is no UTF-8: byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise PayloadRefused(f"is no JSON: {error or type(error).__name__}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise PayloadRefused(f"holds an object with the name {twice!r} twice")
    return members


def json_text(value: Any) -> str | None:
    """A value of a JSON document as text: a number as it was written, a list or an object as JSON, None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name, ensure_ascii=False)}:{_compact(each)}" for name, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_compact(each) for each in value) + "]"
    return value if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def object_at(value: Any, place: str, *, what: str) -> dict[str, Any]:
    """``value``, which must be a JSON object."""
    if not isinstance(value, dict):
        raise PayloadRefused(f"is no {what}: {place} is {kind_of(value)}, no object")
    return value


def list_at(value: Any, place: str, *, what: str) -> list[Any]:
    """``value``, which must be a JSON list."""
    if not isinstance(value, list):
        raise PayloadRefused(f"is no {what}: {place} is {kind_of(value)}, no list")
    return value


def kind_of(value: Any) -> str:
    """What a JSON value is, for a person."""
    if value is None:
        return "not there"
    names: dict[type, str] = {bool: "true or false", Number: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "an object")


def places_of(slots: Sequence[Slot], fields: Sequence[str]) -> list[int | None]:
    """For each slot the place of its field among those of the payload; None where an optional one is absent.

    Raises:
        PayloadRefused: a declared field is not there, or there twice.
    """
    return [_place_of(slot, fields) for slot in slots]


def _place_of(slot: Slot, fields: Sequence[str]) -> int | None:
    for name in slot.sources:
        count = fields.count(name)
        if count > 1:
            fix = "declare names for the fields, in their order: header=(...)"
            raise PayloadRefused(f"has the field {name!r} {count} times", fix=fix)
        if count:
            return fields.index(name)
    if slot.column.optional:
        return None
    raise missing(slot, fields)


def missing(slot: Slot, fields: Sequence[str]) -> FieldGone:
    """The refusal of a payload that lacks a declared field."""
    known = ", ".join(repr(name) for name in fields[:12]) + (" ..." if len(fields) > 12 else "")
    fix = f"declare source= or also= for the column {slot.column.name}, or optional=True if payloads may lack it"
    what = f"has no field {slot.sources[0]!r}; it has {known or 'none'}"
    return FieldGone(what, column=slot.column.name, fix=slot.column.fix or fix)
