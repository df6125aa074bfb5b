"""Rates of Narodowy Bank Polski: its tables A and B of exchange rates, and its price of gold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, RestRecipe, column, hookimpl

_API = "https://api.nbp.pl/api"
_DAYS = "{from_date}/{to_date}/?format=json"
#: More days than these are refused.
_DAYS_MAX = 93


@attrs.frozen
class Rate:
    """The mid rate of one currency in one table."""

    table_name: str = column(key=True, source="@^.table", doc="A: each working day; B: other currencies, on Wednesdays")
    date: dt.date = column(key=True, row_date=True, source="@^.effectiveDate", doc="day of the table")
    currency: str = column(key=True, source="code", doc="ISO 4217 code at the time of the table")
    mid: Decimal = column(precision=18, scale=10, unit="PLN for one unit of the currency")
    table_number: str = column(source="@^.no", doc="e.g. 041/A/NBP/2026")
    name: str = column(source="currency", doc="of the currency, in Polish")


@attrs.frozen
class GoldPrice:
    """The bank's price of gold on one day."""

    date: dt.date = column(key=True, row_date=True, source="data")
    price: Decimal = column(precision=18, scale=4, source="cena", unit="PLN a gram of fine gold")


_RATES = Chart(
    name="rates", title="Zloty for one unit", x="date", y="mid", series="currency", shown=("USD", "EUR"), sessions=True
)


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """Both are asked for days, in pieces. A stretch of days without a table is answered by 404."""
    shared: dict[str, Any] = {
        "source": "nbp",
        "is_data": DataRules(none_status=(404,)),
        "refresh_after_hours": 12,
        "cadence": Cadence(calendar="weekdays"),
        "opt_in": True,
        "terms": "Source: Narodowy Bank Polski, https://api.nbp.pl. No key.",
        "region": "PL",
        "cost": "free",
        "source_url": "https://api.nbp.pl/en.html",
    }
    asked: dict[str, Any] = {"chunk_days": _DAYS_MAX, "limits": ("5/second",), "connections": 2}
    return [
        DatasetKeymapEntry(
            **shared,
            domain="fx",
            dataset="tables",
            silver_table="nbp_rate",
            columns=Rate,
            rows_at="$[*].rates[*]",
            recipe=RestRecipe(url=f"{_API}/exchangerates/tables/{{period}}/{_DAYS}", periods=("A", "B"), **asked),
            first_date=dt.date(2002, 1, 2),
            lookback_days=7,
            tags=("daily", "fx"),
            charts=(_RATES,),
            title="Mid rates of tables A and B",
            frequency=("day", "week"),  # table B
        ),
        DatasetKeymapEntry(
            **shared,
            domain="prices",
            dataset="gold_price",
            silver_table="nbp_gold_price",
            columns=GoldPrice,
            recipe=RestRecipe(url=f"{_API}/cenyzlota/{_DAYS}", **asked),
            first_date=dt.date(2013, 1, 2),
            lookback_days=7,
            tags=("daily", "prices"),
            title="Price of a gram of gold",
            frequency="day",
        ),
    ]
