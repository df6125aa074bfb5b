"""Holdings of managers and the index of filings.

sec-13f-infotable.xml holds the first lines of a real information table, and sec-form-index.txt lines of the index of a
quarter, both as the SEC has them: works of the U.S. government. Covers of filings name who signed, so those here are
made up, in the form of the SEC's technical specification.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import Recording

from sbf_core.api import PayloadRefused, UsageError
from sbf_plugins.sec import plugin, thirteenf

HERE = Path(__file__).parent
TABLE = (HERE / "sec-13f-infotable.xml").read_text()
INDEX = (HERE / "sec-form-index.txt").read_bytes()
MANAGER = "1099219"
NAMESPACE = 'xmlns="http://www.sec.gov/edgar/document/thirteenf/informationtable"'
LINE = """<ns1:infoTable><ns1:nameOfIssuer>ACME</ns1:nameOfIssuer><ns1:titleOfClass>COM</ns1:titleOfClass>
<ns1:cusip>{cusip}</ns1:cusip><ns1:value>{value}</ns1:value><ns1:shrsOrPrnAmt><ns1:sshPrnamt>{amount}</ns1:sshPrnamt>
<ns1:sshPrnamtType>SH</ns1:sshPrnamtType></ns1:shrsOrPrnAmt>{more}
<ns1:investmentDiscretion>DFND</ns1:investmentDiscretion><ns1:otherManager>1,2</ns1:otherManager><ns1:votingAuthority>
<ns1:Sole>{amount}</ns1:Sole><ns1:Shared>0</ns1:Shared><ns1:None>0</ns1:None></ns1:votingAuthority></ns1:infoTable>"""


def table(*lines: tuple[str, int, int, str]) -> str:
    """A table whose elements have a prefix, as many filers write them: CUSIP, value, amount, and further elements."""
    told = "".join(
        LINE.format(cusip=cusip, value=value, amount=amount, more=more) for cusip, value, amount, more in lines
    )
    return f"<ns1:informationTable {NAMESPACE.replace('xmlns', 'xmlns:ns1')}>{told}</ns1:informationTable>"


def submission(
    accession: str, accepted: str, infotable: str, *, amendment: str = "", number: int = 0, period: str = "20220930"
) -> bytes:
    """A whole submission, as it lies in the archive."""
    form = "13F-HR/A" if number else "13F-HR"
    told = f"<amendmentInfo><amendmentType>{amendment}</amendmentType></amendmentInfo>" if amendment else ""
    no = f"<amendmentNo>{number}</amendmentNo>" if number else ""
    return f"""<SEC-DOCUMENT>{accession}.txt : {accepted[:8]}
<SEC-HEADER>{accession}.hdr.sgml : {accepted[:8]}
<ACCEPTANCE-DATETIME>{accepted}
ACCESSION NUMBER:\t\t{accession}
CONFORMED SUBMISSION TYPE:\t{form}
PUBLIC DOCUMENT COUNT:\t\t2
CONFORMED PERIOD OF REPORT:\t{period}
FILED AS OF DATE:\t\t{accepted[:8]}

FILER:

\tCOMPANY DATA:\t
\t\tCOMPANY CONFORMED NAME:\t\t\tEXAMPLE MANAGER LLC
</SEC-HEADER>
<DOCUMENT>
<TYPE>{form}
<TEXT>
<XML>
<?xml version="1.0" encoding="UTF-8"?>
<edgarSubmission xmlns="http://www.sec.gov/edgar/thirteenffiler"><formData><coverPage>
<isAmendment>{str(bool(number)).lower()}</isAmendment>{no}{told}
<filingManager><name>EXAMPLE MANAGER LLC</name></filingManager><reportType>13F HOLDINGS REPORT</reportType>
</coverPage><summaryPage><tableEntryTotal>4</tableEntryTotal><tableValueTotal>2397277</tableValueTotal>
<isConfidentialOmitted>false</isConfidentialOmitted></summaryPage></formData></edgarSubmission>
</XML>
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>INFORMATION TABLE
<TEXT>
<XML>
{infotable.strip()}
</XML>
</TEXT>
</DOCUMENT>
</SEC-DOCUMENT>
""".encode()


#: A quarter that was filed, added to, and restated; and the next one, whose values are dollars.
FILED = {
    "0000000001-22-000001": submission(
        "0000000001-22-000001", "20221114160000", table(("00287y109", 1200, 100, ""), ("037833100", 50, 7, ""))
    ),
    "0000000001-22-000002": submission(
        "0000000001-22-000002", "20221201090000", table(("88579Y101", 30, 5, "<ns1:putCall>Put</ns1:putCall>")),
        amendment="NEW HOLDINGS", number=1,
    ),
    "0000000001-23-000001": submission(
        "0000000001-23-000001", "20230110170000", table(("00287Y109", 999_000, 90, "")),
        amendment="RESTATEMENT", number=2,
    ),
    "0000000001-23-000002": submission("0000000001-23-000002", "20230214120000", TABLE, period="20221231"),
}  # fmt: skip


def listed() -> bytes:
    """The list of filings in which these stand, as the SEC writes it."""
    names = list(FILED)
    facts = {
        "accessionNumber": [*names, "0000000001-12-000009", "0000000001-22-000007"],
        "form": ["13F-HR", "13F-HR/A", "13F-HR/A", "13F-HR", "13F-HR", "13F-NT"],
        "filingDate": ["2022-11-14", "2022-12-01", "2023-01-10", "2023-02-14", "2012-11-14", "2022-11-14"],
    }
    count = len(facts["form"])
    texts = ("reportDate", "items", "primaryDocument", "primaryDocDescription", "fileNumber", "filmNumber", "act")
    recent = {
        **facts,
        "acceptanceDateTime": [f"{day}T12:00:00.000Z" for day in facts["filingDate"]],
        **{name: [""] * count for name in texts},
        **{name: [0] * count for name in ("size", "isXBRL", "isInlineXBRL")},
    }
    return json.dumps(
        {
            "cik": MANAGER, "name": "EXAMPLE MANAGER LLC", "entityType": "other", "sic": "", "sicDescription": "",
            "category": "", "fiscalYearEnd": "1231", "stateOfIncorporation": "DE", "ein": "", "tickers": [],
            "exchanges": [], "formerNames": [], "filings": {"recent": recent, "files": []},
        }
    ).encode()  # fmt: skip


OPTIONS = f'[options.sec]\nmanagers = ["{MANAGER}"]\n'


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    recording.add("fundamentals/sec/submissions", listed(), ticker=MANAGER.zfill(10))
    for accession, content in FILED.items():
        series = f"{MANAGER}|{accession}"
        address = f"https://www.sec.gov/Archives/edgar/data/{MANAGER}/{accession}.txt"
        recording.add("holdings/sec/filings_13f", content, ticker=series, extension="txt", address=address)
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("sec"))
    context = recording.run(plugins=("sec",), select=("sec:submissions", "sec:filings_13f", "sec:holdings_13f"))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_only_filings_with_tables_in_xml_are_asked_for(filled: Recording) -> None:
    """Neither one of 2012, whose table is a text, nor a notice, which has none."""
    (asked,) = [entry for entry in plugin.datasets({"managers": [MANAGER]}) if entry.for_each is not None]
    assert asked.for_each is not None
    assert sorted(filled.ask(asked.for_each.query)) == [(int(MANAGER), name) for name in sorted(FILED)]
    assert filled.ask("SELECT accession FROM silver.sec_filing_13f ORDER BY 1") == [(name,) for name in sorted(FILED)]
    assert filled.ask("SELECT DISTINCT entries, total, is_omitted, manager FROM silver.sec_filing_13f") == [
        (4, Decimal(2397277), False, "EXAMPLE MANAGER LLC")
    ]
    assert filled.ask("SELECT accepted FROM silver.sec_filing_13f WHERE accession = '0000000001-22-000001'") == [
        (dt.datetime(2022, 11, 14, 21),)
    ]


def test_lines_of_a_real_table(filled: Recording) -> None:
    """A CUSIP keeps its zeros in front; voting authority adds up to what is held."""
    found = filled.ask(
        "SELECT line, issuer, cusip, value, amount, amount_kind, votes_none FROM silver.sec_holding_13f "
        "WHERE accession = '0000000001-23-000002' ORDER BY line"
    )
    assert found == [
        (1, "3M CO", "88579Y101", Decimal(409469), Decimal(2334), "SH", Decimal(2334)),
        (2, "ABBOTT LABS", "002824100", Decimal(470615), Decimal(3983), "SH", Decimal(3983)),
        (3, "ABBVIE INC", "00287Y109", Decimal(1200749), Decimal(11131), "SH", Decimal(11131)),
        (4, "ACCENTURE PLC IRELAND", "G1151C101", Decimal(316444), Decimal(989), "SH", Decimal(989)),
    ]
    assert filled.ask("SELECT put_call, other_managers FROM silver.sec_holding_13f WHERE cusip = '88579Y101' "
                      "AND put_call IS NOT NULL") == [("Put", "1,2")]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "known"),
    [
        ("2022-11-14 20:00", []),
        ("2022-11-15", [("00287Y109", 1_200_000), ("037833100", 50_000)]),
        ("2022-12-02", [("00287Y109", 1_200_000), ("037833100", 50_000), ("88579Y101", 30_000)]),
        ("2023-01-11", [("00287Y109", 999_000)]),
    ],
)
def test_holdings_as_known_at_a_moment(filled: Recording, moment: str, known: list[tuple[str, int]]) -> None:
    """New holdings add, a restatement replaces both; thousands became dollars in January 2023, by the day of filing."""
    rows = filled.ask(
        "SELECT cusip, value_usd FROM gold.fact_holding_13f WHERE period = '2022-09-30' "
        f"AND known_since <= TIMESTAMP '{moment}' AND (known_until IS NULL OR known_until > TIMESTAMP '{moment}') "
        "ORDER BY cusip"
    )
    assert rows == [(cusip, Decimal(value)) for cusip, value in known]


def test_half_a_submission_and_one_of_another_form_are_refused() -> None:
    whole = FILED["0000000001-23-000002"]
    with pytest.raises(PayloadRefused, match="last line is missing"):
        list(thirteenf.parse_holdings(whole[:2000]))
    with pytest.raises(PayloadRefused, match="no information table in XML"):
        list(thirteenf.parse_holdings(whole.replace(b"<XML>", b"<PDF>").replace(b"</XML>", b"</PDF>")))
    with pytest.raises(PayloadRefused, match="FILED AS OF DATE"):
        list(thirteenf.parse_filing(whole.replace(b"FILED AS OF DATE", b"FILED")))
    with pytest.raises(PayloadRefused, match="document type"):
        list(thirteenf.parse_filing(whole.replace(b"<edgarSubmission", b"<!DOCTYPE x>\n<edgarSubmission")))


def test_the_index_reads_a_name_that_moves_what_stands_behind_it(tmp_path: Path) -> None:
    """Real lines: one whose company has 64 letters, forms of two words, and a quarter that has only begun."""
    recording = Recording(tmp_path, options="[options.sec]\nindex_since = 2021\n")
    days = {"first": dt.date(2021, 1, 1), "moment": dt.datetime(2021, 12, 31, tzinfo=dt.UTC), "extension": "txt"}
    header = INDEX[: INDEX.index(b"-----")] + b"-" * 140 + b"\n"
    for place, quarter in enumerate((INDEX, header, header, header)):
        recording.add("filings/sec/filing_index", quarter, part=(place + 1, 4), period=f"QTR{place + 1}", **days)
    context = recording.run(plugins=("sec",), select=("sec:filing_index",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT count(*) FROM silver.sec_filing_index") == [(INDEX.count(b"edgar/data/"),)]
    found = recording.ask(
        "SELECT form, company, filed, accession FROM silver.sec_filing_index WHERE cik = 820694 OR form = '1-A POS' "
        "ORDER BY form"
    )
    name = "UNITED PLANNERS' FINANCIAL SERVICES OF AMERICA A LIMITED PARTNER"
    assert found == [
        ("1-A POS", "ALFADAN INC.", dt.date(2021, 3, 26), "0001477932-21-001700"),
        ("X-17A-5", name, dt.date(2021, 2, 24), "9999999997-21-003146"),
    ]


def test_tickers_of_funds(tmp_path: Path) -> None:
    """In the form that the SEC documents: names of fields beside rows that are lists."""
    recording = Recording(tmp_path, options="[options.sec]\nfunds = true\n")
    content = {
        "fields": ["cik", "seriesId", "classId", "symbol"],
        "data": [[2110, "S000009184", "C000024954", "LACAX"], [2110, "S000009184", "C000024956", "LIACX"]],
    }
    recording.add("reference/sec/fund_tickers", json.dumps(content).encode())
    context = recording.run(plugins=("sec",), select=("sec:fund_tickers",))
    assert context.errors == []
    assert recording.ask("SELECT symbol, class_id, cik FROM silver.sec_fund_ticker ORDER BY 1") == [
        ("LACAX", "C000024954", 2110), ("LIACX", "C000024956", 2110),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"managers": ["BRK"]}, "is no CIK"), ({"index_since": 1950}, "no year of the index")],
)
def test_options_that_say_nothing(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plugin.datasets(options)


UNSEEN = {
    "recorded:reference/*": "tested with the sample",
    "columns_are_filled": "the covers are made up: no list of filings or company is full there",
}
test_holdings_conform, test_holdings_conform_wholly = kit_of(
    "sec", lambda folder: recorded(folder).folder, {"managers": [MANAGER]}, UNSEEN
)
