"""Every ticker that is listed with the U.S. Securities and Exchange Commission."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sbf_core.api import DatasetKeymapEntry, PromotionBatch, RestRecipe, SelectRows, column, hookimpl


@attrs.frozen
class CompanyTicker:
    """One ticker. A company (CIK) may have several."""

    ticker: str = column(key=True, doc="as the SEC writes it, e.g. BRK-B")
    cik: int = column(doc="Central Index Key of the company")
    exchange: str | None = column(doc="Nasdaq, NYSE, CBOE or OTC; NULL where the SEC names none")
    name: str = column(doc="company name")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The list of today: each answer is the whole truth, so tickers that vanish are closed."""
    return [
        DatasetKeymapEntry(
            domain="reference",
            source="sec",
            dataset="company_tickers",
            silver_table="sec_company_ticker",
            columns=CompanyTicker,
            semantics="snapshot",
            recipe=RestRecipe(
                url="https://www.sec.gov/files/company_tickers_exchange.json",
                secret_headers={"user-agent": "SEC_USER_AGENT"},
                mirrors=("package:edgartools/edgar/reference/data/company_tickers.parquet",),
                limits=("10/second",),
            ),
            title="Tickers, CIK and exchange of listed companies",
            terms="U.S. government work, public domain. The SEC wants a User-Agent with a contact: SEC_USER_AGENT.",
            source_url="https://www.sec.gov/search-filings/edgar-application-programming-interfaces",
        )
    ]


@hookimpl
def promote(batch: PromotionBatch) -> SelectRows:
    """The live answer is JSON with ``fields`` and rows as lists; the sample is a Parquet table with named columns."""
    if batch.extension == "json":
        rows = "from_json(document->'data', '[[\"VARCHAR\"]]')"
        place = "list_position(from_json(document->'fields', '[\"VARCHAR\"]'), '{}')"
        picked = ", ".join(f"item[{place.format(name)}] AS {name}" for name in ("ticker", "cik", "exchange", "name"))
        return SelectRows(f"SELECT _file, {picked} FROM (SELECT _file, document, unnest({rows}) AS item FROM batch)")
    return SelectRows("SELECT _file, ticker, cik, exchange, name FROM batch")
