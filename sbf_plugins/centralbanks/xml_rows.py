"""Rows of the banks that write XML, which no declaration reads: each function takes the bytes of one payload and gives
mappings of the columns' names to the texts of the bank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from sbf_core.api import PayloadRefused

Row = dict[str, object]


def tree(payload: bytes, *roots: str) -> Element:
    """The root of a document, without namespaces in the names of its elements.

    Raises:
        PayloadRefused: it declares a document type, or its root is another than one of ``roots``.
    """
    if b"<!DOCTYPE" in payload or b"<!ENTITY" in payload or b"\0" in payload:
        raise PayloadRefused("XML with a document type, or in UTF-16, is refused")
    from xml.etree import ElementTree  # few payloads are XML

    root = ElementTree.fromstring(payload)  # noqa: S314 - entities are refused above
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag not in roots:
        raise PayloadRefused(f"the XML root is {root.tag!r}, expected {' or '.join(roots)}")
    return root


def _inside(payload: bytes, answer: str) -> Element:
    """The named element of a SOAP answer."""
    root = tree(payload, "Envelope")
    found = root.find(f".//{answer}")
    if found is None:
        fault = root.findtext(".//faultstring")
        raise PayloadRefused(f"the answer holds no {answer}: {fault or 'nothing else that says why'}")
    return found


def _pointed(text: str | None) -> str | None:
    """A number with a decimal comma, and with nothing else but digits, with a point; all else as it is."""
    before, comma, behind = (text or "").strip().partition(",")
    return f"{before}.{behind}" if comma and before.isdecimal() and behind.isdecimal() else text


def romania(payload: bytes) -> Iterator[Row]:
    """A cube a day, with rates whose multiplier is 1 where none is written (nbrfxrates.xsd)."""
    root = tree(payload, "DataSet")
    home = root.findtext("Body/OrigCurrency")
    if home != "RON":
        raise PayloadRefused(f"its rates are in {home!r}, expected RON")
    for cube in root.iterfind("Body/Cube"):
        for rate in cube.iterfind("Rate"):
            yield {
                "date": cube.get("date"),
                "currency": rate.get("currency"),
                "units": rate.get("multiplier", "1"),
                "rate": rate.text,
            }


def valutes(payload: bytes) -> Iterator[Row]:
    """The form of the Bank of Russia, which Moldova and Tajikistan write with a point: ``ValCurs`` of one day."""
    root = tree(payload, "ValCurs")
    for valute in root.iterfind("Valute"):
        yield {
            "date": root.get("Date"),
            "code": valute.get("ID"),
            "currency": valute.findtext("CharCode"),
            "units": valute.findtext("Nominal"),
            "name": valute.findtext("Name"),
            "rate": _pointed(valute.findtext("Value")),
            "quoted": valute.findtext("Value"),
        }


def lithuania(payload: bytes) -> Iterator[Row]:
    """``FxRate`` elements: two amounts of two currencies that are worth the same."""
    for rate in tree(payload, "FxRates").iterfind("FxRate"):
        amounts = [(each.findtext("Ccy"), each.findtext("Amt")) for each in rate.iterfind("CcyAmt")]
        if len(amounts) != 2:
            raise PayloadRefused(f"a rate has {len(amounts)} amounts, expected two")
        (first, first_amount), (second, second_amount) = amounts
        yield {
            "kind": rate.findtext("Tp"),
            "date": rate.findtext("Dt"),
            "first_currency": first,
            "first_amount": first_amount,
            "second_currency": second,
            "second_amount": second_amount,
            "quoted": f"{first_amount} {first} = {second_amount} {second}",
        }


def hungary(payload: bytes) -> Iterator[Row]:
    """A document within a SOAP answer, as a text."""
    inner = _inside(payload, "GetExchangeRatesResult").text or ""
    for day in tree(inner.encode(), "MNBExchangeRates").iterfind("Day"):
        for rate in day.iterfind("Rate"):
            yield {
                "date": day.get("date"),
                "currency": rate.get("curr"),
                "units": rate.get("unit"),
                "rate": _pointed(rate.text),
                "quoted": rate.text,
            }


def armenia(payload: bytes) -> Iterator[Row]:
    """A diffgram within a SOAP answer; days are midnights of Yerevan."""
    for rate in _inside(payload, "ExchangeRatesByDateRangeByISOResult").iter("ExchangeRatesByRange"):
        yield {
            "date": (rate.findtext("RateDate") or "").partition("T")[0],
            "currency": rate.findtext("ISO"),
            "units": rate.findtext("Amount"),
            "rate": rate.findtext("Rate"),
            "change": rate.findtext("Diff"),
        }


def guatemala(payload: bytes) -> Iterator[Row]:
    """Days of the dollar, which the bank calls currency 2."""
    for day in _inside(payload, "TipoCambioRangoResult").iterfind("Vars/Var"):
        if day.findtext("moneda") != "2":
            raise PayloadRefused(f"a rate is of currency {day.findtext('moneda')!r}, expected 2, the US dollar")
        yield {"fecha": day.findtext("fecha"), "venta": day.findtext("venta"), "compra": day.findtext("compra")}


def kazakhstan(payload: bytes) -> Iterator[Row]:
    """Items of one day; the rate is called ``description``."""
    root = tree(payload, "rates")
    for item in root.iterfind("item"):
        yield {
            "date": root.findtext("date"),
            "currency": item.findtext("title"),
            "units": item.findtext("quant"),
            "name": item.findtext("fullname"),
            "rate": item.findtext("description"),
        }


def kyrgyzstan(payload: bytes) -> Iterator[Row]:
    """Currencies of one day, or of one week."""
    root = tree(payload, "CurrencyRates")
    for currency in root.iterfind("Currency"):
        yield {
            "kind": root.get("Name"),
            "date": root.get("Date"),
            "currency": currency.get("ISOCode"),
            "units": currency.findtext("Nominal"),
            "rate": _pointed(currency.findtext("Value")),
            "quoted": currency.findtext("Value"),
        }


#: By the word of the bank.
PARSERS: dict[str, Callable[[bytes], Iterator[Row]]] = {
    "banguat": guatemala,
    "bnr": romania,
    "cba": armenia,
    "cbr": valutes,
    "lb": lithuania,
    "mnb": hungary,
    "nbk": kazakhstan,
    "nbkr": kyrgyzstan,
    "nbm": valutes,
    "nbt": valutes,
}
