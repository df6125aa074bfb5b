"""What is declared: how indicators are asked for, what a value of one is, and the gold table over them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sbf_core.api import Chart, DataRules, DatasetKeymapEntry, GoldModel, NotNull, Pages, RestRecipe, column

TERMS = "World Bank, CC BY 4.0 with the source named; some indicators belong to third parties. No key."


@attrs.frozen
class Value:
    """The value of one indicator for one country and period."""

    indicator: str = column(key=True, source="@.indicator.id", doc="e.g. SP.POP.TOTL")
    country: str = column(key=True, source="@.country.id", doc="ISO 3166 code of two letters, or one of a group: 1W")
    period: str = column(key=True, source="date", doc="2012, 2013Q3 or 2013M08")
    value: float | None = column(unit="that of the indicator", doc="the double nearest to what the World Bank writes")
    indicator_name: str = column(source="@.indicator.value")
    country_name: str = column(source="@.country.value")
    iso3: str | None = column(
        source="countryiso3code", optional=True, missing=("",), doc="ISO 3166 code of three letters, or one of a group"
    )
    status: str | None = column(source="obs_status", optional=True, missing=("",), doc="mark of the observation")
    decimals: int | None = column(source="decimal", optional=True, unit="digits", doc="how many are usually shown")


def entry(countries: Sequence[str], indicators: Sequence[str]) -> DatasetKeymapEntry:
    """The dataset. The whole of each indicator is asked for: the World Bank restates the past without a mark."""
    return DatasetKeymapEntry(
        domain="macro",
        source="worldbank",
        dataset="indicators",
        scope="per_ticker",
        members=tuple(indicators),
        silver_table="worldbank_indicator",
        columns=Value,
        rows_at="$[1][*]",
        recipe=RestRecipe(
            url=f"https://api.worldbank.org/v2/country/{';'.join(countries)}/indicator/{{ticker}}?format=json",
            pages=Pages(
                by="page", parameter="page", first=1, size=10_000, size_parameter="per_page", total_at="$[0].total"
            ),
            limits=("5/second",),
            connections=2,
        ),
        is_data=DataRules(error_fields=("$.message[0].value", "message")),
        refresh_after_hours=24 * 7,
        tags=("macro",),
        title="Indicators of countries",
        region="world",
        frequency=("month", "quarter", "year"),
        cost="free",
        terms=TERMS,
        source_url="https://datahelpdesk.worldbank.org/knowledgebase/articles/889392-about-the-indicators-api-documentation",
    )


def fact() -> GoldModel:
    """Values with the frequency and the first day of their period. One of another form fails the build: nobody would
    know which days it is of.
    """
    sql = r"""
SELECT indicator, country, period, frequency,
    CASE frequency
        WHEN 'year' THEN make_date(CAST(period AS BIGINT), 1, 1)
        WHEN 'quarter' THEN make_date(CAST(period[:4] AS BIGINT), 3 * CAST(period[6:] AS BIGINT) - 2, 1)
        WHEN 'month' THEN make_date(CAST(period[:4] AS BIGINT), CAST(period[6:] AS BIGINT), 1)
    END AS period_begin,
    value, indicator_name, country_name, iso3
FROM (
    SELECT *, CASE
        WHEN regexp_full_match(period, '[0-9]{4}') THEN 'year'
        WHEN regexp_full_match(period, '[0-9]{4}Q[1-4]') THEN 'quarter'
        WHEN regexp_full_match(period, '[0-9]{4}M(0[1-9]|1[0-2])') THEN 'month'
    END AS frequency
    FROM silver.worldbank_indicator
    WHERE value IS NOT NULL
)
"""
    return GoldModel(
        name="fact_worldbank",
        key=("indicator", "country", "period"),
        date_column="period_begin",
        sql=sql,
        tests=(NotNull(column="period_begin"),),
        charts=(Chart(name="values", title="Values of countries", x="period_begin", y="value", series="country_name"),),
        doc="One row a value that there is, with the first day of its period.",
    )
