"""What stands around the rows of delimited text: prose, a header or none, comments, a footer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import attrs

from sbf_core.dataset.formats import Csv
from sbf_core.errors import UsageError
from sbf_core.scaffold.marks import LOOSE
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Value

CUSTOM = "write the hook promote for it: --kind custom"
FOOTER_LINES_MAX = 30
_COMMENTS = "#%!"
_DAY = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*")
_YEAR = re.compile(r"(?:19|20)\d\d")


@attrs.frozen(kw_only=True)
class Line(Value):
    """A record of a first, lax reading: the number of its first line, and its cells."""

    number: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing but blanks."""
        return not any(cell.strip() for cell in self.cells) and len(self.cells) < 2


def width_of(lines: Sequence[Line]) -> int:
    """The number of fields that most lines have, of those with two or more."""
    return Counter(len(line.cells) for line in lines if len(line.cells) > 1).most_common(1)[0][0]


def comment_of(lines: Sequence[Line]) -> str:
    """The mark of lines that are comments: all that begin with it have another number of fields than the rows."""
    for mark in _COMMENTS:
        marked = [line for line in lines if line.cells[0].startswith(mark)]
        if (
            marked
            and not any(len(line.cells) == width_of(lines) for line in marked)
            and (mark == "#" or len(marked) > 1)
        ):
            return mark
    return ""


def is_comment(line: Line, comment: str) -> bool:
    """Whether a line begins with the mark, if there is one."""
    return bool(comment) and line.cells[0].startswith(comment)


def around(csv_format: Csv, lines: Sequence[Line], where: str) -> tuple[Csv, list[str]]:
    """What stands above the first row and below the last one."""
    width, doubts = width_of(lines), []
    first = next(place for place, line in enumerate(lines) if len(line.cells) == width)
    last = max(place for place, line in enumerate(lines) if len(line.cells) == width)
    footer = len(lines) - last - 1
    block = list(lines[first : last + 1])
    short = next(
        (line for line in lines[last + 1 :] if footer > FOOTER_LINES_MAX or len(block) == 1 or _is_like(line, block)),
        None,
    )
    if short is not None:
        what = f"line {short.number} has {len(short.cells)} fields, the header has {width}"
        raise UsageError(what, where=where, fix=CUSTOM, code="NO_ROWS")
    if not footer and _is_footer(block):
        footer, block = 1, block[:-1]
    has_header = _has_header(block)
    if (
        not has_header
        and first
        and len(lines[first - 1].cells) > 1
        and lines[first - 1].number == lines[first].number - 1
    ):
        above = lines[first - 1]
        what = f"line {lines[first].number} has {width} fields, the header has {len(above.cells)}"
        raise UsageError(what, where=where, fix=CUSTOM, code="NO_ROWS")
    skip = lines[first].number - 1 if first else 0
    if skip:
        doubts.append(
            f"format: {skip} lines above the {'header' if has_header else 'rows'} are left out; is it always so many?"
        )
    if footer:
        doubts.append(
            f"format: {footer} {'line' if footer == 1 else 'lines'} below the rows left out; is it always so many?"
        )
    header, more = _header(block, has_header)
    if header and has_header:
        skip = lines[first].number
    return attrs.evolve(csv_format, skip_rows=skip, footer_rows=footer, header=header or True), [*doubts, *more]


def _is_like(line: Line, block: Sequence[Line]) -> bool:
    """Whether a line of another width begins as the rows do: it is one that was cut, and no footer."""
    kind = _kind([row.cells[0].strip() for row in block[1:] if len(row.cells) == len(block[0].cells)])
    return len(line.cells) > 1 and bool(kind) and _kind([line.cells[0].strip()]) == kind


def _is_footer(block: Sequence[Line]) -> bool:
    """Whether the last line, with as many fields as the others,
    has something in the first one alone, as no other has.
    """
    bare = [not any(cell.strip() for cell in line.cells[1:]) for line in block]
    return len(block) > 2 and len(block[0].cells) > 2 and bare[-1] and not any(bare[:-1])


def _has_header(block: Sequence[Line]) -> bool:
    """Whether the first line names the fields: it holds no values of the kind that stands below it.

    Years may be names.
    """
    names, rows = [cell.strip() for cell in block[0].cells], block[1:]
    if not rows or any(line.cells == block[0].cells for line in rows):
        return True
    kinds = [
        _kind([line.cells[place].strip() for line in rows if len(line.cells) == len(names)])
        for place in range(len(names))
    ]
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


def _repeats(name: str, place: int, rows: Sequence[Line]) -> bool:
    return bool(name.strip()) and any(line.cells[place : place + 1] == [name] for line in rows)


def _header(block: Sequence[Line], has_header: bool) -> tuple[tuple[str, ...], list[str]]:
    """Names for the fields, where the text has none that can be used; and doubts."""
    names = [cell.strip() for cell in block[0].cells]
    if not has_header:
        return tuple(f"field_{place}" for place in range(1, len(names) + 1)), [
            "format: there is no line of names; what are the fields?"
        ]
    used = [
        name
        for place, name in enumerate(names)
        if name or any(cell.strip() for line in block[1:] for cell in line.cells[place : place + 1])
    ]
    twice = next((name for name in used if not name or used.count(name) > 1), None)
    if twice is None:
        return (), []
    given: list[str] = []
    for name in names:
        given.append(as_name(name, taken=set(given)))
    why = f"names {twice!r} twice" if twice else "has a field without a name"
    return tuple(given), [
        f"format: the header {why}, so the names stand here; they must be kept in step with the vendor's"
    ]
