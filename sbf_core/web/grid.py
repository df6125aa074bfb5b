"""Facts as tables of a page: how each value looks, and where it leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.errors import printable
from sbf_core.reports.table import FactTable
from sbf_core.value import Value

_CELL_CHARACTERS_MAX = 300
#: A shorter text is never broken: days, tickers, names.
_SHORT_CHARACTERS_MAX = 22
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
#: A word and its meaning: colour alone says nothing to some readers.
_STATES = {
    "ok": "good", "current": "good", "fresh": "good", "loaded": "good",
    "partial": "warn", "due": "warn", "stale": "warn",
    "held": "bad", "late": "bad", "deferred": "warn", "interrupted": "bad", "failed": "bad",
    "refused": "bad", "running": "busy", "fetched": "busy", "started": "busy",
}  # fmt: skip

#: Columns of sbf's own tables that tell of faults, or from where a file came.
_SAID = ("error", "why", "reason", "address")

Link = Callable[[Mapping[str, Any]], str]


@attrs.frozen(kw_only=True)
class Cell(Value):
    """A value as a page shows it.

    Attributes:
        text: what stands there; control and bidirectional characters as escapes.
        kind: a class for the style sheet: ``num``, ``code``, ``when``, ``short``, ``long``, ``state``, or empty.
        state: for states: ``good``, ``warn``, ``bad``, ``busy`` or ``plain``.
        href: where it leads; empty: nowhere.
        full: all of a text that was cut; empty where nothing was.
        is_said: whether sbf says it of a fault or a source, so that a path in it is one of this machine.
    """

    text: str
    kind: str = ""
    state: str = ""
    href: str = ""
    full: str = ""
    is_said: bool = False


@attrs.frozen(kw_only=True)
class Grid(Value):
    """A table of a page.

    Attributes:
        headers: names of the columns, with the kind of each.
        rows: cells in that order.
    """

    headers: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]


def bytes_text(count: float) -> str:
    """A number of bytes with three digits and a unit of 1,000."""
    size = float(count)
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"


def duration_text(seconds: float) -> str:
    """``0.42 s``, ``12 s``, ``3 min``, ``5.2 h`` or ``12 days``."""
    for size, unit, digits in ((86_400 * 2, "days", 86_400), (7200, "h", 3600), (120, "min", 60)):
        if seconds >= size:
            value = seconds / digits
            return f"{value:.1f} {unit}" if unit == "h" and value < 10 else f"{value:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def number_text(value: Any, *, decimals: int | None = None) -> str:
    """A number for people: thousands apart, floats with six digits that count, decimals with so many places,
    or as they are.
    """
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal) and decimals is not None:
        return f"{value:,.{decimals}f}"
    return f"{value:,}"


def _decimals(value: Any) -> int:
    """PathMasking behind the point that say something: a scale that was declared says nothing of a value."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return 0
    return len(f"{value:f}".partition(".")[2].rstrip("0"))


def cell_of(
    name: str, value: Any, *, href: str = "", number: bool = False, decimals: int | None = None, of_sbf: bool = True
) -> Cell:
    """How a value looks in a column of that name.

    Args:
        name: of the column. What sbf itself calls ``bytes``, ``seconds``, ``state`` or ``payload`` is written as such.
        value: what stands there.
        href: where it leads.
        number: whether other rows have numbers in the column.
        decimals: places behind the point of the other rows.
        of_sbf: whether the column is one of sbf: a column of a dataset may be called ``bytes``, and its value is shown
            as it is.
    """
    if value is None:
        return Cell(text="", kind="num" if number else "")
    if of_sbf and name in ("status", "state"):
        return Cell(text=printable(str(value)), kind="state", state=_STATES.get(str(value), "plain"), href=href)
    if isinstance(value, bool):
        return Cell(text="yes" if value else "no", href=href)
    if isinstance(value, dt.datetime):
        return Cell(text=value.strftime("%Y-%m-%d %H:%M:%S"), kind="when", href=href)
    if isinstance(value, dt.date):
        return Cell(text=value.isoformat(), kind="when", href=href)
    if isinstance(value, (int, float, Decimal)):
        unit = name if of_sbf else ""
        text = (
            bytes_text(float(value))
            if unit == "bytes"
            else duration_text(float(value))
            if unit == "seconds"
            else number_text(value, decimals=decimals)
        )
        return Cell(
            text=str(value) if name in ("year", "http") or name.endswith(("_key", "_id")) else text,
            kind="num",
            href=href,
        )
    text = printable(value.hex() if isinstance(value, bytes) else str(value))
    if of_sbf and name == "payload" and href:
        text = text.rpartition("/")[2]  # dataset and ticker stand beside it, and the whole path on its page
    cut = len(text) > _CELL_CHARACTERS_MAX
    kind = "long" if len(text) > 60 else "short" if len(text) <= _SHORT_CHARACTERS_MAX else ""
    if of_sbf and name in ("hash", "payload", "run_id", "table_name", "type", "column", "silver_table"):
        kind = "code"
    shown = text[:_CELL_CHARACTERS_MAX] + ("…" if cut else "")
    return Cell(text=shown, kind=kind, href=href, full=text if cut else "", is_said=of_sbf and name in _SAID)


def grid_of(
    table: FactTable,
    *,
    links: Mapping[str, Link] | None = None,
    hidden: Sequence[str] = (),
    drop_empty: bool = True,
    values: Collection[str] = (),
) -> Grid:
    """A table of a page.

    Args:
        table: the facts.
        links: by column, where a row's value leads.
        hidden: columns that links need and nobody reads.
        drop_empty: leave out columns that are empty in all rows: most runs have no errors.
        values: columns of a dataset or a gold table, whose names say nothing of how their values look.
    """
    places = [
        place
        for place, name in enumerate(table.headers)
        if name not in hidden
        and not (drop_empty and table.rows and all(row[place] in (None, "") for row in table.rows))
    ]
    numeric = {
        place: any(
            isinstance(row[place], (int, float, Decimal)) and not isinstance(row[place], bool) for row in table.rows
        )
        for place in places
    }
    decimals = {
        place: max((_decimals(row[place]) for row in table.rows), default=0) for place in places if numeric[place]
    }
    rows = []
    for row in table.rows:
        record = dict(zip(table.headers, row, strict=True))
        cells = []
        for place in places:
            name = table.headers[place]
            link = (links or {}).get(name)
            href = link(record) if link is not None and row[place] is not None else ""
            cells.append(
                cell_of(
                    name,
                    row[place],
                    href=href,
                    number=numeric[place],
                    decimals=decimals.get(place),
                    of_sbf=name not in values,
                )
            )
        rows.append(tuple(cells))
    return Grid(
        headers=tuple(
            (printable(table.headers[place]).replace("_", " "), "num" if numeric[place] else "") for place in places
        ),
        rows=tuple(rows),
    )
