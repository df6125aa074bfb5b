"""Euro foreign exchange reference rates of the European Central Bank, since 1999."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, Chart, DatasetKeymapEntry, PromotionBatch, RestRecipe, SelectRows, column, hookimpl


@attrs.frozen
class ReferenceRate:
    """One fixing of one currency."""

    date: dt.date = column(key=True, row_date=True, doc="day of the fixing, about 16:00 CET")
    currency: str = column(key=True, doc="ISO 4217 code at the time of the fixing")
    rate: Decimal | None = column(
        precision=18,
        scale=6,
        missing=("N/A",),
        unit="units of the currency for one euro",
        doc="NULL: the ECB fixed no rate on that day",
    )


_RATES = Chart(
    name="rates",
    title="Euro reference rates",
    x="date",
    y="rate",
    series="currency",
    shown=("USD", "GBP", "CHF"),
    unit="units for one euro",
    sessions=True,
)


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The history file, which the ECB writes anew each working day."""
    return [
        DatasetKeymapEntry(
            domain="fx",
            source="ecb",
            dataset="reference_rates",
            silver_table="ecb_reference_rate",
            columns=ReferenceRate,
            recipe=RestRecipe(url="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip", extension="zip"),
            member="eurofxref-hist.csv",
            first_date=dt.date(1999, 1, 4),
            refresh_after_hours=12,
            cadence=Cadence(calendar="TARGET"),
            tags=("daily", "fx"),
            charts=(_RATES,),
            title="Euro foreign exchange reference rates",
            region="EZ",
            frequency="day",
            cost="free",
            terms="Source: ECB. Free reuse with the source named.",
            passing_on="with source",
            source_url="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
        )
    ]


@hookimpl
def promote(batch: PromotionBatch) -> SelectRows:
    """From one column a currency to one row a fixing.

    The header ends with a comma, hence a last column without a name.
    """
    currencies = ", ".join(f'"{name}"' for name in batch.fields if len(name) == 3 and name.isalpha() and name.isupper())
    return SelectRows(
        'SELECT _file, "Date" AS date, currency, rate '
        f"FROM batch UNPIVOT INCLUDE NULLS (rate FOR currency IN ({currencies}))"
    )
