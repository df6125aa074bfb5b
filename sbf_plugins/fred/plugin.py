"""Any series of FRED, the data bank of the Federal Reserve Bank of St. Louis, with all its vintages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import DataRules, DatasetKeymapEntry, GoldModel, Pages, RestRecipe, checked_options, column, hookimpl

_API = "https://api.stlouisfed.org/fred"
_RULES = DataRules(error_fields=("error_message",))
#: What is fetched where the settings name no series.
USUAL = ("GDPC1", "CPIAUCSL", "UNRATE", "FEDFUNDS", "DGS10", "DEXUSEU")


@attrs.frozen
class Observation:
    """One value of one series, as it was published on a day. A later vintage with another value is a revision."""

    series_id: str = column(key=True, source="request.ticker")
    date: dt.date = column(key=True, row_date=True, doc="first day of the period that the value is for")
    value: float | None = column(missing=(".",), doc="the double nearest to FRED's text, which itself is a printed double; NULL: the source gives none for that day")
    published: dt.date = column(known_from=True, source="realtime_start", zone="America/Chicago", doc="day of the vintage that brought the value (ALFRED)")


@attrs.frozen
class Series:
    """What a series is."""

    series_id: str = column(key=True, source="id")
    title: str = column()
    units: str | None = column()
    frequency: str | None = column(source="frequency_short", doc="D, W, BW, M, Q, SA or A")
    seasonal_adjustment: str | None = column(source="seasonal_adjustment_short")
    observation_start: dt.date | None = column()
    observation_end: dt.date | None = column()
    notes: str | None = column()


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Observations with their vintages, and the facts of each series."""
    series = checked_options(options, series=USUAL)["series"]
    shared: dict[str, Any] = {"domain": "macro", "source": "fred", "scope": "per_ticker", "members": series, "is_data": _RULES, "terms": _TERMS}
    asked: dict[str, Any] = {"secrets": {"api_key": "FRED_API_KEY"}, "limits": ("2/second", "120/minute")}
    return [
        DatasetKeymapEntry(
            **shared,
            dataset="observations",
            silver_table="fred_observation",
            columns=Observation,
            rows_at="observations",
            recipe=RestRecipe(
                # Of each value all vintages since the day that silver is covered to: what was revised since, of whatever age.
                url=f"{_API}/series/observations?series_id={{ticker}}&file_type=json&realtime_start={{from_date}}&realtime_end=9999-12-31",
                pages=Pages(by="offset", parameter="offset", first=0, size=100_000, size_parameter="limit", total_at="count"),
                **asked,
            ),
            first_date=dt.date(1776, 7, 4),
            lookback_days=1,
            horizon="any",  # projections are of years to come
            refresh_after_hours=12,
            title="Observations with vintages",
            source_url="https://fred.stlouisfed.org/docs/api/fred/series_observations.html",
        ),
        DatasetKeymapEntry(
            **shared,
            dataset="series",
            silver_table="fred_series",
            columns=Series,
            rows_at="seriess",
            recipe=RestRecipe(url=f"{_API}/series?series_id={{ticker}}&file_type=json", **asked),
            refresh_after_hours=24 * 7,
            title="Title, units and frequency of each series",
            source_url="https://fred.stlouisfed.org/docs/api/fred/series.html",
        ),
    ]


@hookimpl
def build_gold() -> Sequence[GoldModel]:
    """Values as they are known today, with the facts of their series."""
    sql = (
        "SELECT o.series_id, o.date, o.value, o.published, s.title, s.units, s.frequency, s.seasonal_adjustment "
        "FROM silver.fred_observation AS o LEFT JOIN silver.fred_series AS s USING (series_id)"
    )
    return [GoldModel(name="fact_macro", key=("series_id", "date"), date_column="date", sql=sql, doc="One row a series and period, as published last.")]


_TERMS = "FRED API terms of use; some series belong to third parties. Key: FRED_API_KEY (free)."
