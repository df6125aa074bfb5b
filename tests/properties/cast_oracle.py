"""What plain Python says of a text in a column: its value, or why it is rejected.
Nothing of ``sbf_core.silver`` is used.

Rules are those of ``docs/reference/casts.md``. Numbers are digits and a power of ten, so that nothing is rounded;
zones are those of ``zoneinfo``.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from sbf_core.dataset.columns import Column

BLANKS = " \t\r\n\v\f\u00a0"
#: A value, or the kind of a reject; both are None for no value.
Outcome = tuple[Any, str | None]
_TRUE, _FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")
_EPOCH = dt.datetime(1970, 1, 1)
_YEARS = (-62_135_596_800 * 10**9, 253_402_300_800 * 10**9 - 1)
_NANOSECONDS = (-9_223_286_400 * 10**9, 2**63 - 2)
_DAY_NANOSECONDS = 86_400 * 10**9
_OFFSET = r"(?:(?P<zulu>Z)|(?P<sign>[+-])(?P<oh>[01]\d|2[0-3])(?::?(?P<om>[0-5]\d))?)"
_ISO = re.compile(
    rf"(?P<Y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)"
    rf"[T ](?P<H>[01]\d|2[0-3]):(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d)(?:\.(?P<f>\d+))?)?{_OFFSET}?",
    re.ASCII,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "b": "(?P<b>[A-Za-z]{3})", "p": "(?P<p>[AaPp][Mm])", "f": r"(?P<f>\d+)",
    "z": _OFFSET,
}  # fmt: skip


def value_of(column: Column, text: str | None, decimal: str = ".", thousands: str = "") -> Outcome:
    """What becomes of a text in a column. A TIMESTAMP_NS is nanoseconds since 1970, a TIMESTAMP a datetime in UTC."""
    if text is None:
        return None, None
    if column.type == "VARCHAR" and not column.trim:
        return None if text in column.missing else text, None
    bare = text.strip(BLANKS)
    if not bare or bare in {marker.strip(BLANKS) for marker in column.missing}:
        return None, None
    if column.type == "VARCHAR":
        return bare, None
    if column.type == "BOOLEAN":
        found = bare.lower()
        return (found in _TRUE, None) if found in (*_TRUE, *_FALSE) else (None, "unparsable")
    if column.epoch:
        return _counted(column, bare, decimal, thousands)
    if column.type == "DATE" and not column.date_format:
        return _day(bare)
    if column.type in ("DATE", "TIMESTAMP", "TIMESTAMP_NS"):
        return _moment(column, bare)
    return number(column.type, bare, decimal, thousands)


# Numbers --------------------------------------------------------------------------------------------------------------


def _plain(text: str, decimal: str, thousands: str) -> str | None:
    """The number with a point and without marks, None where it is none."""
    group = re.escape(thousands)
    whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
    point = re.escape(decimal)
    found = re.fullmatch(rf"([+-]?)(?:({whole})(?:{point}([0-9]*))?|{point}([0-9]+))(?:[eE]([+-]?[0-9]+))?", text)
    if found is None:
        return None
    sign, integer, fraction, bare, exponent = found.groups()
    integer = (integer or "0").replace(thousands, "") if thousands else integer or "0"
    return f"{sign}{integer}.{fraction or bare or '0'}e{exponent or '0'}"


def _digits(plain: str) -> tuple[int, str, int]:
    """Sign, digits without zeros at their ends, and the power of ten of the last of them."""
    mantissa, power = plain.split("e")
    whole, fraction = mantissa.lstrip("+-").split(".")
    significant = (whole + fraction).lstrip("0")
    exponent = int(power) - len(fraction) + len(significant) - len(significant.rstrip("0"))
    return (-1 if mantissa.startswith("-") else 1), significant.rstrip("0"), exponent


def number(kind: str, text: str, decimal: str, thousands: str) -> Outcome:
    """The number that a text without blanks around it is in a BIGINT, a DECIMAL or a DOUBLE."""
    plain = _plain(text, decimal, thousands)
    if plain is None:
        return None, _no_number(text, decimal, thousands)
    if kind == "DOUBLE":
        value = float(plain)
        return (value, None) if abs(value) != float("inf") else (None, "not_finite")
    sign, significant, exponent = _digits(plain)
    shape = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    precision, scale = (int(shape[1]), int(shape[2])) if shape else (19, 0)
    if not significant:
        return Decimal(0) if shape else 0, None
    if exponent < -scale:
        return None, "too_precise" if shape else "not_an_integer"
    if len(significant) + exponent > precision - scale:
        return None, "out_of_range"
    exact = Decimal(f"{sign * int(significant)}E{exponent}")  # arithmetic would round to the digits of the context
    if shape:
        return exact, None
    return (int(exact), None) if -(2**63) <= exact < 2**63 else (None, "out_of_range")


def _no_number(text: str, decimal: str, thousands: str) -> str:
    if re.fullmatch("[+-]?(nan|inf|infinity)", text.lower()):
        return "not_finite"
    if thousands:
        return "unparsable"
    other = "," if decimal == "." else "."
    sign = "[+-]?"
    if re.fullmatch(rf"{sign}[0-9]{{1,3}}(?:[{other}][0-9]{{3}})+(?:[{decimal}][0-9]*)?", text):
        return "thousands_mark"
    if re.fullmatch(
        rf"{sign}(?:[0-9]{{1,3}}(?:[{decimal} '\u00a0\u202f\u2019][0-9]{{3}})+|[0-9]*)[{other}][0-9]+", text
    ):
        return "decimal_comma" if decimal == "." else "decimal_point"
    return "unparsable"


def _counted(column: Column, text: str, decimal: str, thousands: str) -> Outcome:
    """A number of seconds, or of parts of them, since 1970."""
    plain = _plain(text, decimal, thousands)
    if plain is None:
        return None, "unparsable"
    sign, significant, exponent = _digits(plain)
    exponent += {"s": 9, "ms": 6, "us": 3, "ns": 0}[column.epoch]  # nanoseconds
    finest = 0 if column.type == "TIMESTAMP_NS" else 3
    if significant and column.type != "DATE" and exponent < finest:
        return None, "too_precise"
    if not significant:
        exponent = 0  # nothing, whatever it is multiplied by
    if len(significant) + exponent > 40:
        return None, "out_of_range"
    count = sign * int(significant or 0)
    count = count * 10**exponent if exponent >= 0 else count // 10 ** min(-exponent, len(significant) + 1)
    if column.type == "DATE":
        try:
            return _date_of(column, count), None
        except OverflowError:
            return None, "out_of_range"
    return _in_range(column, count)


# Moments --------------------------------------------------------------------------------------------------------------


def _day(text: str) -> Outcome:
    try:
        found = (
            dt.datetime.strptime(text, "%Y-%m-%d").date() if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
        )
    except ValueError:
        found = None
    return found, None if found else "unparsable"


def _date_of(column: Column, nanoseconds: int) -> dt.date:
    """The day of an instant in the zone of its column."""
    moment = _EPOCH + dt.timedelta(microseconds=nanoseconds // 1000)
    if column.zone not in ("", "UTC"):
        moment = moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(column.zone))
    return moment.date()


def _in_range(column: Column, nanoseconds: int) -> Outcome:
    low, high = _NANOSECONDS if column.type == "TIMESTAMP_NS" else _YEARS
    if not low <= nanoseconds <= high:
        return None, "out_of_range"
    return nanoseconds if column.type == "TIMESTAMP_NS" else _EPOCH + dt.timedelta(
        microseconds=nanoseconds // 1000
    ), None


def _moment(column: Column, text: str) -> Outcome:
    pattern = pattern_of(column.date_format) if column.date_format else _ISO
    found = pattern.fullmatch(text)
    if found is None:
        return None, "unparsable"
    parts = _Parts.of({name: value for name, value in found.groupdict().items() if value is not None})
    is_finer = len(parts.fraction) > (9 if column.type == "TIMESTAMP_NS" else 6)
    if is_finer and column.type != "DATE":
        return None, "too_precise"
    if parts.local is None:
        return None, "unparsable"
    if column.type == "DATE":
        return (
            (parts.local.date(), None)
            if parts.offset is None
            else (_date_of(column, parts.instant_of(parts.offset)), None)
        )
    count, reason = parts.instant(column.zone, column.fold)
    return (None, reason) if count is None else _in_range(column, count)


def pattern_of(date_format: str) -> re.Pattern[str]:
    """What a text of a format looks like: directives of one or two digits have two where they stand beside others."""
    parts = re.findall(r"%.|[^%]+", date_format)

    def is_digits(place: int) -> bool:
        return 0 <= place < len(parts) and parts[place][0] == "%" and parts[place][1] not in "bpz"

    made = ""
    for place, part in enumerate(parts):
        if part[0] != "%":
            made += re.escape(part)
        elif part[1] in _DIRECTIVES:
            made += _DIRECTIVES[part[1]]
        else:
            count = "{2}" if is_digits(place - 1) or is_digits(place + 1) else "{1,2}"
            made += rf"(?P<{part[1]}>\d{count})"
    return re.compile(made, re.ASCII)


@attrs.frozen
class _Parts:
    """A moment as it is written.

    Attributes:
        local: what the clock showed, in whole seconds; None where no clock does.
        fraction: digits of the second, without zeros at their end.
        offset: that of the text.
        is_year_zero: 0000, which no type holds.
    """

    local: dt.datetime | None
    fraction: str
    offset: dt.timedelta | None
    is_year_zero: bool = False

    @classmethod
    def of(cls, parts: dict[str, str]) -> _Parts:
        fraction = parts.get("f", "").rstrip("0")
        offset = (
            dt.timedelta(hours=int(parts.get("oh", 0)), minutes=int(parts.get("om", 0)))
            if "zulu" in parts or "sign" in parts
            else None
        )
        if offset is not None and parts.get("sign") == "-":
            offset = -offset
        year = int(parts["Y"]) if "Y" in parts else int(parts["y"]) + (1900 if int(parts["y"]) >= 69 else 2000)
        hour = int(parts.get("H", 0))
        try:
            month = _MONTHS.index(parts["b"].lower()) + 1 if "b" in parts else int(parts.get("m", 1))
            if "I" in parts:
                half = int(parts["I"])
                if not 1 <= half <= 12:
                    raise ValueError
                hour = half % 12 + (12 if parts["p"].lower() == "pm" else 0)
            local = dt.datetime(
                year or 4, month, int(parts.get("d", 1)), hour, int(parts.get("M", 0)), int(parts.get("S", 0))
            )
        except ValueError:
            return cls(None, fraction, offset)
        return cls(local, fraction, offset, not year)

    def instant_of(self, offset: dt.timedelta) -> int:
        """Nanoseconds since 1970 by an offset."""
        assert self.local is not None
        since = self.local - _EPOCH - offset
        return (since.days * 86_400 + since.seconds) * 10**9 + int(self.fraction[:9].ljust(9, "0") or 0)

    def instant(self, zone: str, fold: str) -> tuple[int | None, str | None]:
        """Nanoseconds since 1970, or why nobody knows them."""
        assert self.local is not None
        if self.offset is None and not zone:
            return None, "no_zone"
        if self.is_year_zero:
            return None, "out_of_range"
        if self.offset is not None:
            return self.instant_of(self.offset), None
        found = set()
        for choice in (0, 1):
            try:
                instant = self.local.replace(tzinfo=ZoneInfo(zone), fold=choice).astimezone(dt.UTC)
            except OverflowError:
                return None, "out_of_range"
            if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == self.local:
                found.add(self.instant_of(self.local - instant.replace(tzinfo=None)))
        if not found:
            return None, "skipped_hour"
        if len(found) == 2 and not fold:
            return None, "repeated_hour"
        return min(found) if fold == "first" else max(found), None
