"""Whether declared columns can make a silver table: names, types, times, and a sound key.

What would have to be guessed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sbf_core.dataset.columns import (
    CORE_COLUMNS,
    END_OF_DAY,
    EPOCH_FORMAT,
    EPOCH_UNITS,
    MOMENTS,
    REQUEST_SOURCES,
    ROW_SOURCE,
    START_OF_DAY,
    TYPES,
    Column,
)
from sbf_core.dataset.date_formats import parse_date_format
from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError, nearest
from sbf_core.vocabulary import check_name

_TAKEN = frozenset({*CORE_COLUMNS, "known_to", "_deleted"})
#: What declarations mostly name; none of them is looked up.
USUAL_ZONES = frozenset({"UTC", "America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin", "Asia/Tokyo"})
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def check_columns(columns: tuple[Column, ...], *, where: str) -> None:
    """Raise ``UsageError`` unless the columns can make a silver table: names, types, times, and a sound key."""
    seen: set[str] = set()
    for col in columns:
        check_name(col.name, what=f"{where}: column", is_field=True)
        if col.name in _TAKEN:
            raise UsageError(
                f"column {col.name!r} is one that sbf adds itself", where=where, fix="rename it", code="COLUMNS"
            )
        if col.name in seen:
            raise UsageError(f"column {col.name!r} is declared twice", where=where, code="COLUMNS")
        seen.add(col.name)
        if col.source.startswith("request.") and not col.from_request:
            raise UsageError(
                f"column {col.name!r} takes {col.source!r}",
                where=where,
                fix=f"use {ROW_SOURCE}NAME, or one of " + ", ".join(REQUEST_SOURCES),
                code="COLUMNS",
            )
        is_index = col.index_of == "tickers" or col.index_of.startswith(EACH)
        if col.index_of and (not is_index or col.from_request or col.epoch or col.date_format):
            what = f"column {col.name!r} has index_of={col.index_of!r}"
            fix = 'column(source="@^~", index_of="tickers")'
            raise UsageError(what, where=where, fix=fix, code="COLUMNS")
        if col.type not in TYPES:
            shape = col.decimal_shape
            if shape is None or not (1 <= shape[0] <= 38 and shape[1] <= shape[0]):
                known = sorted({*TYPES, "DECIMAL(p,s)"})
                raise UsageError(
                    f"column {col.name!r} has the type {col.type!r}",
                    where=where,
                    fix=nearest(col.type, known) or "use one of " + ", ".join(known),
                    code="COLUMNS",
                )
        if col.key and col.nullable:
            raise UsageError(
                f"key column {col.name!r} may be NULL",
                where=where,
                fix="make it required, or leave it out of the key",
                code="KEY",
            )
        if (col.row_date or col.known_from) and col.type not in ("DATE", *MOMENTS):
            raise UsageError(f"column {col.name!r} is {col.type}, no date", where=where, code="COLUMNS")
        if col.known_from and col.nullable and not col.cut_at:
            raise UsageError(
                f"column {col.name!r} says when a row became known, so it may not be NULL", where=where, code="COLUMNS"
            )
        _check_times(col, where=where)
        if col.cut_at:
            _check_cut(col, columns, where=where)


def _check_cut(col: Column, columns: tuple[Column, ...], *, where: str) -> None:
    bound = next((other for other in columns if other.name == col.cut_at), None)
    what = ""
    if not col.known_from or not col.nullable:
        what = "cut_at belongs to a column known_from that may be NULL"
    elif bound is None or bound is col:
        what = f"cut_at names {col.cut_at!r}, which is no other column"
    elif bound.type != col.type or bound.nullable or bound.key:
        what = f"cut_at names {col.cut_at!r}, which must be {col.type} too, not NULL, and not of the key"
    if what:
        fix = (
            'published: date | None = column(known_from=True, cut_at="asked_since"), and '
            'asked_since: date = column(source="$.since")'
        )
        raise UsageError(f"column {col.name!r}: {what}", where=where, fix=fix, code="COLUMNS")


def _check_times(col: Column, *, where: str) -> None:
    """Zones, formats and epochs: what would have to be guessed is refused."""

    def refuse(what: str, fix: str) -> None:
        raise UsageError(f"column {col.name!r}: {what}", where=where, fix=fix, code="COLUMNS")

    is_time = col.type in ("DATE", *MOMENTS)
    if not is_time and (col.date_format or col.zone or col.epoch):
        refuse(
            f"date_format, zone and epoch belong to dates and moments, and it is {col.type}",
            "leave them out, or declare a date or datetime",
        )
    if col.zone and not is_zone(col.zone):
        refuse(
            f"there is no zone {col.zone!r}",
            "write a name of the IANA time zone database, e.g. America/New_York or UTC",
        )
    if col.fold not in ("", "first", "last"):
        refuse(f"fold {col.fold!r} is not known", 'use "first" or "last"')
    if col.fold and not col.zone:
        refuse("fold belongs to a zone", 'zone="America/New_York", fold="first"')
    is_epoch_format = col.date_format == EPOCH_FORMAT and col.epoch == "s"
    if col.epoch and (col.epoch not in EPOCH_UNITS or (col.date_format and not is_epoch_format)):
        refuse("epoch is s, ms, us or ns, and goes without a date_format", 'epoch="ms"')
    if col.epoch and col.zone and col.type != "DATE":
        refuse("an epoch counts from one moment everywhere, so a moment needs no zone", "leave zone out")
    if col.known_at not in (END_OF_DAY, START_OF_DAY) and not _TIME_OF_DAY.fullmatch(col.known_at):
        refuse(f"known_at {col.known_at!r} is not known", "use end of day, start of day, or a time such as 16:30")
    if col.date_format and not is_epoch_format:
        _check_format(col, refuse)


def _check_format(col: Column, refuse: Callable[[str, str], None]) -> None:
    try:
        has_offset = parse_date_format(col.date_format).has_offset
    except ValueError as error:
        refuse(f"date_format {col.date_format!r}: {error}", 'write e.g. "%d.%m.%Y" or "%Y-%m-%dT%H:%M:%S%z"')
        return
    if col.type in MOMENTS and not has_offset and not col.zone:
        refuse(
            f"the format {col.date_format!r} has no offset, so the zone must be declared",
            'zone="America/New_York", or zone="UTC" if it is that',
        )
    if col.type == "DATE" and has_offset and not col.zone:
        refuse(
            f"the format {col.date_format!r} has an offset, and a moment lies on one day here and on another there",
            'declare the zone of the day, e.g. zone="UTC"',
        )


def is_zone(name: str) -> bool:
    """Whether a name is that of a time zone, on every machine."""
    if name in USUAL_ZONES:
        return True
    from zoneinfo import ZoneInfo  # 3 ms that only another zone has to pay

    if name == "localtime" or name.startswith(
        ("posix/", "right/")
    ):  # what this machine calls so is no zone of the engine's
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # a missing name is a LookupError, a folder an OSError
        return False
    return True
