"""The National Stock Exchange of India: a recorded day in October 2022, which may not be shipped, and the layouts that
it documents, with numbers that are made up.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import Recording, later

from sbf_core.api import UsageError
from sbf_plugins.nse import plugin

LISTED, PRICES = "nse-r2-002", "nse-r2-001"
ALL = {"datasets": list(plugin.NAMES), "since": dt.date(2022, 1, 1)}
OPTIONS = f"[options.nse]\ndatasets = {ALL['datasets']}\nsince = 2022-01-01\n"
UDIFF = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4\n"
)
SHARES = UDIFF + (
    "2024-07-08,2024-07-08,CM,NSE,STK,1,INE000X01011,ACME,EQ,,,,,ACME LTD,100.00,112.50,99.05,110.00,110.10,98.00,,"
    "110.00,,,1000,105000.50,50,F1,1,,,,,\n"
    "2024-07-08,2024-07-08,CM,NSE,STK,2,INE000X07013,ACME,N1,,,,,ACME 8% 2030,1000.00,1000.00,1000.00,1000.00,1000.00,"
    "1001.00,,1000.00,,,10,10000.00,1,F1,1,,,,,\n"
)
OPTION = UDIFF + (
    "2024-07-08,2024-07-08,FO,NSE,IDO,7,,NIFTY,,2024-07-25,2024-07-24,24000.00,CE,NIFTY24JUL24000CE,310.00,330.50,"
    "280.00,295.10,295.00,305.20,24320.55,295.10,500000,-2500,75000,1830000000.00,900,F1,25,,,,,\n"
    "2024-07-08,2024-07-08,FO,NSE,STF,8,,ACME,,2024-07-25,2024-07-25,,,ACME24JULFUT,101.00,113.00,100.00,111.00,"
    "111.00,99.00,110.00,111.00,90000,1000,30000,3300000.00,60,F1,3000,,,,,\n"
)
DELIVERED = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, "
    "TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n"
    "ACME, EQ, 08-Jul-2024, 98.00, 100.00, 112.50, 99.05, 110.10, 110.00, 105.00, 1000, 1.05, 50, 400, 40.00\n"
    "GOLDX, GB, 08-Jul-2024, 10.00, 10.00, 10.00, 10.00, -, 10.00, 10.00, 10, 0.01, 1, -, -\n"
)
INDICES = (
    "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change,"
    "Change(%),Volume,Turnover (Rs. Cr.),P/E,P/B,Div Yield\n"
    "Nifty 50,08-07-2024,24300.00,24350.00,24250.00,24320.55,-3.30,-.01,250000000,25000.50,22.90,4.10,1.27\n"
    "Nifty Sugar & Ethanol,08-07-2024,-,-,-,2864.73,154.78,5.71,-,-,28.98,2.59,.42\n"
)
#: Padded, with an index, two shares of one name, and lines between the groups.
PRICED = (
    "MKT,SERIES,SYMBOL,SECURITY,PREV_CL_PR,OPEN_PRICE,HIGH_PRICE,LOW_PRICE,CLOSE_PRICE,NET_TRDVAL,NET_TRDQTY,IND_SEC,"
    "CORP_IND,TRADES,HI_52_WK,LO_52_WK\n"
    "Y, , ,Nifty 50,     16887.35,     17147.45,     17287.30,     17117.30,     17274.30,488694756544.40,2170626565,"
    "Y, ,17344603,     18604.45,          .00\n"
    " , , , , , , , , , , ,Y, , , , \n"
    " , , ,NIFTY 50 Sec, , , , , , , ,Y, , , , \n"
    "N,BE,ACME,ACME ENTERPRISES LTD,         1.75,         1.80,         1.80,         1.75,         1.80,"
    "            848649.60,475214,N, ,554,        44.70,         1.65\n"
    "N,BE,ACMEDVR,ACME ENTERPRISES LTD,         7.55,         7.80,         7.80,         7.35,         7.55,"
    "             91273.90,12200,N, ,61,        10.65,         6.75\n"
)
ACTIONS = (
    "SERIES,SYMBOL,SECURITY,RECORD_DT,BC_STRT_DT,BC_END_DT,EX_DT,ND_STRT_DT,ND_END_DT,PURPOSE\n"
    "EQ,ACME,Acme Ltd.,07/10/2022, , ,06/10/2022, , ,BONUS 1:1\n"
)
DAY = dt.date(2024, 7, 8)


def packed(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return stream.getvalue()


def on(day: dt.date) -> dict[str, object]:
    return {"first": day, "moment": dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)}


SHARES_LISTED = (
    "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE\n"
    "ACME,Acme Limited,EQ,19-JUL-1995,2,1,INE000X01011,2\n"
)


def recorded(folder: Path, prices: bytes = PRICED.encode(), listed: bytes = SHARES_LISTED.encode()) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    recording.add("reference/nse/equities", listed, extension="csv")
    shares, options = packed(BhavCopy=SHARES.encode()), packed(BhavCopy=OPTION.encode())
    recording.add("prices/nse/bhavcopy", shares, extension="zip", **on(DAY))  # type: ignore[arg-type]
    recording.add("prices/nse/derivatives", options, extension="zip", **on(DAY))  # type: ignore[arg-type]
    recording.add("prices/nse/deliveries", DELIVERED.encode(), extension="csv", **on(DAY))  # type: ignore[arg-type]
    recording.add("prices/nse/indices", INDICES.encode(), extension="csv", **on(DAY))  # type: ignore[arg-type]
    lists = packed(Pd041022=prices, Bc041022=ACTIONS.encode())
    recording.add("prices/nse/price_list", lists, extension="zip", **on(dt.date(2022, 10, 4)))  # type: ignore[arg-type]
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("nse"))
    context = recording.run(plugins=("nse",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_lines_of_a_price_list(filled: Recording) -> None:
    """Names are not unique, an index has no symbol, and lines between the groups are no rows."""
    assert filled.ask("SELECT market, series, symbol, close, volume FROM silver.nse_price_list ORDER BY symbol") == [
        ("N", "BE", "ACME", Decimal("1.8"), 475214), ("N", "BE", "ACMEDVR", Decimal("7.55"), 12200),
        ("Y", "-", "Nifty 50", Decimal("17274.3"), 2170626565),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("nse"), later(PRICES), later(LISTED))
    context = recording.run(plugins=("nse",), select=("nse:equities", "nse:price_list"))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_every_price_of_a_day(sent: Recording) -> None:
    """Numbers are padded; lines between the groups hold a name or nothing."""
    told = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(later(PRICES).decode()))][1:]
    priced = [row for row in told if row[8]]
    wanted = sorted(
        (row[0], row[1] or "-", row[2] or row[3], row[3], *map(Decimal, row[4:10]), int(row[10])) for row in priced
    )
    found = sent.ask(
        "SELECT market, series, symbol, name, previous_close, open, high, low, close, value, volume "
        "FROM silver.nse_price_list"
    )
    assert sorted(found) == wanted
    assert len(told) - len(wanted) == 15
    assert sent.ask("SELECT DISTINCT date FROM silver.nse_price_list") == [(dt.date(2022, 10, 4),)]


def test_what_is_listed(sent: Recording) -> None:
    assert sent.ask("SELECT count(*) FROM silver.nse_equity") == [(later(LISTED).count(b"\n") - 1,)]
    told = "SELECT name, series, listed, face_value, isin FROM silver.nse_equity WHERE symbol = '3PLAND'"
    assert sent.ask(told) == [
        ("3P Land Holdings Limited", "EQ", dt.date(1995, 7, 19), Decimal(2), "INE105C01023")
    ]  # fmt: skip


def test_both_layouts_are_one_table(filled: Recording) -> None:
    """Rupees and lakh, a share with a debenture of the same symbol, deliveries of the older file."""
    assert filled.ask(
        "SELECT symbol, series, isin, close, value, delivered FROM gold.fact_nse_share_day ORDER BY 1, 2"
    ) == [
        ("ACME", "EQ", "INE000X01011", Decimal(110), Decimal("105000.5"), 400),
        ("ACME", "N1", "INE000X07013", Decimal(1000), Decimal(10000), None),
        ("GOLDX", "GB", None, Decimal(10), Decimal(1000), None),
    ]


def test_a_dash_is_no_value(filled: Recording) -> None:
    assert filled.ask(
        "SELECT open, close, volume, dividend_yield FROM silver.nse_indices WHERE name LIKE '%Sugar%'"
    ) == [(None, Decimal("2864.73"), None, Decimal("0.42"))]
    assert filled.ask(
        "SELECT last, delivered, delivered_percent FROM silver.nse_deliveries WHERE symbol = 'GOLDX'"
    ) == [(None, None, None)]


def test_options_end_when_they_really_end(filled: Recording) -> None:
    assert filled.ask(
        "SELECT contract, expiry, expired, strike, call_or_put, change_open_interest "
        "FROM silver.nse_derivatives ORDER BY 1"
    ) == [
        ("ACME24JULFUT", dt.date(2024, 7, 25), dt.date(2024, 7, 25), None, None, 1000),
        ("NIFTY24JUL24000CE", dt.date(2024, 7, 25), dt.date(2024, 7, 24), Decimal(24000), "CE", -2500),
    ]


def test_actions_come_in_the_file_of_prices(filled: Recording) -> None:
    assert filled.ask("SELECT symbol, purpose, ex_date, record_date, books_close FROM silver.nse_corporate_action") == [
        ("ACME", "BONUS 1:1", dt.date(2022, 10, 6), dt.date(2022, 10, 7), None)
    ]


@pytest.mark.parametrize(
    ("names", "reason"), [(["options"], "no dataset 'options'"), (["corporate_actions"], "read out of the file")]
)
def test_options_that_say_nothing(names: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plugin.datasets({"datasets": names})


UNSEEN = {"columns_are_filled": "books are closed no more since 2001"}
test_nse_conforms, test_nse_conforms_wholly = kit_of("nse", lambda folder: recorded(folder).folder, ALL, UNSEEN)
