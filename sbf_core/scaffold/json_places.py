"""Where the rows of a JSON document may be: lists of objects, rows by position, objects by name, lists beside each
other.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from sbf_core.dataset.json_path import rows_path
from sbf_core.dataset.json_steps import step
from sbf_core.errors import PayloadRefused, UsageError, printable
from sbf_core.payload.json_text import Number
from sbf_core.payload.json_walk import rows_of
from sbf_core.scaffold.moments import compact_days_of, epoch_of, moments_of
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Value

CUSTOM = "write the hook promote for it: --kind custom"
_DEPTH_MAX = 6
_PARTS_MAX = 5
_PLAIN_STEP = re.compile(r"[^.\[\]*$@]+")
#: Names of objects and of values that are one kind of thing: codes and days.
_CODE_NAME = re.compile(r"[A-Z0-9][A-Z0-9._/^=-]{1,15}|\d{4}-\d{2}(-\d{2})?.*")
#: Codes in capitals that are measures of one thing, and no tickers.
MEASURES = frozenset(
    ("OPEN", "HIGH", "LOW", "CLOSE", "LAST", "VOLUME", "VWAP", "BID", "ASK", "MID", "PRICE", "VALUE", "RATE", "AMOUNT",
     "TOTAL", "COUNT", "YIELD", "CHANGE", "NAV", "AVG", "MIN", "MAX", "MEAN", "MEDIAN", "QTY", "SIZE", "ADJ_CLOSE",
     "ADJCLOSE", "PREVCLOSE", "TURNOVER", "LAT", "LON")
)  # fmt: skip
_NAMED_MIN = 3
#: Shorter lists beside each other are not clearly columns.
_BESIDE_MIN = 5
_NAMED_OVER_LISTED = 10


class Kind(enum.IntEnum):
    """What is at a place, the clearest first."""

    OBJECTS = 0
    POSITIONS = 1
    NAMED = 2
    BESIDE = 3
    NAMED_VALUES = 4


@attrs.frozen(kw_only=True)
class Place(Value):
    """Where rows may be.

    Attributes:
        steps: names on the way.
        kind: what is there.
        count: of rows.
        beside: for parallel arrays, their names.
    """

    steps: tuple[str | int, ...]
    kind: Kind
    count: int
    beside: tuple[str, ...] = ()

    @property
    def rows_at(self) -> str:
        """As it is declared, as short as can be."""
        if self.kind in (Kind.OBJECTS, Kind.POSITIONS):
            return list_at(self.steps)
        path = "$" + "".join(map(step, self.steps))
        return f"{path}{step(self.beside[0])}[*]" if self.kind == Kind.BESIDE else f"{path}.*"


def list_at(steps: Sequence[str | int]) -> str:
    """``rows_at`` of a list: names with dots between, where that can be said so."""
    names = [name for name in steps if isinstance(name, str) and _PLAIN_STEP.fullmatch(name)]
    if len(names) == len(steps):
        return ".".join(names)
    return "$" + "".join(map(step, steps)) + "[*]"


def likeliest(document: Any, where: str) -> tuple[Place, list[str]]:
    """The place with the most rows, and doubts. Raises ``UsageError`` where nothing looks like rows."""
    places = list(places_of(document))
    listed = max((place.count for place in places if place.kind not in (Kind.NAMED, Kind.NAMED_VALUES)), default=0)
    # what is named may be one thing's facts: a list of rows, if there is one, is what was meant
    places.sort(
        key=lambda place: (
            place.kind in (Kind.NAMED, Kind.NAMED_VALUES) and place.count < _NAMED_OVER_LISTED * listed,
            -place.count,
            place.kind,
        )
    )
    if not places:
        raise UsageError(
            f"the payload holds no list of rows: {_shape(document)}",
            where=where,
            fix="--rows-at $ if it is one row as a whole; else " + CUSTOM,
            code="NO_ROWS",
        )
    place = places[0]
    doubts = [
        f"rows_at: {other.rows_at or 'the payload itself'} is a list, too"
        for other in places[1:]
        if other.count and other.kind in (Kind.OBJECTS, Kind.POSITIONS)
    ]
    if place.kind in (Kind.NAMED, Kind.NAMED_VALUES):
        what = "object" if place.kind == Kind.NAMED else "value"
        doubts.append(f"rows_at: each {what} at {place.rows_at} is taken as a row, its name as a field")
    return place, doubts


def places_of(node: Any, steps: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Everything that may be rows and that a path of names leads to; empty lists, too."""
    if isinstance(node, list):
        if all(isinstance(item, dict) for item in node):
            yield Place(steps=steps, kind=Kind.OBJECTS, count=len(node))
        elif _are_positions(node):
            yield Place(steps=steps, kind=Kind.POSITIONS, count=len(node))
        elif len(node) <= _PARTS_MAX and any(isinstance(item, dict) for item in node):
            for index, item in enumerate(node):  # as [facts, rows]
                yield from places_of(item, (*steps, index))
    elif isinstance(node, dict) and len(steps) < _DEPTH_MAX:
        if _are_named_rows(node):
            yield Place(steps=steps, kind=Kind.NAMED, count=len(node))
            return
        if _are_named_values(node):
            yield Place(steps=steps, kind=Kind.NAMED_VALUES, count=len(node))
        beside = _parallel(node)
        if beside:
            yield Place(steps=steps, kind=Kind.BESIDE, count=len(node[beside[0]]), beside=beside)
        for name, value in node.items():
            yield from places_of(value, (*steps, name))


def _are_positions(items: Sequence[Any]) -> bool:
    """Rows that are lists, as long as each other, of which most fields are plain."""
    if (
        not all(isinstance(item, list) for item in items)
        or len({len(item) for item in items}) != 1
        or len(items[0]) < 2
    ):
        return False
    return sum(not isinstance(value, (dict, list)) for value in items[0]) * 2 > len(items[0])


def _are_named_rows(node: dict[str, Any]) -> bool:
    """Objects by name that share most of their own names."""
    if len(node) < 2 or not all(isinstance(value, dict) and value for value in node.values()):
        return False
    if len(node) < _NAMED_MIN and not all(_CODE_NAME.fullmatch(name) for name in node):
        return False
    counted = Counter(name for value in node.values() for name in value)
    return sum(count for count in counted.values()) * 2 > len(counted) * len(node)


def _are_named_values(node: dict[str, Any]) -> bool:
    """Plain values by names that are codes or days."""
    values = [value for value in node.values() if value is not None]
    if len(node) < _NAMED_MIN or not values or any(isinstance(value, (dict, list, bool)) for value in values):
        return False
    return all(_CODE_NAME.fullmatch(name) for name in node)


def is_spread(value: Any) -> bool:
    """Whether a value is an object of plain values by codes or days, none of which is a word for a measure."""
    if not isinstance(value, dict) or not _are_named_values(value):
        return False
    return not {name.upper() for name in value} & MEASURES


def _parallel(node: dict[str, Any]) -> tuple[str, ...]:
    """Names of lists of plain values that are as long as each other; none unless all of the node's lists are."""
    lists = {name: value for name, value in node.items() if isinstance(value, list)}
    lengths = {len(value) for value in lists.values()}
    if len(lists) < 2 or len(lengths) != 1:
        return ()
    if lengths.pop() < _BESIDE_MIN and not any(is_time(value) for value in lists.values()):
        return ()
    plain = all(not isinstance(item, (dict, list)) for value in lists.values() for item in value)
    return tuple(lists) if plain else ()


def wanted_place(document: Any, wanted: str, where: str) -> Place:
    """The place that was asked for; its steps are not looked at any more."""
    try:
        values = [row.value for row in rows_of(document, rows_path(wanted))]
    except PayloadRefused as error:
        known = ", ".join(repr(place.rows_at) for place in places_of(document)) or "no path"
        raise UsageError(
            f"there is no list at {wanted!r}", where=where, fix=f"lists are at {known}", code="NO_ROWS"
        ) from error
    kind = (
        Kind.OBJECTS
        if all(isinstance(value, dict) for value in values)
        else Kind.POSITIONS
        if all(isinstance(value, list) for value in values)
        else Kind.NAMED_VALUES
    )
    if kind == Kind.OBJECTS and rows_path(wanted).segments and wanted.endswith(".*"):
        kind = Kind.NAMED
    return Place(steps=(), kind=kind, count=len(values))


def refuse_spread_rows(document: Any, where: str) -> None:
    """Raise ``UsageError`` for the formats of statistics offices, whose rows stand at no path."""
    if not isinstance(document, dict):
        return
    inner = document.get("data")
    if "dataSets" in document or (isinstance(inner, dict) and "dataSets" in inner):
        what, declared = "SDMX-JSON", "SdmxJson"
    elif document.get("class") == "dataset" and {"id", "size", "value"} <= set(document):
        what, declared = "JSON-stat", "JsonStat"
    else:
        return
    fix = f"begin with --kind rest and declare format={declared}()"
    raise UsageError(f"this is {what}, whose rows are spread over it", where=where, fix=fix, code="NESTED")


def _shape(document: Any) -> str:
    names = (
        ", ".join(f"{name!r}: {_type(value)}" for name, value in list(document.items())[:4])
        if isinstance(document, dict)
        else "a list of values"
    )
    return printable(names)[:160]


def _type(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = ((bool, "bool"), (dict, "dict"), (list, "list"), (str, "str"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "null")


def is_time(values: Sequence[Any], name: str = "") -> bool:
    """Whether values are days or moments: texts, or numbers in a field that is named so."""
    told = list(dict.fromkeys(value.strip() for value in values if isinstance(value, str) and value.strip()))
    if any(isinstance(value, Number) for value in values):
        return bool(name) and (compact_days_of(as_name(name), told) or epoch_of(as_name(name), told)) is not None
    return bool(told) and moments_of(told) is not None
