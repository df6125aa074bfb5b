"""How the EIA is asked for flows, and what one is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Chart, DataRules, DatasetKeymapEntry, Pages, RestRecipe, column

TERMS = "U.S. government work, public domain. Key: EIA_API_KEY (free)."


@attrs.frozen
class Flow:
    """What went from one balancing authority to another in one hour. Negative: it went the other way."""

    hour: dt.datetime = column(
        key=True, row_date=True, source="period", date_format="%Y-%m-%dT%H", zone="UTC", doc="the hour as EIA names it"
    )
    source_authority: str = column(key=True, source="fromba", doc="code of the balancing authority")
    target_authority: str = column(key=True, source="toba", doc="code of the balancing authority")
    energy: Decimal | None = column(
        precision=18, scale=4, source="value", unit="see unit", doc="negative: the other way; NULL: not reported"
    )
    unit: str = column(source="value-units", doc="e.g. megawatthours")
    source_name: str | None = column(source="fromba-name")
    target_name: str | None = column(source="toba-name")


def entry(authorities: Sequence[str], since: dt.date) -> DatasetKeymapEntry:
    """The dataset. EIA corrects the last days, and sends the key back in each answer, where it is masked."""
    return DatasetKeymapEntry(
        domain="energy",
        source="eia",
        dataset="interchange",
        scope="per_ticker",
        members=tuple(authorities),
        silver_table="eia_interchange",
        columns=Flow,
        rows_at="response.data",
        recipe=RestRecipe(
            url=(
                "https://api.eia.gov/v2/electricity/rto/interchange-data/data/?frequency=hourly&data[0]=value"
                "&facets[fromba][]={ticker}&start={from_date}T00&end={to_date}T23"
                "&sort[0][column]=period&sort[0][direction]=asc&sort[1][column]=toba&sort[1][direction]=asc"
            ),
            secrets={"api_key": "EIA_API_KEY"},
            secret_fields=("request.params.api_key",),
            pages=Pages(
                by="offset", parameter="offset", first=0, size=5000, size_parameter="length", total_at="response.total"
            ),
            chunk_days=90,
            limits=("2/second", "5000/hour"),
            connections=2,
        ),
        is_data=DataRules(error_fields=("error",), may_be_empty=True),
        first_date=since,
        lookback_days=10,
        refresh_after_hours=6,
        tags=("hourly", "energy"),
        charts=(Chart(name="flows", title="Flows by hour", x="hour", y="energy", series="target_authority", days=30),),
        title="Hourly flows between balancing authorities",
        region=("US", "CA", "MX"),
        frequency="hour",
        cost="free with key",
        terms=TERMS,
        source_url="https://www.eia.gov/opendata/documentation.php",
    )
