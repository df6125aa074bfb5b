"""The rows of a JSON document, found without being told where they are.

The sources of their fields are written as ``payload.json_path`` has them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.dataset.json_path import check_paths, rows_path, source_path
from sbf_core.dataset.json_steps import step
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.json_text import Twice, document_of
from sbf_core.payload.json_values import getter, is_absent
from sbf_core.payload.json_walk import Row, Unreachable, rows_of
from sbf_core.scaffold.json_fields import NESTED_MAX, header_of, is_plain_source, plain_fields, plain_lists, quoted_name
from sbf_core.scaffold.json_places import (
    CUSTOM,
    Kind,
    Place,
    is_spread,
    is_time,
    likeliest,
    refuse_spread_rows,
    wanted_place,
)
from sbf_core.value import Value

ROWS_MAX = 20_000
_COLUMNS_MAX = 200
#: What a name of a field begins with; objects by number or day are no fields.
_WORD = re.compile(r"[^\W\d]|[$@#]")


@attrs.frozen(kw_only=True)
class FoundJson(Value):
    """Rows of a document.

    Attributes:
        rows: as mappings from sources to values; numbers are ``Number``, with the vendor's digits.
        rows_at: where they are.
        names: words for the sources that are paths.
        doubts: what was decided without being sure.
    """

    rows: tuple[Mapping[str, Any], ...]
    rows_at: str
    names: Mapping[str, str]
    doubts: tuple[str, ...]


def json_rows(body: bytes, where: str, wanted: str | None) -> FoundJson:
    """The rows of a JSON payload.

    Args:
        body: the payload.
        where: the address or file it came from.
        wanted: the path of the rows, where it is known.

    Raises:
        UsageError: it is no JSON, or holds no rows, or such that no declaration can reach.
    """
    try:
        document = document_of(body)
    except PayloadRefused as error:
        raise UsageError(
            f"this {error.what}", where=where, fix=error.fix or "look at the payload", code="NO_DATA"
        ) from error
    refuse_spread_rows(document, where)
    doubts: list[str] = []
    if wanted is not None:
        place = wanted_place(document, wanted, where)
        rows_at = wanted
    else:
        place, doubts = likeliest(document, where)
        rows_at = place.rows_at
    return _Reader(document, rows_at, place, where).found(doubts)


class _Reader:
    """Rows at a place, with the sources of their fields."""

    def __init__(self, document: Any, rows_at: str, place: Place, where: str) -> None:
        self.document = document
        self.rows_at = rows_at
        self.place = place
        self.where = where
        self.doubts: list[str] = []
        #: Lists that are rows, or beside them.
        self.consumed: set[str] = set()
        #: Sources and words for them; an empty word for a source that is a plain name.
        self.sources: dict[str, str] = {}

    def found(self, doubts: list[str]) -> FoundJson:
        rows = self._rows()
        if not rows:
            shown = f"the list at {self.rows_at!r}" if self.rows_at else "the list"
            raise UsageError(
                f"{shown} holds no rows", where=self.where, fix="ask for a stretch that has some", code="NO_ROWS"
            )
        across = self._across(rows)
        if across is not None:
            rows = self._values_by_name(across, rows)
        elif self.place.kind in (Kind.OBJECTS, Kind.NAMED):
            inner = self._inner(rows)
            rows = self._children(inner, rows) if inner else self._beside_each_other(rows)
        if self.place.kind == Kind.NAMED or (self.place.kind == Kind.NAMED_VALUES and not self._is_list()):
            self.sources["@~"] = "date" if is_time([row.trail[-1].key for row in rows]) else "name"
        if self.place.kind == Kind.NAMED_VALUES:
            self.sources["@"] = "value"
        elif self.place.kind == Kind.BESIDE:
            if self.place.beside:
                self._add_beside()
        else:
            self._add_fields([row.value for row in rows], "@", ())
        self._check(rows)
        taken = self._taken(rows)
        beside = self._day_beside(taken)
        if beside:
            taken = self._taken(rows)
        names = {source: word for source, word in self.sources.items() if word}
        return FoundJson(rows=tuple(taken), rows_at=self.rows_at, names=names, doubts=(*doubts, *self.doubts))

    def _across(self, rows: Sequence[Row]) -> str | None:
        """The field of each row that holds values by codes or days, as a wide table; empty where the row itself does;
        None for others.
        """
        values = [row.value for row in rows]
        if self.place.kind == Kind.NAMED:
            return "" if all(is_spread(value) for value in values) else None
        if self.place.kind != Kind.OBJECTS:
            return None
        names = [name for name, one in values[0].items() if is_spread(one)]
        fitting = [name for name in names if all(is_spread(value.get(name)) for value in values)]
        return fitting[0] if len(fitting) == 1 else None

    def _values_by_name(self, name: str, rows: Sequence[Row]) -> list[Row]:
        """Go to the values of a field that holds them by name: each is a row."""
        if name:
            self._add_fields(
                [{key: value for key, value in row.value.items() if key != name} for row in rows], "@^", ()
            )
        else:
            self.sources["@^~"] = "date" if is_time([row.trail[-1].key for row in rows]) else "name"
        self.doubts.append(f"rows_at: a row for each value by name in {name or 'each object'!r}, the name as a field")
        self.rows_at = f"{self._path()}{step(name) if name else ''}.*"
        self.place = attrs.evolve(self.place, kind=Kind.NAMED_VALUES)
        return self._rows()

    def _rows(self) -> list[Row]:
        try:
            return list(rows_of(self.document, rows_path(self.rows_at)))
        except PayloadRefused as error:
            raise UsageError(f"the payload {error.what}", where=self.where, fix=error.fix, code="NO_ROWS") from error

    def _is_list(self) -> bool:
        return self.rows_at == "" or self.rows_at.endswith("[*]") or not self.rows_at.startswith("$")

    def _inner(self, rows: Sequence[Row]) -> str:
        """The one list of objects within the rows that has more of them than there are rows."""
        counted: Counter[str] = Counter()
        for row in rows:
            for name, value in row.value.items() if isinstance(row.value, dict) else ():
                if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                    counted[name] += len(value)
        inner = [name for name, count in counted.items() if count > len(rows)]
        if len(inner) > 1:
            raise self._nested(inner[0], "a list of rows, and not it alone")
        return inner[0] if inner else ""

    def _children(self, name: str, rows: Sequence[Row]) -> list[Row]:
        """Go one list deeper: its objects are the rows, with the fields of the row that they are in."""
        path = self._path()
        self.doubts.append(
            f"rows_at: a row for each of {name!r}, with the fields of what it is in; is there nothing to keep where "
            f"{name!r} is empty?"
        )
        if self.place.kind == Kind.NAMED:
            self.sources["@^~"] = "name"
        above = "@^" if "*" in path else path  # of what there is but one of, nobody goes up
        self._add_fields([{key: value for key, value in row.value.items() if key != name} for row in rows], above, ())
        self.rows_at = f"{path}{step(name)}[*]"
        self.place = attrs.evolve(self.place, kind=Kind.OBJECTS)
        children = self._rows()
        again = self._inner(children)
        if again:
            raise self._nested(again, "a list of rows, each with a list of rows")
        return children

    def _beside_each_other(self, rows: list[Row]) -> list[Row]:
        """Go into lists within the rows that are as long as each other, as those of charts: their elements are the
        rows.
        """
        lists: dict[str, list[int]] = {}
        for row in rows:
            for path, items in plain_lists(row.value, ""):
                lists.setdefault(path, []).append(len(items))
        long = {
            path: tuple(counts)
            for path, counts in lists.items()
            if len(counts) == len(rows) and sum(counts) > len(rows)
        }
        groups: dict[tuple[int, ...], list[str]] = {}
        for path, counts in long.items():
            groups.setdefault(counts, []).append(path)
        beside = max(groups.values(), key=len, default=[])
        if len(beside) < 2:
            return rows
        first = beside[0]
        self.consumed = {f"@^{path}" for path in beside}
        self._add_fields([row.value for row in rows], "@^", ())
        self.rows_at = f"{self._path()}{first}[*]"
        self.place = attrs.evolve(self.place, kind=Kind.BESIDE)
        words = {path: re.findall(r"[\w ]+", path)[-1] for path in beside}
        self.sources["@"] = words[first]
        self.sources |= {f"@^{path}[#]": words[path] for path in beside[1:]}
        self.doubts.append(f"rows_at: a row for each element of {first} and the lists beside it")
        return self._rows()

    def _path(self) -> str:
        if self.rows_at.startswith("$"):
            return self.rows_at
        return "$" + "".join(map(step, self.rows_at.split(".") if self.rows_at else ())) + "[*]"

    def _add_beside(self) -> None:
        path = "$" + "".join(map(step, self.place.steps))
        self.sources["@"] = self.place.beside[0]
        for name in self.place.beside[1:]:
            self.sources[f"{path}{step(name)}[#]"] = name

    def _add_fields(self, values: Sequence[Any], base: str, words: tuple[str, ...]) -> None:
        """Sources of plain fields, also of those in objects within; what holds lists is left out."""
        if any(isinstance(value, Twice) for value in values):
            raise UsageError(
                "an object holds a name twice",
                where=self.where,
                fix="ask the vendor which value is meant",
                code="NO_ROWS",
            )
        if all(isinstance(value, list) for value in values):
            self._add_positions(values, base, words)
            return
        for name in dict.fromkeys(name for value in values if isinstance(value, dict) for name in value):
            inner = [value[name] for value in values if isinstance(value, dict) and value.get(name) is not None]
            self._add(inner, name, base, words)

    def _add_positions(self, values: Sequence[list[Any]], base: str, words: tuple[str, ...]) -> None:
        header = header_of(self.document, len(values[0])) if base == "@" else None
        if header is not None:
            path, names = header
            self.sources |= {f"@[{path}:{quoted_name(name)}]": name for name in names}
            self.doubts.append(f"fields: named by the list at {path}")
            return
        for place in range(max(map(len, values))):
            inner = [value[place] for value in values if place < len(value) and value[place] is not None]
            self._add(inner, place, base, words)
        self.doubts.append(
            f"fields: the rows are lists; what stands at {base}[0] to {base}[{max(map(len, values)) - 1}]?"
        )

    def _add(self, inner: Sequence[Any], name: str | int, base: str, words: tuple[str, ...]) -> None:
        path = base + step(name)
        here = (*words, f"field_{name}" if isinstance(name, int) else name)
        objects = [value for value in inner if isinstance(value, dict)]
        if path in self.consumed:
            return
        too_deep = len(here) > (NESTED_MAX if base.startswith("@^") else NESTED_MAX + 1)
        by_number = any(not _WORD.match(key) for value in objects for key in value)
        if (
            any(isinstance(value, list) for value in inner)
            or (objects and len(objects) < len(inner))
            or too_deep
            or by_number
        ):
            self.doubts.append(
                f"{name if base == '@' and isinstance(name, str) else path}: left out, it holds lists or objects"
            )
        elif objects:
            self._add_fields(objects, path, here)
        elif base == "@" and isinstance(name, str) and is_plain_source(name):
            self.sources[name] = ""
        else:
            self.sources[path] = ".".join(here)

    def _nested(self, name: str, what: str) -> UsageError:
        return UsageError(
            f"the rows are nested: {name!r} of each holds {what}", where=self.where, fix=self._fix(name), code="NESTED"
        )

    def _fix(self, name: str) -> str:
        return f"name the rows with --rows-at, e.g. $[*]{step(name)}[*], or " + CUSTOM

    def _check(self, rows: Sequence[Row]) -> None:
        if self.place.kind == Kind.NAMED and not all(isinstance(row.value, dict) for row in rows):
            raise UsageError(
                f"not all values at {self.rows_at} are objects", where=self.where, fix=CUSTOM, code="NESTED"
            )
        if len(self.sources) > _COLUMNS_MAX:
            raise UsageError(
                f"the rows are nested: they have {len(self.sources)} fields in objects",
                where=self.where,
                fix=CUSTOM,
                code="NESTED",
            )
        if not self.sources:
            raise UsageError("the rows hold no plain fields", where=self.where, fix=CUSTOM, code="NESTED")
        check_paths(self.rows_at, self.sources, where=self.where)

    def _taken(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        getters = {source: getter(source_path(source)) for source in self.sources}
        taken = []
        for row in rows[:ROWS_MAX]:
            try:
                values = {source: get(self.document, row) for source, get in getters.items()}
            except (Unreachable, PayloadRefused) as error:
                raise UsageError(
                    f"the row at {row.place} cannot be read: {error}", where=self.where, fix=CUSTOM, code="NO_ROWS"
                ) from error
            taken.append({source: value for source, value in values.items() if not is_absent(value)})
        return taken

    def _day_beside(self, taken: Sequence[Mapping[str, Any]]) -> bool:
        """Add the day or moment that stands beside the rows, where they have none of their own."""
        if any(
            is_time([row.get(source) for row in taken], word or source) for source, word in self.sources.items()
        ) or not isinstance(self.document, dict):
            return False
        for source, word, value in plain_fields(self.document):
            if is_time([value]):
                self.sources[source] = word
                self.doubts.append(f"{source}: the rows have no day of their own; is it this one?")
                return True
        return False
