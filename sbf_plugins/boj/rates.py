"""How the Bank of Japan is asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Cadence, Chart, DatasetKeymapEntry, Pages, RestRecipe, column

TERMS = "Bank of Japan, Time-Series Data Search; free with the source named, see its terms. No key."


@attrs.frozen
class Observation:
    """One day of one series. Days and values stand in two lists of the bank, place by place."""

    series: str = column(key=True, source="@^.SERIES_CODE", doc="e.g. FXERD04, the dollar at 17:00 in Tokyo")
    date: dt.date = column(key=True, row_date=True, source="@", date_format="%Y%m%d")
    value: Decimal | None = column(
        precision=18, scale=8, source="@^.VALUES.VALUES[#]", unit="see unit", doc="NULL on days without a market"
    )
    unit: str = column(source="@^.UNIT", doc="e.g. Yen per U.S. Dollar")
    frequency: str = column(source="@^.FREQUENCY")
    name: str = column(source="@^.NAME_OF_TIME_SERIES")


def entry(series: Sequence[str], since: dt.date) -> DatasetKeymapEntry:
    """The dataset. Whole months are asked for; of the present one the bank lists days that are to come."""
    return DatasetKeymapEntry(
        domain="fx",
        source="boj",
        dataset="daily",
        scope="per_ticker",
        members=tuple(dict.fromkeys(series)),
        silver_table="boj_daily",
        columns=Observation,
        rows_at="$.RESULTSET[*].VALUES.SURVEY_DATES[*]",
        recipe=RestRecipe(
            url=(
                "https://www.stat-search.boj.or.jp/api/v1/getDataCode?format=json&lang=en&db=FM08"
                "&code={ticker}&startDate={from_date}&endDate={to_date}"
            ),
            date_format="%Y%m",
            pages=Pages(by="cursor", parameter="startPosition", next_at="NEXTPOSITION"),
            limits=("1/second",),
            connections=1,
        ),
        horizon=31,
        first_date=since.replace(day=1),
        lookback_days=7,
        refresh_after_hours=12,
        cadence=Cadence(calendar="weekdays"),
        tags=("daily", "fx"),
        charts=(Chart(name="values", title="Values", x="date", y="value", series="name", sessions=True),),
        title="Daily exchange rates (FM08)",
        region="JP",
        frequency="day",
        cost="free",
        terms=TERMS,
        source_url="https://www.stat-search.boj.or.jp/info/api_manual_en.pdf",
    )
