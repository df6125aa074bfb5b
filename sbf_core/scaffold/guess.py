"""What the columns of rows are: names, types, and what else they must declare.

What was decided without being sure is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.payload.json_text import Number
from sbf_core.scaffold.marks import CODE, LOOSE, Marks, marks_of
from sbf_core.scaffold.moments import compact_days_of, epoch_of, moments_of
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Entity, Value

#: From so many rows on, what holds for all of them is likely to hold for the next.
ENOUGH = 20
_MISSING = ("N/A", "n/a", "NA", "#N/A", "ND", "null", "NULL", "None", "NaN", "nan", ".", "-", "--", "")
#: Those that are no words for something else where other values are texts: NA is Namibia, too.
_MISSING_TEXTS = ("N/A", "n/a", "#N/A", "null", "NULL", "NaN", ".", "-", "--")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMALS_MAX = 10


@attrs.frozen(kw_only=True)
class GuessedColumn(Value):
    """One column, as far as the rows tell.

    Attributes:
        name: in silver.
        source: the vendor's name, or a path.
        python: the type in the attrs class: ``str``, ``int``, ``float``, ``bool``, ``Decimal``, ``dt.date`` or
            ``dt.datetime``.
        nullable: whether rows lack a value.
        precision, scale: of a ``Decimal``.
        date_format: of a day or moment that is not ISO 8601.
        zone: of a moment without one.
        epoch: the unit of a number that counts from 1970.
        resolution: ``ns`` for moments finer than a microsecond.
        trim: whether blanks around a text are taken off.
        missing: what is written for "no value".
        is_optional: payloads may lack it.
        key, row_date, known_from: its roles.
        is_certain: it is declared although no row of the sample has a value.
        unit, doc: what it holds, where that was told.
        example: a value.
        doubts: what was decided without being sure.
    """

    name: str
    source: str
    python: str
    nullable: bool
    precision: int = 0
    scale: int = 0
    date_format: str = ""
    zone: str = ""
    epoch: str = ""
    resolution: str = ""
    trim: bool = False
    missing: tuple[str, ...] = ()
    is_optional: bool = False
    key: bool = False
    row_date: bool = False
    known_from: bool = False
    is_certain: bool = False
    unit: str = ""
    doc: str = ""
    example: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value: it is written as a comment, because nothing can be said of it."""
        return not self.example and not self.is_certain

    @property
    def is_number(self) -> bool:
        """Whether it has a unit."""
        return self.python in ("int", "float", "Decimal")

    @property
    def lacks_meaning(self) -> bool:
        """Whether nobody has said what its numbers are of."""
        return self.is_number and not self.key and not self.unit and not self.doc

    @property
    def is_time(self) -> bool:
        """Whether it is a day or a moment."""
        return self.python in ("dt.date", "dt.datetime")

    @property
    def hint(self) -> str:
        """The type as it stands in the class."""
        return f"{self.python} | None" if self.nullable else self.python


@attrs.frozen(kw_only=True)
class Guesses(Value):
    """The columns of rows, and the marks in their numbers."""

    columns: list[GuessedColumn]
    marks: Marks


@attrs.define(eq=False)
class _Field(Entity):
    """The values of one field."""

    name: str
    source: str
    values: list[Any]
    empty_is_missing: bool

    def __attrs_post_init__(self) -> None:
        self.present = [value for value in self.values if value is not None]
        self.texts = [value for value in self.present if isinstance(value, str) and not isinstance(value, Number)]
        self.stripped = list(dict.fromkeys(text.strip() for text in self.texts))
        self.told = [text for text in self.stripped if text not in _MISSING]
        self.numbers = list(
            dict.fromkeys(
                _digits(value)
                for value in self.present
                if (not isinstance(value, (str, bool, list, dict)) or isinstance(value, Number))
            )
        )
        self.few = len(self.present) < ENOUGH

    present: list[Any] = attrs.field(init=False)
    texts: list[str] = attrs.field(init=False)
    stripped: list[str] = attrs.field(init=False)
    told: list[str] = attrs.field(init=False)
    numbers: list[str] = attrs.field(init=False)
    few: bool = attrs.field(init=False)


def _digits(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) else f"{Decimal(str(value)):f}"


def guess_columns(
    rows: Sequence[Mapping[str, Any]],
    *,
    empty_is_missing: bool,
    comma_first: bool = False,
    names: Mapping[str, str] | None = None,
) -> Guesses:
    """The columns of rows, in the order in which they first appear.

    Args:
        rows: as mappings from the vendor's names to values.
        empty_is_missing: an empty text is no value without being declared so, as in CSV.
        comma_first: a comma within a number is a decimal comma rather than one between thousands, where both would do.
        names: words for sources that are paths.
    """
    sources = list(dict.fromkeys(name for row in rows for name in row))
    fields: list[_Field] = []
    for source in sources:
        name = as_name((names or {}).get(source, source), taken={field.name for field in fields})
        fields.append(_Field(name, source, [row.get(source) for row in rows], empty_is_missing))
    numeric = {field.source: field.told for field in fields if field.told and moments_of(field.told) is None}
    pointed = any("." in text for field in fields for text in field.numbers)
    marks, doubts = marks_of(numeric, comma_first=comma_first, pointed=pointed)
    return Guesses(columns=[_guess(field, marks, doubts.get(field.source, "")) for field in fields], marks=marks)


def _guess(field: _Field, marks: Marks, doubt: str) -> GuessedColumn:
    example = next((str(value).strip() for value in field.present if str(value).strip()), "")[:40]
    usual: dict[str, Any] = {"name": field.name, "source": field.source, "example": example}
    lacking = len(field.present) < len(field.values)
    if not example:
        return GuessedColumn(**usual, python="str", nullable=True, doubts=("no value in the sample",))
    bools = [value for value in field.present if isinstance(value, bool)]
    if bools and len(bools) == len(field.present):
        return GuessedColumn(**usual, python="bool", nullable=lacking or field.few)
    if bools:
        return GuessedColumn(**usual, python="str", nullable=lacking, doubts=("true, false and numbers are mixed",))
    if field.numbers and field.told:
        return GuessedColumn(**usual, python="str", nullable=lacking, doubts=("texts and numbers are mixed",))
    if not field.numbers and not field.told:
        words = ", ".join(map(repr, field.stripped))
        return GuessedColumn(
            **{**usual, "example": ""},
            python="str",
            nullable=True,
            missing=tuple(filter(None, field.stripped)),
            doubts=(f"no value in the sample, but {words}",),
        )
    guessed = _of_numbers(field) if field.numbers else _of_texts(field, marks)
    if guessed is None:
        return _text(field, usual, lacking, doubt)
    missing = tuple(sorted(text for text in field.stripped if text in _MISSING))
    declared = tuple(text for text in missing if text or not field.empty_is_missing)
    doubts = [*guessed.pop("doubts", ()), *([doubt] if doubt else [])]
    if declared and declared != ("",):
        doubts.append(f"{', '.join(map(repr, declared))} taken as no value")
    return GuessedColumn(
        **usual, **guessed, nullable=lacking or bool(missing) or field.few, missing=declared, doubts=tuple(doubts)
    )


def _of_numbers(field: _Field) -> dict[str, Any]:
    return (
        compact_days_of(field.name, field.numbers)
        or epoch_of(field.name, field.numbers)
        or _guess_numbers(field.numbers)
    )


def _of_texts(field: _Field, marks: Marks) -> dict[str, Any] | None:
    """Type of texts that are all numbers, days or moments; None for others."""
    told = field.told
    guessed = moments_of(told) or epoch_of(field.name, told)
    if guessed is not None:
        return guessed
    if {text.lower() for text in told} <= {"true", "false"}:
        return {"python": "bool"}
    if any(CODE.fullmatch(text) for text in told) or not all(marks.pattern.fullmatch(text) for text in told):
        return None
    return _guess_numbers([marks.plain(text) for text in told])


def _text(field: _Field, usual: dict[str, Any], lacking: bool, doubt: str) -> GuessedColumn:
    """A column of texts: with blanks around them, and words for "no value" among them."""
    doubts = [doubt] if doubt else []
    if not doubt and marks_seen(field.told):
        doubts.append("numbers with marks that fit no one reading: a text as it is")
    padded = sum(text != text.strip() for text in field.texts)
    trim = padded * 2 >= len(field.texts)
    if trim and len({len(text) for text in field.texts}) > 1:
        doubts.append("blanks around it are taken off")
    elif padded and not trim:
        doubts.append("some have blanks around them: trim=True?")
    missing = (
        tuple(sorted(text for text in field.stripped if text in _MISSING_TEXTS))
        if any(len(text) > 1 for text in field.told)
        else ()
    )
    if missing:
        doubts.append(f"{', '.join(map(repr, missing))} taken as no value")
    blank = "" in field.stripped and (field.empty_is_missing or trim)
    nullable = lacking or blank or field.few or bool(missing)
    return GuessedColumn(**usual, python="str", nullable=nullable, trim=trim, missing=missing, doubts=tuple(doubts))


def marks_seen(told: Sequence[str]) -> bool:
    """Whether texts are numbers, each for itself, with a comma in one."""
    return any("," in text for text in told) and all(LOOSE.fullmatch(text) for text in told)


def _guess_numbers(texts: Sequence[str]) -> dict[str, Any]:
    few = len(set(texts)) < ENOUGH
    if all(_INTEGER.fullmatch(text) for text in texts):
        return {"python": "int", "doubts": ("whole numbers only, and few different ones",) if few else ()}
    scale = max(-int(Decimal(text).as_tuple().exponent) for text in texts)
    whole = max(Decimal(text).adjusted() + 1 for text in texts)
    if scale > _DECIMALS_MAX or any("e" in text.lower() for text in texts) or whole + scale > 30:
        return {"python": "float", "doubts": ("many digits: a double, which does not keep each of them",)}
    roomy = max(scale, 0) + 2
    doubts = (f"at most {scale} decimals in few different values; more than {roomy} would be rejected",) if few else ()
    return {"python": "Decimal", "precision": max(18, whole + 4 + roomy), "scale": roomy, "doubts": doubts}
