"""Which marks the numbers of a payload have: one reading for all of them, and a doubt where another would do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import attrs

from sbf_core.value import Value

#: What may stand between groups of three digits, besides the other one of point and comma.
_GROUPS = ("'", " ", "\u00a0", "\u202f", "\u2019", "_")
LOOSE = re.compile(r"[+-]?[.,]?\d[\d.,'_ \u00a0\u202f\u2019]*(?:[eE][+-]?\d+)?", re.ASCII)
_MARKED = re.compile(r"[^\d+-]")
CODE = re.compile(r"[+-]?0\d+")


@attrs.frozen
class Marks(Value):
    """Marks within numbers, as ``Csv`` and ``Json`` declare them."""

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a number looks like. A group of thousands never begins with a zero."""
        return _pattern(self.decimal, self.thousands)

    def plain(self, text: str) -> str:
        """A number as Python writes it."""
        bare = text.replace(self.thousands, "") if self.thousands else text
        return bare.replace(self.decimal, ".")

    @property
    def shown(self) -> str:
        """As it is declared."""
        parts = [f"{name}={value!r}" for name, value, usual in self._declared if value != usual]
        return ", ".join(parts) or 'decimal="."'

    @property
    def _declared(self) -> tuple[tuple[str, str, str], ...]:
        return (("decimal", self.decimal, "."), ("thousands", self.thousands, ""))


@lru_cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point, mark = re.escape(decimal), re.escape(thousands)
    whole = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|\d+)" if thousands else r"\d+"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", re.ASCII)


PLAIN = Marks()
_WITH_POINT = (PLAIN, Marks(".", ","), *(Marks(".", mark) for mark in _GROUPS))
_WITH_COMMA = (Marks(","), Marks(",", "."), *(Marks(",", mark) for mark in _GROUPS))
#: Thousands before a decimal comma: in text with commas between fields, a comma within a number is no decimal comma as
#: a rule.
_USUAL = (PLAIN, Marks(".", ","), *_WITH_COMMA, *_WITH_POINT[2:])
_COMMA_FIRST = (PLAIN, *_WITH_COMMA, *_WITH_POINT[1:])


def looks_marked(texts: Sequence[str]) -> bool:
    """Whether texts are numbers of some reading, with marks in at least one."""
    if any(CODE.fullmatch(text) for text in texts) or not any(_MARKED.search(text) for text in texts):
        return False
    return all(LOOSE.fullmatch(text) for text in texts)


def marks_of(
    columns: Mapping[str, Sequence[str]], *, comma_first: bool = False, pointed: bool = False
) -> tuple[Marks, dict[str, str]]:
    """The reading that fits the numbers of the most columns, and doubts by column.

    Args:
        columns: by name the texts that are no dates and no word for "no value".
        comma_first: a comma is a decimal comma rather than one between thousands where both fit, as in text with
            semicolons.
        pointed: other numbers of the payload have a decimal point for sure, as those of JSON.
    """
    numbers = {name: list(dict.fromkeys(texts)) for name, texts in columns.items() if texts and looks_marked(texts)}
    fitting = {name: _fitting(texts) for name, texts in numbers.items()}
    numbers = {name: texts for name, texts in numbers.items() if fitting[name]}
    if not numbers:
        return PLAIN, {}
    order = [marks for marks in (_COMMA_FIRST if comma_first else _USUAL) if marks.decimal == "." or not pointed]
    fits = {marks: {name for name, texts in numbers.items() if _fits(marks, fitting[name])} for marks in order}
    chosen = max(order, key=lambda marks: (len(fits[marks]), -order.index(marks)))
    doubts = {
        name: "numbers in another spelling than elsewhere: a text as it is"
        for name in numbers
        if name not in fits[chosen]
    }
    fits_all = [marks for marks in order if fits[marks] >= fits[chosen]]
    for name, texts in numbers.items():
        if name in doubts:
            continue
        other = next(
            ((marks, text) for marks in fits_all for text in texts if _value(marks, text) != _value(chosen, text)), None
        )
        if other is not None:
            marks, text = other
            doubts[name] = (
                f"{text} is taken as {_value(chosen, text)}; with {marks.shown} it would be {_value(marks, text)}"
            )
    return chosen, doubts


def _fits(marks: Marks, fitting: Sequence[Marks]) -> bool:
    return marks in fitting or Marks(marks.decimal) in fitting


def _fitting(texts: Sequence[str]) -> list[Marks]:
    """The readings that fit all texts; one with a mark that occurs nowhere is as good as that without it."""
    letters = set().union(*texts)
    able = [marks for marks in _COMMA_FIRST if not marks.thousands or marks.thousands in letters]
    return [marks for marks in able if all(marks.pattern.fullmatch(text) for text in texts)]


def _value(marks: Marks, text: str) -> str:
    return f"{Decimal(marks.plain(text)):f}"
