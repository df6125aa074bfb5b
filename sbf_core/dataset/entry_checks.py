"""Whether the parts of a declaration that stand alone are sound: names, roles of columns, numbers and days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sbf_core.dataset.columns import Column
from sbf_core.errors import UsageError
from sbf_core.safe_paths import why_no_name
from sbf_core.vocabulary import check_name


def check_names(domain: str, source: str, dataset: str, *, where: str) -> None:
    """Raise ``UsageError`` unless domain, source and dataset can be names, and folders on every system."""
    for what, name in (("domain", domain), ("source", source), ("dataset", dataset)):
        check_name(name, what=what)
        if why_no_name(name):
            raise UsageError(
                f"{what} {name!r} can be no folder on every system",
                where=where,
                fix="choose another name",
                code="NAME",
            )


def check_roles(columns: Sequence[Column], *, needs_day: bool, where: str) -> None:
    """Raise ``UsageError`` unless there is a key, and each role that one column can have is that of one.

    Args:
        columns: of the dataset.
        needs_day: whether somebody expects rows of each day.
        where: for messages.
    """
    if not any(col.key for col in columns):
        raise UsageError("no column is part of the key", where=where, fix="column(key=True)", code="KEY")
    for role in ("row_date", "known_from"):
        if sum(bool(getattr(col, role)) for col in columns) > 1:
            raise UsageError(f"more than one column is the {role}", where=where, code="COLUMNS")
    if needs_day and not any(col.row_date for col in columns):
        what = "expected_by has an hour, and no column says of which day a row is"
        fix = "column(row_date=True), or ExpectedBy(within_hours=48)"
        raise UsageError(what, where=where, fix=fix, code="EXPECTED_BY")


def check_days(first_date: dt.date, horizon: int | str, *, where: str) -> None:
    """Raise ``UsageError`` unless the first day is a day, and the horizon a number of days or ``any``."""
    if type(first_date) is not dt.date:
        raise UsageError(
            f"first_date {first_date!r} is no date", where=where, fix="dt.date(2020, 1, 1)", code="DATASET"
        )
    if horizon != "any" and (type(horizon) is not int or horizon < 0):
        what = f"horizon {horizon!r} is no number of days"
        raise UsageError(what, where=where, fix='horizon=30, or horizon="any" for projections', code="DATASET")


def check_numbers(version: int, *, shares: Mapping[str, float], durations: Mapping[str, float], where: str) -> None:
    """Raise ``UsageError`` unless a version counts from 1, shares are such, and no duration is negative."""
    if version < 1:
        raise UsageError("promote_version counts from 1", where=where, code="DATASET")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise UsageError(f"{name} {share} is no share", where=where, fix="use 0 to 1", code="DATASET")
    if min(durations.values()) < 0:
        *first, last = durations
        raise UsageError(f"{', '.join(first)} and {last} cannot be negative", where=where, code="DATASET")
