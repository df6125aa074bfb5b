"""Rates of central banks on what the banks really sent: each price of each payload, read a second time by other means,
against gold.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from recorded import Recording, entries, payload, second_entries
from test_centralbanks import OPTIONS, SHAPES, add, rates

pytestmark = pytest.mark.xdist_group("centralbanks")

#: A day, a currency, another one, and how much of the second one unit of the first is worth.
Rates = Iterator[tuple[str, str, str, Decimal]]


def loaded(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)


def day(text: str) -> str:
    return f"{text[6:10]}-{text[3:5]}-{text[:2]}"


def shortest(number: Decimal) -> Decimal:
    return Decimal(repr(float(number)))


def bam(content: bytes) -> Rates:
    for row in loaded(content):
        yield row["date"][:10], row["libDevise"], "MAD", Decimal(row["moyen"]) / row["uniteDevise"]


def banxico(content: bytes) -> Rates:
    codes = {"SF43718": "USD", "SF46410": "EUR", "SF46407": "GBP", "SF46406": "JPY", "SF60632": "CAD"}
    for series in loaded(content)["bmx"]["series"]:
        for row in series["datos"]:
            yield day(row["fecha"]), codes[series["idSerie"]], "MXN", Decimal(row["dato"])


def bcra(content: bytes) -> Rates:
    results = loaded(content)["results"]
    for row in results["detalle"]:
        units = 1000 if "C/1.000" in row["descripcion"] else 1
        if row["tipoCotizacion"] and row["codigoMoneda"] not in ("REF", "MXP", "VEB"):
            yield results["fecha"], row["codigoMoneda"], "ARS", row["tipoCotizacion"] / units


def bdp(content: bytes) -> Rates:
    pairs = """846:BRL 710:AUD 714:BEF 711:ATS 826:USD 824:GBP 815:CHF 788:NOK 814:SEK 2777:XEU 783:NLG 754:IEP 756:ITL
        809:ESP 807:ZAR 758:JPY 731:DKK 719:CAD 741:GRD 720:CVE 738:FRF 739:DEM 737:FIM 771:MOP"""
    codes = dict(pair.split(":") for pair in pairs.split())
    document = loaded(content)
    days = document["dimension"]["reference_date"]["category"]["index"]
    for place, number in enumerate(document["dimension"]["12"]["category"]["index"]):
        for index, when in enumerate(days):
            yield when, codes[number], "PTE", Decimal(document["value"][place * len(days) + index])


def bnm(content: bytes) -> Rates:
    for row in loaded(content)["data"]:
        code = {"SDR": "XDR"}.get(row["currency_code"], row["currency_code"])
        yield row["rate"]["date"], code, "MYR", shortest(row["rate"]["middle_rate"]) / row["unit"]


def bnr(content: bytes) -> Rates:
    for when, cube in re.findall(r'<Cube date="(.*?)">(.*?)</Cube>', content.decode(), re.DOTALL):
        for code, units, rate in re.findall(r'currency="(\w+)"(?: multiplier="(\d+)")?>([\d.]+)', cube):
            if code != "XAU":
                yield when, code, "RON", Decimal(rate) / int(units or 1)


def boi(content: bytes) -> Rates:
    for when, rate in re.findall(r'ObsDimension value="(.*?)".*?ObsValue value="(.*?)"', content.decode()):
        yield when, "GBP", "ILS", Decimal(rate)


def cbr(content: bytes) -> Rates:
    text = content.decode("cp1251")
    when = day(re.findall(r'ValCurs Date="(.*?)"', text)[0])
    for code, units, rate in re.findall(r"<CharCode>(.*?)<.*?<Nominal>(.*?)<.*?<Value>(.*?)<", text):
        yield when, code, "RUB", Decimal(rate.replace(",", ".")) / int(units)


def cbu(content: bytes) -> Rates:
    for row in loaded(content):
        yield day(row["Date"]), row["Ccy"].replace("SDR", "XDR"), "UZS", Decimal(row["Rate"]) / int(row["Nominal"])


def cnb(content: bytes) -> Rates:
    for row in loaded(content)["rates"]:
        yield row["validFor"], row["currencyCode"], "CZK", Decimal(row["rate"]) / row["amount"]


def fbil(content: bytes) -> Rates:
    for row in loaded(content):
        _, _, units, code = row["subProdName"].split()
        yield row["processRunDate"][:10], code, "INR", row["rate"] / int(units)


def hkma(content: bytes) -> Rates:
    for row in loaded(content)["result"]["records"]:
        for name, rate in row.items():
            code = "XDR" if name == "special_drawing_rights" else name.upper()
            if len(code) == 3 and rate is not None:
                yield row["end_of_day"], code, "HKD", shortest(rate)


def lb(content: bytes) -> Rates:
    text = re.sub(r"\s+", "", content.decode())
    pattern = r"<Dt>(.*?)</Dt><CcyAmt><Ccy>LTL</Ccy><Amt>(.*?)</Amt></CcyAmt><CcyAmt><Ccy>(.*?)</Ccy><Amt>(.*?)</Amt>"
    for when, amount, code, units in re.findall(pattern, text):
        if code not in ("XAG", "XAU", "XPD", "XPT"):
            yield when, code, "LTL", Decimal(amount) / int(units)


def mma(content: bytes) -> Rates:
    for row in loaded(content):
        when = dt.datetime.strptime(row["Date"], "%d %B %Y")
        yield when.date().isoformat(), "USD", "MVR", Decimal(row["Rate"])


def nb(content: bytes) -> Rates:
    for row in csv.DictReader(io.StringIO(content.decode())):
        if row["BASE_CUR"] not in ("I44", "TWI"):
            rate = Decimal(row["OBS_VALUE"]).scaleb(-int(row["UNIT_MULT"]))
            yield row["TIME_PERIOD"], row["BASE_CUR"], "NOK", rate


def nbg(content: bytes) -> Rates:
    for row in loaded(content)[0]["currencies"]:
        yield row["validFromDate"][:10], row["code"], "GEL", Decimal(row["rateFormated"]) / row["quantity"]


def nbu(content: bytes) -> Rates:
    for row in loaded(content):
        if row["group"] == "1":
            yield day(row["exchangedate"]), row["cc"], "UAH", Decimal(row["rate_per_unit"])


def rb(content: bytes) -> Rates:
    for row in loaded(content):
        if row["seriesId"] != "SEKETT":
            yield row["date"], row["seriesId"][3:6], "SEK", Decimal(row["value"])


READERS: dict[str, Callable[[bytes], Rates]] = {
    one.__name__: one
    for one in (bam, banxico, bcra, bdp, bnm, bnr, boi, cbr, cbu, cnb, fbil, hkma, lb, mma, nb, nbg, nbu, rb)
}
#: Of some vendors the store holds answers to other questions, too.
ASKED = {"bnm": "exchange-rate__", "cbr": "XML_daily"}


def sent(bank: str) -> list[bytes]:
    rows = second_entries(vendor="cb-boi") if bank == "boi" else entries(vendor=f"cb-{bank}")
    return [payload(row) for row in rows if ASKED.get(bank, "") in row["file"]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = Recording(tmp_path_factory.mktemp("recorded"), options=OPTIONS)
    for bank in READERS:
        for number, content in enumerate(sent(bank)):
            moment = dt.datetime(2026, 10, 1 + number, 12, tzinfo=dt.UTC)
            add(recording, bank, content, first=dt.date(2026, 9, 1 + number), moment=moment)
    context = recording.run(plugins=("centralbanks",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


@pytest.mark.parametrize("bank", READERS)
def test_every_price_that_a_bank_sent(recording: Recording, bank: str) -> None:
    told = {(when, one + other): rate for content in sent(bank) for when, one, other, rate in READERS[bank](content)}
    assert {key[1:]: rate for key, rate in rates(recording, bank).items()} == told
    assert len(told) > 2


def test_the_shapes_are_those_of_what_was_sent(recording: Recording) -> None:
    """The made-up payloads have the fields of the real ones, and no other."""
    for bank in READERS:
        place = next(SHAPES.glob(f"{bank}.*"))
        if place.suffix == ".json":
            assert fields(loaded(place.read_bytes())) <= set().union(
                *(fields(loaded(content)) for content in sent(bank))
            )
        else:
            names = [set(re.findall(rb"<[\w:]+|\w+(?==)", content)) for content in (place.read_bytes(), sent(bank)[0])]
            assert names[0] <= names[1]


def fields(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(fields, document.values()))
    return set().union(*map(fields, document)) if isinstance(document, list) else set()
