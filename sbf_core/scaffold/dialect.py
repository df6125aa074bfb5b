"""The dialect of delimited text, inferred once from a sample, with what is not sure of it. Nothing of this happens when a plugin runs."""

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
from sbf_core.scaffold.marks import LOOSE
from sbf_core.scaffold.naming import as_name

_CUSTOM = "write the hook promote for it: --kind custom"
_DELIMITERS = ",;\t|"
_COMMENTS = "#%!"
#: Byte order marks and what they mean (Unicode Standard, section 23.8); that of UTF-8 needs no declaration.
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: A reading that is worse by no more than this share of rows is told.
_NEARLY = 0.1
_ALIKE_MIN = 0.5
_FOOTER_LINES_MAX = 30
_RATED_LINES = 2_000
_DAY = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*")
_YEAR = re.compile(r"(?:19|20)\d\d")


@attrs.frozen(kw_only=True)
class FoundTable:
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


@attrs.frozen(kw_only=True)
class _Line:
    """A record of a first, lax reading: the number of its first line, and its cells."""

    number: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells) and len(self.cells) < 2


def find_table(payload: bytes, *, where: str) -> FoundTable:
    """The table in a sample of delimited text.

    Raises:
        UsageError: it is none, or one that cannot be declared.
    """
    encoding, text, doubts = _encoding(payload, where)
    delimiter, lines, other = _delimiter(text)
    if not delimiter:
        shown = printable(text.lstrip()[:80].partition("\n")[0])
        raise UsageError(f"this is no JSON, XML or CSV, it begins with {shown!r}", where=where, fix="look at the payload; " + _CUSTOM, code="NO_DATA")
    doubts += [f"format: the delimiter {other!r} would fit, too"] if other else []
    comment = _comment(lines)
    csv_format = Csv(delimiter=delimiter, encoding=encoding, comment=comment)
    csv_format, more = _around(csv_format, [line for line in lines if not _is_comment(line, comment)], where)
    csv_format, quoting = _quoting(csv_format, payload, text, where)
    names, records = read_table(payload, csv_format, where=where)
    doubts += [*([f"format: lines that begin with {comment} are taken as comments"] if comment else []), *more, *quoting]
    return FoundTable(csv=csv_format, names=names, records=tuple(records), doubts=tuple(doubts))


def read_table(payload: bytes, declared: Csv, *, where: str) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    """Names of the fields and all records of a payload, as they will be read when the plugin runs.

    Raises:
        UsageError: a record is damaged, or there is none.
    """
    names, records = _records(payload, declared, where)
    for record in records:
        if record.fault:
            what = {"ragged": f"has another number of fields than the header, which has {len(names)}", "header_again": "is the header again"}
            why = what.get(record.fault, "has a quote that does not enclose a field")
            fix = "for text in sections, or several tables, declare format=Sections(...) by hand; or " + _CUSTOM
            raise UsageError(f"{record.place} {why}: {printable(record.raw[:80])}", where=where, fix=fix, code="NO_ROWS")
    if not records:
        raise UsageError("there is a header and no row", where=where, fix="ask for a stretch that has some", code="NO_ROWS")
    return names, [tuple(record.values) for record in records]


def _records(payload: bytes, declared: Csv, where: str) -> tuple[tuple[str, ...], list[Record]]:
    try:
        with utf8_text(Path(), declared.encoding, payload=payload) as text:
            check_utf8(text, declared.encoding)
            head = head_of(dialect_of(declared), text)
            return head.names, list(RecordReader(dialect_of(declared), text.data, head, range(len(head.names))))
    except PayloadRefused as error:
        raise UsageError(f"it {error.what}", where=where, fix=error.fix or _CUSTOM, code="NO_ROWS") from error


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
    return name, payload.decode(name), [f"format: no UTF-8; taken as {name}, where byte {at + 1} reads {shown!r}: what does the vendor say?"]


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
        raise UsageError(f"the text is no {encoding}: byte {error.start + 1}", where=where, fix=_CUSTOM, code="NO_DATA") from error


def _lines(text: str, delimiter: str, quote: str) -> list[_Line]:
    stream = io.StringIO(text, newline="")
    if quote:
        reader = csv.reader(stream, delimiter=delimiter, quotechar=quote)
    else:
        reader = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    found, number = [], 1
    try:
        for cells in reader:
            found.append(_Line(number=number, cells=cells))
            number = reader.line_num + 1
    except csv.Error:  # a field of more than 128 KiB: a quote that is never closed
        return []
    return [line for line in found if not line.is_blank]


def _delimiter(text: str) -> tuple[str, list[_Line], str]:
    """The delimiter, the lines that it makes, and another one that would do nearly as well; empty texts where there is none."""
    rated: list[tuple[tuple[float, float, int], str, list[_Line]]] = []
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
    others = [other for rate, other, _ in rated if other != delimiter and rate[0] >= best[0] - _NEARLY and rate[1] >= best[1] - _NEARLY]
    return delimiter, lines, others[0] if others else ""


def _rate(lines: Sequence[_Line], delimiter: str) -> tuple[float, float, int] | None:
    """How well a delimiter fits: the share of lines of one width, the share of cells that hold no other delimiter, and that width."""
    widths = Counter(len(line.cells) for line in lines if len(line.cells) > 1)
    if not widths:
        return None
    width, count = widths.most_common(1)[0]
    share = count / len(lines)
    if share < _ALIKE_MIN and count < len(lines) - _FOOTER_LINES_MAX:
        return None
    others = _DELIMITERS.replace(delimiter, "")
    cells = [cell for line in lines if len(line.cells) == width for cell in line.cells]
    clean = sum(1 for cell in cells if not any(mark in cell for mark in others) or LOOSE.fullmatch(cell.strip()))
    return round(share, 2), round(clean / len(cells), 2), width


def _width(lines: Sequence[_Line]) -> int:
    return Counter(len(line.cells) for line in lines if len(line.cells) > 1).most_common(1)[0][0]


def _comment(lines: Sequence[_Line]) -> str:
    """The mark of lines that are comments: all that begin with it have another number of fields than the rows."""
    for mark in _COMMENTS:
        marked = [line for line in lines if line.cells[0].startswith(mark)]
        if marked and not any(len(line.cells) == _width(lines) for line in marked) and (mark == "#" or len(marked) > 1):
            return mark
    return ""


def _is_comment(line: _Line, comment: str) -> bool:
    return bool(comment) and line.cells[0].startswith(comment)


def _around(csv_format: Csv, lines: Sequence[_Line], where: str) -> tuple[Csv, list[str]]:
    """What stands above the first row and below the last one."""
    width, doubts = _width(lines), []
    first = next(place for place, line in enumerate(lines) if len(line.cells) == width)
    last = max(place for place, line in enumerate(lines) if len(line.cells) == width)
    footer = len(lines) - last - 1
    block = list(lines[first : last + 1])
    short = next((line for line in lines[last + 1 :] if footer > _FOOTER_LINES_MAX or len(block) == 1 or _is_like(line, block)), None)
    if short is not None:
        what = f"line {short.number} has {len(short.cells)} fields, the header has {width}"
        raise UsageError(what, where=where, fix=_CUSTOM, code="NO_ROWS")
    if not footer and _is_footer(block):
        footer, block = 1, block[:-1]
    has_header = _has_header(block)
    if not has_header and first and len(lines[first - 1].cells) > 1 and lines[first - 1].number == lines[first].number - 1:
        above = lines[first - 1]
        what = f"line {lines[first].number} has {width} fields, the header has {len(above.cells)}"
        raise UsageError(what, where=where, fix=_CUSTOM, code="NO_ROWS")
    skip = lines[first].number - 1 if first else 0
    if skip:
        doubts.append(f"format: {skip} lines above the {'header' if has_header else 'rows'} are left out; is it always so many?")
    if footer:
        doubts.append(f"format: {footer} {'line' if footer == 1 else 'lines'} below the rows left out; is it always so many?")
    header, more = _header(block, has_header)
    if header and has_header:
        skip = lines[first].number
    return attrs.evolve(csv_format, skip_rows=skip, footer_rows=footer, header=header or True), [*doubts, *more]


def _is_like(line: _Line, block: Sequence[_Line]) -> bool:
    """Whether a line of another width begins as the rows do: it is one that was cut, and no footer."""
    kind = _kind([row.cells[0].strip() for row in block[1:] if len(row.cells) == len(block[0].cells)])
    return len(line.cells) > 1 and bool(kind) and _kind([line.cells[0].strip()]) == kind


def _is_footer(block: Sequence[_Line]) -> bool:
    """Whether the last line, with as many fields as the others, has something in the first one alone, as no other has."""
    bare = [not any(cell.strip() for cell in line.cells[1:]) for line in block]
    return len(block) > 2 and len(block[0].cells) > 2 and bare[-1] and not any(bare[:-1])


def _has_header(block: Sequence[_Line]) -> bool:
    """Whether the first line names the fields: it holds no values of the kind that stands below it. Years may be names."""
    names, rows = [cell.strip() for cell in block[0].cells], block[1:]
    if not rows or any(line.cells == block[0].cells for line in rows):
        return True
    kinds = [_kind([line.cells[place].strip() for line in rows if len(line.cells) == len(names)]) for place in range(len(names))]
    typed = [place for place, kind in enumerate(kinds) if kind]
    if not typed:
        return not any(_repeats(name, place, rows) for place, name in enumerate(names))
    alike = [names[place] for place in typed if _kind([names[place]]) == kinds[place]]
    are_years = len(alike) > 1 and len(set(alike)) == len(alike) and all(_YEAR.fullmatch(name) for name in alike)
    return are_years or len(alike) * 2 < len(typed)


def _kind(cells: Sequence[str]) -> str:
    """What cells are, empty ones aside: ``number``, ``day`` or nothing special."""
    told = [cell for cell in cells if cell]
    for kind, pattern in (("day", _DAY), ("number", LOOSE)):
        if told and all(pattern.fullmatch(cell) for cell in told):
            return kind
    return ""


def _repeats(name: str, place: int, rows: Sequence[_Line]) -> bool:
    return bool(name.strip()) and any(line.cells[place : place + 1] == [name] for line in rows)


def _header(block: Sequence[_Line], has_header: bool) -> tuple[tuple[str, ...], list[str]]:
    """Names for the fields, where the text has none that can be used; and doubts."""
    names = [cell.strip() for cell in block[0].cells]
    if not has_header:
        return tuple(f"field_{place}" for place in range(1, len(names) + 1)), ["format: there is no line of names; what are the fields?"]
    used = [name for place, name in enumerate(names) if name or any(cell.strip() for line in block[1:] for cell in line.cells[place : place + 1])]
    twice = next((name for name in used if not name or used.count(name) > 1), None)
    if twice is None:
        return (), []
    given: list[str] = []
    for name in names:
        given.append(as_name(name, taken=set(given)))
    why = f"names {twice!r} twice" if twice else "has a field without a name"
    return tuple(given), [f"format: the header {why}, so the names stand here; they must be kept in step with the vendor's"]


def _quoting(csv_format: Csv, payload: bytes, text: str, where: str) -> tuple[Csv, list[str]]:
    """Quotes and escapes: the first way in which no record is damaged."""
    single = sum(1 for _ in re.finditer(rf"(?:^|{re.escape(csv_format.delimiter)})'[^'\r\n]*'(?={re.escape(csv_format.delimiter)}|$)", text, re.MULTILINE))
    ways: list[tuple[Csv, str]] = [(csv_format, "")]
    if single and '"' not in text and single * 2 >= text.count("\n"):
        ways.insert(0, (attrs.evolve(csv_format, quote="'", escape="'"), "format: ' is taken as the quote"))
    if '"' in text:
        ways.append((attrs.evolve(csv_format, escape="\\"), "format: a backslash is taken as the escape of a quote"))
        ways.append((attrs.evolve(csv_format, quote="", escape=""), "format: quotes are taken as letters like any other"))
    for way, doubt in ways:
        try:
            _, records = _records(payload, way, where)
        except UsageError:
            continue
        if records and not any(record.fault for record in records):
            return way, [doubt] if doubt else []
    return csv_format, []
