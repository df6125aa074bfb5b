"""The rows of a JSON document, found without being told where they are, and the sources of their fields as ``payload.json_path`` writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from sbf_core.errors import PayloadRefused, UsageError, printable
from sbf_core.payload.json_path import check_paths, rows_path, source_path, step
from sbf_core.payload.json_text import Number, Twice, document_of
from sbf_core.payload.json_values import getter, is_absent
from sbf_core.payload.json_walk import Row, Unreachable, rows_of
from sbf_core.scaffold.moments import compact_days_of, epoch_of, moments_of
from sbf_core.scaffold.naming import as_name

ROWS_MAX = 20_000
_CUSTOM = "write the hook promote for it: --kind custom"
_DEPTH_MAX = 6
_PARTS_MAX = 5
_NESTED_MAX = 2
#: What a name of a field begins with; objects by number or day are no fields.
_WORD = re.compile(r"[^\W\d]|[$@#]")
_COLUMNS_MAX = 200
_PLAIN_STEP = re.compile(r"[^.\[\]*$@]+")
#: Names of objects and of values that are one kind of thing: codes and days.
_CODE_NAME = re.compile(r"[A-Z0-9][A-Z0-9._/^=-]{1,15}|\d{4}-\d{2}(-\d{2})?.*")
_NAMED_MIN = 3
#: Shorter lists beside each other are not clearly columns.
_BESIDE_MIN = 5
_NAMED_OVER_LISTED = 10
_OBJECTS, _POSITIONS, _NAMED, _BESIDE, _NAMED_VALUES = range(5)


@attrs.frozen(kw_only=True)
class FoundJson:
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


@attrs.frozen(kw_only=True)
class _Place:
    """Where rows may be.

    Attributes:
        steps: names on the way.
        kind: what is there.
        count: of rows.
        beside: for parallel arrays, their names.
    """

    steps: tuple[str | int, ...]
    kind: int
    count: int
    beside: tuple[str, ...] = ()

    @property
    def rows_at(self) -> str:
        """As it is declared, as short as can be."""
        if self.kind in (_OBJECTS, _POSITIONS):
            return list_at(self.steps)
        path = "$" + "".join(map(step, self.steps))
        return f"{path}{step(self.beside[0])}[*]" if self.kind == _BESIDE else f"{path}.*"


def list_at(steps: Sequence[str | int]) -> str:
    """``rows_at`` of a list: names with dots between, where that can be said so."""
    names = [name for name in steps if isinstance(name, str) and _PLAIN_STEP.fullmatch(name)]
    if len(names) == len(steps):
        return ".".join(names)
    return "$" + "".join(map(step, steps)) + "[*]"


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
        raise UsageError(f"this {error.what}", where=where, fix=error.fix or "look at the payload", code="NO_DATA") from error
    if isinstance(document, dict) and {"dataSets", "structure"} & set(document) and ("dataSets" in document or "dataSets" in (document.get("data") or {})):
        raise UsageError("this is SDMX-JSON, whose rows are spread over it", where=where, fix="begin with --kind rest and declare its format", code="NESTED")
    if isinstance(document, dict) and document.get("class") == "dataset" and {"id", "size", "value"} <= set(document):
        raise UsageError("this is JSON-stat, whose rows are spread over it", where=where, fix="begin with --kind rest and declare its format", code="NESTED")
    doubts: list[str] = []
    if wanted is not None:
        place = _wanted(document, wanted, where)
        rows_at = wanted
    else:
        place, doubts = _likeliest(document, where)
        rows_at = place.rows_at
    return _Reader(document, rows_at, place, where).found(doubts)


def _likeliest(document: Any, where: str) -> tuple[_Place, list[str]]:
    places = list(_places(document))
    listed = max((place.count for place in places if place.kind not in (_NAMED, _NAMED_VALUES)), default=0)
    # what is named may be one thing's facts: a list of rows, if there is one, is what was meant
    places.sort(key=lambda place: (place.kind in (_NAMED, _NAMED_VALUES) and place.count < _NAMED_OVER_LISTED * listed, -place.count, place.kind))
    if not places:
        raise UsageError(f"the payload holds no list of rows: {_shape(document)}", where=where, fix="--rows-at $ if it is one row as a whole; else " + _CUSTOM, code="NO_ROWS")
    place = places[0]
    doubts = [f"rows_at: {other.rows_at or 'the payload itself'} is a list, too" for other in places[1:] if other.count and other.kind in (_OBJECTS, _POSITIONS)]
    if place.kind in (_NAMED, _NAMED_VALUES):
        what = "object" if place.kind == _NAMED else "value"
        doubts.append(f"rows_at: each {what} at {place.rows_at} is taken as a row, its name as a field")
    return place, doubts


def _places(node: Any, steps: tuple[str | int, ...] = ()) -> Iterator[_Place]:
    """Everything that may be rows and that a path of names leads to; empty lists, too."""
    if isinstance(node, list):
        if all(isinstance(item, dict) for item in node):
            yield _Place(steps=steps, kind=_OBJECTS, count=len(node))
        elif _are_positions(node):
            yield _Place(steps=steps, kind=_POSITIONS, count=len(node))
        elif len(node) <= _PARTS_MAX and any(isinstance(item, dict) for item in node):
            for index, item in enumerate(node):  # as [facts, rows]
                yield from _places(item, (*steps, index))
    elif isinstance(node, dict) and len(steps) < _DEPTH_MAX:
        if _are_named_rows(node):
            yield _Place(steps=steps, kind=_NAMED, count=len(node))
            return
        if _are_named_values(node):
            yield _Place(steps=steps, kind=_NAMED_VALUES, count=len(node))
        beside = _parallel(node)
        if beside:
            yield _Place(steps=steps, kind=_BESIDE, count=len(node[beside[0]]), beside=beside)
        for name, value in node.items():
            yield from _places(value, (*steps, name))


def _are_positions(items: Sequence[Any]) -> bool:
    """Rows that are lists, as long as each other, of which most fields are plain."""
    if not all(isinstance(item, list) for item in items) or len({len(item) for item in items}) != 1 or len(items[0]) < 2:
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


def _parallel(node: dict[str, Any]) -> tuple[str, ...]:
    """Names of lists of plain values that are as long as each other; none unless all of the node's lists are."""
    lists = {name: value for name, value in node.items() if isinstance(value, list)}
    lengths = {len(value) for value in lists.values()}
    if len(lists) < 2 or len(lengths) != 1:
        return ()
    if lengths.pop() < _BESIDE_MIN and not any(_is_time(value) for value in lists.values()):
        return ()
    plain = all(not isinstance(item, (dict, list)) for value in lists.values() for item in value)
    return tuple(lists) if plain else ()


def _wanted(document: Any, wanted: str, where: str) -> _Place:
    """The place that was asked for; its steps are not looked at any more."""
    try:
        values = [row.value for row in rows_of(document, rows_path(wanted))]
    except PayloadRefused as error:
        known = ", ".join(repr(place.rows_at) for place in _places(document)) or "no path"
        raise UsageError(f"there is no list at {wanted!r}", where=where, fix=f"lists are at {known}", code="NO_ROWS") from error
    kind = _OBJECTS if all(isinstance(value, dict) for value in values) else _POSITIONS if all(isinstance(value, list) for value in values) else _NAMED_VALUES
    if kind == _OBJECTS and rows_path(wanted).segments and wanted.endswith(".*"):
        kind = _NAMED
    return _Place(steps=(), kind=kind, count=len(values))


def _shape(document: Any) -> str:
    names = ", ".join(f"{name!r}: {_type(value)}" for name, value in list(document.items())[:4]) if isinstance(document, dict) else "a list of values"
    return printable(names)[:160]


def _type(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = ((bool, "bool"), (dict, "dict"), (list, "list"), (str, "str"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "null")


class _Reader:
    """Rows at a place, with the sources of their fields."""

    def __init__(self, document: Any, rows_at: str, place: _Place, where: str) -> None:
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
            raise UsageError(f"{shown} holds no rows", where=self.where, fix="ask for a stretch that has some", code="NO_ROWS")
        if self.place.kind in (_OBJECTS, _NAMED):
            inner = self._inner(rows)
            rows = self._children(inner, rows) if inner else self._beside_each_other(rows)
        if self.place.kind == _NAMED or (self.place.kind == _NAMED_VALUES and not self._is_list()):
            self.sources["@~"] = "date" if _is_time([row.trail[-1].key for row in rows]) else "name"
        if self.place.kind == _NAMED_VALUES:
            self.sources["@"] = "value"
        elif self.place.kind == _BESIDE:
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
        self.doubts.append(f"rows_at: a row for each of {name!r}, with the fields of what it is in; is there nothing to keep where {name!r} is empty?")
        if self.place.kind == _NAMED:
            self.sources["@^~"] = "name"
        self._add_fields([{key: value for key, value in row.value.items() if key != name} for row in rows], "@^", ())
        self.rows_at = f"{path}{step(name)}[*]"
        self.place = attrs.evolve(self.place, kind=_OBJECTS)
        children = self._rows()
        again = self._inner(children)
        if again:
            raise self._nested(again, "a list of rows, each with a list of rows")
        return children

    def _beside_each_other(self, rows: list[Row]) -> list[Row]:
        """Go into lists within the rows that are as long as each other, as those of charts: their elements are the rows."""
        lists: dict[str, list[int]] = {}
        for row in rows:
            for path, items in _plain_lists(row.value, ""):
                lists.setdefault(path, []).append(len(items))
        long = {path: tuple(counts) for path, counts in lists.items() if len(counts) == len(rows) and sum(counts) > len(rows)}
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
        self.place = attrs.evolve(self.place, kind=_BESIDE)
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
            raise UsageError("an object holds a name twice", where=self.where, fix="ask the vendor which value is meant", code="NO_ROWS")
        if all(isinstance(value, list) for value in values):
            self._add_positions(values, base, words)
            return
        for name in dict.fromkeys(name for value in values if isinstance(value, dict) for name in value):
            inner = [value[name] for value in values if isinstance(value, dict) and value.get(name) is not None]
            self._add(inner, name, base, words)

    def _add_positions(self, values: Sequence[list[Any]], base: str, words: tuple[str, ...]) -> None:
        header = _header(self.document, len(values[0])) if base == "@" else None
        if header is not None:
            path, names = header
            self.sources |= {f"@[{path}:{quoted_name(name)}]": name for name in names}
            self.doubts.append(f"fields: named by the list at {path}")
            return
        for place in range(max(map(len, values))):
            inner = [value[place] for value in values if place < len(value) and value[place] is not None]
            self._add(inner, place, base, words)
        self.doubts.append(f"fields: the rows are lists; what stands at {base}[0] to {base}[{max(map(len, values)) - 1}]?")

    def _add(self, inner: Sequence[Any], name: str | int, base: str, words: tuple[str, ...]) -> None:
        path = base + step(name)
        here = (*words, f"field_{name}" if isinstance(name, int) else name)
        objects = [value for value in inner if isinstance(value, dict)]
        if path in self.consumed:
            return
        too_deep = len(here) > (_NESTED_MAX if base.startswith("@^") else _NESTED_MAX + 1)
        by_number = any(not _WORD.match(key) for value in objects for key in value)
        if any(isinstance(value, list) for value in inner) or (objects and len(objects) < len(inner)) or too_deep or by_number:
            self.doubts.append(f"{name if base == '@' and isinstance(name, str) else path}: left out, it holds lists or objects")
        elif objects:
            self._add_fields(objects, path, here)
        elif base == "@" and isinstance(name, str) and source_path_is_name(name):
            self.sources[name] = ""
        else:
            self.sources[path] = ".".join(here)

    def _nested(self, name: str, what: str) -> UsageError:
        return UsageError(f"the rows are nested: {name!r} of each holds {what}", where=self.where, fix=self._fix(name), code="NESTED")

    def _fix(self, name: str) -> str:
        return f"name the rows with --rows-at, e.g. $[*]{step(name)}[*], or " + _CUSTOM

    def _check(self, rows: Sequence[Row]) -> None:
        if self.place.kind == _NAMED and not all(isinstance(row.value, dict) for row in rows):
            raise UsageError(f"not all values at {self.rows_at} are objects", where=self.where, fix=_CUSTOM, code="NESTED")
        if len(self.sources) > _COLUMNS_MAX:
            raise UsageError(f"the rows are nested: they have {len(self.sources)} fields in objects", where=self.where, fix=_CUSTOM, code="NESTED")
        if not self.sources:
            raise UsageError("the rows hold no plain fields", where=self.where, fix=_CUSTOM, code="NESTED")
        check_paths(self.rows_at, self.sources, where=self.where)

    def _taken(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        getters = {source: getter(source_path(source)) for source in self.sources}
        found = []
        for row in rows[:ROWS_MAX]:
            try:
                values = {source: get(self.document, row) for source, get in getters.items()}
            except (Unreachable, PayloadRefused) as error:
                raise UsageError(f"the row at {row.place} cannot be read: {error}", where=self.where, fix=_CUSTOM, code="NO_ROWS") from error
            found.append({source: value for source, value in values.items() if not is_absent(value)})
        return found

    def _day_beside(self, taken: Sequence[Mapping[str, Any]]) -> bool:
        """Add the day or moment that stands beside the rows, where they have none of their own."""
        if any(_is_time([row.get(source) for row in taken], word or source) for source, word in self.sources.items()) or not isinstance(self.document, dict):
            return False
        for source, word, value in _plain_fields(self.document):
            if _is_time([value]):
                self.sources[source] = word
                self.doubts.append(f"{source}: the rows have no day of their own; is it this one?")
                return True
        return False


def _plain_lists(value: Any, path: str) -> Iterator[tuple[str, list[Any]]]:
    """Lists of plain values in a row, with their paths from it; also through a list of one object."""
    if isinstance(value, dict) and path.count("[") + path.count(".") < _DEPTH_MAX:
        for name, inner in value.items():
            yield from _plain_lists(inner, path + step(name))
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        yield from _plain_lists(value[0], f"{path}[0]")
    elif isinstance(value, list) and path and not any(isinstance(item, (dict, list)) for item in value):
        yield path, value


def _header(document: Any, width: int) -> tuple[str, list[str]] | None:
    """Where the names of rows that are lists stand in a document, and the names: a list of as many texts, or of objects with a name."""
    for path, node in _lists(document, "$", 0):
        if len(node) != width:
            continue
        for key in ("", "name", "id"):
            names = [item.get(key) if isinstance(item, dict) else item for item in node] if key else node
            if all(type(name) is str and name for name in names) and len(set(names)) == width:
                return (f"{path}[*].{key}" if key else path), list(names)
    return None


def _lists(node: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(node, list):
        yield path, node
    elif isinstance(node, dict) and depth < _NESTED_MAX:
        for name, value in node.items():
            yield from _lists(value, path + step(name), depth + 1)


def quoted_name(name: str) -> str:
    """A name in quotes, as a path has it."""
    shown = step(name)
    return shown[1:-1] if shown.startswith("[") else f"'{name}'"


def source_path_is_name(name: str) -> bool:
    """Whether a name can stand as a source as it is."""
    return bool(name) and name[:1] not in "$@" and not name.startswith("request.")


def _is_time(values: Sequence[Any], name: str = "") -> bool:
    """Whether values are days or moments: texts, or numbers in a field that is named so."""
    told = list(dict.fromkeys(value.strip() for value in values if isinstance(value, str) and value.strip()))
    if any(isinstance(value, Number) for value in values):
        return bool(name) and (compact_days_of(as_name(name), told) or epoch_of(as_name(name), told)) is not None
    return bool(told) and moments_of(told) is not None


def _plain_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and len(value) <= _COLUMNS_MAX:
            for inner, deeper in value.items():
                yield f"${step(name)}{step(inner)}", inner, deeper
        else:
            yield f"${step(name)}", name, value
