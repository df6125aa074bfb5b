"""One gold table over the bars of all exchanges."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import AcceptedRange, Chart, GoldModel, GoldSource, NotNull

_HOURS = {"1d": 24, "1h": 1}
#: What an exchange does not say of a bar.
_TRADES = {"coinbase": "CAST(NULL AS BIGINT)", "hitbtc": "CAST(NULL AS BIGINT)"}


def bars(exchanges: Sequence[str], lengths: Sequence[str]) -> GoldModel:
    """Bars that are over, of every exchange that has pairs."""
    sql = """
SELECT exchange, pair, length, bar_begin, bar_begin + to_hours(hours) AS bar_end,
    split_part(pair, '-', 1) AS base, split_part(pair, '-', 2) AS quote,
    exchange || ' ' || pair || ' ' || length AS market,
    open, high, low, close, volume, trades
FROM bars
"""
    return GoldModel(
        name="fact_crypto_bar",
        key=("exchange", "pair", "length", "bar_begin"),
        date_column="bar_begin",
        sql=sql,
        sources={"bars": [_source(exchange, length) for exchange in exchanges for length in lengths]},
        tests=(
            NotNull(column="close"),
            AcceptedRange(column="low", low=0),
            AcceptedRange(column="volume", low=0),
        ),
        charts=(
            Chart(name="bars", kind="candles", title="Bars of exchanges", x="bar_begin", series="market", days=365),
        ),
        doc="One row a bar of an exchange that is over: prices in quote, volume in base. UTC.",
    )


def _source(exchange: str, length: str) -> GoldSource:
    table = f"silver.{exchange}_bar_{length}"
    final = " WHERE is_final" if exchange == "kraken" else ""
    return GoldSource(
        table=table,
        sql=(
            f"SELECT '{exchange}' AS exchange, '{length}' AS length, {_HOURS[length]} AS hours, pair, "
            "begin AS bar_begin, open, high, low, close, CAST(volume AS DOUBLE) AS volume, "
            f"{_TRADES.get(exchange, 'trades')} AS trades FROM {table}{final}"
        ),
    )
