"""A star schema over what the user has: currencies, instruments, rates,
prices of the source ranked first, inflation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    AcceptedRange,
    Chart,
    ForeignKey,
    GoldModel,
    GoldSource,
    NotNull,
    checked_options,
    hookimpl,
    sql_file,
)
from sbf_plugins.star import sources

_RATE_CHART = Chart(
    name="rates",
    title="Euro reference rates",
    x="date",
    y="units_per_eur",
    series="currency",
    shown=("USD", "GBP", "CHF"),
    unit="units for one euro",
    sessions=True,
)
_PRICE_CHARTS = (
    Chart(name="price", kind="candles", title="Prices as traded", x="date", series="ticker", sessions=True, days=365),
    Chart(
        name="adjusted",
        title="Adjusted close in dollars",
        x="date",
        y="adj_close_usd",
        series="ticker",
        unit="USD",
        sessions=True,
        log=True,
    ),
    Chart(
        name="volume",
        kind="bar",
        title="Shares traded",
        x="date",
        y="volume",
        series="ticker",
        unit="shares",
        sessions=True,
        days=365,
    ),
    Chart(
        name="years",
        kind="heatmap",
        title="Log return of each year in dollars",
        x="date",
        y="ticker",
        value="log_return_usd",
    ),
)


def _sql(name: str) -> str:
    return sql_file(__file__, name)


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """Dimensions, facts, and one table of statistics. ``[options.star] prices`` ranks the sources of prices; where
    ``compare`` names some, another table says where they differ.
    """
    chosen = checked_options(options, prices=sources.USUAL_RANKS, compare=(), tick="")
    bars = sources.bars(chosen["prices"])
    models = [*_dimensions(bars), *_facts(bars), _statistics()]
    if chosen["compare"] or chosen["tick"]:
        from sbf_plugins.star.disagreement import price_disagreement  # few compare

        models.append(price_disagreement(chosen["compare"], chosen["tick"]))
    return models


def _dimensions(bars: Sequence[GoldSource]) -> list[GoldModel]:
    return [
        GoldModel(
            name="dim_date",
            kind="dimension",
            key=("date",),
            sql=_sql("dim_date"),
            date_column="date",
            sources={"bars": bars, "rates": sources.RATES},
            tests=(AcceptedRange(column="month", low=1, high=12), AcceptedRange(column="iso_weekday", low=1, high=7)),
            doc="One row a calendar day, from the first to the last day of any fact.",
        ),
        GoldModel(
            name="dim_currency",
            kind="dimension",
            key=("currency",),
            surrogate_key="currency_key",
            sql=_sql("dim_currency"),
            tests=(AcceptedRange(column="minor_units", low=0, high=4),),
            doc="One row a currency: those of ISO 4217, and those that the ECB fixed before they ended.",
        ),
        GoldModel(
            name="dim_instrument",
            kind="dimension",
            key=("ticker",),
            surrogate_key="instrument_key",
            sql=_sql("dim_instrument"),
            sources={"bars": bars, "listed": sources.LISTED, "profiles": sources.PROFILES},
            doc="One row a ticker: those listed with the SEC, those with a profile, and those with prices.",
        ),
    ]


def _facts(bars: Sequence[GoldSource]) -> list[GoldModel]:
    return [
        GoldModel(
            name="fact_fx_rate",
            key=("date", "currency"),
            sql=_sql("fact_fx_rate"),
            date_column="date",
            tests=(
                NotNull(column="units_per_eur"),
                AcceptedRange(column="units_per_eur", low=0),
                ForeignKey(columns=("currency_key",), to="dim_currency", to_columns=("currency_key",)),
                ForeignKey(columns=("date",), to="dim_date", to_columns=("date",)),
            ),
            charts=(_RATE_CHART,),
            doc="One row a fixing: units of the currency for one euro.",
        ),
        GoldModel(
            name="fact_price_eod",
            key=("ticker", "date"),
            sql=_sql("fact_price_eod"),
            date_column="date",
            sources={"bars": bars, "rates": sources.RATES, "profiles": sources.PROFILES},
            tests=(
                NotNull(column="adj_close"),
                AcceptedRange(column="adj_close", low=0),
                AcceptedRange(column="volume", low=0),
                ForeignKey(columns=("instrument_key",), to="dim_instrument", to_columns=("instrument_key",)),
                ForeignKey(columns=("date",), to="dim_date", to_columns=("date",)),
            ),
            charts=_PRICE_CHARTS,
            doc=(
                "One row a trading day and ticker, from the best source that has it; "
                "adjusted close and daily log returns in dollars and euros, where the currency is known."
            ),
        ),
        GoldModel(
            name="fact_cpi",
            key=("series_id", "year", "period"),
            sql=_sql("fact_cpi"),
            tests=(NotNull(column="index_value"), AcceptedRange(column="index_value", low=0)),
            charts=(
                Chart(
                    name="index",
                    title="U.S. consumer prices",
                    x="month",
                    y="index_value",
                    series="series_id",
                    shown=("CUSR0000SA0", "CUSR0000SA0L1E"),
                    unit="index",
                ),
            ),
            doc="One row an index value, with the moment since when it is known.",
        ),
    ]


def _statistics() -> GoldModel:
    return GoldModel(
        name="instrument_stats",
        key=("ticker",),
        sql=_sql("instrument_stats"),
        tests=(
            AcceptedRange(column="volatility_usd", low=0),
            ForeignKey(columns=("ticker",), to="dim_instrument", to_columns=("ticker",)),
        ),
        charts=(
            Chart(
                name="volatility",
                kind="bar",
                title="Annualised volatility in dollars",
                x="ticker",
                y="volatility_usd",
                unit="of the daily log return, a year",
            ),
        ),
        doc="One row a ticker: annualised volatility and total return of the adjusted close, in dollars and euros.",
    )
