"""Where in a payload a row stands: the line of a text, or the path in JSON."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry

#: A larger payload is not searched: an explanation should not take longer than a run.
_BYTES_MAX = 64 * 1024**2


@attrs.frozen(kw_only=True)
class Place:
    """Where a row stands.

    Attributes:
        where: ``line 12`` or ``$.data[17]``; empty where it was not found.
        raw: what the vendor wrote there for the column, as text.
        note: why it was not found.
    """

    where: str = ""
    raw: str = ""
    note: str = ""


def place_in_payload(path: Path, entry: DatasetKeymapEntry, key: Mapping[str, Any], column: str) -> Place:
    """Look for the one row of a payload that has a key.

    Rows are compared as a reader would: texts without blanks around them, numbers by their value, days in the format that the dataset declares.

    Args:
        path: the payload.
        entry: its dataset, whose declaration says how fields are called.
        key: the values of the key in silver.
        column: the column whose raw text is wanted.
    """
    try:
        content = _content(path, entry.member)
        rows = list(_rows(content, path, entry))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, ValueError, KeyError, csv.Error, RecursionError) as error:
        return Place(note=f"the payload is read by its plugin in a way of its own ({type(error).__name__})")
    asked = [one for one in entry.columns if one.key and not one.from_request]
    found = [(where, row, across) for where, row in rows for across in [_fits(row, asked, key)] if across is not None]
    if len(found) != 1:
        return Place(note="its plugin reads the payload in a way of its own" if not found else f"{len(found)} rows of the payload have this key")
    where, row, across = found[0]
    wanted = across or next((one.source_name for one in entry.columns if one.name == column), column).lower()
    field = next((name for name in row if name.lower() == wanted), "")
    if across:
        where += f", column {field}"
    elif where.startswith("$") and field:
        where += f".{field}"
    return Place(where=where, raw="" if row.get(field) is None else str(row[field]).strip())


def _fits(row: Mapping[str, Any], asked: Sequence[Column], key: Mapping[str, Any]) -> str | None:
    """Whether a row has the key: None if not, else empty, or the field that a value of the key names, where each value has a column of its own."""
    fields = {name.lower(): value for name, value in row.items()}
    across = ""
    for one in asked:
        if one.source_name.lower() in fields:
            if not _same(one, fields[one.source_name.lower()], key[one.name]):
                return None
        elif str(key[one.name]).lower() in fields and not across and len(asked) > 1:
            across = str(key[one.name]).lower()
        else:
            return None
    return across


def _content(path: Path, member: str) -> bytes:
    if path.stat().st_size > _BYTES_MAX:
        raise ValueError("too large")
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(raw)) as unpacked:
            raw = unpacked.read(_BYTES_MAX + 1)
    elif raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(member or archive.namelist()[0]) as unpacked:
            raw = unpacked.read(_BYTES_MAX + 1)
    if len(raw) > _BYTES_MAX:
        raise ValueError("too large")
    return raw


def _rows(content: bytes, path: Path, entry: DatasetKeymapEntry) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = content.decode("utf-8-sig")
    if text.lstrip()[:1] in ("[", "{"):
        found = json.loads(text, parse_float=Decimal)
        for step in entry.rows_at.split(".") if entry.rows_at else ():
            found = found[step]
        if not isinstance(found, list):
            raise ValueError("no list of rows")
        at = f"$.{entry.rows_at}" if entry.rows_at else "$"
        yield from ((f"{at}[{place}]", row) for place, row in enumerate(found) if isinstance(row, dict))
        return
    header = text.partition("\n")[0]
    delimiter = "\t" if ".tsv" in path.name else ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    for row in reader:
        yield f"line {reader.line_num}", {str(name).strip(): value for name, value in row.items()}


def _same(column: Column, raw: Any, value: Any) -> bool:
    text = "" if raw is None else str(raw).strip()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return Decimal(text) == Decimal(str(value))
        except InvalidOperation:
            return False
    if isinstance(value, (dt.date, dt.datetime)):
        shown = value.strftime(column.date_format) if column.date_format else value.isoformat()
        return text in (shown, str(value), value.isoformat()[:10] if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else shown)
    return text == str(value).strip()
