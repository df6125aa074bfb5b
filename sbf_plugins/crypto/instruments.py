"""What the exchanges trade, as lists of today; what funding of perpetual contracts costs; and trades."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sbf_core.api import Cadence, Column, DataRules, DatasetKeymapEntry, RestRecipe

_NAME = Column(name="symbol", type="VARCHAR", key=True, doc="as the exchange writes it")
_DECIMAL = "DECIMAL(32,12)"


def _some(kind: str, *names: tuple[str, str], doc: str = "", unit: str = "") -> tuple[Column, ...]:
    """Columns that some instruments lack."""
    return tuple(
        Column(name=name, type=kind, nullable=True, optional=True, source=source, doc=doc, unit=unit)
        for name, source in names
    )


_BITMEX = (
    _NAME,
    Column(name="root", type="VARCHAR", source="rootSymbol"),
    Column(name="state", type="VARCHAR", doc="Open, Settled, Unlisted ..."),
    Column(name="kind", type="VARCHAR", source="typ", doc="CFI code: FFWCSX perpetual, FFCCSX future, IFXXXP spot"),
    *_some("TIMESTAMP", ("listed", "listing"), ("expires", "expiry"), ("settles", "settle")),
    *_some("VARCHAR", ("underlying", "underlying"), ("quote", "quoteCurrency"), ("settled_in", "settlCurrency")),
    *_some(
        _DECIMAL,
        ("lot_size", "lotSize"),
        ("tick_size", "tickSize"),
        ("multiplier", "multiplier"),
        doc="in the units of its documentation",
    ),
    Column(name="is_quanto", type="BOOLEAN", source="isQuanto"),
    Column(name="is_inverse", type="BOOLEAN", source="isInverse"),
    *_some(_DECIMAL, ("maker_fee", "makerFee"), ("taker_fee", "takerFee"), unit="share of the value"),
)
_KRAKEN_FUTURES = (
    _NAME,
    Column(name="kind", type="VARCHAR", source="type", doc="futures_inverse, futures_vanilla, spot index ..."),
    Column(name="is_tradeable", type="BOOLEAN", source="tradeable"),
    *_some("VARCHAR", ("underlying", "underlying"), ("isin", "isin"), doc="NULL of an index"),
    *_some("TIMESTAMP", ("last_trading", "lastTradingTime"), doc="NULL of a perpetual"),
    *_some(_DECIMAL, ("tick_size", "tickSize"), ("contract_size", "contractSize"), doc="NULL of an index"),
    *_some(
        _DECIMAL,
        ("funding_coefficient", "fundingRateCoefficient"),
        ("funding_most", "maxRelativeFundingRate"),
        doc="of a perpetual",
    ),
)
_GEMINI = (
    Column(name="pair", type="VARCHAR", key=True, source="request.ticker", doc="BTC-USD"),
    Column(name="symbol", type="VARCHAR"),
    Column(name="base", type="VARCHAR", source="base_currency"),
    Column(name="quote", type="VARCHAR", source="quote_currency"),
    Column(name="tick_size", type=_DECIMAL, unit="the first of the pair", doc="the least step of an amount"),
    Column(name="quote_increment", type=_DECIMAL, unit="the second of the pair", doc="the least step of a price"),
    Column(name="min_order_size", type=_DECIMAL, unit="the first of the pair"),
    Column(name="status", type="VARCHAR", doc="open, closed, cancel_only, post_only, limit_only"),
)
_UPBIT = (
    Column(name="symbol", type="VARCHAR", key=True, source="market", doc="what is paid stands first: KRW-BTC"),
    Column(name="name", type="VARCHAR", source="english_name"),
    Column(name="korean_name", type="VARCHAR"),
)
_BITFLYER = (
    Column(name="symbol", type="VARCHAR", key=True, source="product_code"),
    Column(name="kind", type="VARCHAR", source="market_type", doc="Spot, FX, Futures"),
    *_some("VARCHAR", ("alias", "alias"), doc="of a future, e.g. BTCJPY_MAT3M"),
)
_BITFINEX = (
    Column(
        name="symbol",
        type="VARCHAR",
        key=True,
        source="@",
        doc="without the t in front; a colon where a name is longer than three letters: DUSK:USD",
    ),
)
#: By exchange: columns, address, where the rows are, where the exchange says that something is wrong, description.
_LISTS: dict[str, tuple[tuple[Column, ...], str, str, tuple[str, ...], str]] = {
    "bitmex": (
        _BITMEX, "https://www.bitmex.com/api/v1/instrument/active", "", ("error",),
        "https://www.bitmex.com/api/explorer/#!/Instrument/Instrument_getActive",
    ),
    "kraken_futures": (
        _KRAKEN_FUTURES, "https://futures.kraken.com/derivatives/api/v3/instruments", "instruments",
        ("error", "errors"), "https://docs.kraken.com/api/docs/futures-api/trading/get-instruments",
    ),
    "upbit": (
        _UPBIT, "https://api.upbit.com/v1/market/all", "", ("error",), "https://docs.upbit.com/reference",
    ),
    "bitflyer": (
        _BITFLYER, "https://api.bitflyer.com/v1/getmarkets", "", ("error_message",),
        "https://lightning.bitflyer.com/docs",
    ),
    "bitfinex": (
        _BITFINEX, "https://api-pub.bitfinex.com/v2/conf/pub:list:pair:exchange", "$[0][*]", (),
        "https://docs.bitfinex.com/reference/rest-public-conf",
    ),
}  # fmt: skip
LISTS = tuple(_LISTS)


def _shared(exchange: str, terms: str) -> dict[str, Any]:
    return {
        "domain": "crypto", "source": exchange, "terms": terms, "tags": ("crypto",), "region": "world", "cost": "free",
    }  # fmt: skip


def instrument_lists(exchanges: Sequence[str], terms: str) -> list[DatasetKeymapEntry]:
    """A list of each exchange: what it has no more is closed."""
    return [
        DatasetKeymapEntry(
            **_shared(exchange, terms),
            dataset="instruments",
            silver_table=f"{exchange}_instrument",
            columns=_LISTS[exchange][0],
            semantics="snapshot",
            rows_at=_LISTS[exchange][2],
            recipe=RestRecipe(url=_LISTS[exchange][1], limits=("1/second",), connections=1),
            is_data=DataRules(error_fields=_LISTS[exchange][3]),
            frequency="irregular",
            title=f"What {exchange} trades",
            source_url=_LISTS[exchange][4],
        )
        for exchange in exchanges
    ]


def gemini_details(pairs: Sequence[str], terms: str) -> DatasetKeymapEntry:
    """Of each pair what it is; Gemini has no list of that."""
    return DatasetKeymapEntry(
        **_shared("gemini", terms),
        dataset="instruments",
        scope="per_ticker",
        members=tuple(pairs),
        silver_table="gemini_instrument",
        columns=_GEMINI,
        rows_at="$",
        recipe=RestRecipe(
            url="https://api.gemini.com/v1/symbols/details/{ticker}",
            ticker_names={pair: pair.replace("-", "").lower() for pair in pairs},
            limits=("1/second",),
            connections=1,
        ),
        is_data=DataRules(error_fields=("reason",)),
        frequency="irregular",
        title="What pairs of Gemini are",
        source_url="https://docs.gemini.com/rest/market-data",
    )


def _rate(name: str, source: str, doc: str, kind: str = "DECIMAL(24,16)") -> Column:
    return Column(name=name, type=kind, source=source, doc=doc, unit="share of the position")


_CONTRACT = Column(name="contract", type="VARCHAR", key=True, source="request.ticker")


def _at(source: str, **more: Any) -> Column:
    return Column(name="moment", type="TIMESTAMP", key=True, row_date=True, source=source, **more)


#: By exchange: columns, address, how days are written, where the rows are, where it says that something is wrong, how
#: many days fit into an answer, description.
_FUNDING: dict[str, tuple[tuple[Column, ...], str, str, str, tuple[str, ...], int, str]] = {
    "bitmex": (
        (_CONTRACT, _at("timestamp"), _rate("rate", "fundingRate", "of the interval that ends then")),
        ("https://www.bitmex.com/api/v1/funding?symbol={ticker}&count=500"
        "&startTime={from_date}T00:00:00Z&endTime={to_date}T23:59:59Z"),
        "%Y-%m-%d", "", ("error",), 160, "https://www.bitmex.com/api/explorer/#!/Funding/Funding_get",
    ),
    "binance_futures": (
        (
            _CONTRACT, _at("fundingTime", epoch="ms"), _rate("rate", "fundingRate", "of the interval that ends then"),
            *_some("DECIMAL(28,12)", ("mark_price", "markPrice"), doc="since 2023"),
        ),
        ("https://fapi.binance.com/fapi/v1/fundingRate?symbol={ticker}&limit=1000"
        "&startTime={from_date}&endTime={to_date}"),
        "ms", "", ("msg",), 40,
        "https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Get-Funding-Rate-History",
    ),
    "bybit": (
        (
            _CONTRACT, _at("fundingRateTimestamp", epoch="ms"),
            _rate("rate", "fundingRate", "of the interval that ends then"),
        ),
        ("https://api.bybit.com/v5/market/funding/history?category=linear&symbol={ticker}&limit=200"
        "&startTime={from_date}&endTime={to_date}"),
        "ms", "$.result.list[*]", ("retCode",), 8, "https://bybit-exchange.github.io/docs/v5/market/history-fund-rate",
    ),
}  # fmt: skip
FUNDING = (*_FUNDING, "kraken_futures")


def funding(exchange: str, contracts: Sequence[str], since: dt.date, terms: str) -> DatasetKeymapEntry:
    """What holders of a perpetual contract paid each other. Kraken gives its whole history each time."""
    facts: dict[str, Any]
    if exchange == "kraken_futures":
        columns: tuple[Column, ...] = (
            _CONTRACT,
            _at("timestamp"),
            _rate("rate", "relativeFundingRate", "of the hour", "DOUBLE"),
            Column(
                name="amount", type="DOUBLE", source="fundingRate", doc="of the hour, a contract", unit="USD or coins"
            ),
        )
        facts = {
            "rows_at": "rates",
            "recipe": RestRecipe(
                url="https://futures.kraken.com/derivatives/api/v3/historical-funding-rates?symbol={ticker}",
                limits=("1/second",),
                connections=1,
            ),
            "is_data": DataRules(error_fields=("error", "errors")),
        }
        source_url = "https://docs.kraken.com/api/docs/futures-api/trading/historical-funding-rates"
    else:
        columns, address, written, rows_at, errors, days, source_url = _FUNDING[exchange]
        facts = {
            "rows_at": rows_at,
            "recipe": RestRecipe(
                url=address, date_format=written, chunk_days=days, limits=("25/minute",), connections=1
            ),
            "is_data": DataRules(error_fields=errors, may_be_empty=True),
            "first_date": since,
            "horizon": 0,
            "cadence": Cadence(min_age_days=1),
        }
    return DatasetKeymapEntry(
        **_shared(exchange, terms),
        **facts,
        dataset="funding",
        scope="per_ticker",
        members=tuple(contracts),
        silver_table=f"{exchange}_funding",
        columns=columns,
        refresh_after_hours=12,
        frequency="hour",
        title=f"Funding rates of {exchange}",
        source_url=source_url,
    )


def bitstamp_trades(pairs: Sequence[str], terms: str) -> DatasetKeymapEntry:
    """Trades of the last day, each once by its number; days between two runs that are further apart are lost."""
    return DatasetKeymapEntry(
        **_shared("bitstamp", terms),
        dataset="trades",
        scope="per_ticker",
        members=tuple(pairs),
        silver_table="bitstamp_trade",
        columns=(
            Column(name="pair", type="VARCHAR", key=True, source="request.ticker"),
            Column(name="trade", type="BIGINT", key=True, source="tid", doc="its number"),
            Column(name="moment", type="TIMESTAMP", row_date=True, source="date", epoch="s"),
            Column(name="price", type="DECIMAL(28,12)", unit="the second of the pair"),
            Column(name="amount", type=_DECIMAL, unit="the first of the pair"),
            *_some("BIGINT", ("side", "type"), doc="0 a buy, 1 a sell; not told of old"),
        ),
        recipe=RestRecipe(
            url="https://www.bitstamp.net/api/v2/transactions/{ticker}/?time=day",
            ticker_names={pair: pair.replace("-", "").lower() for pair in pairs},
            limits=("8/second",),
        ),
        is_data=DataRules(error_fields=("errors", "reason", "error"), may_be_empty=True),
        refresh_after_hours=12,
        frequency="irregular",
        title="Trades of Bitstamp",
        source_url="https://www.bitstamp.net/api/#tag/Transactions-public",
    )
