"""A declaration and nothing else: columns, an address, and how often to ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, DataRules, DatasetKeymapEntry, RestRecipe, column, hookimpl


@attrs.frozen
class GoldPrice:
    """One fixing."""

    day: dt.date = column(key=True, row_date=True, source="data")
    price: Decimal = column(source="cena", precision=12, scale=2, unit="PLN a gram of 1000 fine", doc="of working days")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The price of gold since 2013; the bank gives at most 93 days at once."""
    url = "https://api.nbp.pl/api/cenyzlota/{from_date}/{to_date}/?format=json"
    recipe = RestRecipe(url=url, chunk_days=93, limits=("5/second",))
    return [
        DatasetKeymapEntry(
            domain="metals", source="nbp", dataset="gold_price", silver_table="nbp_gold", columns=GoldPrice,
            recipe=recipe, first_date=dt.date(2013, 1, 2), cadence=Cadence(calendar="weekdays"), lookback_days=7,
            is_data=DataRules(may_be_empty=True), tags=("daily", "prices"), title="Price of gold in zloty",
            terms="See https://nbp.pl; name the National Bank of Poland as the source.",
            source_url="https://api.nbp.pl/en.html",
        )
    ]  # fmt: skip
