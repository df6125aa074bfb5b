"""Text, numbers and typed moments to DATE, TIMESTAMP and TIMESTAMP_NS: exact, in UTC, or a reject with its kind.

Text is ISO 8601 (a subset, see ``MOMENT``), or of a declared ``date_format``, or a number since 1970 (``epoch``). A
moment without an offset is local time in the declared ``zone``; without a zone it is a reject. The engine's own casts
drop an offset (TIMESTAMP), cut what is finer than microseconds, take 24:00 and the year 0, and depend on the session's
zone: they only get texts that a pattern has let through.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sbf_core.dataset.date_formats import DateFormat, parse_date_format
from sbf_core.duck.identifiers import literal
from sbf_core.silver.cast_epochs import epoch_cast
from sbf_core.silver.cast_formats import iso_of, parts_of
from sbf_core.silver.cast_settling import Settling
from sbf_core.silver.cast_steps import Field, FieldCast, full_match, trimmed, unless_marker, without_markers
from sbf_core.silver.cast_zones import day_in_years
from sbf_core.value import Value

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_OFFSET = "(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)"
#: With all digits that a column holds: what the engine reads exactly.
_LOCAL = rf"{_DAY}[T ]{_CLOCK}:[0-5][0-9](\.[0-9]{{1,6}})?"
#: A moment of ISO 8601 as it may be written: a day, T or a blank, hours and minutes, seconds with a fraction, an
#: offset.
MOMENT = rf"{_DAY}[T ]{_CLOCK}(:[0-5][0-9](\.[0-9]+)?)?{_OFFSET}?"
_MOMENT_TYPES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "DATE")


def time_cast(field: Field) -> FieldCast:
    """The cast of a field into DATE, TIMESTAMP or TIMESTAMP_NS."""
    column = field.column
    if column.epoch:
        return epoch_cast(field)
    if field.type in _MOMENT_TYPES:
        return _typed(field)
    form = parse_date_format(column.date_format) if column.date_format else None
    if column.type == "DATE" and form is None:
        return _date_cast(field)
    return _Texts(field=field, form=form).cast()


def _date_cast(field: Field) -> FieldCast:
    """``YYYY-MM-DD`` and nothing else."""
    column, fast, text = field.column, field.ref("fast"), field.ref("text")
    steps = (
        {"fast": unless_marker(column, field.text, _day(field.text))},
        {"trimmed": f"CASE WHEN {fast} IS NULL THEN {trimmed(field.text)} END"},
        {"text": without_markers(column, field.ref("trimmed"))},
    )
    return FieldCast(
        column=column,
        steps=steps,
        value=f"coalesce({fast}, {_day(text)})",
        given=f"{text} IS NOT NULL",
        kind="'unparsable'",
        raw=field.text,
        quick=fast,
        quick_given=f"{field.source} IS NOT NULL",
    )


def _day(text: str) -> str:
    """A text that is written as the engine writes that day: neither 2024/01/02 passes nor the year 0."""
    return (
        f"CASE WHEN strlen({text}) = 10 AND CAST(try_cast({text} AS DATE) AS VARCHAR) = {text} "
        f"THEN try_cast({text} AS DATE) END"
    )


def _local(text: str) -> str:
    """A moment without an offset: TIMESTAMP as the clock showed it."""
    return f"CASE WHEN {full_match(text, _LOCAL)} THEN try_cast({text} AS TIMESTAMP) END"


def _instant(text: str) -> str:
    """A moment with an offset: TIMESTAMP in UTC."""
    return (
        f"CASE WHEN {full_match(text, _LOCAL + _OFFSET)} "
        f"THEN make_timestamp(epoch_us(try_cast({text} AS TIMESTAMPTZ))) END"
    )


@attrs.frozen(kw_only=True)
class _Texts(Value):
    """Moments as texts: of a format, or ISO 8601.

    Each text is either ``local`` (a TIMESTAMP as the clock showed it) or an ``instant`` (a TIMESTAMP in UTC). Both are
    first tried on the field as it stands; only where that gives nothing is its text looked at more closely.
    """

    field: Field
    form: DateFormat | None

    def cast(self) -> FieldCast:
        """The steps: the field as it stands, its text made ISO 8601, the moment of that, the zone, the value."""
        field, text = self.field, self.field.ref("text")
        steps: list[Mapping[str, str]] = [*self._quick(), *self._text()]
        base, rest, digits = text, "", 6
        if field.column.type == "TIMESTAMP_NS":
            shorter = literal(r"(\.[0-9]{6})[0-9]+")
            steps.append({"base": f"regexp_replace({text}, {shorter}, '\\1')", "rest": _nanoseconds(text)})
            base, rest, digits = field.ref("base"), field.ref("rest"), 9
        steps.append(
            {
                "local": self._either("quick local", self._read_local(base)),
                "instant": self._either("quick instant", self._read_instant(base)),
            }
        )
        finer = f"regexp_matches({text}, {literal(rf'[.][0-9]{{{digits},}}[1-9]')}) AND {full_match(text, MOMENT)}"
        # a simple format leaves the text as it stands, and it has no fraction: ISO 8601 does not fit it
        kinds = () if self.form is not None and self.form.is_simple else (f"WHEN {finer} THEN 'too_precise'",)
        given = f"({field.ref('local')} IS NOT NULL OR {field.ref('instant')} IS NOT NULL OR {text} IS NOT NULL)"
        return Settling(field=field, steps=tuple(steps), rest=rest, given=given, kinds=kinds).cast()

    @property
    def _is_quick(self) -> bool:
        """Whether the field is tried as it stands: not where its digits must be looked at first."""
        return self.field.column.type != "TIMESTAMP_NS" and (self.form is None or self.form.is_simple)

    def _quick(self) -> list[Mapping[str, str]]:
        if not self._is_quick:
            return []
        column, text = self.field.column, self.field.text
        if self.form is None and not column.zone:  # nothing but an offset can make it a moment
            return [
                {
                    "quick local": "CAST(NULL AS TIMESTAMP)",
                    "quick instant": unless_marker(column, text, self._read_instant(text)),
                }
            ]
        local = unless_marker(column, text, self._read_local(text))
        if self.form is not None:
            return [{"quick local": local, "quick instant": "CAST(NULL AS TIMESTAMP)"}]
        instant = f"CASE WHEN {self.field.ref('quick local')} IS NULL THEN {self._read_instant(text)} END"
        return [{"quick local": local}, {"quick instant": unless_marker(column, text, instant)}]

    def _either(self, quick: str, read: str) -> str:
        return f"coalesce({self.field.ref(quick)}, {read})" if self._is_quick else read

    def _read_local(self, text: str) -> str:
        if self.form is not None and self.form.is_simple:
            return (
                f"CASE WHEN {full_match(text, self.form.pattern)} "
                f"THEN try_strptime({text}, {literal(self.form.text)}) END"
            )
        return _local(text)

    def _read_instant(self, text: str) -> str:
        return "CAST(NULL AS TIMESTAMP)" if self.form is not None and not self.form.has_offset else _instant(text)

    def _text(self) -> list[Mapping[str, str]]:
        """The text, where it is not settled yet, without blanks and markers, and as ISO 8601."""
        field, column, bare = self.field, self.field.column, self.field.ref("bare")
        slow = (
            f"CASE WHEN {field.ref('quick local')} IS NULL AND {field.ref('quick instant')} IS NULL "
            f"THEN {trimmed(field.text)} END"
        )
        steps: list[Mapping[str, str]] = [{"trimmed": slow if self._is_quick else trimmed(field.text)}]
        steps.append({"bare": without_markers(column, field.ref("trimmed"))})
        digits = 9 if column.type == "TIMESTAMP_NS" else 6
        if self.form is None:
            return [*steps, {"text": _tidy(bare, digits)}]
        if self.form.is_simple:
            return [*steps, {"text": bare}]
        parts = field.ref("parts")
        made = iso_of(self.form, parts, with_fraction=column.type != "DATE")
        steps.append({"parts": parts_of(self.form, bare)})
        steps.append({"iso": f"CASE WHEN {parts} IS NOT NULL THEN {made} END"})
        # a text that is ISO 8601 itself must not pass where another format is declared
        return [
            *steps,
            {
                "text": (
                    f"CASE WHEN {bare} IS NOT NULL "
                    f"THEN coalesce({_tidy(field.ref('iso'), digits)}, concat('?', {bare})) END"
                )
            },
        ]


def _tidy(text: str, digits: int) -> str:
    """ISO 8601 with seconds, and without zeros that are finer than ``digits``; anything else stays as it is."""
    minutes, zeros = (
        literal(r"^(.{10}[T ][0-9]{2}:[0-9]{2})(Z|[+-].*)?$"),
        literal(rf"([.][0-9]{{{digits}}})0+([^0-9]|$)"),
    )
    return f"regexp_replace(regexp_replace({text}, {minutes}, '\\1:00\\2'), {zeros}, '\\1\\2')"


def _nanoseconds(text: str) -> str:
    """The digits behind the microseconds as 0 to 999; NULL where there are finer ones."""
    digits = f"regexp_extract({text}, {literal('[.][0-9]{6}([0-9]+)')}, 1)"
    return f"CASE WHEN length({digits}) <= 3 THEN try_cast(rpad({digits}, 3, '0') AS BIGINT) END"


def _typed(field: Field) -> FieldCast:
    """A DATE or a moment of the engine's types."""
    column, source = field.column, field.source
    given = f"({source} IS NOT NULL)" if not column.missing else f"({without_markers(column, field.text)} IS NOT NULL)"
    kinds = [f"WHEN NOT isfinite({_finite_in(field)}) THEN 'not_finite'"]
    if field.type == column.type == "DATE":
        value = f"CASE WHEN {given} THEN {day_in_years(source)} END"
        return FieldCast(
            column=column,
            steps=(),
            value=value,
            given=given,
            kind=f"CASE {kinds[0]} ELSE 'out_of_range' END",
            raw=field.text,
        )
    finite = f"{given} AND isfinite({_finite_in(field)})"
    steps: list[Mapping[str, str]] = []
    rest = ""
    if field.type == "TIMESTAMP_NS":
        # towards the past: the engine's own cast goes towards 1970
        rest = field.ref("rest")
        steps.append({"rest": f"CASE WHEN {finite} THEN ((epoch_ns({source}) % 1000) + 1000) % 1000 END"})
        moment = f"make_timestamp((epoch_ns({source}) - {rest}) // 1000)"
        if column.type == "TIMESTAMP":
            moment = f"CASE WHEN {rest} = 0 THEN {moment} END"
            kinds.append(f"WHEN {rest} <> 0 THEN 'too_precise'")
    elif field.type == "TIMESTAMP WITH TIME ZONE":
        moment = f"make_timestamp(epoch_us({source}))"
    else:
        moment = f"try_cast({source} AS TIMESTAMP)"
    known = f"CASE WHEN {finite} THEN {moment} END"
    none = "CAST(NULL AS TIMESTAMP)"
    is_instant = field.type == "TIMESTAMP WITH TIME ZONE" or (field.moments_are_utc and field.type != "DATE")
    steps.append({"local": none if is_instant else known, "instant": known if is_instant else none})
    return Settling(field=field, steps=tuple(steps), rest=rest, given=given, kinds=tuple(kinds)).cast()


def _finite_in(field: Field) -> str:
    """What ``isfinite`` is asked of: it knows no seconds and milliseconds, and those may reach further than the
    engine's moments.
    """
    return f"try_cast({field.source} AS TIMESTAMP)" if field.type in ("TIMESTAMP_S", "TIMESTAMP_MS") else field.source
