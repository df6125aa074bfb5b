"""Interest rates of the U.S. Treasury: the par yield curve, daily since 1990, and the others that the settings name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.api import (
    AcceptedRange,
    Cadence,
    Chart,
    DatasetKeymapEntry,
    GoldModel,
    ParseRows,
    PayloadRefused,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    checked_options,
    column,
    hookimpl,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RATES = "https://home.treasury.gov/resource-center/data-chart-center/interest-rates"
_FIELD = re.compile(r"BC_(\d+)(?:_(\d+))?(MONTH|YEAR)")
_HEADER = re.compile(r"(\d+(?:\.\d+)?) (Mo|Month|Yr)")


@attrs.frozen
class ParYield:
    """The yield of one maturity on one day."""

    date: dt.date = column(key=True, row_date=True, doc="day of the close in New York")
    maturity: str = column(key=True, doc="e.g. 3M, 1.5M, 10Y")
    maturity_months: Decimal = column(precision=5, scale=1, unit="months")
    par_yield: Decimal | None = column(
        precision=7,
        scale=3,
        unit="percent a year",
        doc="bond equivalent; NULL: no such maturity was quoted on that day",
    )


_YIELDS = Chart(
    name="yields",
    title="Par yields",
    x="date",
    y="par_yield",
    series="maturity",
    shown=("3M", "2Y", "10Y", "30Y"),
    unit="percent a year",
    sessions=True,
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A file a year; the Treasury corrects days now and then, so a month is asked for again."""
    further = tuple(dict.fromkeys(checked_options(options, further=())["further"]))
    if further:
        from sbf_plugins.treasury import rates  # few ask for them

        rates.check(further)
    return [
        *(rates.entry(name) for name in further),
        DatasetKeymapEntry(
            domain="rates",
            source="treasury",
            dataset="par_yield_curve",
            silver_table="treasury_par_yield",
            columns=ParYield,
            recipe=RestRecipe(
                url=(
                    f"{_RATES}/daily-treasury-rates.csv/{{year}}/all"
                    "?type=daily_treasury_yield_curve&field_tdr_date_value={year}&page&_format=csv"
                ),
                extension="csv",
                mirrors=(
                    f"{_RATES}/pages/xml?data=daily_treasury_yield_curve&field_tdr_date_value={{year}}",
                    (
                        "https://data.treasury.gov/feed.svc/DailyTreasuryYieldCurveRateData"
                        "?$filter=year(NEW_DATE)%20eq%20{year}"
                    ),
                ),
            ),
            first_date=dt.date(1990, 1, 2),
            lookback_days=30,
            refresh_after_hours=12,
            cadence=Cadence(calendar="weekdays"),
            tags=("daily", "rates"),
            charts=(_YIELDS,),
            title="Daily Treasury par yield curve rates",
            region="US",
            frequency="day",
            cost="free",
            terms="U.S. government work, public domain.",
            source_url="https://home.treasury.gov/policy-issues/financing-the-government/interest-rate-statistics",
        ),
    ]


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows | ParseRows:
    """CSV has a column for each maturity; the XML feeds, old and new, have a property for each."""
    if entry.dataset != "par_yield_curve":
        from sbf_plugins.treasury import rates

        return ParseRows(rates.PARSERS[entry.dataset])
    if batch.extension == "xml":
        return ParseRows(parse_xml)
    maturities = {name: found for name in batch.fields if (found := _HEADER.fullmatch(name))}
    if not maturities:
        raise PayloadRefused("no column of the file is a maturity such as '3 Mo' or '10 Yr'")
    wide = ", ".join(f'"{name}"' for name in maturities)
    named = ", ".join(
        f"('{name}', '{found[1]}{found[2][0]}', {_months(found[1], found[2])})" for name, found in maturities.items()
    )
    day = "strftime(strptime(\"Date\", '%m/%d/%Y'), '%Y-%m-%d')"
    return SelectRows(
        f"SELECT _file, {day} AS date, maturity, maturity_months, par_yield "
        f"FROM (FROM batch UNPIVOT INCLUDE NULLS (par_yield FOR name IN ({wide}))) "
        f"JOIN (VALUES {named}) AS m(name, maturity, maturity_months) USING (name)"
    )


def _months(number: str, unit: str) -> Decimal:
    return Decimal(number) * (12 if unit in ("Yr", "YEAR") else 1)


def parse_xml(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of an Atom feed, ``DailyTreasuryYieldCurveRateData`` of before 2022 or ``pages/xml`` of today."""
    for properties in entries_of(payload):
        yield from _day(properties)


def entries_of(payload: bytes) -> Iterator[Element]:
    """The properties of each entry of an Atom feed.

    Raises:
        PayloadRefused: another root, or XML with entities.
    """
    from xml.etree import ElementTree  # most runs parse none

    if b"<!ENTITY" in payload:
        raise PayloadRefused("XML with entities is refused")
    root = ElementTree.fromstring(payload)  # noqa: S314 - entities are refused above
    if not root.tag.endswith("}feed"):
        raise PayloadRefused(f"the XML root is {root.tag!r}, expected an Atom feed")
    yield from root.iter("{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}properties")


def _day(properties: Element) -> Iterator[dict[str, object]]:
    values = {child.tag.rpartition("}")[2]: child.text for child in properties}
    date = (values.get("NEW_DATE") or "").partition("T")[0]
    for name, text in values.items():
        found = _FIELD.fullmatch(name)
        if found is None:
            continue
        number = f"{found[1]}.{found[2]}" if found[2] else found[1]
        yield {
            "date": date,
            "maturity": f"{number}{found[3][0]}",
            "maturity_months": _months(number, found[3]),
            "par_yield": _exact(text),
        }


def _exact(text: str | None) -> str | None:
    """The old feed writes its two decimals as a single-precision float: ``7.9600000381469727`` is 7.96."""
    return None if not text else f"{float(text):.6g}" if len(text.partition(".")[2]) > 6 else text


@hookimpl
def build_gold() -> Sequence[GoldModel]:
    """The curve of each day, one row a maturity, and what it was a day before."""
    return [
        GoldModel(
            name="fact_yield_curve",
            key=("date", "maturity"),
            date_column="date",
            sql=(
                "SELECT date, maturity, maturity_months, par_yield, "
                "par_yield - lag(par_yield) OVER (PARTITION BY maturity ORDER BY date) AS change "
                "FROM silver.treasury_par_yield WHERE par_yield IS NOT NULL"
            ),
            tests=(AcceptedRange(column="par_yield", low=-5, high=30),),
            doc="One row a day and quoted maturity, with the change since the day before that has one.",
        )
    ]
