"""Rows that a plugin's Python gives, as text in a file that the engine reads."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from sbf_core import signals
from sbf_core.errors import PluginFault, SbfError, printable

_MESSAGE_CHARACTERS_MAX = 400


def write_parsed_rows(parse: Callable[[bytes], Iterable[Mapping[str, object]]], files: Sequence[tuple[str, str]], target: Path) -> dict[str, str]:
    """Parse payloads, each given by id and path, and write their rows; returns why payloads could not be parsed, by id.

    A payload that fails half-way gives no row at all.
    """
    errors: dict[str, str] = {}
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for file_id, path in files:
            payload = Path(path).read_bytes()
            try:
                lines = [_parsed_line(file_id, number, row) for number, row in enumerate(parse(payload), start=1)]
            except BaseException as error:  # a plugin's code may raise anything; the payload alone pays for it
                if signals.is_from_user(error):
                    raise
                text = str(error) if isinstance(error, SbfError) else printable(f"{type(error).__name__}: {error}")
                errors[file_id] = text[:_MESSAGE_CHARACTERS_MAX]
                continue
            out.writelines(lines)
    return errors


def _parsed_line(file_id: str, number: int, row: object) -> str:
    if not isinstance(row, Mapping):
        raise PluginFault(f"parse gave {type(row).__name__} instead of a mapping as row {number}")
    return json.dumps({"_file": file_id, **{str(name): _as_text(value, name, number) for name, value in row.items()}}) + "\n"


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
    raise PluginFault(f"parse gave {type(value).__name__} for {name!r} in row {number}; use text, numbers, dates or None")
