"""What an answer holds by its schema: where its rows are, and their fields with their types."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from sbf_core.dataset.json_steps import step
from sbf_core.scaffold.json_fields import NESTED_MAX, is_plain_source
from sbf_core.scaffold.openapi_document import Description
from sbf_core.value import Value

_DEPTH_MAX = 4
_FIELDS_MAX = 200
_DOC_MAX = 120
_PLAIN = re.compile(r"[^.\[\]*$@]+")
#: The type in an attrs class, by type and format (https://spec.openapis.org/registry/format/).
_TYPES = {
    ("string", "date"): "dt.date", ("string", "date-time"): "dt.datetime", ("string", "decimal"): "Decimal",
    ("integer", ""): "int", ("integer", "int32"): "int", ("integer", "int64"): "int",
    ("number", "float"): "float", ("number", "double"): "float", ("number", "decimal"): "Decimal",
    ("number", ""): "float", ("boolean", ""): "bool", ("string", ""): "str",
}  # fmt: skip
#: Formats of texts that are texts for us, too.
_TEXTS = frozenset({"uuid", "uri", "url", "email", "hostname", "ipv4", "ipv6", "uri-reference", "time", "duration"})


@attrs.frozen(kw_only=True)
class Field(Value):
    """One field of a row.

    Attributes:
        source: as a column declares it: a name, or a path from the row.
        words: names on the way.
        python: its type in an attrs class; empty: nothing is said of it.
        nullable: it may be null.
        optional: it may be absent.
        doc: what it is.
        schema: all that is said of it.
        doubts: what is not sure of it.
    """

    source: str
    words: tuple[str, ...]
    python: str
    nullable: bool
    optional: bool
    doc: str
    schema: Mapping[str, Any]
    doubts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rows(Value):
    """The rows of an answer.

    Attributes:
        rows_at: where they are, as it is declared; None: the answer holds no list of objects.
        steps: the names on the way.
        fields: what each has.
        doubts: what is not sure, or not understood.
    """

    rows_at: str | None = None
    steps: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    doubts: tuple[str, ...] = ()


def rows_of(description: Description, schema: Any) -> Rows:
    """The rows of an answer: its only list of objects, or the first of those that are nearest to the top."""
    places = sorted(_lists(description, schema, ()), key=lambda place: len(place[0]))
    if not places:
        return Rows()
    steps, items = places[0]
    rows_at = ".".join(steps) if all(_PLAIN.fullmatch(one) for one in steps) else f"${''.join(map(step, steps))}[*]"
    others = [".".join(other) for other, _ in places[1:]]
    doubts = [f"rows_at: {other} is a list of objects, too" for other in others[:5]]
    fields: list[Field] = []
    for field in _fields(description, items, "@", (), doubts):
        fields.append(field)
        if len(fields) >= _FIELDS_MAX:
            doubts.append(f"fields: the first {_FIELDS_MAX}; the description has more")
            break
    return Rows(rows_at=rows_at, steps=steps, fields=tuple(fields), doubts=tuple(doubts))


def fields_of(description: Description, schema: Any, doubts: list[str]) -> tuple[Field, ...]:
    """The fields of one row by its schema; what is not understood is told in ``doubts``."""
    return tuple(itertools.islice(_fields(description, description.merged(schema), "@", (), doubts), _FIELDS_MAX))


def type_of(schema: Mapping[str, Any]) -> tuple[str, bool]:
    """The one type of a schema that is not null, empty for none or several; and whether it may be null."""
    told = schema.get("type")
    types = [str(one) for one in told] if isinstance(told, list) else [str(told)] if isinstance(told, str) else []
    is_null = "null" in types or schema.get("nullable") is True or None in _enum(schema)
    types = [one for one in types if one != "null"]
    if not types and "properties" in schema:
        types = ["object"]
    return types[0] if len(types) == 1 else "", is_null


def _enum(schema: Mapping[str, Any]) -> list[Any]:
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else []


def _lists(
    description: Description, schema: Any, steps: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Lists of objects, and the schema of their items."""
    facts = description.merged(schema)
    kind, _ = type_of(facts)
    if kind == "array":
        items = description.merged(facts.get("items"))
        if type_of(items)[0] == "object":
            yield steps, items
    elif kind == "object" and len(steps) < _DEPTH_MAX:
        for name, inner in description.resolved(facts.get("properties")).items():
            yield from _lists(description, inner, (*steps, str(name)))


def _fields(
    description: Description, schema: Mapping[str, Any], base: str, words: tuple[str, ...], doubts: list[str],
    *, is_optional: bool = False,
) -> Iterator[Field]:  # fmt: skip
    listed = schema.get("required")
    required = set(map(str, listed)) if isinstance(listed, list) else set()
    for name, inner in description.resolved(schema.get("properties")).items():
        facts = description.merged(inner)
        if facts.get("writeOnly") is True:
            continue
        kind, is_null = type_of(facts)
        path, here = base + step(str(name)), (*words, str(name))
        may_lack = is_optional or str(name) not in required
        if kind == "object" and "properties" in facts and len(here) <= NESTED_MAX:
            yield from _fields(description, facts, path, here, doubts, is_optional=may_lack or is_null)
        elif kind in ("array", "object"):
            doubts.append(f"{'.'.join(here)}: left out, it holds lists or objects")
        else:
            python, doubt = _python(kind, str(facts.get("format", "")))
            is_plain = base == "@" and is_plain_source(str(name))
            yield Field(
                source=str(name) if is_plain else path, words=here, python=python, nullable=is_null, optional=may_lack,
                doc=_doc(facts), schema=facts, doubts=(doubt,) if doubt else (),
            )  # fmt: skip


def _python(kind: str, written: str) -> tuple[str, str]:
    """The type in an attrs class, and what is not sure of it."""
    if (kind, written) in _TYPES:
        if (kind, written) == ("number", ""):
            return "float", "the description says number: a double; a Decimal keeps each digit"
        return _TYPES[kind, written], ""
    if not kind:
        return "str", "the description says no type, or several: a text"
    told = f"the format {written!r} is not known: taken as {kind}"
    return _TYPES[kind, ""], "" if kind == "string" and written in _TEXTS else told


def _doc(facts: Mapping[str, Any]) -> str:
    told = " ".join(str(facts.get("description") or facts.get("title") or "").split())
    values = [str(one) for one in _enum(facts) if one is not None]
    one_of = f"one of {', '.join(values)}" if values and len(", ".join(values)) <= _DOC_MAX else ""
    text = ": ".join(part for part in (told, one_of) if part)
    return text if len(text) <= _DOC_MAX else text[: _DOC_MAX - 4].rstrip() + " ..."
