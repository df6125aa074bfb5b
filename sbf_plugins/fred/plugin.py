"""Any series of FRED, the data bank of the Federal Reserve Bank of St. Louis, with all its vintages.

What is asked for is days of publication. Of each series the days on which it was published are listed first, then its
values are asked for in windows of those days, for FRED refuses more than 2,000 of them at once. FRED cuts the day of
publication of each value to the window; a window begins a day before its first vintage, so what is dated on its first
day was published before.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.api import (
    DataRules,
    DatasetKeymapEntry,
    FetchSession,
    GoldModel,
    Pages,
    RestRecipe,
    RunRequest,
    RunResult,
    checked_options,
    column,
    fetch_by_recipe,
    hookimpl,
)

if TYPE_CHECKING:
    from sbf_core.api import Offer, VendorSearch

_API = "https://api.stlouisfed.org/fred"
_RULES = DataRules(error_fields=("error_message",), listing_fields=("vintage_dates",))
#: FRED takes 2,000 vintages in a request; the day before the first of a window may be one itself.
_WINDOW = 1999
_DAY = dt.timedelta(days=1)
_LISTING = Pages(
    by="offset",
    parameter="offset",
    first=0,
    size=10_000,
    size_parameter="limit",
    total_at="count",
    items_at="vintage_dates",
)
_ASKED: dict[str, Any] = {"secrets": {"api_key": "FRED_API_KEY"}, "limits": ("2/second", "120/minute")}
#: What is fetched where the settings name no series.
USUAL = ("GDPC1", "CPIAUCSL", "UNRATE", "FEDFUNDS", "DGS10", "DEXUSEU")


@attrs.frozen
class Observation:
    """One value of one series, as it was published on a day. A later vintage with another value is a revision."""

    series_id: str = column(key=True, source="request.ticker")
    date: dt.date = column(key=True, doc="first day of the period that the value is for")
    value: float | None = column(
        missing=(".",),
        doc=(
            "the double nearest to FRED's text, which itself is a printed double; "
            "NULL: the source gives none for that day"
        ),
    )
    published: dt.date | None = column(
        known_from=True,
        row_date=True,
        source="realtime_start",
        zone="UTC",
        known_at="start of day",  # as ALFRED counts: the vintage of a day holds what was published on it
        cut_at="asked_since",
        doc="day of the vintage that brought the value (ALFRED); NULL: no later than asked_since",
    )
    asked_since: dt.date = column(source="$.realtime_start", doc="first day of publication that was asked for with it")


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
    """Observations with their vintages, and the facts of each series; lists of what there is, where they are named."""
    chosen = checked_options(options, series=USUAL, searches=(), releases=(), calendar=False)
    series = chosen["series"]
    further: list[DatasetKeymapEntry] = []
    if chosen["searches"] or chosen["releases"] or chosen["calendar"]:
        from sbf_plugins.fred import lists  # few ask for them

        further = lists.entries(
            chosen["searches"], chosen["releases"], has_calendar=chosen["calendar"], terms=_TERMS, rules=_RULES
        )
    shared: dict[str, Any] = {
        "domain": "macro",
        "source": "fred",
        "scope": "per_ticker",
        "members": series,
        "is_data": _RULES,
        "terms": _TERMS,
        "region": ("US", "world"),
        "cost": "free with key",
    }
    return [
        DatasetKeymapEntry(
            **shared,
            dataset="observations",
            silver_table="fred_observation",
            columns=Observation,
            rows_at="observations",
            recipe=RestRecipe(
                # In pieces, see the hook fetch.
                url=(
                    f"{_API}/series/observations?series_id={{ticker}}&file_type=json"
                    "&realtime_start={from_date}&realtime_end=9999-12-31"
                ),
                pages=Pages(
                    by="offset", parameter="offset", first=0, size=100_000, size_parameter="limit", total_at="count"
                ),
                **_ASKED,
            ),
            first_date=dt.date(1776, 7, 4),
            refresh_after_hours=12,
            title="Observations with vintages",
            frequency=("day", "week", "month", "quarter", "half-year", "year"),
            source_url="https://fred.stlouisfed.org/docs/api/fred/series_observations.html",
        ),
        DatasetKeymapEntry(
            **shared,
            dataset="series",
            silver_table="fred_series",
            columns=Series,
            rows_at="seriess",
            recipe=RestRecipe(url=f"{_API}/series?series_id={{ticker}}&file_type=json", **_ASKED),
            refresh_after_hours=24 * 7,
            title="Title, units and frequency of each series",
            frequency="irregular",
            source_url="https://fred.stlouisfed.org/docs/api/fred/series.html",
        ),
        *further,
    ]


@hookimpl
def offers() -> Sequence[Offer | VendorSearch]:
    """Some well-known series, and the search of FRED."""
    from sbf_plugins.fred.offers import offers as offered  # nobody else has to load them

    return offered(usual=USUAL, terms=_TERMS, rules=_RULES, asked=_ASKED)


@hookimpl
def fetch(entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> Sequence[RunResult]:
    """Of ``observations`` the list of vintages, then the values, window by window; of ``series`` as declared."""
    recipe = entry.recipe
    if entry.dataset != "observations" or not isinstance(recipe, RestRecipe):
        return fetch_by_recipe(entry, request, http)

    def ask(what: str, pages: Pages | None) -> list[RunResult]:
        url = f"{_API}/{what}&series_id={{ticker}}&file_type=json"
        return fetch_by_recipe(attrs.evolve(entry, recipe=attrs.evolve(recipe, url=url, pages=pages)), request, http)

    first = request.from_date or entry.first_date
    # What lies ahead in Chicago is refused, so it is a day less; what was published on it is none of what is asked for.
    since = max(first - _DAY, entry.first_date)
    listing = ask(f"series/vintagedates?realtime_start={since}&realtime_end=9999-12-31", _LISTING)
    if listing[0].kind == "not_recorded":  # a recording from before there was a list
        return fetch_by_recipe(entry, request, http)
    if not listing[-1].ok:
        return listing
    # Also those behind the days that are asked for: what fills a gap changes what a cut row behind it says.
    vintages = [day for day in _vintages(listing) if first <= day]
    if not vintages:
        return [attrs.evolve(listing[0], payload=b"", kind="none")]
    found = list(listing)
    for window in (vintages[at : at + _WINDOW] for at in range(0, len(vintages), _WINDOW)):
        span = f"realtime_start={window[0] - _DAY}&realtime_end={window[-1]}"
        part = ask(f"series/observations?{span}", recipe.pages)
        if not part[-1].ok:
            return part
        found += part
    return found


def _vintages(listing: Sequence[RunResult]) -> Iterator[dt.date]:
    for page in listing:
        yield from (dt.date.fromisoformat(day) for day in json.loads(page.payload)["vintage_dates"])


@hookimpl
def build_gold() -> Sequence[GoldModel]:
    """Values as they are known today, with the facts of their series."""
    sql = (
        "SELECT o.series_id, o.date, o.value, o.published, s.title, s.units, s.frequency, s.seasonal_adjustment "
        "FROM silver.fred_observation AS o LEFT JOIN silver.fred_series AS s USING (series_id)"
    )
    return [
        GoldModel(
            name="fact_macro",
            key=("series_id", "date"),
            date_column="date",
            sql=sql,
            doc="One row a series and period, as published last.",
        )
    ]


_TERMS = "FRED API terms of use; some series belong to third parties. Key: FRED_API_KEY (free)."
