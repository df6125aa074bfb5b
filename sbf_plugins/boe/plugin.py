"""Series of the Bank of England: exchange rates, interest rates, money and lending, from its database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Cadence,
    Chart,
    Column,
    Csv,
    DataRules,
    DatasetKeymapEntry,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    hookimpl,
)

_DATABASE = "https://www.bankofengland.co.uk/boeapps/database/_iadb-fromshowcolumns.asp"
_ABOUT = "https://www.bankofengland.co.uk/boeapps/database/help.asp"
_TERMS = "Bank of England, with the source named, under its terms: bankofengland.co.uk/legal. No key."
_CODE = r"[A-Z0-9]{3,20}"
#: Spot rates at about 16:00 in London: units of a currency for one pound.
CURRENCIES = {
    "XUDLUSS": "USD", "XUDLERS": "EUR", "XUDLJYS": "JPY", "XUDLCDS": "CAD", "XUDLSFS": "CHF", "XUDLADS": "AUD",
    "XUDLNDS": "NZD", "XUDLNKS": "NOK", "XUDLSKS": "SEK", "XUDLDKS": "DKK", "XUDLHDS": "HKD", "XUDLSGS": "SGD",
    "XUDLSRS": "SAR", "XUDLZRS": "ZAR", "XUDLTWS": "TWD", "XUDLBK25": "CZK", "XUDLBK33": "HUF", "XUDLBK47": "PLN",
    "XUDLBK78": "ILS", "XUDLBK83": "MYR", "XUDLBK87": "THB", "XUDLBK89": "CNY", "XUDLBK93": "KRW", "XUDLBK95": "TRY",
    "XUDLBK97": "INR",
}  # fmt: skip
#: Bank Rate, SONIA, and par yields of gilts of 5, 10 and 20 years.
RATES = ("IUDBEDR", "IUDSOIA", "IUDSNPY", "IUDMNPY", "IUDLNPY")
#: Notes and coin held by private and public sectors.
MONTHLY = ("LPMVWYR",)


def _value(unit: str) -> tuple[Column, ...]:
    return (
        Column(name="value", type="DECIMAL(28,10)", nullable=True, unit=unit),
        Column(name="quoted", type="VARCHAR", nullable=True, source="value", doc="the value as the bank wrote it"),
    )


_SERIES = Column(name="series", type="VARCHAR", key=True, doc="the bank's code, e.g. XUDLUSS")
_DAY = Column(name="date", type="DATE", key=True, row_date=True, source="DATE", date_format="%d %b %Y")
_CURRENCY = Column(name="currency", type="VARCHAR", nullable=True, doc="NULL: a series that is no rate we know")
_OF_XML = (
    _SERIES,
    Column(name="date", type="DATE", key=True, row_date=True, doc="last day of the period"),
    *_value("that of the title"),
    Column(name="title", type="VARCHAR", doc="e.g. Monthly amounts outstanding of ... (in sterling millions)"),
    Column(name="frequency", type="VARCHAR", doc="e.g. Monthly"),
    Column(name="confidentiality", type="VARCHAR", nullable=True, doc="N: none"),
    Column(
        name="updated", type="TIMESTAMP", nullable=True, zone="Europe/London", doc="when the bank last wrote the value",
        date_format="%Y-%m-%d %H:%M:%S",
    ),
)  # fmt: skip


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Two of daily series, a column each, and one of series with their notes."""
    chosen = checked_options(
        options, currencies=tuple(CURRENCIES), rates=RATES, series=MONTHLY, since=dt.date(2020, 1, 2)
    )
    for what in ("currencies", "rates", "series"):
        wrong = next((code for code in chosen[what] if not re.fullmatch(_CODE, code)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no code of a series",
                where=f"[options.boe] {what}",
                fix='write e.g. currencies = ["XUDLUSS"], rates = ["IUDBEDR"], series = ["LPMVWYR"]',
                code="OPTION",
            )
    made = []
    for dataset, what, unit, title in (
        ("exchange_rates", "currencies", "of the currency for one pound", "Daily spot rates of sterling"),
        ("interest_rates", "rates", "percent", "Bank Rate, SONIA and yields of gilts, daily"),
    ):
        if chosen[what]:
            url = f"{_DATABASE}?csv.x=yes&CSVF=TN&UsingCodes=Y&SeriesCodes={','.join(dict.fromkeys(chosen[what]))}"
            is_fx = what == "currencies"
            further = (_CURRENCY,) if is_fx else ()
            made.append(
                _entry(
                    dataset, url, chosen["since"], title=title, extension="csv", silver_table=f"boe_{dataset[:-1]}",
                    columns=(_SERIES, _DAY, *_value(unit), *further), format=Csv(),
                    domain="fx" if is_fx else "rates", tags=("daily", "fx" if is_fx else "rates"),
                )
            )  # fmt: skip
    if chosen["series"]:
        url = f"{_DATABASE}?CodeVer=new&xml.x=yes&SeriesCodes={{ticker}}"
        made.append(
            _entry(
                "series", url, chosen["since"], title="Series with their notes, such as money and lending",
                extension="xml", silver_table="boe_series", columns=_OF_XML, domain="macro", tags=("macro",),
                scope="per_ticker", members=tuple(dict.fromkeys(chosen["series"])),
            )
        )  # fmt: skip
    return made


def _entry(dataset: str, url: str, since: dt.date, *, extension: str, **facts: Any) -> DatasetKeymapEntry:
    recipe = RestRecipe(
        url=f"{url}&Datefrom={{from_date}}&Dateto={{to_date}}", date_format="%d/%b/%Y", extension=extension,
        limits=("1/second",), connections=1,
    )  # fmt: skip
    return DatasetKeymapEntry(
        source="boe",
        dataset=dataset,
        recipe=recipe,
        is_data=DataRules(may_be_empty=True),
        first_date=since,
        lookback_days=7 if extension == "csv" else 400,
        horizon=31,
        refresh_after_hours=12,
        cadence=Cadence(calendar="weekdays"),
        opt_in=True,
        region="GB",
        frequency="day" if extension == "csv" else ("day", "month", "quarter"),
        cost="free",
        charts=(Chart(name="values", title="Values", x="date", y="value", series="series", sessions=True),),
        terms=_TERMS,
        source_url=_ABOUT,
        **facts,
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | SelectRows:
    """From one column a series to one row a value; and from XML."""
    if entry.dataset == "series":
        from sbf_plugins.boe.xml_rows import parse

        return ParseRows(parse)
    names = ", ".join(f'"{name}"' for name in batch.fields if re.fullmatch(_CODE, name) and name != "DATE")
    known = " ".join(f"WHEN '{series}' THEN '{code}'" for series, code in CURRENCIES.items())
    return SelectRows(
        f'SELECT _file, "DATE", series, value, CASE series {known} END AS currency '
        f"FROM batch UNPIVOT INCLUDE NULLS (value FOR series IN ({names}))"
    )
