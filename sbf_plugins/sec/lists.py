"""Lists of EDGAR: all filings of a quarter, and the tickers of funds."""

from __future__ import annotations

import datetime as dt

from sbf_core.api import Column, Csv, DataRules, DatasetKeymapEntry, RestRecipe

#: A filing, once for each who is filed about.
INDEXED = (
    Column(name="accession", type="VARCHAR", key=True, doc="the filing"),
    Column(name="cik", type="BIGINT", key=True, doc="Central Index Key of who is filed about"),
    Column(name="form", type="VARCHAR", key=True, doc="10-K, 8-K, 13F-HR ...; /A behind it: an amendment"),
    Column(name="company", type="VARCHAR", doc="as it was called when it filed"),
    Column(name="filed", type="DATE", row_date=True, doc="day of the filing, as the SEC dates it"),
    Column(name="file", type="VARCHAR", doc="path below https://www.sec.gov/Archives/ of the whole submission"),
)
FUND_TICKER = (
    Column(name="symbol", type="VARCHAR", key=True, doc="ticker of the class"),
    Column(name="class_id", type="VARCHAR", key=True, source="classId", doc="C and nine digits"),
    Column(name="series_id", type="VARCHAR", source="seriesId", doc="the fund: S and nine digits"),
    Column(name="cik", type="BIGINT", doc="Central Index Key of the trust"),
)
#: The form stands in the first 12 places. A name of 62 letters and more moves what stands behind it, so the rest is
#: read from its end. Lines above the rows, and the rule, are none of this form.
INDEX_SQL = r"""
SELECT _file, trim(left(line, 12)) AS form, trim(p.company) AS company, p.cik AS cik, p.filed AS filed, p.file AS file,
    regexp_extract(p.file, '([^/]+)\.txt$', 1) AS accession
FROM (
    SELECT _file, line, regexp_extract(substr(line, 13), '^(.*\S) +(\d+) +(\d{4}-\d{2}-\d{2}) +(edgar/data/\S+)\s*$',
        ['company', 'cik', 'filed', 'file']) AS p
    FROM batch WHERE line LIKE '%edgar/data/%'
)
"""


def filing_index(since: int, contact: dict[str, str], terms: str) -> DatasetKeymapEntry:
    """Of each quarter all filings, some 300,000 of them in 50 MB. That of today is complete on the day behind it."""
    return DatasetKeymapEntry(
        domain="filings",
        source="sec",
        dataset="filing_index",
        silver_table="sec_filing_index",
        columns=INDEXED,
        format=Csv(delimiter="\x1f", quote="", escape="", encoding="latin-1", header=("line",)),
        recipe=RestRecipe(
            url="https://www.sec.gov/Archives/edgar/full-index/{year}/{period}/form.idx",
            periods=("QTR1", "QTR2", "QTR3", "QTR4"),
            extension="txt",
            secret_headers=contact,
            limits=("10/second",),
            connections=2,
        ),
        # Quarters that have not begun are not there; one that begins is a heading without a row.
        is_data=DataRules(none_status=(404,), may_be_empty=True),
        first_date=dt.date(since, 1, 1),
        lookback_days=7,
        refresh_after_hours=24,
        region="US",
        frequency="irregular",
        cost="free",
        title="All filings, quarter by quarter (form index)",
        terms=terms,
        source_url="https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data",
    )


def fund_tickers(contact: dict[str, str], terms: str) -> DatasetKeymapEntry:
    """Tickers of mutual funds and exchange-traded funds, by class and series."""
    return DatasetKeymapEntry(
        domain="reference",
        source="sec",
        dataset="fund_tickers",
        silver_table="sec_fund_ticker",
        columns=tuple(
            Column(
                name=column.name,
                type=column.type,
                key=column.key,
                doc=column.doc,
                source=f"@[$.fields:'{column.source_name}']",
            )
            for column in FUND_TICKER
        ),
        semantics="snapshot",
        rows_at="$.data[*]",
        recipe=RestRecipe(
            url="https://www.sec.gov/files/company_tickers_mf.json", secret_headers=contact, limits=("10/second",)
        ),
        region="US",
        frequency="irregular",
        cost="free",
        title="Tickers of funds, by series and class",
        terms=terms,
        source_url="https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data",
    )
