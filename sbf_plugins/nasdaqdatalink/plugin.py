"""Nasdaq Data Link (once Quandl): tables of prices, actions and figures, and time series of any database."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Cadence,
    Column,
    Csv,
    DataRules,
    DatasetKeymapEntry,
    ParseRows,
    PayloadRefused,
    PromotionBatch,
    RestRecipe,
    UsageError,
    checked_options,
    checked_words,
    hookimpl,
)

_API = "https://data.nasdaq.com/api/v3/"
_CODE = re.compile(r"([A-Z0-9_]+)/([A-Za-z0-9_.\-]+)")
_KEY = {"api_key": "NASDAQ_DATA_LINK_API_KEY"}
_TICKER = Column(name="ticker", type="VARCHAR", key=True, doc="as the table writes it, e.g. BRK_A, BRK.B")
_DATE = Column(name="date", type="DATE", key=True, row_date=True)


def _prices(*names: str, doc: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type="DECIMAL(24,8)", nullable=True, unit="USD", doc=doc) for name in names)


def _doubles(*names: str, unit: str, doc: str = "") -> tuple[Column, ...]:
    return tuple(Column(name=name, type="DOUBLE", nullable=True, unit=unit, doc=doc) for name in names)


_UPDATED = Column(name="lastupdated", type="DATE", doc="the day on which the vendor last touched the row")
_FOUR = ("open", "high", "low", "close")
_ADJUSTED = "adjusted for splits and dividends; the double that the table prints"
_WIKI = (
    _TICKER,
    _DATE,
    *_prices(*_FOUR, doc="as traded"),
    *_doubles("volume", unit="shares"),
    Column(
        name="dividend", type="DECIMAL(18,8)", source="ex-dividend", unit="USD", doc="a share, on its ex-day, else 0"
    ),
    Column(name="split_ratio", type="DECIMAL(18,8)", unit="new shares for an old one", doc="1 without a split"),
    *_doubles(*(f"adj_{name}" for name in _FOUR), unit="USD", doc=_ADJUSTED),
    *_doubles("adj_volume", unit="shares", doc="adjusted for splits"),
)
_SHARADAR_PRICE = (
    _TICKER,
    _DATE,
    *_prices(*_FOUR, doc="adjusted for splits"),
    *_doubles("volume", unit="shares", doc="adjusted for splits"),
    Column(name="close_adjusted", type="DOUBLE", nullable=True, source="closeadj", unit="USD", doc=_ADJUSTED),
    Column(name="close_traded", type="DECIMAL(24,8)", nullable=True, source="closeunadj", unit="USD", doc="as traded"),
    _UPDATED,
)
_SHARADAR_DAILY = (
    _TICKER,
    _DATE,
    _UPDATED,
    *_doubles("ev", "marketcap", unit="million USD"),
    *_doubles("evebit", "evebitda", "pb", "pe", "ps", unit="ratio"),
)
_SHARADAR_ACTION = (
    _TICKER,
    _DATE,
    Column(name="action", type="VARCHAR", key=True, doc="dividend, split, listed, delisted, tickerchangeto ..."),
    Column(name="name", type="VARCHAR", nullable=True),
    *_doubles("value", unit="as the action says", doc="USD a share of a dividend, new for old of a split"),
    Column(name="contra_ticker", type="VARCHAR", nullable=True, source="contraticker", missing=("N/A",)),
    Column(name="contra_name", type="VARCHAR", nullable=True, source="contraname", missing=("N/A",)),
)
#: Only days that are over are asked for.
_OVER = Cadence(min_age_days=1)
#: By name: the table, its columns, its first day, and its title.
_TABLES: dict[str, tuple[str, tuple[Column, ...], dt.date, str]] = {
    "wiki_prices": ("WIKI/PRICES", _WIKI, dt.date(1962, 1, 2), "Prices of the community, until March 2018"),
    "sharadar_sep": ("SHARADAR/SEP", _SHARADAR_PRICE, dt.date(1997, 12, 31), "Sharadar's prices of shares"),
    "sharadar_sfp": ("SHARADAR/SFP", _SHARADAR_PRICE, dt.date(1997, 12, 31), "Sharadar's prices of funds"),
    "sharadar_daily": ("SHARADAR/DAILY", _SHARADAR_DAILY, dt.date(1998, 12, 1), "Sharadar's daily measures"),
    "sharadar_actions": ("SHARADAR/ACTIONS", _SHARADAR_ACTION, dt.date(1997, 12, 31), "Sharadar's corporate actions"),
}
#: What is fetched where the settings choose nothing: what is free.
USUAL = ("wiki_prices",)
_SERIES = (
    Column(name="code", type="VARCHAR", key=True, source="request.ticker", doc="of the series, in its database"),
    Column(name="date", type="DATE", key=True, row_date=True),
    Column(name="field", type="VARCHAR", key=True, doc="as the series calls its column, e.g. Value, USD (AM)"),
    Column(name="value", type="DOUBLE", nullable=True, unit="as the series says", doc="the double that it prints"),
    Column(name="series", type="VARCHAR", doc="its name"),
    Column(name="frequency", type="VARCHAR", doc="daily, weekly, monthly, quarterly, annual"),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Tables for the tickers of the universe; and a dataset for each database of which the settings name series."""
    chosen = checked_options(options, tables=USUAL, series=())
    names = checked_words(chosen["tables"], _TABLES, what="table", where="[options.nasdaqdatalink] tables")
    wrong = next((code for code in chosen["series"] if not _CODE.fullmatch(code)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no code of a series",
            where="[options.nasdaqdatalink] series",
            fix='write database and series as the site does, e.g. "LBMA/GOLD"',
            code="OPTION",
        )
    databases: dict[str, list[str]] = {}
    for code in dict.fromkeys(chosen["series"]):
        database, _, series = code.partition("/")
        databases.setdefault(database, []).append(series)
    return [
        *(_table(name) for name in names),
        *(_database(database, codes) for database, codes in databases.items()),
    ]


_SHARED: dict[str, Any] = {
    "opt_in": True,
    "scope": "per_ticker",
    "horizon": 0,
    "terms": "Nasdaq Data Link's terms and those of each database; WIKI is in the public domain. "
    "Key: NASDAQ_DATA_LINK_API_KEY.",
}


def _table(name: str) -> DatasetKeymapEntry:
    table, columns, first, title = _TABLES[name]
    return DatasetKeymapEntry(
        **_SHARED,
        domain="prices",
        source="nasdaqdatalink",
        dataset=name,
        silver_table=f"nasdaqdatalink_{name}",
        columns=columns,
        format=Csv(),
        recipe=RestRecipe(
            url=(
                f"{_API}datatables/{table}.csv?ticker={{ticker}}&date.gte={{from_date}}&date.lte={{to_date}}"
                "&qopts.per_page=10000"
            ),
            extension="csv",
            secrets=_KEY,
            class_mark="." if name.startswith("sharadar") else "",
            # 10,000 rows are a page, and how it goes on stands in no header that is documented.
            chunk_days=9000,
            rows_max=10_000,
            limits=("20/second",),
            connections=4,
        ),
        is_data=DataRules(error_texts=("quandl_error",), may_be_empty=True),
        first_date=first,
        lookback_days=7,
        cadence=_OVER,
        tags=("daily", "prices"),
        region="US",
        frequency="day",
        cost="free with key" if name.startswith("wiki") else "paid",
        title=title,
        source_url=f"https://data.nasdaq.com/databases/{table.partition('/')[0]}",
    )


def _database(database: str, codes: Sequence[str]) -> DatasetKeymapEntry:
    low = database.lower()
    return DatasetKeymapEntry(
        **_SHARED,
        domain="series",
        source="nasdaqdatalink",
        dataset="series",
        discriminator=low,
        members=tuple(codes),
        silver_table=f"nasdaqdatalink_series_{low}",
        columns=_SERIES,
        recipe=RestRecipe(
            url=f"{_API}datasets/{database}/{{ticker}}.json?start_date={{from_date}}&end_date={{to_date}}&order=asc",
            secrets=_KEY,
            limits=("20/second",),
            connections=4,
        ),
        rows_at="$.dataset.data[*]",
        is_data=DataRules(error_fields=("quandl_error",), may_be_empty=True),
        lookback_days=30,
        first_date=dt.date(1900, 1, 1),
        region="world",
        cost="free with key",
        title=f"Series of {database}",
        source_url="https://docs.data.nasdaq.com/docs/time-series",
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """Each series has columns of its own: they become rows."""
    return ParseRows(parse_series) if entry.dataset == "series" else None


def parse_series(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each day and column.

    Raises:
        PayloadRefused: an answer of another form, or a row that does not fit the names of its columns.
    """
    series = json.loads(payload, parse_float=str).get("dataset")
    if not isinstance(series, dict) or not isinstance(series.get("column_names"), list):
        raise PayloadRefused("is no time series: it has no dataset with column_names")
    first, *names = series["column_names"]
    if first != "Date" or len(set(names)) != len(names):
        raise PayloadRefused(f"has the columns {series['column_names']}, and not Date and others once each")
    for row in series.get("data") or []:
        if len(row) != len(names) + 1:
            raise PayloadRefused(f"has a row of {len(row)} values under {len(names) + 1} names")
        for name, value in zip(names, row[1:], strict=True):
            yield {
                "date": row[0],
                "field": name,
                "value": value,
                "series": series.get("name"),
                "frequency": series.get("frequency"),
            }
