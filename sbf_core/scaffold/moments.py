"""Days and moments in texts and numbers: how they are written, and of which zone they are."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?")
#: ``strptime`` formats of days that vendors write, those that cannot be mistaken first.
_DAYS = (
    "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d-%m-%Y",
    "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%b-%y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y",
)  # fmt: skip
_MISTAKABLE = {"%m/%d": "%d/%m", "%d/%m": "%m/%d", "%d-%m": "%m-%d", "%m-%d": "%d-%m"}
_TIME_OF_DAY = re.compile(r"(.*?\d)(T|,? )(\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?( [AaPp][Mm])?( ?[+-]\d{2}:?\d{2})?)")
_TEXT_MAX = 40
_NO_ZONE = 'no zone is written: zone="UTC" is a guess'
_FINER_THAN_MICROSECONDS = 6
#: Names of fields that count from 1970.
_EPOCH_NAME = re.compile(
    r"(?:^|_)(?:t|ts|at|day|date|datetime|time|timestamp|times|epoch|since|until|utc|ms|millis|seconds|"
    r"created|updated|modified|published|expir[a-z]*)(?:_|$)"
)
#: Names that this package gives to fields without one.
_PLACE_NAME = re.compile(r"field_\d+")
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: From 1980 to 2100, in seconds: what lies outside is no moment of data that vendors publish.
_FIRST, _LAST = 315_532_800, 4_102_444_800
_DAY_SECONDS = 86_400
_WHOLE = re.compile(r"\d{9,19}")
_ROWS_ENOUGH = 3


def moments_of(texts: Sequence[str]) -> dict[str, Any] | None:
    """The type of texts that are all days or all moments, and what their column must declare; None for others."""
    if all(_ISO_DAY.fullmatch(text) for text in texts) and _all_fit(texts, "%Y-%m-%d"):
        return {"python": "dt.date"}
    iso = [_ISO_TIME.fullmatch(text) for text in texts]
    if all(iso):
        return _iso([match for match in iso if match is not None])
    first = texts[0] if texts else ""
    if len(first) > _TEXT_MAX or not any(letter.isdigit() for letter in first):
        return None
    timed = _TIME_OF_DAY.fullmatch(first)
    for date_format in _moment_formats(timed) if timed else _DAYS:
        if _all_fit(texts, date_format):
            return _declared(texts, date_format)
    return None


def _iso(matches: Sequence[re.Match[str]]) -> dict[str, Any] | None:
    try:
        for match in matches:
            dt.datetime.fromisoformat(match[0][:10])
    except ValueError:
        return None
    doubts, more = [], {}
    zoned = [bool(match[2]) for match in matches]
    if not all(zoned):
        more["zone"] = "UTC"
        doubts.append(_NO_ZONE if not any(zoned) else 'some have no zone: zone="UTC" is a guess for those')
    if max(len(match[1] or "") for match in matches) > _FINER_THAN_MICROSECONDS:
        more["resolution"] = "ns"
    return {"python": "dt.datetime", **more, "doubts": tuple(doubts)}


def _moment_formats(timed: re.Match[str]) -> list[str]:
    """Formats of days with the time of day of one text behind them."""
    day, mark, _, seconds, fraction, half, offset = timed.groups()
    time = (
        ("%I:%M" if half else "%H:%M")
        + (":%S" if seconds else "")
        + (".%f" if fraction else "")
        + (" %p" if half else "")
    )
    zone = "" if not offset else " %z" if offset.startswith(" ") else "%z"
    return [f"{each}{mark}{time}{zone}" for each in ("%Y-%m-%d", *_DAYS) if _all_fit([day], each)]


def _declared(texts: Sequence[str], date_format: str) -> dict[str, Any]:
    doubts = []
    pair = next((pair for pair in _MISTAKABLE if date_format.startswith(pair)), "")
    other = _MISTAKABLE[pair] + date_format[len(pair) :] if pair else ""
    if other and _all_fit(texts, other):
        doubts.append(f"{other} would fit, too")
    if "%y" in date_format:
        doubts.append("years of two digits")
    if "%H" not in date_format and "%I" not in date_format:
        return {"python": "dt.date", "date_format": date_format, "doubts": tuple(doubts)}
    more = {}
    if "%z" not in date_format:
        more["zone"] = "UTC"
        doubts.append(_NO_ZONE)
    return {"python": "dt.datetime", "date_format": date_format, **more, "doubts": tuple(doubts)}


def _all_fit(texts: Iterable[str], date_format: str) -> bool:
    try:
        # Only the form is asked for.
        days = [dt.datetime.strptime(text, date_format).date() for text in texts]  # noqa: DTZ007
    except ValueError:
        return False
    if date_format == "%Y%m%d" and not all(len(text) == len("20240131") for text in texts):
        return False
    return all(1800 <= day.year <= 2200 for day in days)


def compact_days_of(name: str, texts: Sequence[str]) -> dict[str, Any] | None:
    """What whole numbers must declare that are days such as 20240131, in a field named as one."""
    if not _EPOCH_NAME.search(name + "_") and "date" not in name:
        return None
    if not texts or not _all_fit(texts, "%Y%m%d"):
        return None
    return {"python": "dt.date", "date_format": "%Y%m%d"}


def epoch_of(name: str, texts: Sequence[str]) -> dict[str, Any] | None:
    """What whole numbers must declare that count from 1970: the unit is told by their size, and it is a doubt.

    Args:
        name: of the column. One without a word of time in it must count milliseconds or less, row by row upwards or
            downwards.
        texts: plain digits.
    """
    if not texts or not all(_WHOLE.fullmatch(text) for text in texts):
        return None
    numbers = [int(text) for text in texts]
    unit = next(
        (unit for unit, size in _UNITS.items() if all(_FIRST * size <= number <= _LAST * size for number in numbers)),
        "",
    )
    is_named = bool(_EPOCH_NAME.search(name)) or (_PLACE_NAME.fullmatch(name) and _is_clock(numbers))
    if not unit or not (is_named or (unit != "s" and _is_clock(numbers))):
        return None
    size = _UNITS[unit]
    first = dt.datetime.fromtimestamp(numbers[0] // size, dt.UTC)
    if all(number % (_DAY_SECONDS * size) == 0 for number in numbers):
        return {
            "python": "dt.date",
            "epoch": unit,
            "doubts": (f"taken as days in {unit} since 1970: {first:%Y-%m-%d}",),
        }
    more = {"resolution": "ns"} if unit == "ns" and any(number % 1000 for number in numbers) else {}
    return {
        "python": "dt.datetime",
        "epoch": unit,
        **more,
        "doubts": (f"taken as {unit} since 1970: {first:%Y-%m-%d %H:%M:%S} UTC",),
    }


def _is_clock(numbers: Sequence[int]) -> bool:
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    return len(steps) + 1 >= _ROWS_ENOUGH and (all(step > 0 for step in steps) or all(step < 0 for step in steps))
