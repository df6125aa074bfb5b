"""One gold table over the bars of all exchanges."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import AcceptedRange, Chart, GoldModel, GoldSource, NotNull
from sbf_plugins.crypto.further import CONTRACTS

_HOURS = {"1d": 24, "1h": 1}
#: Exchanges that say of how many trades a bar is.
_TELL_TRADES = ("kraken", "binance", "binance_us", "bitmex", "dydx")
_SAY_WHETHER_FINAL = ("kraken", "gateio")


def bars(exchanges: Sequence[str], lengths: Sequence[str]) -> GoldModel:
    """Bars that are over, of every exchange that has pairs."""
    sql = """
SELECT exchange, pair, length, bar_begin, bar_begin + to_hours(hours) AS bar_end,
    CASE WHEN kind <> 'contract' THEN split_part(pair, '-', 1) END AS base,
    CASE WHEN kind <> 'contract' THEN split_part(pair, '-', 2) END AS quote,
    exchange || ' ' || pair || ' ' || length AS market,
    open, high, low, close, volume, trades, kind
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
        doc=(
            "One row a bar of an exchange that is over: prices in quote, volume in base, NULL where contracts are "
            "counted. UTC. kind: spot, perpetual (of a pair), or contract, whose name pair is."
        ),
    )


def _source(exchange: str, length: str) -> GoldSource:
    table = f"silver.{exchange}_bar_{length}"
    hours = _HOURS[length]
    final = " WHERE is_final" if exchange in _SAY_WHETHER_FINAL else ""
    begin = f'"end" - to_hours({hours})' if exchange == "bitmex" else "begin"
    volume = "CAST(NULL AS DOUBLE)" if exchange == "kraken_futures" else "CAST(volume AS DOUBLE)"
    trades = "trades" if exchange in _TELL_TRADES else "CAST(NULL AS BIGINT)"
    kind = "contract" if exchange in CONTRACTS else "perpetual" if exchange == "dydx" else "spot"
    return GoldSource(
        table=table,
        sql=(
            f"SELECT '{exchange}' AS exchange, '{length}' AS length, {hours} AS hours, pair, {begin} AS bar_begin, "
            f"open, high, low, close, {volume} AS volume, {trades} AS trades, '{kind}' AS kind FROM {table}{final}"
        ),
    )


def funding(exchanges: Sequence[str]) -> GoldModel:
    """What holders of perpetual contracts paid, of every exchange that has contracts."""
    return GoldModel(
        name="fact_crypto_funding",
        key=("exchange", "contract", "funded_at"),
        date_column="funded_at",
        sql="SELECT exchange, contract, funded_at, rate FROM paid",
        sources={
            "paid": [
                GoldSource(
                    table=f"silver.{exchange}_funding",
                    sql=(
                        f"SELECT '{exchange}' AS exchange, contract, moment AS funded_at, CAST(rate AS DOUBLE) AS rate "
                        f"FROM silver.{exchange}_funding"
                    ),
                )
                for exchange in exchanges
            ]
        },
        tests=(NotNull(column="rate"),),
        doc="One row a payment of funding: the share of the position that longs paid to shorts (below 0: got). UTC.",
    )
