"""Exchange rates of vendors with keys: fixer, exchangeratesapi, currencylayer, openexchangerates; a request a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Cadence,
    Column,
    DataRules,
    DatasetKeymapEntry,
    GoldModel,
    GoldSource,
    RestRecipe,
    checked_options,
    checked_words,
    hookimpl,
)

_RATE = Column(
    name="rate",
    type="DECIMAL(28,14)",
    source="@",
    unit="of the currency for one of the base",
    doc="at the end of the day",
)
_BASE = Column(name="base", type="VARCHAR", source="$.base", doc="EUR in plans that are free")
_CURRENCY = Column(name="currency", type="VARCHAR", key=True, source="@~", doc="ISO 4217, and some of the vendor's own")
_DATE = Column(name="date", type="DATE", key=True, row_date=True, source="$.date", doc="of the rates, in UTC")
_TOLD = Column(
    name="told", type="TIMESTAMP", nullable=True, source="$.timestamp", epoch="s", optional=True, doc="of the rates"
)
_LIKE_FIXER = (_DATE, _CURRENCY, _BASE, _RATE, _TOLD)
#: By vendor: address, parameter of the key, its variable, columns, where rates are, limits, where it is described.
_VENDORS: dict[str, tuple[str, str, str, tuple[Column, ...], str, str, str]] = {
    "fixer": (
        "https://data.fixer.io/api/{from_date}", "access_key", "FIXER_API_KEY", _LIKE_FIXER, "$.rates.*", "1/second",
        "https://fixer.io/documentation",
    ),
    "exchangeratesapi": (
        "https://api.exchangeratesapi.io/v1/{from_date}", "access_key", "EXCHANGERATESAPI_KEY", _LIKE_FIXER,
        "$.rates.*", "1/second", "https://exchangeratesapi.io/documentation/",
    ),
    "currencylayer": (
        "https://api.currencylayer.com/historical?date={from_date}", "access_key", "CURRENCYLAYER_API_KEY",
        (
            _DATE,
            Column(name="pair", type="VARCHAR", key=True, source="@~", doc="base and currency: USDEUR"),
            Column(name="base", type="VARCHAR", source="$.source", doc="USD in plans that are free"),
            _RATE,
            _TOLD,
        ),
        "$.quotes.*", "1/second", "https://currencylayer.com/documentation",
    ),
    # Its answer does not say of which day it is.
    "openexchangerates": (
        "https://openexchangerates.org/api/historical/{from_date}.json", "app_id", "OPENEXCHANGERATES_APP_ID",
        (
            Column(name="date", type="DATE", key=True, row_date=True, source="request.from_date", doc="asked for, UTC"),
            _CURRENCY, _BASE, _RATE, _TOLD,
        ),
        "$.rates.*", "1/second", "https://docs.openexchangerates.org/reference/historical-json",
    ),
}  # fmt: skip
_OVER = Cadence(min_age_days=1)
#: How a currency is called in each table.
_SQL = {"currencylayer": "substr(pair, length(base) + 1)"}


def _chosen(options: Mapping[str, Any]) -> tuple[tuple[str, ...], dt.date]:
    chosen = checked_options(options, vendors=(), since=dt.date(2024, 1, 1))
    names = checked_words(chosen["vendors"], _VENDORS, what="vendor", where="[options.fxvendors] vendors")
    return names, chosen["since"]


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The vendors that the settings name; without any, none."""
    names, since = _chosen(options)
    return [_entry(name, since) for name in names]


def _entry(name: str, since: dt.date) -> DatasetKeymapEntry:
    url, parameter, variable, columns, rows_at, limit, source_url = _VENDORS[name]
    return DatasetKeymapEntry(
        domain="fx",
        source=name,
        dataset="rates",
        silver_table=f"{name}_rate",
        columns=columns,
        rows_at=rows_at,
        recipe=RestRecipe(url=url, secrets={parameter: variable}, chunk_days=1, limits=(limit,), connections=1),
        is_data=DataRules(
            error_fields=("error", "description"),
            plan_texts=("base_currency_access_restricted", "https_access_restricted", "function_access_restricted"),
        ),
        first_date=since,
        horizon=0,
        # The rates of a day are those of its end.
        cadence=_OVER,
        tags=("daily", "fx"),
        region="world",
        frequency="day",
        cost="free with key",
        title=f"Exchange rates of {name}",
        terms=f"{name}'s terms; the data may not be passed on. Key: {variable}.",
        passing_on="no",
        source_url=source_url,
    )


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The rates of all vendors in one table."""
    names, _ = _chosen(options)
    if not names:
        return []
    return [
        GoldModel(
            name="fact_fx_vendor_rate",
            key=("vendor", "date", "base", "currency"),
            date_column="date",
            sql="SELECT vendor, date, base, currency, rate FROM told",
            sources={
                "told": [
                    GoldSource(
                        table=f"silver.{name}_rate",
                        sql=(
                            f"SELECT '{name}' AS vendor, date, base, {_SQL.get(name, 'currency')} AS currency, rate "
                            f"FROM silver.{name}_rate"
                        ),
                    )
                    for name in names
                ]
            },
            doc="One row a vendor, day, base and currency: units of the currency for one of the base.",
        )
    ]
