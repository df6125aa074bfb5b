"""Cells of a table: eleven lines say what its columns are, each line below is a day."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence

from sbf_core.api import PayloadRefused

#: Lines above the values, by their first cell, and what we call them. The last one is Series ID.
_FACTS = {
    "Title": "title", "Description": "description", "Frequency": "frequency", "Type": "kind", "Units": "unit",
    "Source": "source", "Publication date": "published", "Series ID": "series",
}  # fmt: skip
_DAYS = ((r"\d{2}-[A-Z][a-z]{2}-\d{4}", "%d-%b-%Y"), (r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y"))
_NUMBER = r"-?\d+(\.\d+)?"


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of one table: one for each cell that holds something.

    Raises:
        PayloadRefused: it is no UTF-8, lacks a line that says what its columns are, or has lines of other widths.
    """
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"byte {error.start} is no UTF-8") from None
    facts: dict[str, Sequence[str]] = {}
    for number, line in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
        if not any(line):
            continue
        if "series" not in facts:
            if line[0] in _FACTS:
                facts[_FACTS[line[0]]] = line
            continue
        if lacking := [name for name, ours in _FACTS.items() if ours not in facts]:
            raise PayloadRefused(f"no line says {', '.join(lacking)}")
        yield from _row(line, number, facts)
    if "series" not in facts:
        raise PayloadRefused("no line begins with Series ID")


def _row(line: Sequence[str], number: int, facts: dict[str, Sequence[str]]) -> Iterator[dict[str, object]]:
    if len(line) > len(facts["series"]):
        raise PayloadRefused(f"line {number} has {len(line)} cells, and {len(facts['series'])} are named")
    day = _day(line[0], number)
    for place, cell in enumerate(line[1:], start=1):
        quoted = cell.strip()
        if quoted:
            told = {name: cells[place].strip() or None if place < len(cells) else None for name, cells in facts.items()}
            is_number = re.fullmatch(_NUMBER, quoted) is not None
            yield {**told, "date": day, "value": quoted if is_number else None, "quoted": quoted}


def _day(text: str, number: int) -> dt.date:
    """Tables of days write 03-Jan-2023, tables of periods 30/06/1922."""
    for pattern, written in _DAYS:
        if re.fullmatch(pattern, text):
            try:
                return dt.datetime.strptime(text, written).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                break
    raise PayloadRefused(f"line {number} begins with {text[:40]!r}, which is no day")
