"""Tickers and reported figures of companies listed with the U.S. Securities and Exchange Commission."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import (
    DatasetKeymapEntry,
    GoldModel,
    Pages,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    column,
    hookimpl,
)


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


_CONTACT = {"user-agent": "SEC_USER_AGENT"}
_DESCRIBED = "https://www.sec.gov/search-filings/edgar-application-programming-interfaces"
_TERMS = "U.S. government work, public domain. The SEC wants a User-Agent with a contact: SEC_USER_AGENT."


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The list of tickers; and the figures of the companies that the settings name by CIK."""
    ciks = tuple(_cik(text) for text in checked_options(options, ciks=())["ciks"])
    return [_TICKERS, *([_facts(ciks), _filings(ciks)] if ciks else [])]


def _cik(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise UsageError(
            f"{text!r} is no CIK",
            where="[options.sec] ciks",
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
    terms=_TERMS,
    source_url=_DESCRIBED,
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
        terms=_TERMS,
        source_url=_DESCRIBED,
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
        terms=_TERMS,
        source_url=_DESCRIBED,
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows:
    """Tickers come as JSON with ``fields`` and rows as lists (live) or as Parquet (sample); figures as nested objects;
    filings column by column.
    """
    if entry.dataset == "companyfacts":
        return SelectRows(_FACTS_SQL)
    if entry.dataset == "submissions":
        return SelectRows(_FILINGS_SQL)
    if batch.extension == "json":
        rows = "from_json(document->'data', '[[\"VARCHAR\"]]')"
        place = "list_position(from_json(document->'fields', '[\"VARCHAR\"]'), '{}')"
        picked = ", ".join(f"item[{place.format(name)}] AS {name}" for name in ("ticker", "cik", "exchange", "name"))
        return SelectRows(f"SELECT _file, {picked} FROM (SELECT _file, document, unnest({rows}) AS item FROM batch)")
    return SelectRows("SELECT _file, ticker, cik, exchange, name FROM batch")


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """Figures as filed last, by the length of their period; only where the settings name companies."""
    if not checked_options(options, ciks=())["ciks"]:
        return []
    return [_fundamentals("annual", 340, 380), _fundamentals("quarter", 80, 100)]


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


_FILING_FIELDS = {
    "accession": "accessionNumber", "form": "form", "filed": "filingDate", "accepted": "acceptanceDateTime",
    "report_date": "reportDate", "items": "items", "document": "primaryDocument",
    "description": "primaryDocDescription", "file_number": "fileNumber", "film_number": "filmNumber", "act": "act",
    "size": "size", "is_xbrl": "isXBRL", "is_inline_xbrl": "isInlineXBRL",
}  # fmt: skip
#: The newest thousand stand under ``filings.recent``, the older pages hold nothing else; each field is a list, and the
#: lists are as long as each other.
_FILING_LISTS = ", ".join(
    f"unnest(from_json(lists->'{field}', '[\"VARCHAR\"]')) AS {name}" for name, field in _FILING_FIELDS.items()
)
_FILINGS_SQL = (
    f"SELECT _file, {_FILING_LISTS} "
    "FROM (SELECT _file, coalesce(document->'filings'->'recent', document) AS lists FROM batch)"
)
_FIGURE = ", ".join(
    f'"{name}" VARCHAR' for name in ("start", "end", "val", "accn", "fy", "fp", "form", "filed", "frame")
)
#: taxonomy -> concept -> {units: unit -> [figure]}, flattened level by level.
_SHAPE = json.dumps(f"MAP(VARCHAR, MAP(VARCHAR, STRUCT(units MAP(VARCHAR, STRUCT({_FIGURE})[]))))")
_FACTS_SQL = f"""
WITH taxonomies AS (
    SELECT _file, document->>'cik' AS cik, unnest(map_entries(from_json(document->'facts', '{_SHAPE}'))) AS t FROM batch
), concepts AS (
    SELECT _file, cik, t.key AS taxonomy, unnest(map_entries(t.value)) AS c FROM taxonomies
), units AS (
    SELECT _file, cik, taxonomy, c.key AS concept, unnest(map_entries(c.value.units)) AS u FROM concepts
), figures AS (
    SELECT _file, cik, taxonomy, concept, u.key AS unit, unnest(u.value) AS f FROM units
)
SELECT _file, cik, taxonomy, concept, unit,
    CASE WHEN f."start" IS NULL THEN f."end" ELSE f."start" || '/' || f."end" END AS period,
    f.accn AS accession, f."start" AS period_start, f."end" AS period_end, f.val AS value, f.filed AS filed,
    f.form AS form, f.fy AS fiscal_year, f.fp AS fiscal_period, f.frame AS frame
FROM figures
"""
