"""Form 13F: what institutional managers held at the end of a quarter, filing by filing, amendments included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sbf_core.api import Column, DatasetKeymapEntry, ForEach, GoldModel, PayloadRefused, RestRecipe

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)
_XML = re.compile(r"<XML>\s*(.*?)\s*</XML>", re.DOTALL)
_TYPE = re.compile(r"<TYPE>([^\r\n<]*)")
_HEADER = re.compile(r"^(?P<name>[A-Z][A-Z ]+):[ \t]*(?P<value>\S.*?)\s*$", re.MULTILINE)
_ACCEPTED = re.compile(r"<ACCEPTANCE-DATETIME>(\d{14})")

_ACCESSION = Column(name="accession", type="VARCHAR", key=True, source="request.each.accession", doc="the filing")
_ACCEPTED_COLUMN = Column(
    name="accepted",
    type="TIMESTAMP",
    known_from=True,
    date_format="%Y%m%d%H%M%S",
    zone="America/New_York",
    fold="first",
    doc="moment at which the SEC took it: before it nobody knew; in UTC here",
)
_PERIOD = Column(
    name="period", type="DATE", row_date=True, date_format="%Y%m%d", doc="last day of the quarter of which it is"
)
_CIK = Column(name="cik", type="BIGINT", source="request.each.cik", doc="Central Index Key of the manager")


def _maybe(name: str, kind: str = "VARCHAR", unit: str = "", doc: str = "") -> Column:
    return Column(name=name, type=kind, nullable=True, unit=unit, doc=doc)


#: What a filing says of itself.
FILING = (
    _ACCESSION,
    _CIK,
    _PERIOD,
    Column(name="form", type="VARCHAR", doc="13F-HR, 13F-HR/A"),
    _ACCEPTED_COLUMN,
    Column(name="filed", type="DATE", date_format="%Y%m%d", doc="as the SEC dates it; decides the unit of its values"),
    _maybe("manager", doc="name on the cover"),
    _maybe("report", doc="13F HOLDINGS REPORT, or 13F COMBINATION REPORT: others report the rest"),
    _maybe("amendment_number", "BIGINT", doc="NULL: no amendment"),
    _maybe(
        "amendment",
        doc="RESTATEMENT replaces what was filed for the quarter, NEW HOLDINGS adds to it; NULL: none, or not said",
    ),
    _maybe("entries", "BIGINT", unit="rows", doc="as the summary counts them"),
    _maybe("total", "DECIMAL(24,0)", unit="as the rows", doc="as the summary adds them up, in the unit of the rows"),
    _maybe("is_omitted", "BOOLEAN", doc="whether some holdings are left out for being confidential"),
)
#: A line of the information table. A security may have several: by discretion and by the managers concerned.
HOLDING = (
    _ACCESSION,
    Column(name="line", type="BIGINT", key=True, doc="its place in the table, from 1; the table has no key of its own"),
    _CIK,
    _PERIOD,
    _ACCEPTED_COLUMN,
    Column(name="filed", type="DATE", date_format="%Y%m%d", doc="as the SEC dates it"),
    Column(name="issuer", type="VARCHAR"),
    Column(name="class_title", type="VARCHAR"),
    Column(name="cusip", type="VARCHAR", doc="as filed, in capitals; of an option that of the share"),
    _maybe("figi", doc="since 2023, where the manager gives it"),
    Column(
        name="value",
        type="DECIMAL(24,0)",
        unit="USD; thousands of them where filed before 2023-01-03",
        doc="as filed; gold has it in USD",
    ),
    Column(name="amount", type="DECIMAL(24,4)", unit="shares, or USD of principal", doc="which, amount_kind says"),
    Column(name="amount_kind", type="VARCHAR", doc="SH: shares; PRN: principal"),
    _maybe("put_call", doc="Put, Call; NULL: the security itself. amount and value are of what the option is on"),
    Column(name="discretion", type="VARCHAR", doc="SOLE, DFND, OTR"),
    _maybe("other_managers", doc="numbers of the managers of the cover, e.g. 1,2"),
    _maybe("votes_sole", "DECIMAL(24,4)", unit="votes"),
    _maybe("votes_shared", "DECIMAL(24,4)", unit="votes"),
    _maybe("votes_none", "DECIMAL(24,4)", unit="votes"),
)
#: Since then, by the SEC's order, values are dollars; before they were thousands of them.
_DOLLARS_SINCE = "2023-01-03"
#: Since then tables are XML; older ones are texts, each laid out as its filer liked.
_XML_SINCE = "2013-07-01"


def entries(managers: Sequence[str], contact: dict[str, str], terms: str) -> list[DatasetKeymapEntry]:
    """Each filing is fetched whole, once: cover and table stand in one text, under an address that the list of
    filings knows. The table alone has another name with each filer.
    """
    ciks = ", ".join(str(int(cik)) for cik in managers)
    fetching = DatasetKeymapEntry(
        domain="holdings",
        source="sec",
        dataset="filings_13f",
        scope="per_ticker",
        for_each=ForEach(
            query=(
                f"SELECT cik, accession FROM silver.sec_filing WHERE cik IN ({ciks}) "
                f"AND form IN ('13F-HR', '13F-HR/A') AND filed >= DATE '{_XML_SINCE}'"
            ),
            key=("cik", "accession"),
            once=True,
        ),
        silver_table="sec_filing_13f",
        columns=FILING,
        recipe=RestRecipe(
            url="https://www.sec.gov/Archives/edgar/data/{each.cik}/{each.accession}.txt",
            extension="txt",
            secret_headers=contact,
            limits=("10/second",),
        ),
        tags=("quarterly", "holdings"),
        region="US",
        frequency="quarter",
        cost="free",
        title="Filings of holdings by institutional managers (13F)",
        terms=terms,
        source_url="https://www.sec.gov/files/form13f.pdf",
    )
    same = ("terms", "source_url", "tags", "region", "frequency", "cost")
    shared: dict[str, Any] = {name: getattr(fetching, name) for name in same}
    holdings = DatasetKeymapEntry(
        **shared,
        domain="holdings",
        source="sec",
        dataset="holdings_13f",
        reads="holdings/sec/filings_13f",
        silver_table="sec_holding_13f",
        columns=HOLDING,
        title="Holdings of institutional managers, line by line (13F)",
    )
    return [fetching, holdings]


def gold() -> GoldModel:
    """Holdings as known: a restatement ends what was filed before it for the quarter, new holdings are added to it."""
    sql = f"""
WITH told AS (
    SELECT f.accession, f.cik, f.period, f.accepted, f.form, f.amendment,
        f.form = '13F-HR' OR f.amendment = 'RESTATEMENT' AS is_whole
    FROM silver.sec_filing_13f AS f
    WHERE f.form = '13F-HR' OR f.amendment IN ('RESTATEMENT', 'NEW HOLDINGS')
), spans AS (
    SELECT t.*, min(CASE WHEN t.is_whole THEN t.accepted END) OVER later AS replaced
    FROM told AS t
    WINDOW later AS (PARTITION BY t.cik, t.period ORDER BY t.accepted, t.accession
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
)
SELECT h.accession, h.line, s.cik, s.period, s.accepted AS known_since, s.replaced AS known_until, s.amendment,
    h.cusip, h.figi, h.issuer, h.class_title, h.put_call, h.amount_kind, h.amount,
    CAST(h.value * CASE WHEN h.filed < DATE '{_DOLLARS_SINCE}' THEN 1000 ELSE 1 END AS DECIMAL(28, 0)) AS value_usd,
    h.discretion, h.other_managers
FROM silver.sec_holding_13f AS h
JOIN spans AS s ON s.accession = h.accession
"""
    return GoldModel(
        name="fact_holding_13f",
        key=("accession", "line"),
        date_column="period",
        sql=sql,
        doc=(
            "Holdings by manager and quarter, in USD. Those known at a moment are where known_since is no later and "
            "known_until is NULL or later. An amendment that does not say what it amends is left out."
        ),
    )


def parse_filing(payload: bytes) -> Iterator[dict[str, object]]:
    """The one row of a filing.

    Raises:
        PayloadRefused: no whole submission of EDGAR, or one without a cover in XML.
    """
    facts, documents = _opened(payload)
    cover = documents.get("edgarSubmission")
    if cover is None:
        raise PayloadRefused("has no cover in XML")
    values = {_name(element): (element.text or "").strip() or None for element in cover.iter()}
    manager = next((_text(each, "name") for each in cover.iter() if _name(each) == "filingManager"), None)
    yield {
        **facts,
        "manager": manager,
        "report": values.get("reportType"),
        "amendment_number": values.get("amendmentNo"),
        "amendment": values.get("amendmentType"),
        "entries": values.get("tableEntryTotal"),
        "total": values.get("tableValueTotal"),
        "is_omitted": values.get("isConfidentialOmitted"),
    }


def parse_holdings(payload: bytes) -> Iterator[dict[str, object]]:
    """A row for each line of the information table.

    Raises:
        PayloadRefused: no whole submission of EDGAR, or one without a table in XML.
    """
    facts, documents = _opened(payload)
    table = documents.get("informationTable")
    if table is None:
        raise PayloadRefused("has no information table in XML")
    lines = (each for each in table if _name(each) == "infoTable")
    for number, line in enumerate(lines, start=1):
        amount, votes = _child(line, "shrsOrPrnAmt"), _child(line, "votingAuthority")
        cusip = _text(line, "cusip")
        yield {
            **facts,
            "line": number,
            "issuer": _text(line, "nameOfIssuer"),
            "class_title": _text(line, "titleOfClass"),
            "cusip": cusip and cusip.upper(),
            "figi": _text(line, "figi"),
            "value": _text(line, "value"),
            "amount": _text(amount, "sshPrnamt"),
            "amount_kind": _text(amount, "sshPrnamtType"),
            "put_call": _text(line, "putCall"),
            "discretion": _text(line, "investmentDiscretion"),
            "other_managers": _text(line, "otherManager"),
            "votes_sole": _text(votes, "Sole"),
            "votes_shared": _text(votes, "Shared"),
            "votes_none": _text(votes, "None"),
        }


def _opened(payload: bytes) -> tuple[dict[str, object], dict[str, Element]]:
    """Facts of the header, and the XML documents by the name of their root."""
    from xml.etree import ElementTree  # few runs parse any

    text = payload.decode("utf-8", "replace")
    if "</SEC-DOCUMENT>" not in text and "</SUBMISSION>" not in text:
        raise PayloadRefused("is no whole submission of EDGAR: its last line is missing")
    head = text.partition("<DOCUMENT>")[0]
    fields = {found["name"].strip(): found["value"] for found in reversed(list(_HEADER.finditer(head)))}
    accepted = _ACCEPTED.search(head)
    needed = ("CONFORMED SUBMISSION TYPE", "CONFORMED PERIOD OF REPORT", "FILED AS OF DATE")
    lacking = [name for name in needed if name not in fields]
    if lacking or accepted is None:
        raise PayloadRefused(f"has no {lacking[0] if lacking else 'ACCEPTANCE-DATETIME'} in its header")
    documents: dict[str, Element] = {}
    for document in _DOCUMENT.findall(text):
        kind, body = _TYPE.search(document), _XML.search(document)
        if kind is None or body is None:
            continue
        if "<!ENTITY" in body[1] or "<!DOCTYPE" in body[1]:
            raise PayloadRefused("XML with a document type is refused")
        try:
            root = ElementTree.fromstring(body[1])  # noqa: S314 - entities are refused above
        except ElementTree.ParseError as error:
            raise PayloadRefused(f"{kind[1].strip()} is no XML: {error}") from error
        documents[_name(root)] = root
    facts: dict[str, object] = {
        "form": fields["CONFORMED SUBMISSION TYPE"],
        "period": fields["CONFORMED PERIOD OF REPORT"],
        "filed": fields["FILED AS OF DATE"],
        "accepted": accepted[1],
    }
    return facts, documents


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: Element | None, name: str) -> Element | None:
    return None if element is None else next((each for each in element if _name(each) == name), None)


def _text(element: Element | None, name: str) -> str | None:
    found = _child(element, name)
    return None if found is None else (found.text or "").strip() or None
