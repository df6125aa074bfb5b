"""Records that Python gives, as text in a file that the engine reads: those of a payload's format, and those of a
plugin's hook.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import BinaryIO

import attrs

from sbf_core import signals
from sbf_core.duck.disk import fault_of_hook
from sbf_core.duck.engine_errors import is_inputs_fault
from sbf_core.errors import (
    EnvironmentFault,
    PayloadRefused,
    PluginFault,
    SbfError,
    excerpt,
    printable,
    raised_at,
    said_by,
    show_trace,
)
from sbf_core.payload.model import Digits, FormatReader, PayloadFile, Reading, Record, Slot
from sbf_core.unicode_text import escaped, is_unicode

_MESSAGE_CHARACTERS_MAX = 400
_RAW_CHARACTERS_MAX = 400
#: Records that are written at once; a payload that fails further down is taken back.
_LINES_AT_ONCE = 5_000


def records_of(reader: FormatReader, reading: Reading, file: PayloadFile, member: str) -> Iterator[Record]:
    """The records of a payload, or of a member of one, which is named at each place.

    Args:
        reader: of its format.
        reading: what is wanted.
        file: the bytes.
        member: the name of the member; empty where it is none.

    Raises:
        PayloadRefused: it cannot be read.
    """
    if not member:
        yield from reader.records(reading, file)
        return
    try:
        for record in reader.records(reading, file):
            yield attrs.evolve(record, place=f"{printable(member)}, {record.place}")
    except PayloadRefused as error:
        raise PayloadRefused(f"holds {printable(member)!r}, which {error.what}", fix=error.fix) from error


def write_records(
    payloads: Iterable[tuple[str, Callable[[], Iterable[Record]]]],
    slots: Sequence[Slot],
    target: Path,
    *,
    decimal: str,
    is_typed: bool = True,
    told: Callable[[BaseException], str] | None = None,
) -> tuple[dict[str, str], dict[str, int]]:
    """Write the records of payloads as lines of JSON: ``_file``, ``_place``, ``_fault``, ``_raw`` and the slots.

    A payload that fails half-way gives no record at all.

    Args:
        payloads: for each its id, and what gives its records.
        slots: names of their values.
        target: the file, which is written anew.
        decimal: the mark that numbers have which stand as texts.
        is_typed: the columns of the slots are those that are declared; else nobody knows yet what becomes of a value.
        told: the text of what a payload failed for; None: what the error says.

    Returns:
        Why payloads could not be read, and how many records the others have, by id.
    """
    errors: dict[str, str] = {}
    counts: dict[str, int] = {}
    names = [slot.name for slot in slots]
    with target.open("wb", buffering=1 << 20) as out:
        for file_id, records in payloads:
            start = out.tell()
            try:
                plain = records() if decimal == "." else _marked(records(), slots if is_typed else None, decimal)
                counts[file_id] = sum(_write(out, file_id, names, part) for part in _parts(plain))
            except BaseException as error:  # a plugin's code may raise anything; the payload alone pays for it
                of_hook = isinstance(error, (SystemExit, KeyboardInterrupt))  # if it is not from the user
                if signals.is_from_user(error):
                    raise
                if not of_hook and not is_inputs_fault(error):
                    raise
                errors[file_id] = (told or _told)(error)
                out.seek(start)
                out.truncate()
    return errors, counts


def _marked(records: Iterable[Record], slots: Sequence[Slot] | None, decimal: str) -> Iterator[Record]:
    """Records whose numbers have the mark of the texts, so that both can be read alike.

    Raises:
        PayloadRefused: without ``slots``, for a number with a point: whoever reads it could not tell it from a text.
    """
    takes_numbers = None if slots is None else [_takes_number(slot) for slot in slots]
    for record in records:
        if not any(isinstance(value, Digits) for value in record.values):
            yield record
        elif takes_numbers is not None and slots is not None:
            pairs = zip(slots, takes_numbers, record.values, strict=True)
            values = [_with_mark(slot, value, decimal) if is_number else value for slot, is_number, value in pairs]
            yield attrs.evolve(record, values=values)
        else:
            odd = next((value for value in record.values if isinstance(value, Digits) and "." in value), None)
            if odd is not None:
                what = f"holds the number {odd} at {record.place}, and a SELECT cannot tell it from the texts"
                raise PayloadRefused(f"{what}, whose decimal mark is {decimal!r}", fix="answer ParseRows(...)")
            yield record


def _takes_number(slot: Slot) -> bool:
    column = slot.column
    return column.type in ("BIGINT", "DOUBLE") or column.decimal_shape is not None or bool(column.epoch)


def _with_mark(slot: Slot, value: str | None, decimal: str) -> str | None:
    if not isinstance(value, Digits):
        return value
    return None if value in {marker.strip() for marker in slot.column.missing} else value.replace(".", decimal)


def _told(error: BaseException) -> str:
    return excerpt(said_by(error), _MESSAGE_CHARACTERS_MAX)


def _told_of_hook(error: BaseException) -> str:
    """The same of code of a plugin: with its line, where the error is none that says what is wrong by itself."""
    if isinstance(error, SbfError):
        return _told(error)
    show_trace(error)
    return "; ".join(part for part in (_told(error), raised_at(error)) if part)


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    part: list[Record] = []
    for record in records:
        part.append(record)
        if len(part) == _LINES_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _write(out: BinaryIO, file_id: str, names: Sequence[str], records: Sequence[Record]) -> int:
    head = f'{{"_file":{json.dumps(file_id)},"_place":'
    lines = []
    for record in records:
        line = f"{head}{json.dumps(record.place if record.place.isascii() else _plain(record.place))}"
        if record.fault:
            line += (
                f',"_fault":{json.dumps(record.fault)},'
                f'"_raw":{json.dumps(_plain(excerpt(record.raw, _RAW_CHARACTERS_MAX)))}'
            )
        else:
            line += "".join(
                [
                    f',"{name}":{json.dumps(value)}'
                    for name, value in zip(names, record.values, strict=True)
                    if value is not None
                ]
            )
        lines.append(line + "}\n")
    out.write("".join(lines).encode("ascii"))
    return len(records)


def _plain(text: str) -> str:
    """A text without halves of surrogate pairs and zeros, which the engine's JSON reader does not take."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\\0")


def records_of_hook(
    parse: Callable[[bytes], Iterable[Mapping[str, object]]], path: Path, slots: Sequence[Slot]
) -> Iterator[Record]:
    """The rows that a plugin's ``parse`` gives for one payload, as records.

    Raises:
        PluginFault: it gives values of other kinds than it may.
        EnvironmentFault: it met a disk, or the system, that failed.
    """
    try:
        yield from _records_of(parse(path.read_bytes()), slots)
    except OSError as error:
        fault = fault_of_hook(error, where="hook promote, its parse", fix="")
        raise (fault if isinstance(fault, EnvironmentFault) else error) from None


def _records_of(rows: Iterable[Mapping[str, object]], slots: Sequence[Slot]) -> Iterator[Record]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise PluginFault(f"parse gave {type(row).__name__} instead of a mapping as row {number}")
        place, values = (
            f"row {number}",
            [_as_text(_found(row, slot), slot.column.source_name, number) for slot in slots],
        )
        wrong = next(
            (slot for slot, value in zip(slots, values, strict=True) if value is not None and not is_unicode(value)),
            None,
        )
        if wrong is None:
            yield Record(place, values)
        else:
            yield Record(place, [], fault=f"not_unicode:{wrong.column.name}", raw=escaped(str(row)))


def _found(row: Mapping[str, object], slot: Slot) -> object:
    return next((row[name] for name in slot.sources if name in row), None)


def _as_text(value: object, name: object, number: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return Digits(repr(value))
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        raise PluginFault(f"parse gave a time without zone for {name!r} in row {number}")
    if isinstance(value, (int, Decimal)):
        return Digits(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise PluginFault(
        f"parse gave {type(value).__name__} for {name!r} in row {number}; use text, numbers, dates or None"
    )


def write_hook_rows(
    parse: Callable[[bytes], Iterable[Mapping[str, object]]],
    files: Sequence[tuple[str, Path]],
    slots: Sequence[Slot],
    target: Path,
    *,
    decimal: str,
) -> dict[str, str]:
    """Parse payloads, each given by id and path, by a plugin's hook, and write their rows; returns why payloads could
    not be parsed, by id. ``decimal`` is the mark that numbers have which are texts.
    """
    payloads = [(file_id, partial(records_of_hook, parse, path, slots)) for file_id, path in files]
    errors, _ = write_records(payloads, slots, target, decimal=decimal, told=_told_of_hook)
    return errors
