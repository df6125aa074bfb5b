"""Daily prices of Yahoo Finance, from the addresses behind its charts.

Unofficial: they may change or stop without notice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import (
    DataRules,
    DatasetKeymapEntry,
    ParseRows,
    PayloadRefused,
    PromotionBatch,
    RestRecipe,
    checked_options,
    column,
    hookimpl,
)


@attrs.frozen
class Bar:
    """One day of one symbol. Yahoo sends doubles, so prices are doubles here."""

    symbol: str = column(key=True, doc="as Yahoo writes it, e.g. BRK-B, ^GSPC, EURUSD=X")
    date: dt.date = column(key=True, row_date=True, doc="day at the exchange")
    open: float | None = column(doc="adjusted for splits")
    high: float | None = column(doc="adjusted for splits")
    low: float | None = column(doc="adjusted for splits")
    close: float | None = column(doc="adjusted for splits; NULL where Yahoo has a day without a trade")
    close_adjusted: float | None = column(doc="adjusted for splits and dividends; each of those changes the past")
    volume: int | None = column(unit="shares")
    dividend: float | None = column(doc="paid a share on that ex-day")
    split: str | None = column(doc="e.g. 4:1, on that ex-day")
    currency: str | None = column(doc="GBp are pence")
    is_final: bool = column(doc="false: the session was still open; the next run replaces the bar")


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The whole history each time, because adjusted prices of the past change; dividends and splits out of it; and
    figures of companies where the settings want them.
    """
    from sbf_plugins.yahoo import events

    wants = checked_options(options, fundamentals=False)["fundamentals"]
    return [
        *events.entries(_TERMS),
        *([events.fundamentals(_TERMS)] if wants else []),
        DatasetKeymapEntry(
            domain="prices",
            source="yahoo",
            dataset="eod",
            scope="per_ticker",
            silver_table="yahoo_eod",
            columns=Bar,
            recipe=RestRecipe(
                url=(
                    "https://query1.finance.yahoo.com/v8/finance/chart/{ticker}"
                    "?interval=1d&period1=0&period2=9999999999&events=div%7Csplit"
                ),
                class_mark="-",
                limits=("1/second",),
                connections=1,
            ),
            is_data=DataRules(error_fields=("chart.error", "finance.error")),
            opt_in=True,
            tags=("daily", "prices"),
            title="Daily prices with dividends and splits (unofficial)",
            region="world",
            frequency="day",
            cost="free",
            terms=_TERMS,
            source_url="https://finance.yahoo.com",
        ),
    ]


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows:
    """Columns of a chart, side by side, become rows; so do its events, and the series of figures."""
    if entry.dataset == "eod":
        return ParseRows(parse)
    from sbf_plugins.yahoo import events

    return ParseRows(events.PARSERS[entry.dataset])


_TERMS = "Yahoo's terms, personal use. No official API."


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of one chart. Raises ``PayloadRefused`` for an answer that is none, or of another interval."""
    chart = json.loads(payload).get("chart") or {}
    found = (chart.get("result") or [None])[0]
    if found is None:
        raise PayloadRefused(f"Yahoo says {json.dumps(chart.get('error'))[:200]}")
    meta: dict[str, Any] = found["meta"]
    if meta.get("dataGranularity") != "1d":
        raise PayloadRefused(f"bars of {meta.get('dataGranularity')!r}, expected of a day")
    zone = zone_of(meta)
    times = found.get("timestamp") or []
    quote = found["indicators"]["quote"][0]
    adjusted = (found["indicators"].get("adjclose") or [{}])[0].get("adjclose") or [None] * len(times)
    events = found.get("events") or {}
    dividends = {day_of(event["date"], zone): event["amount"] for event in (events.get("dividends") or {}).values()}
    splits = {day_of(event["date"], zone): event["splitRatio"] for event in (events.get("splits") or {}).values()}
    open_day = _open_day(meta, zone)
    rows: dict[dt.date, dict[str, object]] = {}
    for place, moment in enumerate(times):
        date = day_of(moment, zone)
        # A second bar of the last day is the present moment, which Yahoo adds behind the day's own.
        rows[date] = {
            "symbol": meta["symbol"], "date": date,
            **{name: quote[name][place] for name in ("open", "high", "low", "close", "volume")},
            "close_adjusted": adjusted[place], "dividend": dividends.get(date), "split": splits.get(date),
            "currency": meta.get("currency"), "is_final": date != open_day,
        }  # fmt: skip
    yield from rows.values()


def zone_of(meta: dict[str, Any]) -> dt.tzinfo:
    """The zone of the exchange of a chart; where its name is not known, its distance from UTC as of now."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms that only a payload has to pay

    try:
        return ZoneInfo(meta["exchangeTimezoneName"])
    except (KeyError, ZoneInfoNotFoundError):
        return dt.timezone(dt.timedelta(seconds=meta.get("gmtoffset", 0)))


def day_of(seconds: int, zone: dt.tzinfo) -> dt.date:
    """The day of a moment at the exchange."""
    return dt.datetime.fromtimestamp(seconds, zone).date()


def _open_day(meta: dict[str, Any], zone: dt.tzinfo) -> dt.date | None:
    """The day whose session was still open when Yahoo answered, or None."""
    last = meta.get("regularMarketTime")
    session = (meta.get("currentTradingPeriod") or {}).get("regular") or {}
    if last is None or not session or not session["start"] <= last < session["end"]:
        return None
    return day_of(last, zone)
