"""Tickers and reported figures of companies listed with the U.S. Securities and Exchange Commission."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import (
    DataRules,
    DatasetKeymapEntry,
    GoldModel,
    Pages,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    column,
    hookimpl,
)
from sbf_plugins.sec.selects import FACTS_SQL, OF_SUBMISSIONS


@attrs.frozen
class CompanyTicker:
    """One ticker. A company (CIK) may have several."""

    ticker: str = column(key=True, doc="as the SEC writes it, e.g. BRK-B")
    cik: int = column(doc="Central Index Key of the company")
    exchange: str | None = column(doc="Nasdaq, NYSE, CBOE or OTC; NULL where the SEC names none")
    name: str = column(doc="company name")


@attrs.frozen
class CompanyFact:
    """One figure as one filing states it. A restatement is another row, of a later filing."""

    cik: int = column(key=True, doc="Central Index Key of the company")
    taxonomy: str = column(key=True, doc="us-gaap, dei, ifrs-full, srt, invest or the company's own")
    concept: str = column(key=True, doc="e.g. RevenueFromContractWithCustomerExcludingAssessedTax")
    unit: str = column(key=True, doc="e.g. USD, shares, USD/shares, pure")
    period: str = column(key=True, doc="the day of a stock such as assets, first/last day of a flow such as revenue")
    accession: str = column(key=True, doc="the filing")
    period_start: dt.date | None = column(doc="NULL for a stock")
    period_end: dt.date = column(row_date=True)
    value: Decimal = column(precision=38, scale=6, doc="in the unit that the column unit names")
    filed: dt.date = column(
        known_from=True, zone="America/New_York", doc="day of the filing: before its end it is not taken for known"
    )
    form: str = column(doc="10-K, 10-Q, 8-K, 20-F ...; /A behind it: an amendment")
    fiscal_year: int | None = column(doc="of the filing, which also repeats figures of earlier years")
    fiscal_period: str | None = column(doc="FY, Q1, Q2, Q3 of the filing")
    frame: str | None = column(doc="the SEC's own choice of one figure a calendar period, e.g. CY2023Q4I")


@attrs.frozen
class Filing:
    """One filing, from the list of all that a company or person ever filed."""

    cik: int = column(key=True, source="request.ticker", doc="Central Index Key of who is filed about")
    accession: str = column(key=True, doc="the filing")
    form: str = column(doc="10-K, 10-Q, 8-K, 4, 13F-HR ...; /A behind it: an amendment")
    filed: dt.date = column(row_date=True, doc="day of the filing, as the SEC dates it")
    accepted: dt.datetime = column(known_from=True, doc="moment at which the SEC took it, UTC: before it nobody knew")
    report_date: dt.date | None = column(missing=("",), doc="last day of what it reports on")
    items: str | None = column(missing=("",), doc="of an 8-K, with commas, e.g. 2.02,9.01")
    document: str | None = column(missing=("",), doc="name of the main document")
    description: str | None = column(missing=("",))
    file_number: str | None = column(missing=("",))
    film_number: str | None = column(missing=("",))
    act: str | None = column(
        missing=("",), doc="33, 34 or 40: the Securities Act, the Exchange Act, the Investment Company Act"
    )
    size: int | None = column(unit="bytes")
    is_xbrl: bool | None = column()
    is_inline_xbrl: bool | None = column()


@attrs.frozen
class Company:
    """Who files, as the list of its filings says it today. The SEC overwrites; the history here begins with the first
    payload.
    """

    cik: int = column(key=True, source="request.ticker", doc="Central Index Key")
    name: str = column(doc="as the filer is called now")
    entity_type: str | None = column(missing=("",), doc="operating, investment, other")
    sic: str | None = column(missing=("",), doc="Standard Industrial Classification, four digits")
    sic_description: str | None = column(missing=("",))
    category: str | None = column(missing=("",), doc="e.g. Large accelerated filer; with <br> as the SEC writes it")
    fiscal_year_end: str | None = column(missing=("",), doc="month and day, e.g. 0926")
    state_of_incorporation: str | None = column(missing=("",), doc="the SEC's code, e.g. CA, or 2M for Germany")
    ein: str | None = column(missing=("", "000000000"), doc="number with the U.S. tax office")
    tickers: str | None = column(missing=("",), doc="with commas; silver.sec_company_ticker has a row for each")
    exchanges: str | None = column(missing=("",), doc="of each ticker, in the same order")


@attrs.frozen
class FormerName:
    """A name under which a company filed before."""

    cik: int = column(key=True, source="request.ticker", doc="Central Index Key")
    name: str = column(key=True)
    first_day: dt.date = column(key=True, doc="of the first filing under it")
    last_day: dt.date = column(row_date=True, doc="of the last one; the SEC has some that end before they begin")


_CONTACT = {"user-agent": "SEC_USER_AGENT"}
_ABOUT: dict[str, Any] = {
    "terms": "U.S. government work, public domain. The SEC wants a User-Agent with a contact: SEC_USER_AGENT.",
    "source_url": "https://www.sec.gov/search-filings/edgar-application-programming-interfaces",
    "region": "US",
    "cost": "free",
}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The list of tickers; figures and filings of the companies, and holdings of the managers, that the settings name
    by CIK; and the long lists that they ask for.
    """
    chosen = _chosen(options)
    ciks, managers = chosen["ciks"], chosen["managers"]
    filers = tuple(dict.fromkeys((*ciks, *managers)))
    found = [_TICKERS, *([_facts(ciks)] if ciks else [])]
    found += [_filings(filers), _COMPANIES, _FORMER_NAMES] if filers else []
    if managers:
        from sbf_plugins.sec import thirteenf

        found += thirteenf.entries(managers, _CONTACT, _ABOUT["terms"])
    if chosen["index_since"] or chosen["funds"]:
        from sbf_plugins.sec import lists

        found += [lists.filing_index(chosen["index_since"], _CONTACT, _ABOUT["terms"])] if chosen["index_since"] else []
        found += [lists.fund_tickers(_CONTACT, _ABOUT["terms"])] if chosen["funds"] else []
    return found


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    chosen = checked_options(options, ciks=(), managers=(), index_since=0, funds=False)
    since = chosen["index_since"]
    if since and not 1993 <= since <= 2100:
        raise UsageError(
            f"index_since = {since} is no year of the index",
            where="[options.sec] index_since",
            fix="write a year, e.g. index_since = 2024; the first is 1993",
            code="OPTION",
        )
    return {**chosen, **{name: tuple(_cik(text, name) for text in chosen[name]) for name in ("ciks", "managers")}}


def _cik(text: str, option: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise UsageError(
            f"{text!r} is no CIK",
            where=f"[options.sec] {option}",
            fix='write digits, e.g. "320193"; silver.sec_company_ticker has them all',
            code="OPTION",
        )
    return text.zfill(10)


#: The list of today: each answer is the whole truth, so tickers that vanish are closed.
_TICKERS = DatasetKeymapEntry(
    domain="reference",
    source="sec",
    dataset="company_tickers",
    silver_table="sec_company_ticker",
    columns=CompanyTicker,
    semantics="snapshot",
    recipe=RestRecipe(
        url="https://www.sec.gov/files/company_tickers_exchange.json",
        secret_headers=_CONTACT,
        mirrors=("package:edgartools/edgar/reference/data/company_tickers.parquet",),
        limits=("10/second",),
    ),
    title="Tickers, CIK and exchange of listed companies",
    frequency="irregular",
    **_ABOUT,
)


def _facts(ciks: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="fundamentals",
        source="sec",
        dataset="companyfacts",
        scope="per_ticker",
        members=ciks,
        silver_table="sec_company_fact",
        columns=CompanyFact,
        recipe=RestRecipe(
            url="https://data.sec.gov/api/xbrl/companyfacts/CIK{ticker}.json",
            secret_headers=_CONTACT,
            limits=("10/second",),
        ),
        title="Every figure of every filing (XBRL company facts)",
        frequency=("quarter", "year"),
        **_ABOUT,
    )


def _filings(ciks: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="fundamentals",
        source="sec",
        dataset="submissions",
        scope="per_ticker",
        members=ciks,
        silver_table="sec_filing",
        columns=Filing,
        recipe=RestRecipe(
            url="https://data.sec.gov/submissions/CIK{ticker}.json",
            secret_headers=_CONTACT,
            limits=("10/second",),
            pages=Pages(by="names", next_at="filings.files", pages_max=200),
        ),
        title="Every filing of a company or person, those of the older pages included",
        frequency="irregular",
        **_ABOUT,
    )


#: What stands beside the filings; an older page of them has none of it.
_COMPANIES = DatasetKeymapEntry(
    domain="fundamentals",
    source="sec",
    dataset="companies",
    reads="fundamentals/sec/submissions",
    silver_table="sec_company",
    columns=Company,
    is_data=DataRules(may_be_empty=True),
    title="Who files: name, industry, fiscal year, tickers",
    frequency="irregular",
    **_ABOUT,
)
_FORMER_NAMES = DatasetKeymapEntry(
    domain="fundamentals",
    source="sec",
    dataset="former_names",
    reads="fundamentals/sec/submissions",
    silver_table="sec_former_name",
    columns=FormerName,
    is_data=DataRules(may_be_empty=True),
    title="Names under which a company filed before",
    frequency="irregular",
    **_ABOUT,
)


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows | ParseRows | None:
    """Tickers come as JSON with ``fields`` and rows as lists (live) or as Parquet (sample); figures as nested objects;
    filings column by column; holdings as XML in a text.
    """
    if entry.dataset in ("filings_13f", "holdings_13f"):
        from sbf_plugins.sec import thirteenf

        return ParseRows(thirteenf.parse_filing if entry.dataset == "filings_13f" else thirteenf.parse_holdings)
    if entry.dataset == "filing_index":
        from sbf_plugins.sec.lists import INDEX_SQL

        return SelectRows(INDEX_SQL)
    if entry.dataset == "fund_tickers":
        return None
    if entry.dataset == "companyfacts":
        return SelectRows(FACTS_SQL)
    if entry.dataset in OF_SUBMISSIONS:
        return SelectRows(OF_SUBMISSIONS[entry.dataset])
    if batch.extension == "json":
        rows = "from_json(document->'data', '[[\"VARCHAR\"]]')"
        place = "list_position(from_json(document->'fields', '[\"VARCHAR\"]'), '{}')"
        picked = ", ".join(f"item[{place.format(name)}] AS {name}" for name in ("ticker", "cik", "exchange", "name"))
        return SelectRows(f"SELECT _file, {picked} FROM (SELECT _file, document, unnest({rows}) AS item FROM batch)")
    return SelectRows("SELECT _file, ticker, cik, exchange, name FROM batch")


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """Figures as filed last, by the length of their period, and holdings; only where the settings name who files."""
    chosen = _chosen(options)
    found = [_fundamentals("annual", 340, 380), _fundamentals("quarter", 80, 100)] if chosen["ciks"] else []
    if chosen["managers"]:
        from sbf_plugins.sec import thirteenf

        found.append(thirteenf.gold())
    return found


def _fundamentals(name: str, days_min: int, days_max: int) -> GoldModel:
    sql = f"""
SELECT f.cik, f.taxonomy, f.concept, f.unit, f.period, f.period_start, f.period_end, f.value, f.filed, f.form,
    f.accession, count(*) OVER same - 1 AS earlier_filings,
    first_value(f.value) OVER (same ORDER BY f.filed, f.accession) AS value_first_filed
FROM silver.sec_company_fact AS f
WHERE f.period_start IS NULL OR date_diff('day', f.period_start, f.period_end) BETWEEN {days_min} AND {days_max}
WINDOW same AS (PARTITION BY f.cik, f.taxonomy, f.concept, f.unit, f.period)
QUALIFY row_number() OVER (same ORDER BY f.filed DESC, f.accession DESC) = 1
"""
    doc = (
        f"Figures of about {days_min} to {days_max} days, and of days such as balances: as filed last, "
        "with the value of the first filing."
    )
    return GoldModel(
        name=f"fact_fundamental_{name}",
        key=("cik", "taxonomy", "concept", "unit", "period"),
        date_column="period_end",
        sql=sql,
        doc=doc,
    )
