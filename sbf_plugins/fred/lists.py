"""What FRED has: series by search, what belongs to a release, and days of releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, Pages, RestRecipe

_API = "https://api.stlouisfed.org/fred"
_FOUND = (
    Column(name="search", type="VARCHAR", key=True, source="request.ticker", doc="the words that were searched for"),
    Column(name="series_id", type="VARCHAR", key=True, source="id"),
    Column(name="title", type="VARCHAR"),
    Column(name="units", type="VARCHAR"),
    Column(name="frequency", type="VARCHAR", source="frequency_short", doc="D, W, BW, M, Q, SA or A"),
    Column(name="seasonal_adjustment", type="VARCHAR", source="seasonal_adjustment_short"),
    Column(name="begins", type="DATE", source="observation_start"),
    Column(name="ends", type="DATE", source="observation_end"),
    Column(
        name="updated",
        type="TIMESTAMP",
        source="last_updated",
        date_format="%Y-%m-%d %H:%M:%S%z",
        doc="moment of its last change; in UTC here",
    ),
    Column(name="popularity", type="BIGINT", unit="0 to 100"),
    Column(name="notes", type="VARCHAR", nullable=True, optional=True),
)
_ELEMENT = (
    Column(name="release_id", type="BIGINT", key=True),
    Column(name="element_id", type="BIGINT", key=True),
    Column(name="kind", type="VARCHAR", source="type", doc="group, series"),
    Column(name="name", type="VARCHAR"),
    Column(name="series_id", type="VARCHAR", nullable=True, doc="NULL of a group"),
    Column(name="parent_id", type="BIGINT", nullable=True),
    Column(name="line", type="VARCHAR", nullable=True, doc="of the table, as it is printed"),
    Column(name="level", type="BIGINT", unit="steps below the top"),
)
_RELEASE_DAY = (
    Column(name="release_id", type="BIGINT", key=True),
    Column(name="date", type="DATE", key=True, row_date=True, doc="of the release; those ahead are planned"),
    Column(name="name", type="VARCHAR", source="release_name"),
)

_ASKED: dict[str, Any] = {"secrets": {"api_key": "FRED_API_KEY"}, "limits": ("2/second", "120/minute")}


def _pages(size: int, items: str) -> Pages:
    return Pages(
        by="offset", parameter="offset", first=0, size=size, size_parameter="limit", total_at="count", items_at=items
    )


def entries(
    searches: Sequence[str], releases: Sequence[str], *, has_calendar: bool, terms: str, rules: DataRules
) -> list[DatasetKeymapEntry]:
    """Those that the settings ask for."""
    shared: dict[str, Any] = {
        "domain": "macro", "source": "fred", "terms": terms, "is_data": rules, "refresh_after_hours": 24 * 7,
        "region": ("US", "world"), "frequency": "irregular", "cost": "free with key",
    }  # fmt: skip
    found = [_found(searches, shared)] if searches else []
    found += [_elements(releases, shared)] if releases else []
    return [*found, _calendar(shared)] if has_calendar else found


def _found(searches: Sequence[str], shared: Mapping[str, Any]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **shared,
        dataset="found",
        scope="per_ticker",
        members=tuple(searches),
        silver_table="fred_found",
        columns=_FOUND,
        rows_at="seriess",
        recipe=RestRecipe(
            url=f"{_API}/series/search?search_text={{ticker}}&file_type=json", pages=_pages(1000, "seriess"), **_ASKED
        ),
        title="Series that a search finds",
        source_url="https://fred.stlouisfed.org/docs/api/fred/series_search.html",
    )


def _elements(releases: Sequence[str], shared: Mapping[str, Any]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **shared,
        dataset="release_elements",
        scope="per_ticker",
        members=tuple(releases),
        silver_table="fred_release_element",
        columns=_ELEMENT,
        rows_at="$.elements.*",
        recipe=RestRecipe(url=f"{_API}/release/tables?release_id={{ticker}}&file_type=json", **_ASKED),
        title="What belongs to a release, as a tree",
        source_url="https://fred.stlouisfed.org/docs/api/fred/release_tables.html",
    )


def _calendar(shared: Mapping[str, Any]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        **{**shared, "refresh_after_hours": 24},
        dataset="release_days",
        silver_table="fred_release_day",
        columns=_RELEASE_DAY,
        rows_at="release_dates",
        recipe=RestRecipe(
            url=(
                f"{_API}/releases/dates?file_type=json&realtime_start={{from_date}}&realtime_end=9999-12-31"
                "&include_release_dates_with_no_data=true&order_by=release_date&sort_order=asc"
            ),
            pages=_pages(1000, "release_dates"),
            **_ASKED,
        ),
        first_date=dt.date(2020, 1, 1),
        lookback_days=7,
        horizon="any",
        title="Days of releases, past and planned",
        source_url="https://fred.stlouisfed.org/docs/api/fred/releases_dates.html",
    )
