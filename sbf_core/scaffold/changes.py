"""A parameter of an address that asks for what changed since a moment."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import attrs

from sbf_core.dataset.cursor import Cursor, CursorBy, moment_text
from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Value

_CHANGED = re.compile(r"(?:^|_)(?:last)?(?:updated?|modified|modification|changed?)(?:_?at)?(?:_|$)")
_SINCE = re.compile(r"(?:^|_)(?:since|after|from|min|gte?|start|begin)(?:_|$)")
_ISO = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:(?P<mark>[T ])(?P<minute>\d{2}:\d{2})(?P<second>:\d{2})?(?P<fraction>\.\d{1,6})?(?P<zone>Z|[+ ]00:?00)?)?"
)
#: How many digits count which part of a second since 1970: seconds have ten from 2001 to 2286.
_EPOCHS = {10: "s", 13: "ms", 16: "us", 19: "ns"}
_SECONDS_DIGITS = 10


@attrs.frozen(kw_only=True)
class ChangedSince(Value):
    """What such a parameter tells.

    Attributes:
        parameter: its name.
        value: as it stood in the address.
        moment: what it asked for, in UTC.
        format: how it is written, see ``Cursor``. Fractions of a second are noughts, so that it asks for more, not
            less.
        doubts: what was decided without being sure.
    """

    parameter: str
    value: str
    moment: dt.datetime
    format: str
    doubts: tuple[str, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """What its recipe declares, without a column."""
        return Cursor(by=CursorBy.MOMENT, format=self.format)

    @property
    def place(self) -> str:
        """From where the sample was asked for, see ``RunRequest.cursor``."""
        return moment_text(self.moment)


def changed_since(parameters: Iterable[tuple[str, str]]) -> ChangedSince | None:
    """The parameter that asks for what changed since a moment; None where there is none, or its value is no moment.

    Args:
        parameters: names and values of an address.
    """
    for parameter, value in parameters:
        words = as_name(parameter)
        moment, written, doubts = _moment(value)
        if moment is not None and _CHANGED.search(words) and _SINCE.search(words):
            doubt = f"url: {parameter} is taken for what changed since a moment: a request goes on where the last ended"
            return ChangedSince(
                parameter=parameter, value=value, moment=moment, format=written, doubts=(doubt, *doubts)
            )
    return None


def changed_column(columns: Iterable[GuessedColumn]) -> str:
    """The column that says when a row changed, by its name; empty where there is none."""
    named = (
        column.name
        for column in columns
        if column.python == "dt.datetime" and not column.is_empty and _CHANGED.search(column.name)
    )
    return next(named, "")


def _moment(value: str) -> tuple[dt.datetime | None, str, tuple[str, ...]]:
    """A moment in UTC, how it is written, and what is not sure of that."""
    unit = _EPOCHS.get(len(value)) if value.isdecimal() else None
    if unit is not None:
        seconds = int(value[:_SECONDS_DIGITS])
        doubt = f"url: {value} is taken as {unit} since 1970"
        return dt.datetime.fromtimestamp(seconds, dt.UTC), unit, (doubt,)
    match = _ISO.fullmatch(value)
    if match is None:
        return None, "", ()
    time = f"T{match['minute']}{match['second'] or ''}" if match["minute"] else ""
    try:
        moment = dt.datetime.fromisoformat(f"{match['day']}{time}+00:00" if time else f"{match['day']}T00:00+00:00")
    except ValueError:
        return None, "", ()
    written = "%Y-%m-%d"
    if time:
        zone = (match["zone"] or "").replace(" ", "+")  # a plus that nobody escaped is a blank in an address
        noughts = re.sub(r"\d", "0", match["fraction"] or "")
        written += f"{match['mark']}%H:%M{':%S' if match['second'] else ''}{noughts}{zone}"
    doubts = ("url: no zone is written: the cursor is in UTC",) if time and not match["zone"] else ()
    return moment, written, doubts
