"""The records of JSON as plain Python reads them: ``json`` with pairs, and a walk along the paths of
``docs/reference/formats.md``. Nothing of ``sbf_core.payload`` is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from properties.text_oracle import Found, Refused

from sbf_core.dataset.columns import Column

_STEP = re.compile(
    r"\.\*|\[\*\]|\.(?P<name>[A-Za-z_]\w*)|\['(?P<quoted>[^']*)'\]|\[(?P<index>-?\d+)\]|(?P<beside>\[#\])|(?P<decode>!)"
    r"|\[(?P<header>\$[^:]*):'(?P<position>[^']*)'\]"
)
Step = tuple[str, Any]


class Spelled(str):
    """A number with its digits."""

    __slots__ = ()


class NoNumber(Spelled):
    """``NaN`` and its kin."""

    __slots__ = ()


class Object(list[tuple[str, Any]]):
    """An object as pairs, so that a name may stand there twice."""

    def all(self, name: str) -> list[Any]:
        return [value for key, value in self if key == name]


class Fault(Exception):
    """A value that cannot be taken."""


_NONE = object()
_DECODER = json.JSONDecoder(object_pairs_hook=Object, parse_int=Spelled, parse_float=Spelled, parse_constant=NoNumber)


def _without_last_commas(text: str) -> str:
    """JSON without commas before closing brackets, which are borne."""
    kept: list[str] = []
    in_text = escaped = False
    for place, letter in enumerate(text):
        if in_text:
            in_text, escaped = escaped or letter != '"', letter == "\\" and not escaped
        elif letter == '"':
            in_text = True
        elif letter == "," and text[place + 1 :].lstrip(" \t\r\n")[:1] in ("]", "}"):
            continue
        kept.append(letter)
    return "".join(kept)


def steps_of(path: str) -> list[Step]:
    """A path without its ``$``, ``@`` and ``^`` as steps."""
    found: list[Step] = []
    at = 0
    while at < len(path):
        one = _STEP.match(path, at)
        assert one is not None, path
        at = one.end()
        kind = one.lastgroup
        if kind is None:
            found.append(("all", "any"))
        elif kind in ("name", "quoted"):
            found.append(("name", one[kind]))
        elif kind == "index":
            found.append(("index", int(one["index"])))
        elif kind == "position":
            found.append(("position", (steps_of(one["header"][1:]), one["position"])))
        else:
            found.append((kind, None))
    return found


def rows_steps(rows_at: str) -> list[Step]:
    """The steps to the rows."""
    if rows_at.startswith("$"):
        return steps_of(rows_at[1:])
    return [*(("name", name) for name in rows_at.split(".") if name), ("all", "list")]


@attrs.frozen
class _Row:
    place: str
    value: Any
    trail: tuple[tuple[Any, Any, int | None], ...]  # key, value, length of the list that it is in


def json_records(rows_at: str, columns: Sequence[Column], payload: bytes) -> list[Found]:
    """Every record. Raises ``Refused``."""
    try:
        document = _DECODER.decode(
            _without_last_commas(payload.removeprefix(b"\xef\xbb\xbf").decode("utf-8").strip(" \t\r\n"))
        )
    except (ValueError, RecursionError):
        raise Refused("no JSON") from None
    rows = list(_rows(document, rows_steps(rows_at)))
    plan = [[_source(source) for source in (column.source or column.name, *column.also)] for column in columns]
    kinds = {kind for sources in plan for up, steps in sources for kind in _row_kinds(up, steps)}
    kind = kinds.pop() if len(kinds) == 1 else None
    seen = [False] * len(columns)
    found = []
    for row in rows:
        if kind is not None and (type(row.value) is not kind):
            if not row.trail:
                raise Refused("the document is no row")
            found.append(Found(row.place, fault="no_row"))
        else:
            found.append(_record(document, row, columns, plan, seen))
    for column, is_seen in zip(columns, seen, strict=True):
        if rows and not is_seen and not column.optional and not column.nullable:
            raise Refused(f"no row has {column.source}")
    return found


def _source(source: str) -> tuple[int | str, list[Step]]:
    """Where a source begins (``$``, ``~n``, or so many rows up), and its steps."""
    if source[:1] == "$":
        return "$", steps_of(source[1:])
    if source[:1] != "@":
        return 0, [("name", source)]
    up = len(source) - len(source[1:].lstrip("^")) - 1
    rest = source[1 + up :]
    return (f"~{up}", []) if rest == "~" else (up, steps_of(rest))


def _row_kinds(up: int | str, steps: list[Step]) -> Iterator[type | None]:
    if up == 0:
        first = steps[0][0] if steps else ""
        yield Object if first == "name" else list if first in ("index", "position", "beside") else None


def _record(document: Any, row: _Row, columns: Sequence[Column], plan: Any, seen: list[bool]) -> Found:
    texts: list[str | None] = []
    numbers = set()
    fault: tuple[str, str] | None = None
    for place, (column, sources) in enumerate(zip(columns, plan, strict=True)):
        text = None
        try:
            for up, steps in sources:
                value = _value(document, row, up, steps)
                if value is _NONE:
                    continue
                seen[place] = True
                if value is not None:
                    if isinstance(value, NoNumber) and column.type == "VARCHAR":
                        raise Fault("no_json")
                    if isinstance(value, list) and column.type != "VARCHAR":
                        value = "no value of the type, whatever is in it"
                    text = value if isinstance(value, str) else _written(value)
                    text.encode()
                    if isinstance(value, Spelled):
                        numbers.add(place)
                    break
        except (Fault, UnicodeEncodeError) as error:
            seen[place] = True
            fault = fault or (str(error) if isinstance(error, Fault) else "not_unicode", column.name)
            text = None
        texts.append(None if text is None else str(text))
    if fault is not None:
        return Found(row.place, fault=fault[0], column=fault[1])
    return Found(row.place, tuple(texts), numbers=frozenset(numbers))


def _value(document: Any, row: _Row, up: int | str, steps: list[Step]) -> Any:
    if isinstance(up, str) and up[0] == "~":
        key = row.trail[-1 - int(up[1:])][0]
        return key if isinstance(key, str) else Spelled(str(key))
    value = document if up == "$" else row.trail[-1 - int(up)][1] if up else row.value
    for kind, what in steps:
        if value is None:
            return _NONE
        if kind == "beside":
            value = _beside(row, value)
        elif kind == "position":
            value = _positioned(document, value, *what)
        else:
            value = _child(value, kind, what)
        if value is _NONE:
            return _NONE
    return value


def _child(value: Any, kind: str, what: Any) -> Any:
    if kind == "name":
        given = value.all(what) if isinstance(value, Object) else []
        if len(given) > 1:
            raise Fault("key_twice")
        return given[0] if given else _NONE
    if kind == "index":
        fits = isinstance(value, list) and not isinstance(value, Object) and -len(value) <= what < len(value)
        return value[what] if fits else _NONE
    assert kind == "decode"
    if not isinstance(value, str) or isinstance(value, Spelled):
        raise Fault("no_json")
    try:
        return _DECODER.decode(value.strip(" \t\r\n"))
    except ValueError:
        raise Fault("no_json") from None


def _beside(row: _Row, value: Any) -> Any:
    key, _, length = row.trail[-1]
    if not isinstance(key, int) or not isinstance(value, list) or isinstance(value, Object) or len(value) != length:
        raise Refused("lists beside each other")
    return value[key]


def _positioned(document: Any, value: Any, header: list[Step], name: str) -> Any:
    names = document
    for kind, what in header:
        names = _child(names, kind, what)
    names = names if isinstance(names, list) and not isinstance(names, Object) else []
    if names.count(name) > 1:
        raise Refused("a name of the header twice")
    if not isinstance(value, list) or isinstance(value, Object) or len(value) != len(names):
        raise Fault("ragged")
    return value[names.index(name)] if name in names else _NONE


def _rows(document: Any, steps: list[Step]) -> Iterator[_Row]:
    first = next((place for place, step in enumerate(steps) if step[0] == "all"), len(steps))
    start = list(_select(document, steps[:first], "$", ()))
    if not start or (first == len(steps) and start[0].value is None):
        raise Refused("nothing at rows_at")
    if first == len(steps):
        yield start[0]
        return
    holder = start[0].value
    if not isinstance(holder, list) or (steps[first][1] == "list" and isinstance(holder, Object)):
        raise Refused("no list at rows_at")
    rows = list(_select(holder, steps[first:], start[0].place, ()))
    last = max(place for place, step in enumerate(steps) if step[0] == "all")
    if not rows and holder and not any(row.value == [] for row in _select(holder, steps[first:last], "$", ())):
        raise Refused("no rows in any")
    yield from rows


def _select(value: Any, steps: list[Step], place: str, trail: tuple[Any, ...]) -> Iterator[_Row]:
    if not steps:
        yield _Row(place, value, trail)
        return
    (kind, what), rest = steps[0], steps[1:]
    if kind != "all":
        try:
            inner = _child(value, kind, what)
        except Fault:
            raise Refused("on the way to the rows") from None
        if inner is not _NONE:
            shown = "!" if kind == "decode" else step_text(what % len(value) if kind == "index" else what)
            yield from _select(inner, rest, place + shown, trail)
    elif isinstance(value, Object):
        if len({name for name, _ in value}) < len(value):
            raise Refused("a row's name twice")
        for name, inner in value:
            yield from _select(inner, rest, place + step_text(name), (*trail, (name, inner, None)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _select(inner, rest, f"{place}[{index}]", (*trail, (index, inner, len(value))))


def step_text(key: str | int) -> str:
    """A step of a place, as RFC 9535 normalizes it, with dots before plain names."""
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else f"['{key}']"


def _written(value: Any) -> str:
    """JSON without blanks, and with the digits of its numbers."""
    if isinstance(value, NoNumber):
        raise Fault("no_json")
    if isinstance(value, Spelled):
        return str(value)
    if isinstance(value, Object):
        if len({name for name, _ in value}) < len(value):
            raise Fault("key_twice")
        return (
            "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_written(inner)}" for name, inner in value) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
