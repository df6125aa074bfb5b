"""Further interest rates of the Treasury: real yields, bills, and long-term rates, out of its XML feeds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sbf_core.api import Cadence, Column, DataRules, DatasetKeymapEntry, PayloadRefused, RestRecipe, UsageError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_FEED = "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/pages/xml"
_REAL = re.compile(r"TC_(\d+)YEAR")
_BILL = re.compile(r"ROUND_B1_(CLOSE|YIELD)_(\d+)WK_2")
_DATE = Column(name="date", type="DATE", key=True, row_date=True, doc="day of the close in New York")


def _rate(name: str, doc: str = "", *, nullable: bool = True) -> Column:
    return Column(name=name, type="DECIMAL(12,6)", nullable=nullable, unit="percent a year", doc=doc)


_REAL_YIELD = (
    _DATE,
    Column(name="maturity", type="VARCHAR", key=True, doc="5Y to 30Y"),
    Column(name="maturity_months", type="BIGINT", unit="months"),
    _rate("real_yield", "above inflation; may be below 0. Six decimals until 2021, two since"),
)
_BILL_RATE = (
    _DATE,
    Column(name="weeks", type="BIGINT", key=True, unit="weeks", doc="4 to 52; 8 since 2018, 17 since 2022, 6 of 2025"),
    _rate("discount", "of the face value, in a year of 360 days"),
    _rate("coupon_equivalent", "of the price, in a year of 365 days: comparable with yields of notes"),
)
_LONG_TERM = (
    _DATE,
    Column(
        name="kind",
        type="VARCHAR",
        key=True,
        doc="BC_20year: 20 years, constant; Over_10_Years: mean of bonds of more than 10; Real_Rate: of TIPS of more",
    ),
    _rate("rate"),
    Column(
        name="extrapolation",
        type="DECIMAL(12,6)",
        nullable=True,
        unit="percent a year",
        doc="what made 30 years of 20, while there was no bond of 30: February 2002 to February 2006",
    ),
)
_REAL_LONG_TERM = (_DATE, _rate("rate", "mean of TIPS of more than 10 years", nullable=False))


def _entries(payload: bytes, day: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    from sbf_plugins.treasury.plugin import entries_of

    for properties in entries_of(payload):
        values = _values(properties)
        if not values.get(day):
            raise PayloadRefused(f"has an entry without {day}: it is another feed")
        yield str(values[day]).partition("T")[0], values


def _values(properties: Element) -> dict[str, str | None]:
    return {child.tag.rpartition("}")[2]: child.text for child in properties}


def parse_real(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each day and maturity. Raises ``PayloadRefused`` for another feed."""
    for date, values in _entries(payload, "NEW_DATE"):
        for name, text in values.items():
            found = _REAL.fullmatch(name)
            if found:
                months = int(found[1]) * 12
                yield {"date": date, "maturity": f"{found[1]}Y", "maturity_months": months, "real_yield": text}


def parse_bills(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each day and number of weeks. Raises ``PayloadRefused`` for another feed."""
    for date, values in _entries(payload, "INDEX_DATE"):
        rows: dict[int, dict[str, object]] = {}
        for name, text in values.items():
            found = _BILL.fullmatch(name)
            if found and text:
                row = rows.setdefault(int(found[2]), {"date": date, "weeks": int(found[2])})
                row["discount" if found[1] == "CLOSE" else "coupon_equivalent"] = text
        yield from rows.values()


def parse_long_term(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each day and kind of rate. Raises ``PayloadRefused`` for another feed."""
    for date, values in _entries(payload, "QUOTE_DATE"):
        yield {
            "date": date,
            "kind": values.get("RATE_TYPE"),
            "rate": values.get("RATE"),
            "extrapolation": _number(values.get("EXTRAPOLATION_FACTOR")),
        }


def parse_real_long_term(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each day. Raises ``PayloadRefused`` for another feed."""
    for date, values in _entries(payload, "QUOTE_DATE"):
        yield {"date": date, "rate": values.get("RATE")}


def _number(text: str | None) -> str | None:
    """What the Treasury leaves empty, or writes as N/A, in a field that has no type."""
    return None if text is None or text.strip() in ("", "N/A") else text.strip()


PARSERS: dict[str, Callable[[bytes], Iterator[dict[str, object]]]] = {
    "real_yield_curve": parse_real,
    "bill_rates": parse_bills,
    "long_term_rates": parse_long_term,
    "real_long_term_rates": parse_real_long_term,
}
#: By name: the feed, its columns, its first year, and its title.
_FEEDS: dict[str, tuple[str, tuple[Column, ...], int, str]] = {
    "real_yield_curve": ("daily_treasury_real_yield_curve", _REAL_YIELD, 2003, "Daily Treasury par real yield curve"),
    "bill_rates": ("daily_treasury_bill_rates", _BILL_RATE, 2002, "Daily Treasury bill rates"),
    "long_term_rates": ("daily_treasury_long_term_rate", _LONG_TERM, 2000, "Daily Treasury long-term rates"),
    "real_long_term_rates": (
        "daily_treasury_real_long_term", _REAL_LONG_TERM, 2000, "Daily Treasury real long-term rates",
    ),
}  # fmt: skip


def check(names: Sequence[str]) -> None:
    """Raise ``UsageError`` for a name that is none."""
    unknown = next((name for name in names if name not in _FEEDS), None)
    if unknown is not None:
        raise UsageError(
            f"there are no rates {unknown!r}",
            where="[options.treasury] further",
            fix=f"use some of {', '.join(_FEEDS)}",
            code="OPTION",
        )


def entry(name: str) -> DatasetKeymapEntry:
    """A feed of a year at a time."""
    feed, columns, first, title = _FEEDS[name]
    return DatasetKeymapEntry(
        domain="rates",
        source="treasury",
        dataset=name,
        silver_table=f"treasury_{name.removesuffix('s').removesuffix('_curve')}",
        columns=columns,
        recipe=RestRecipe(url=f"{_FEED}?data={feed}&field_tdr_date_value={{year}}", extension="xml"),
        # In the first days of a year its feed has no entry.
        is_data=DataRules(may_be_empty=True),
        first_date=dt.date(first, 1, 1),
        lookback_days=30,
        refresh_after_hours=12,
        cadence=Cadence(calendar="weekdays"),
        tags=("daily", "rates"),
        title=title,
        terms="U.S. government work, public domain.",
        source_url="https://home.treasury.gov/treasury-daily-interest-rate-xml-feed",
    )
