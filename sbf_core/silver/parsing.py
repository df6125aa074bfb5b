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

from sbf_core import signals
from sbf_core.duck.disk import is_disk_fault
from sbf_core.errors import EnvironmentFault, PluginFault, SbfError, printable
from sbf_core.payload.model import Record, Slot

_MESSAGE_CHARACTERS_MAX = 400
_RAW_CHARACTERS_MAX = 400
#: Records that are written at once; a payload that fails further down is taken back.
_LINES_AT_ONCE = 5_000


def write_records(
    payloads: Iterable[tuple[str, Callable[[], Iterable[Record]]]], slots: Sequence[Slot], target: Path
) -> tuple[dict[str, str], dict[str, int]]:
    """Write the records of payloads as lines of JSON: ``_file``, ``_place``, ``_fault``, ``_raw`` and the slots.

    A payload that fails half-way gives no record at all.

    Args:
        payloads: for each its id, and what gives its records.
        slots: names of their values.
        target: the file, which is written anew.

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
                counts[file_id] = sum(_write(out, file_id, names, part) for part in _parts(records()))
            except BaseException as error:  # a plugin's code may raise anything; the payload alone pays for it
                if signals.is_from_user(error) or isinstance(error, EnvironmentFault) or is_disk_fault(error):
                    raise
                errors[file_id] = _message(error)
                out.seek(start)
                out.truncate()
    return errors, counts


def _message(error: BaseException) -> str:
    text = str(error) if isinstance(error, SbfError) else printable(f"{type(error).__name__}: {error}")
    return text[:_MESSAGE_CHARACTERS_MAX]


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
        line = f"{head}{json.dumps(record.place)}"
        if record.fault:
            line += (
                f',"_fault":{json.dumps(record.fault)},"_raw":{json.dumps(_plain(record.raw[:_RAW_CHARACTERS_MAX]))}'
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
    """The rows that a plugin's ``parse`` gives for one payload, as records. Raises ``PluginFault`` for values of other
    kinds than it may give.
    """
    for number, row in enumerate(parse(path.read_bytes()), start=1):
        if not isinstance(row, Mapping):
            raise PluginFault(f"parse gave {type(row).__name__} instead of a mapping as row {number}")
        yield Record(
            f"row {number}",
            [
                _as_text(
                    next((row[name] for name in slot.sources if name in row), None), slot.column.source_name, number
                )
                for slot in slots
            ],
        )


def _as_text(value: object, name: object, number: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        raise PluginFault(f"parse gave a time without zone for {name!r} in row {number}")
    if isinstance(value, (int, Decimal)):
        return str(value)
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
) -> dict[str, str]:
    """Parse payloads, each given by id and path, by a plugin's hook, and write their rows; returns why payloads could
    not be parsed, by id.
    """
    payloads = [(file_id, partial(records_of_hook, parse, path, slots)) for file_id, path in files]
    errors, _ = write_records(payloads, slots, target)
    return errors
