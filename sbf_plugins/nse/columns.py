"""Columns of the files of the exchange. Names since July 2024 are those of ISO 20022 in short (UDiFF)."""

from __future__ import annotations

from typing import Any

from sbf_core.api import Column

_RUPEES = "rupees"


def _price(name: str, source: str, *, nullable: bool = False, doc: str = "") -> Column:
    return Column(
        name=name,
        type="DECIMAL(18,4)",
        source=source,
        nullable=nullable,
        missing=("-",) if nullable else (),
        trim=True,
        unit=_RUPEES,
        doc=doc,
    )


def _text(name: str, source: str, *, key: bool = False, nullable: bool = False, doc: str = "") -> Column:
    return Column(name=name, type="VARCHAR", source=source, key=key, nullable=nullable, trim=True, doc=doc)


def _count(name: str, source: str, unit: str, **more: Any) -> Column:
    return Column(name=name, type="BIGINT", source=source, unit=unit, trim=True, **more)


def _day(source: str, written: str = "") -> Column:
    return Column(name="date", type="DATE", key=True, row_date=True, source=source, date_format=written, trim=True)


LISTED = (
    _text("symbol", "SYMBOL", key=True),
    _text("name", "NAME OF COMPANY"),
    _text("series", "SERIES", doc="EQ: rolling settlement; BE: trade for trade; BZ: of a company that does not comply"),
    Column(name="listed", type="DATE", source="DATE OF LISTING", date_format="%d-%b-%Y", trim=True),
    Column(name="paid_up", type="DECIMAL(12,4)", source="PAID UP VALUE", trim=True, unit=_RUPEES),
    _count("lot", "MARKET LOT", "shares"),
    _text("isin", "ISIN NUMBER"),
    Column(name="face_value", type="DECIMAL(12,4)", source="FACE VALUE", trim=True, unit=_RUPEES),
)
_UDIFF_PRICES = (
    _price("open", "OpnPric"),
    _price("high", "HghPric"),
    _price("low", "LwPric"),
    _price("close", "ClsPric"),
    _price("last", "LastPric", nullable=True),
    _price("previous_close", "PrvsClsgPric", nullable=True),
    _price("settlement", "SttlmPric", nullable=True),
)
_UDIFF_TRADED = (
    _count("volume", "TtlTradgVol", "shares, of derivatives the underlying's"),
    Column(name="value", type="DECIMAL(24,4)", source="TtlTrfVal", unit=_RUPEES),
    _count("trades", "TtlNbOfTxsExctd", "trades"),
    _text("session", "SsnId", doc="F1: the day's session"),
)
EQUITY = (
    _text("symbol", "TckrSymb", key=True),
    _text("series", "SctySrs", key=True, doc="EQ, BE, SM ...; a symbol may have several"),
    _day("TradDt"),
    _text("isin", "ISIN", nullable=True),
    _text("name", "FinInstrmNm"),
    _text("kind", "FinInstrmTp", doc="STK"),
    *_UDIFF_PRICES,
    *_UDIFF_TRADED,
)
DERIVATIVE = (
    _text("contract", "FinInstrmNm", key=True, doc="e.g. BANKNIFTY26JULFUT, NIFTY27MAR30000PE"),
    _day("TradDt"),
    _text("symbol", "TckrSymb", doc="of the underlying"),
    _text("kind", "FinInstrmTp", doc="STF, IDF: future on a share, an index; STO, IDO: option"),
    Column(name="expiry", type="DATE", source="XpryDt", doc="as it was first said"),
    Column(name="expired", type="DATE", source="FininstrmActlXpryDt", doc="on which it really ends"),
    Column(name="strike", type="DECIMAL(18,4)", nullable=True, source="StrkPric", unit=_RUPEES, doc="NULL of a future"),
    _text("call_or_put", "OptnTp", nullable=True, doc="CE, PE; NULL of a future"),
    *_UDIFF_PRICES,
    _price("underlying", "UndrlygPric", nullable=True),
    _count("open_interest", "OpnIntrst", "of the underlying"),
    _count("change_open_interest", "ChngInOpnIntrst", "of the underlying"),
    *_UDIFF_TRADED,
    _count("lot", "NewBrdLotQty", "of the underlying"),
)
#: Blanks stand in front of names and values. What is not delivered share by share has a dash.
DELIVERY = (
    _text("symbol", "SYMBOL", key=True),
    _text("series", "SERIES", key=True),
    _day("DATE1", "%d-%b-%Y"),
    _price("previous_close", "PREV_CLOSE"),
    _price("open", "OPEN_PRICE"),
    _price("high", "HIGH_PRICE"),
    _price("low", "LOW_PRICE"),
    _price("last", "LAST_PRICE", nullable=True),
    _price("close", "CLOSE_PRICE"),
    _price("average", "AVG_PRICE", doc="weighted by volume"),
    _count("volume", "TTL_TRD_QNTY", "shares"),
    Column(name="value_lakh", type="DECIMAL(20,2)", source="TURNOVER_LACS", trim=True, unit="100,000 rupees"),
    _count("trades", "NO_OF_TRADES", "trades"),
    _count("delivered", "DELIV_QTY", "shares", nullable=True, missing=("-",), doc="NULL: not told"),
    Column(
        name="delivered_percent",
        type="DECIMAL(7,2)",
        nullable=True,
        source="DELIV_PER",
        missing=("-",),
        trim=True,
        unit="percent",
    ),
)


def _maybe(name: str, source: str, unit: str, kind: str = "DECIMAL(20,4)") -> Column:
    return Column(name=name, type=kind, nullable=True, source=source, missing=("-",), trim=True, unit=unit)


#: A dash is no value; numbers below 1 begin with the point.
INDEX = (
    _text("name", "Index Name", key=True, doc="names change, e.g. S&P CNX Nifty until 2015, Nifty 50 since"),
    _day("Index Date", "%d-%m-%Y"),
    _maybe("open", "Open Index Value", "index points"),
    _maybe("high", "High Index Value", "index points"),
    _maybe("low", "Low Index Value", "index points"),
    Column(name="close", type="DECIMAL(20,4)", source="Closing Index Value", trim=True, unit="index points"),
    _maybe("change", "Points Change", "index points"),
    _maybe("change_percent", "Change(%)", "percent"),
    _maybe("volume", "Volume", "shares", "BIGINT"),
    _maybe("value_crore", "Turnover (Rs. Cr.)", "10,000,000 rupees"),
    _maybe("price_to_earnings", "P/E", "ratio"),
    _maybe("price_to_book", "P/B", "ratio"),
    _maybe("dividend_yield", "Div Yield", "percent"),
)
#: The day is in the name of the file alone. Indices have no symbol. Lines between the groups hold names or nothing.
PRICE = (
    Column(name="date", type="DATE", key=True, row_date=True, source="request.from_date", doc="of the file"),
    _text("market", "MKT", key=True, doc="Y: an index; N: a security"),
    _text("series", "SERIES", key=True, doc="- of an index"),
    _text("symbol", "SYMBOL", key=True, doc="of an index its name"),
    _text("name", "SECURITY", doc="not unique: shares with and without votes may have one"),
    _price("previous_close", "PREV_CL_PR"),
    _price("open", "OPEN_PRICE"),
    _price("high", "HIGH_PRICE"),
    _price("low", "LOW_PRICE"),
    _price("close", "CLOSE_PRICE"),
    Column(name="value", type="DECIMAL(24,4)", source="NET_TRDVAL", trim=True, unit=_RUPEES),
    _count("volume", "NET_TRDQTY", "shares"),
    _text("is_in_nifty", "IND_SEC", doc="Y: an index, or a share of the Nifty 50"),
    _count("trades", "TRADES", "trades"),
    _price("high_year", "HI_52_WK", doc="of 52 weeks; 0 of indices without"),
    _price("low_year", "LO_52_WK", doc="of 52 weeks; 0 of indices without"),
)


def _date(name: str, source: str, doc: str) -> Column:
    return Column(
        name=name,
        type="DATE",
        nullable=True,
        source=source,
        date_format="%d/%m/%Y",
        missing=("", " ", "-"),
        trim=True,
        doc=doc,
    )


ACTION = (
    _text("symbol", "SYMBOL", key=True),
    _text("series", "SERIES", key=True),
    _text("purpose", "PURPOSE", key=True, doc="e.g. BONUS 1:1, FVSPLT FRM RS100 TO RS 1"),
    Column(name="ex_date", type="DATE", key=True, row_date=True, source="EX_DT", date_format="%d/%m/%Y", trim=True),
    _text("name", "SECURITY"),
    _date("record_date", "RECORD_DT", "who holds it then has it"),
    _date("books_close", "BC_STRT_DT", "first day on which books are closed"),
    _date("books_open", "BC_END_DT", "last day on which books are closed"),
)
