"""The dialect of delimited text, inferred once from a sample, with what is not sure of it.

Nothing of this happens when a plugin runs: then the dialect is declared.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused, UsageError, printable
from sbf_core.payload.delimited_dialect import dialect_of, head_of
from sbf_core.payload.delimited_records import RecordReader
from sbf_core.payload.model import Record
from sbf_core.payload.text import check_utf8, utf8_text
from sbf_core.scaffold.edges import CUSTOM, FOOTER_LINES_MAX, Line, around, comment_of, is_comment
from sbf_core.scaffold.marks import LOOSE
from sbf_core.value import Value

_DELIMITERS = ",;\t|"
#: Byte order marks and what they mean (Unicode Standard, section 23.8); that of UTF-8 needs no declaration.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: A reading that is worse by no more than this share of rows is told.
_NEARLY = 0.1
_ALIKE_MIN = 0.5
_RATED_LINES = 2_000


@attrs.frozen(kw_only=True)
class FoundTable(Value):
    """Delimited text and its dialect.

    Attributes:
        csv: the dialect, without marks of numbers and without words for "no value".
        names: of the fields.
        records: texts as they stand, None where there is nothing.
        doubts: what was decided without being sure.
    """

    csv: Csv
    names: tuple[str, ...]
    records: tuple[tuple[str | None, ...], ...]
    doubts: tuple[str, ...]


def find_table(payload: bytes, *, where: str) -> FoundTable:
    """The table in a sample of delimited text.

    Raises:
        UsageError: it is none, or one that cannot be declared.
    """
    encoding, text, doubts = _encoding(payload, where)
    delimiter, lines, other = _delimiter(text)
    if not delimiter:
        shown = printable(text.lstrip()[:80].partition("\n")[0])
        raise UsageError(
            f"this is no JSON, XML or CSV, it begins with {shown!r}",
            where=where,
            fix="look at the payload; " + CUSTOM,
            code="NO_DATA",
        )
    doubts += [f"format: the delimiter {other!r} would fit, too"] if other else []
    comment = comment_of(lines)
    csv_format = Csv(delimiter=delimiter, encoding=encoding, comment=comment)
    csv_format, more = around(csv_format, [line for line in lines if not is_comment(line, comment)], where)
    csv_format, quoting = _quoting(csv_format, payload, text, where)
    names, records = read_table(payload, csv_format, where=where)
    doubts += [
        *([f"format: lines that begin with {comment} are taken as comments"] if comment else []),
        *more,
        *quoting,
    ]
    return FoundTable(csv=csv_format, names=names, records=tuple(records), doubts=tuple(doubts))


def read_table(payload: bytes, declared: Csv, *, where: str) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    """Names of the fields and all records of a payload, as they will be read when the plugin runs.

    Raises:
        UsageError: a record is damaged, or there is none.
    """
    names, records = _records(payload, declared, where)
    for record in records:
        if record.fault:
            what = {
                "ragged": f"has another number of fields than the header, which has {len(names)}",
                "header_again": "is the header again",
            }
            why = what.get(record.fault, "has a quote that does not enclose a field")
            fix = "for text in sections, or several tables, declare format=Sections(...) by hand; or " + CUSTOM
            raise UsageError(
                f"{record.place} {why}: {printable(record.raw[:80])}", where=where, fix=fix, code="NO_ROWS"
            )
    if not records:
        raise UsageError(
            "there is a header and no row", where=where, fix="ask for a stretch that has some", code="NO_ROWS"
        )
    return names, [tuple(record.values) for record in records]


def _records(payload: bytes, declared: Csv, where: str) -> tuple[tuple[str, ...], list[Record]]:
    try:
        with utf8_text(Path(), declared.encoding, payload=payload) as text:
            check_utf8(text, declared.encoding)
            head = head_of(dialect_of(declared), text)
            return head.names, list(RecordReader(dialect_of(declared), text.data, head, range(len(head.names))))
    except PayloadRefused as error:
        raise UsageError(f"it {error.what}", where=where, fix=error.fix or CUSTOM, code="NO_ROWS") from error


def _encoding(payload: bytes, where: str) -> tuple[str, str, list[str]]:
    """Name of the encoding, the text without a byte order mark, and doubts."""
    marked = next((name for mark, name in _MARKS if payload.startswith(mark)), "")
    if marked:
        return marked, _decoded(payload, marked, where), []
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    else:
        if "\0" not in text:
            return "utf-8", text, []
        at = text.index("\0")
    if b"\0" in payload[:200]:
        name = "utf-16-le" if payload[1:2] == b"\0" else "utf-16-be"
        return name, _decoded(payload, name, where), [f"format: {name} without a byte order mark"]
    name = next(name for name in ("cp1252", "latin-1") if _is_text(payload, name))
    start = max(0, at - 10)
    shown = printable(payload[start : at + 10].decode(name).strip())
    return (
        name,
        payload.decode(name),
        [f"format: no UTF-8; taken as {name}, where byte {at + 1} reads {shown!r}: what does the vendor say?"],
    )


def _is_text(payload: bytes, encoding: str) -> bool:
    try:
        payload.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(payload: bytes, encoding: str, where: str) -> str:
    try:
        return payload.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the text is no {encoding}: byte {error.start + 1}", where=where, fix=CUSTOM, code="NO_DATA"
        ) from error


def _lines(text: str, delimiter: str, quote: str) -> list[Line]:
    stream = io.StringIO(text, newline="")
    reader = (
        csv.reader(stream, delimiter=delimiter, quotechar=quote)
        if quote
        else csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    lines, number = [], 1
    try:
        for cells in reader:
            lines.append(Line(number=number, cells=cells))
            number = reader.line_num + 1
    except csv.Error:  # a field of more than 128 KiB: a quote that is never closed
        return []
    return [line for line in lines if not line.is_blank]


def _delimiter(text: str) -> tuple[str, list[Line], str]:
    """The delimiter, the lines that it makes, and another one that would do nearly as well; empty texts where there is
    none.
    """
    rated: list[tuple[tuple[float, float, int], str, list[Line]]] = []
    for delimiter in _DELIMITERS:
        if delimiter not in text:
            continue
        quotes = ['"', *([""] if '"' in text else []), *(["'"] if f"{delimiter}'" in text else [])]
        for quote in quotes:
            lines = _lines(text, delimiter, quote)
            rate = _rate(lines[:_RATED_LINES], delimiter)
            if rate is not None:
                rated.append((rate, delimiter, lines))
    if not rated:
        return "", [], ""
    best, delimiter, lines = max(rated, key=lambda each: each[0])
    others = [
        other
        for rate, other, _ in rated
        if other != delimiter and rate[0] >= best[0] - _NEARLY and rate[1] >= best[1] - _NEARLY
    ]
    return delimiter, lines, others[0] if others else ""


def _rate(lines: Sequence[Line], delimiter: str) -> tuple[float, float, int] | None:
    """How well a delimiter fits: the share of lines of one width, the share of cells that hold no other delimiter, and
    that width.
    """
    widths = Counter(len(line.cells) for line in lines if len(line.cells) > 1)
    if not widths:
        return None
    width, count = widths.most_common(1)[0]
    share = count / len(lines)
    if share < _ALIKE_MIN and count < len(lines) - FOOTER_LINES_MAX:
        return None
    others = _DELIMITERS.replace(delimiter, "")
    cells = [cell for line in lines if len(line.cells) == width for cell in line.cells]
    clean = sum(1 for cell in cells if not any(mark in cell for mark in others) or LOOSE.fullmatch(cell.strip()))
    return round(share, 2), round(clean / len(cells), 2), width


def _quoting(csv_format: Csv, payload: bytes, text: str, where: str) -> tuple[Csv, list[str]]:
    """Quotes and escapes: the first way in which no record is damaged."""
    single = sum(
        1
        for _ in re.finditer(
            rf"(?:^|{re.escape(csv_format.delimiter)})'[^'\r\n]*'(?={re.escape(csv_format.delimiter)}|$)",
            text,
            re.MULTILINE,
        )
    )
    ways: list[tuple[Csv, str]] = [(csv_format, "")]
    if single and '"' not in text and single * 2 >= text.count("\n"):
        ways.insert(0, (attrs.evolve(csv_format, quote="'", escape="'"), "format: ' is taken as the quote"))
    if '"' in text:
        ways.append((attrs.evolve(csv_format, escape="\\"), "format: a backslash is taken as the escape of a quote"))
        ways.append(
            (attrs.evolve(csv_format, quote="", escape=""), "format: quotes are taken as letters like any other")
        )
    for way, doubt in ways:
        try:
            _, records = _records(payload, way, where)
        except UsageError:
            continue
        if records and not any(record.fault for record in records):
            return way, [doubt] if doubt else []
    return csv_format, []
