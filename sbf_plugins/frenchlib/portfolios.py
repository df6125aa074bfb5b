"""Files of portfolios: tables one under the other, each with a title, a header and a column for each portfolio."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sbf_core.api import Column, PayloadRefused

#: What the library writes where there is no value: "Missing data are indicated by -99.99 or -999."
MISSING = ("-99.99", "-999")
#: Digits of a period: what it is, and what is put behind them for its first day.
_PERIODS = {8: ("day", ""), 6: ("month", "01"), 4: ("year", "0101")}
_DIGITS = re.compile(r"[0-9]+")

PORTFOLIO_RETURN = (
    Column(name="file", type="VARCHAR", key=True, source="request.ticker", doc="name of the file, without _CSV.zip"),
    Column(
        name="statistic",
        type="VARCHAR",
        key=True,
        doc="the title of the table, e.g. Average Value Weighted Returns -- Monthly",
    ),
    Column(name="portfolio", type="VARCHAR", key=True, doc="as the header calls it, e.g. HiTec, Lo 30, SMALL LoBM"),
    Column(
        name="date",
        type="DATE",
        key=True,
        row_date=True,
        date_format="%Y%m%d",
        doc="the day, or the first day of the month or year",
    ),
    Column(name="period", type="VARCHAR", doc="day, month or year: what the row is of"),
    Column(
        name="value",
        type="DECIMAL(24,6)",
        nullable=True,
        missing=MISSING,
        unit="as the title says: percent for returns, millions of USD for sizes, firms for numbers",
    ),
)


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each value of each table.

    Raises:
        PayloadRefused: a table without a title, a row that does not fit its header, or one that stands in no table.
    """
    try:
        text = payload.decode("ascii")
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"is no text of the library: {error.reason} at byte {error.start}") from error
    title: list[str] = []
    names: list[str] = []
    titles: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        fields = [field.strip() for field in line.split(",")]
        if not line.strip():
            title, names = [], []
        elif names:
            yield from _row(" ".join(title), names, fields, number)
        elif len(fields) > 1 and not fields[0] and all(fields[1:]):
            names = fields[1:]
            _check_title(" ".join(title), titles, number)
        elif len(fields) > 1 and _DIGITS.fullmatch(fields[0]):
            raise PayloadRefused(f"has a row on line {number} that stands in no table")
        else:
            title.append(line.strip())
    if not titles:
        raise PayloadRefused("has no table with a title and a header")


def _check_title(title: str, titles: set[str], number: int) -> None:
    """Two tables of one title would be one, and one without would be of nothing."""
    if not title:
        raise PayloadRefused(f"has a table without a title on line {number}: it is no file of portfolios")
    if title in titles:
        raise PayloadRefused(f"has the title {title!r} again above line {number}")
    titles.add(title)


def _row(title: str, names: list[str], fields: list[str], number: int) -> Iterator[dict[str, object]]:
    period = _PERIODS.get(len(fields[0])) if _DIGITS.fullmatch(fields[0]) else None
    if period is None:
        raise PayloadRefused(f"has {fields[0]!r} on line {number} where a day, a month or a year stands")
    if len(fields) != len(names) + 1:
        raise PayloadRefused(f"has {len(fields) - 1} values on line {number} for {len(names)} portfolios")
    words, rest = period
    digits = fields[0] + rest
    for name, value in zip(names, fields[1:], strict=True):
        yield {"statistic": title, "portfolio": name, "date": digits, "period": words, "value": value}
