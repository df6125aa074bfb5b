"""How one field becomes one column: expressions in steps, each over the results of the step before.

The engine has no variables within an expression. So what is used more than once gets a name of its own, in a SELECT of
its own: a step. Every reference is qualified by ``_r``, the alias of the relation that a step reads, and every name of
ours holds a blank (``text 3``), which no declared name does: nothing can be captured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.value import Value

#: Alias of the relation that each step reads.
RELATION = "_r"
#: What counts as a blank around a value: space, tab, CR, LF, the page feeds and the no-break space.
BLANKS = " \t\r\n\v\f\u00a0"


class Marks(Protocol):
    """The marks within numbers, as ``Csv`` and ``Json`` declare them."""

    @property
    def decimal(self) -> str:
        """Before the fraction: ``.`` or ``,``."""

    @property
    def thousands(self) -> str:
        """Between groups of three digits; empty where there is none."""


@attrs.frozen(kw_only=True)
class Field(Value):
    """One field of a relation, and the column that it fills.

    Attributes:
        column: the declared column.
        number: its place, which makes the names of its steps its own.
        source: the field, qualified.
        type: the field's DuckDB type.
        marks: the marks within numbers.
        moments_are_utc: whether a TIMESTAMP without zone is UTC, as in a plugin's SELECT.
    """

    column: Column
    number: int
    source: str
    type: str
    marks: Marks
    moments_are_utc: bool = False

    def name(self, word: str) -> str:
        """The name of a step's result, e.g. ``text 3``, quoted."""
        return quoted(f"{word} {self.number}")

    def ref(self, word: str) -> str:
        """A reference to a step's result."""
        return f"{RELATION}.{self.name(word)}"

    @property
    def is_text(self) -> bool:
        """Whether the field holds what the vendor wrote."""
        return self.type in ("VARCHAR", "JSON")

    @property
    def text(self) -> str:
        """The field as text: exact for texts and decimals, the shortest text that is read as the same number for
        doubles.
        """
        if self.type == "VARCHAR":
            return self.source
        written = f"CAST({self.source} AS VARCHAR)"
        if self.type == "JSON":  # a text stands in quotes there, and null is a value
            return (
                f"CASE WHEN starts_with({written}, '\"') THEN json_extract_string({self.source}, '$') "
                f"WHEN {written} <> 'null' THEN {written} END"
            )
        return written


@attrs.frozen(kw_only=True)
class FieldCast(Value):
    """The expressions of one column.

    Attributes:
        column: the declared column.
        steps: per step, names (without number) and expressions.
        value: of the declared type; NULL where there is none, or where it does not fit.
        given: whether there is a value.
        kind: why it does not fit; asked only where ``value`` is NULL and ``given`` holds. Empty where everything fits.
        raw: the field as text, for a reject.
        number_place: of a number, its place among the numbers; those say together why one does not fit.
        quick: over the first step alone, the value of a field that is written as it nearly always is; NULL for one that
            needs all steps. Empty where there is no such short way.
        quick_given: whether the field holds anything, where ``quick`` is given.
    """

    column: Column
    steps: Sequence[Mapping[str, str]]
    value: str
    given: str
    kind: str
    raw: str
    number_place: int = 0
    quick: str = ""
    quick_given: str = ""


def full_match(text: str, pattern: str) -> str:
    """Whether all of ``text`` matches an RE2 pattern."""
    return f"regexp_full_match({text}, {literal(pattern)})"


def trimmed(text: str) -> str:
    """``text`` without the blanks around it."""
    return f"trim({text}, {literal(BLANKS)})"


def without_markers(column: Column, text: str) -> str:
    """``text``, or NULL where it is empty or a marker for "no value"."""
    markers = [marker.strip(BLANKS) for marker in column.missing]
    return f"CASE WHEN NOT {is_one_of(text, ['', *markers])} THEN {text} END"


def unless_marker(column: Column, text: str, expression: str) -> str:
    """``expression``, or NULL where ``text``, which has no blanks around it, is a marker for "no value"."""
    if not column.missing:
        return expression
    return f"CASE WHEN NOT {is_one_of(text, [marker.strip(BLANKS) for marker in column.missing])} THEN {expression} END"


def is_one_of(text: str, choices: Sequence[str]) -> str:
    """Whether ``text`` is one of the choices. Of IN with more than four the engine makes a join, and each costs more
    than a million rows do.
    """
    distinct = tuple(dict.fromkeys(choices))
    return (
        f"{text} IN ({', '.join(map(literal, distinct))})"
        if len(distinct) < 4
        else full_match(text, "|".join(map(re.escape, distinct)))
    )
