"""The expressions of a SELECT that DuckDB 1.5.5 and 2.0 answer differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs
import duckdb

from sbf_core.gold.engine_call import Call, NoPlan, calls_of
from sbf_core.gold.engine_difference import Effect, EngineDifference
from sbf_core.gold.engine_differences import DIFFERENCES
from sbf_core.gold.model import GoldModel
from sbf_core.gold.sql_tree import tree_of
from sbf_core.value import Value

#: So much of a line is shown.
_SHOWN = 80
_MACROS = frozenset({"fmod"})
_BEFORE_A_BINARY_OPERATOR = ("identifier", "numeric_const", "string_const")


@attrs.frozen(kw_only=True)
class EngineFinding(Value):
    """A difference that a SELECT falls under.

    Attributes:
        difference: which.
        calls: what of it stands in the SELECT, each once, with its line where the engine says where it stands.
    """

    difference: EngineDifference
    calls: tuple[str, ...]

    @property
    def text(self) -> str:
        """What stands where, what it is about, both answers, and what to write."""
        return f"{', '.join(self.calls)}: {self.difference.text}"

    @property
    def is_silent(self) -> bool:
        """Both engines answer, and nobody would notice."""
        return self.difference.effect == Effect.VALUE


def engine_findings(conn: duckdb.DuckDBPyConnection, model: GoldModel) -> tuple[EngineFinding, ...]:
    """What a model over tables that are there answers differently, in the order of ``DIFFERENCES``.

    Raises:
        NoPlan: the engine does not plan it.
    """
    sql = model.sql
    tree = tree_of(conn, sql)
    calls = [*calls_of(conn, sql), *_joins(tree), *_macros(tree), *_operators(sql)]
    calls += _arrows(calls, sql)
    findings = []
    for difference in DIFFERENCES:
        told = [_told(call, model) for call in calls if call.name in difference.calls and difference.concerns(call)]
        if told:
            findings.append(EngineFinding(difference=difference, calls=tuple(dict.fromkeys(told))))
    return tuple(findings)


def _joins(tree: object) -> Iterator[Call]:
    if isinstance(tree, list):
        for item in tree:
            yield from _joins(item)
    elif isinstance(tree, dict):
        if tree.get("type") == "JOIN" and tree.get("ref_type") == "ASOF":
            yield Call(name="asof join")
        for item in tree.values():
            yield from _joins(item)


def _macros(tree: object) -> Iterator[Call]:
    """What one engine has as a function and another as a macro, of which its plan shows the text alone."""
    if isinstance(tree, list):
        for item in tree:
            yield from _macros(item)
    elif isinstance(tree, dict):
        if str(tree.get("function_name", "")).lower() in _MACROS:
            yield Call(name=str(tree["function_name"]).lower())
        for item in tree.values():
            yield from _macros(item)


def _operators(sql: str) -> Iterator[Call]:
    """``~`` and ``!~`` between two values: in the plan they have the names of functions, another one on each engine."""
    text = sql.encode()
    before = ""
    for place, kind in duckdb.tokenize(sql):
        follows_a_value = before in _BEFORE_A_BINARY_OPERATOR
        mark = text[place : place + 2]
        if kind.name == "operator" and follows_a_value and (mark == b"!~" or (mark[:1] == b"~" and mark != b"~~")):
            yield Call(name="~ or !~", place=place)
        before = "identifier" if mark[:1] in (b")", b"]") else kind.name


def _arrows(calls: list[Call], sql: str) -> Iterator[Call]:
    """Lambdas that are not introduced by the word; the arrow of JSON is planned as a function."""
    words = Counter(
        sql.encode()[place : place + 6].lower() for place, kind in duckdb.tokenize(sql) if kind.name == "keyword"
    )
    planned = sum("LAMBDA" in call.types for call in calls)
    if planned > words[b"lambda"]:
        yield Call(name="->")


def _told(call: Call, model: GoldModel) -> str:
    """The call, with the line of what the plugin wrote on which it stands; the SELECT of a source has no such line."""
    name = call.name if not call.name.isidentifier() else f"{call.name}()"
    text = model.declared.sql.strip().encode()
    place = -1 if call.place is None else call.place - model.sql.encode().find(text)
    if not 0 <= place < len(text):
        return name
    number = text[:place].count(b"\n")
    line = " ".join(text.split(b"\n")[number].decode().split())
    return f"{name} in line {number + 1} ({line if len(line) <= _SHOWN else line[: _SHOWN - 3] + '...'})"


__all__ = ["EngineFinding", "NoPlan", "engine_findings"]
