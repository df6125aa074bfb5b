"""The calls of functions and operators in a SELECT, with the types that the engine binds them to.

Read from ``json_serialize_plan``, the engine's plan before it is optimised; its two spellings of a node, that of DuckDB
1.5 and that of 2.0, become one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import duckdb

from sbf_core.value import Value

#: In the place of an argument that is no constant.
NO_CONSTANT = object()
_NO_PLACE = 2**64 - 1


class NoPlan(Exception):
    """The engine gives no plan of a text; its reason is the message."""


@attrs.frozen(kw_only=True)
class Call(Value):
    """One call.

    Attributes:
        name: in small letters; ``cast`` for every cast.
        types: of its arguments as they are bound, without parameters: ``DECIMAL``.
        sources: of its arguments before the cast that binding or the text put around them.
        widths: digits of each DECIMAL among the sources.
        constants: per argument its value, or ``NO_CONSTANT``.
        guards: per argument whether it is ``nullif(..., 0)``.
        answer: the type of the answer.
        answer_width: its digits, if it is a DECIMAL.
        is_ordered: rows are given to it in an order.
        is_filtered: rows are chosen for it.
        place: where in the text it stands, in bytes; None where the engine does not say.
    """

    name: str
    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    constants: tuple[Any, ...] = ()
    guards: tuple[bool, ...] = ()
    answer: str = ""
    answer_width: int = 0
    is_ordered: bool = False
    is_filtered: bool = False
    place: int | None = None

    @property
    def is_constant(self) -> bool:
        """All arguments are constants."""
        return NO_CONSTANT not in self.constants

    def is_never_zero(self, index: int) -> bool:
        """An argument is a constant other than zero, or NULL in the place of zero."""
        if not self.constants:
            return False
        value = self.constants[index]
        return self.guards[index] or (value is not NO_CONSTANT and value is not None and value != 0)


def calls_of(conn: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Call]:
    """Every call in a SELECT, those of macros that it uses too.

    Raises:
        NoPlan: the engine does not plan it, e.g. because a table is not there.
    """
    row = conn.execute("SELECT json_serialize_plan(?, optimize := false)", [sql]).fetchone()
    answer = json.loads(row[0]) if row else {}
    if answer.get("error", True):
        raise NoPlan(str(answer.get("error_message", "")).partition("\n")[0])
    yield from _calls(answer["plans"])


def _calls(node: Any) -> Iterator[Call]:
    if isinstance(node, list):
        for item in node:
            yield from _calls(item)
    elif isinstance(node, dict):
        name = _name(node)
        if name:
            yield _call(name, node)
        for item in node.values():
            yield from _calls(item)


def _name(node: Mapping[str, Any]) -> str:
    """The function of a node; empty where it is no call."""
    kind = node.get("expression_class")
    if kind == "BOUND_CAST" or node.get("type") == "OPERATOR_CAST":
        return "cast"
    if kind in ("BOUND_FUNCTION", "BOUND_AGGREGATE", "BOUND_WINDOW"):
        path = (node.get("qname") or {}).get("path")
        return str(path[-1] if path else node.get("name") or "").lower()
    return ""


def _call(name: str, node: Mapping[str, Any]) -> Call:
    inner = _arguments(node)
    declared = [kind for kind in node.get("arguments") or [] if isinstance(kind, dict) and "id" in kind]
    bare = [_without_casts(each) for each in inner]
    bound = declared if declared and name != "cast" else [_type(each) for each in inner]
    place = node.get("query_location", _NO_PLACE)
    return Call(
        name=name,
        types=tuple(kind.get("id", "") for kind in bound),
        sources=tuple(_type(each).get("id", "") for each in bare),
        widths=tuple(width for each in bare if (width := _width(_type(each)))),
        constants=tuple(_constant(each) for each in bare),
        guards=tuple(_is_guarded(each) for each in bare),
        answer=_type(node).get("id", ""),
        answer_width=_width(_type(node)),
        is_ordered=bool((node.get("order_bys") or {}).get("orders") or node.get("arg_orders")),
        is_filtered=bool(node.get("filter") or node.get("filters")),
        place=None if place == _NO_PLACE else place,
    )


def _arguments(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of a call; the older engine has that of a cast under another name."""
    return [node["child"]] if isinstance(node.get("child"), dict) else list(node.get("children") or [])


def _without_casts(node: dict[str, Any]) -> dict[str, Any]:
    while _name(node) == "cast" and _arguments(node):
        node = _arguments(node)[0]
    return node


def _type(node: Mapping[str, Any]) -> dict[str, Any]:
    return node.get("return_type") or (node.get("value") or {}).get("type") or {}


def _width(kind: Mapping[str, Any]) -> int:
    return int((kind.get("type_info") or {}).get("width", 0)) if kind.get("id") == "DECIMAL" else 0


def _constant(node: Mapping[str, Any]) -> Any:
    if node.get("expression_class") != "BOUND_CONSTANT":
        return NO_CONSTANT
    value = node["value"]
    return None if value.get("is_null") else value.get("value")


def _is_guarded(node: Mapping[str, Any]) -> bool:
    """``nullif(x, 0)``, which is planned as ``CASE WHEN x = 0 THEN NULL ELSE x END``."""
    if node.get("expression_class") != "BOUND_CASE":
        return False
    first = (node.get("case_checks") or [{}])[0]
    when = first.get("when_expr") or {}
    compared = [when.get("left"), when.get("right")] if "left" in when else _arguments(when)
    zeros = [_constant(_without_casts(each)) == 0 for each in compared if isinstance(each, dict)]
    return when.get("type") == "COMPARE_EQUAL" and any(zeros) and _is_null(first.get("then_expr"))


def _is_null(node: Any) -> bool:
    return isinstance(node, dict) and _constant(_without_casts(node)) is None
