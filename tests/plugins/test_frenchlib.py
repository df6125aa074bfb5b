"""Ken French's library: factors and portfolios out of what the library really sent, and of files in its layout."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import Recording, later

from sbf_core.api import PayloadRefused, UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.frenchlib import plugin as frenchlib
from sbf_plugins.frenchlib.portfolios import parse

FACTORS, INDUSTRIES, BREAKPOINTS = "famafrench-0121", "famafrench-0124", "famafrench-0125"
CHOSEN = {"factors": ["factors3"], "portfolios": ["5_Industry_Portfolios"]}
OPTIONS = '[options.frenchlib]\nfactors = ["factors3"]\nportfolios = ["5_Industry_Portfolios"]\n'


def recorded(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("factors/frenchlib/factors3_month", later(FACTORS), extension="zip")
    recording.add("factors/frenchlib/portfolios", later(INDUSTRIES), ticker="5_Industry_Portfolios", extension="zip")
    return recording.folder


test_conformance = conformance("frenchlib", recording=recorded, options=CHOSEN)


def text_of(payload_id: str) -> str:
    with zipfile.ZipFile(io.BytesIO(later(payload_id))) as archive:
        (name,) = archive.namelist()
        return archive.read(name).decode("ascii")


def packed(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("file.csv", text)
    return stream.getvalue()


def run(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    recording.folder = recorded(folder / "payloads")
    context = recording.run(plugins=("frenchlib",))
    assert context.errors == []
    assert context.rows_rejected == 0
    return recording


def test_factors_as_the_library_prints_them(tmp_path: Path) -> None:
    """Each number of both tables, whatever stands around them."""
    recording = run(tmp_path)
    rows = re.findall(r"^ *(\d{6}|\d{4}),(.*?)\s*$", text_of(FACTORS), flags=re.MULTILINE)
    for table, digits in (("month", 6), ("year", 4)):
        wanted = [(day, *map(Decimal, values.split(","))) for day, values in rows if len(day) == digits]
        written = "%Y%m" if table == "month" else "%Y"
        found = recording.ask(
            f"SELECT strftime({table}, '{written}'), market_excess, smb, hml, riskless "
            f"FROM silver.frenchlib_factors3_{table} ORDER BY 1"
        )
        assert found == sorted(wanted)
        assert len(found) == {"month": 1197, "year": 99}[table]


def test_portfolios_table_by_table(tmp_path: Path) -> None:
    recording = run(tmp_path)
    counted = recording.ask(
        "SELECT statistic, period, count(*) // 5, min(date), max(date) "
        "FROM silver.frenchlib_portfolio GROUP BY ALL ORDER BY 1"
    )
    month, year = dt.date(1926, 7, 1), dt.date(1926, 1, 1)
    april, last = dt.date(2025, 4, 1), dt.date(2024, 1, 1)
    assert counted == [
        ("Average Equal Weighted Returns -- Annual", "year", 98, dt.date(1927, 1, 1), last),
        ("Average Equal Weighted Returns -- Monthly", "month", 1186, month, april),
        ("Average Firm Size", "month", 1186, month, april),
        ("Average Value Weighted Returns -- Annual", "year", 98, dt.date(1927, 1, 1), last),
        ("Average Value Weighted Returns -- Monthly", "month", 1186, month, april),
        ("Number of Firms in Portfolios", "month", 1186, month, april),
        ("Sum of BE / Sum of ME", "year", 99, year, last),
        ("Value-Weighted Average of BE/ME", "year", 99, year, last),
    ]
    # Two tables of one header: the value weighted one says 5.24, the equal weighted one 1.71.
    assert recording.ask(
        "SELECT statistic, value FROM silver.frenchlib_portfolio "
        "WHERE portfolio = 'Cnsmr' AND date = '1926-07-01' AND period = 'month' ORDER BY 1"
    ) == [
        ("Average Equal Weighted Returns -- Monthly", Decimal("1.710000")),
        ("Average Firm Size", Decimal("39.340000")),
        ("Average Value Weighted Returns -- Monthly", Decimal("5.240000")),
        ("Number of Firms in Portfolios", Decimal("169.000000")),
    ]
    rows = re.findall(r"^ *[0-9]{4,6} *,.*", text_of(INDUSTRIES), flags=re.MULTILINE)
    numbers = sum(row.count(",") for row in rows)
    assert recording.ask("SELECT count(*) FROM silver.frenchlib_portfolio") == [(numbers,)]


#: The layout of files that are not recorded, with invented numbers.
DAILY = """This file was created using the 202604 CRSP database.
The 1-month TBill rate data until 202405 are from Ibbotson Associates.

,Mkt-RF,SMB,HML,RMW,CMA,RF
19630701,   -0.67,    0.00,   -0.34,   -0.01,    0.16,   0.012
19630702,    0.79,  -99.99,    0.26,   -0.07, -999   ,   0.012

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""
MOMENTUM = """This file was created using the 202604 CRSP database.  It
contains a momentum factor, constructed from six value-weight portfolios formed
Mom    is the average of the returns on two (big and small) high prior return portfolios

Missing data are indicated by -99.99 or -999.

,Mom
192701,   0.57
192702,  -1.50

 Annual Factors: January-December
,Mom
  1927,  23.40

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""


def test_files_in_the_layout_of_the_library(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.frenchlib]\nfactors = ["factors5_day", "momentum"]\n')
    for name in ("factors5_day", "momentum_month"):
        text = DAILY if name == "factors5_day" else MOMENTUM
        recording.add(f"factors/frenchlib/{name}", packed(text.replace("\n", "\r\n")), extension="zip")
    assert recording.run(plugins=("frenchlib",)).errors == []
    found = recording.ask(
        "SELECT date, market_excess, smb, hml, rmw, cma, riskless FROM silver.frenchlib_factors5_day ORDER BY 1"
    )
    assert found == [
        (dt.date(1963, 7, 1), *map(Decimal, ("-0.6700", "0.0000", "-0.3400", "-0.0100", "0.1600", "0.0120"))),
        (dt.date(1963, 7, 2), Decimal("0.7900"), None, Decimal("0.2600"), Decimal("-0.0700"), None, Decimal("0.0120")),
    ]  # fmt: skip
    assert recording.ask("SELECT month, momentum FROM silver.frenchlib_momentum_month ORDER BY 1") == [
        (dt.date(1927, 1, 1), Decimal("0.5700")), (dt.date(1927, 2, 1), Decimal("-1.5000"))
    ]  # fmt: skip
    assert recording.ask("SELECT year, momentum FROM silver.frenchlib_momentum_year") == [
        (dt.date(1927, 1, 1), Decimal("23.4000"))
    ]


#: In the layout of the regions, with invented numbers: fields padded behind, and no line of copyright.
EUROPE = """This file was created using the 202603 Bloomberg database.

Missing data are indicated by -99.99.

,Mkt-RF,SMB,HML,RMW,CMA,RF
199007    ,4.46    ,0.20   ,-1.52    ,0.28    ,1.10    ,0.68
199008  ,-10.30   ,-99.99    ,0.68    ,0.30    ,1.07    ,0.66



 Annual Factors: January-December
,Mkt-RF,SMB,HML,RMW,CMA,RF
1991    ,4.55  ,-10.09   ,-6.87   ,18.88   ,-2.24    ,5.60
"""


@pytest.mark.parametrize("end", ["", "\n\nCopyright 2026 Eugene F. Fama and Kenneth R. French\n"])
def test_regions(tmp_path: Path, end: str) -> None:
    recording = Recording(tmp_path, options='[options.frenchlib]\nfactors = []\nregions = ["Europe", "Emerging"]\n')
    recording.add("factors/frenchlib/regional5_month", packed(EUROPE + end), ticker="Europe", extension="zip")
    day = EUROPE.partition("\n\n\n\n")[0].replace("199007 ", "19900702 ").replace("199008 ", "19900703 ") + end
    recording.add("factors/frenchlib/regional5_day", packed(day), ticker="Europe", extension="zip")
    context = recording.run(plugins=("frenchlib",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    first, second = ((Decimal("4.4600"), Decimal("0.2000")), (Decimal("-10.3000"), None))
    for table, column, days in (
        ("month", "month", (dt.date(1990, 7, 1), dt.date(1990, 8, 1))),
        ("day", "date", (dt.date(1990, 7, 2), dt.date(1990, 7, 3))),
    ):
        found = recording.ask(
            f"SELECT region, {column}, market_excess, smb FROM silver.frenchlib_regional5_{table} ORDER BY 2"
        )
        assert found == [("Europe", days[0], *first), ("Europe", days[1], *second)]
    assert recording.ask("SELECT region, year, rmw FROM silver.frenchlib_regional5_year") == [
        ("Europe", dt.date(1991, 1, 1), Decimal("18.8800"))
    ]


@pytest.mark.parametrize(
    ("name", "kind", "names", "column"),
    [("factors3", "regional3", "Mkt-RF,SMB,HML,RF", "hml"), ("momentum", "regional_momentum", "WML", "momentum")],
)
def test_further_sets_of_regions(tmp_path: Path, name: str, kind: str, names: str, column: str) -> None:
    """In the layout of the regions, with invented numbers; momentum is called WML there, and Mom in the U.S."""
    options = f'[options.frenchlib]\nfactors = []\nregions = ["Japan", "Emerging"]\nregional = ["{name}"]\n'
    recording = Recording(tmp_path, options=options)
    values = ",".join(["1.25"] * (names.count(",") + 1))
    text = f"Prose.\n\n,{names}\n199007,{values}\n\n Annual Factors: January-December\n,{names}\n1991,{values}\n"
    recording.add(f"factors/frenchlib/{kind}_month", packed(text), ticker="Japan", extension="zip")
    day = text.partition("\n\n Annual")[0].replace("199007", "19900702") + "\n"
    recording.add(f"factors/frenchlib/{kind}_day", packed(day), ticker="Japan", extension="zip")
    context = recording.run(plugins=("frenchlib",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    for step, first in (("month", "month"), ("year", "year"), ("day", "date")):
        found = recording.ask(f"SELECT region, {first}, {column} FROM silver.frenchlib_{kind}_{step}")
        start = {"month": dt.date(1990, 7, 1), "year": dt.date(1991, 1, 1), "day": dt.date(1990, 7, 2)}[step]
        assert found == [("Japan", start, Decimal("1.25"))]


def test_reversal_has_the_layout_of_momentum(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.frenchlib]\nfactors = ["short_reversal", "long_reversal"]\n')
    for name, factor in (("short_reversal", "ST_Rev"), ("long_reversal", "LT_Rev")):
        text = MOMENTUM.replace(",Mom\n", f",{factor}\n")
        recording.add(f"factors/frenchlib/{name}_month", packed(text), extension="zip")
    assert recording.run(plugins=("frenchlib",)).errors == []
    for name in ("short_reversal", "long_reversal"):
        assert recording.ask(f"SELECT count(*), min(reversal) FROM silver.frenchlib_{name}_month") == [
            (2, Decimal("-1.5000"))
        ]
        assert recording.ask(f"SELECT reversal FROM silver.frenchlib_{name}_year") == [(Decimal("23.4000"),)]


def test_sizes_by_percentile_as_the_library_prints_them(tmp_path: Path) -> None:
    """A real file: it names no column, and its numbers are padded."""
    recording = Recording(tmp_path, options="[options.frenchlib]\nfactors = []\nbreakpoints = true\n")
    recording.add("factors/frenchlib/size_breakpoints", later(BREAKPOINTS), extension="zip")
    context = recording.run(plugins=("frenchlib",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    rows = [line.split(",") for line in text_of(BREAKPOINTS).splitlines() if re.match(r"\d{6},", line)]
    percentiles = ", ".join(f"p{percentile}" for percentile in range(5, 101, 5))
    found = recording.ask(
        f"SELECT strftime(month, '%Y%m'), firms, {percentiles} FROM silver.frenchlib_size_breakpoint ORDER BY 1"
    )
    assert found == [(row[0], int(row[1]), *(Decimal(cell.strip()) for cell in row[2:])) for row in rows]
    assert len(found) == 1204


def test_emerging_markets_have_no_days() -> None:
    assert [entry.dataset for entry in frenchlib.datasets({"factors": [], "regions": ["Emerging"]})] == [
        "regional5_month",
        "regional5_year",
    ]


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        ("factors5_day", DAILY.partition("\nCopyright")[0]),
        ("momentum_month", MOMENTUM.partition("\n Annual")[0]),
        ("momentum_year", MOMENTUM.partition("\nCopyright")[0]),
    ],
)
def test_a_table_that_ends_early_is_refused(tmp_path: Path, dataset: str, text: str) -> None:
    recording = Recording(tmp_path, options='[options.frenchlib]\nfactors = ["factors5_day", "momentum"]\n')
    fetching = dataset.replace("year", "month")
    recording.add(f"factors/frenchlib/{fetching}", packed(text), extension="zip")
    assert "it may have been cut" in recording.run(plugins=("frenchlib",)).errors[0]
    assert recording.ask(f"SELECT count(*) FROM silver.frenchlib_{dataset}") == [(0,)]


TABLE = "Prose.\n\n  Average -- Monthly\n,Lo 30,Hi 30\n192607 ,  1.00 ,-99.99\n192608 ,  2.00 ,3.00\n\nCopyright\n"


BROKEN = [
    (TABLE.replace("  2.00 ,", ""), "1 values on line 6 for 2 portfolios"),
    (TABLE.replace("192608", "1926Q3"), "'1926Q3' on line 6"),
    (TABLE.replace("192608", "19260"), "'19260' on line 6"),
    (TABLE.replace(",Lo 30,Hi 30\n", ""), "line 4 that stands in no table"),
    (TABLE.replace("\n192608", "\n\n192608"), "line 7 that stands in no table"),
    (TABLE.replace("  Average -- Monthly\n", ""), "without a title"),
    (TABLE + "\n" + TABLE, "'Average -- Monthly' again"),
    ("Prose.\n\nCopyright\n", "no table with a title"),
    ("<html><body>Not found</body></html>", "no table with a title"),
    (TABLE.replace("Prose", "Pros\u00e9"), "no text of the library"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_what_fits_no_table_is_refused(broken: str, reason: str) -> None:
    assert [(row["portfolio"], row["date"], row["value"]) for row in parse(TABLE.encode())] == [
        ("Lo 30", "19260701", "1.00"), ("Hi 30", "19260701", "-99.99"),
        ("Lo 30", "19260801", "2.00"), ("Hi 30", "19260801", "3.00"),
    ]  # fmt: skip
    with pytest.raises(PayloadRefused, match=re.escape(reason)):
        list(parse(broken.encode()))


def test_files_that_are_no_portfolios_are_refused() -> None:
    for payload_id, reason in ((FACTORS, "without a title"), (BREAKPOINTS, "stands in no table")):
        with pytest.raises(PayloadRefused, match=reason):
            list(parse(text_of(payload_id).encode()))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"factors": ["factors4_day"]}, "there is no set of factors"),
        ({"regional": ["factors4"]}, "there is no regional set 'factors4'"),
        ({"regions": ["Mars"]}, "there is no region 'Mars'"),
        ({"portfolios": ["../x"]}, "no name of a file"),
    ],
)
def test_names_that_the_library_has_not(options: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        frenchlib.datasets(options)


def test_it_asks_for_nothing_unless_it_is_named() -> None:
    declared = frenchlib.datasets({})
    assert len(declared) == 16
    assert all(entry.opt_in for entry in declared if not entry.reads)
    assert [entry.dataset for entry in declared if entry.reads] == [
        "factors3_year", "factors5_year", "momentum_year", "short_reversal_year", "long_reversal_year",
    ]  # fmt: skip
