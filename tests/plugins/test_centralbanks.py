"""Rates of central banks: the shape of each, what they say, and what becomes of it in gold.

centralbanks/*: the shapes in which the banks were seen to write, cut to some rows, with values that are made up, as
the banks keep their own terms; dnb.csv and banrep.json are as they came (CC BY 4.0, CC BY-SA 4.0).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import Recording

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.centralbanks import plugin

pytestmark = pytest.mark.xdist_group("centralbanks")

SHAPES = Path(__file__).with_name("centralbanks")
#: Early enough for all that the shapes hold.
SINCE = dt.date(2005, 1, 3)
OPTIONS = f"[options.centralbanks]\nsince = {SINCE}\n"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def words() -> list[str]:
    return [bank.word for bank in plugin._chosen({})[0]]


def add(recording: Recording, word: str, content: bytes, **more: object) -> None:
    entry = next(bank.entry(SINCE) for bank in plugin._chosen({})[0] if bank.word == word)
    extension = {"xml": "xml", "csv": "csv"}.get(entry.recipe.extension, "json")
    facts = {"first": SINCE, "moment": NOW, "extension": extension}
    if entry.members:
        facts["ticker"] = entry.members[0]
    recording.add(entry.id, content, **{**facts, **more})


def filled(folder: Path, chosen: Sequence[str] = ()) -> Recording:
    """A recording of the shapes of some banks, or of all."""
    recording = Recording(folder, options=OPTIONS)
    for word in chosen or words():
        for place in sorted(SHAPES.glob(f"{word}.*")):
            add(recording, word, place.read_bytes())
        for place in sorted(SHAPES.glob("nbkr_*")) if word == "nbkr" else ():
            add(recording, word, place.read_bytes(), period=place.stem.removeprefix("nbkr_"))
    return recording


def _recording(folder: Path) -> Path:
    return filled(folder, KINDS).folder


#: One bank for each way of reading and asking; all of them behind ``slow``.
KINDS = ("banxico", "bdp", "bob", "bom", "cbr", "nbkr")

test_kinds_conform = conformance("centralbanks", recording=_recording, options={"since": SINCE, "banks": list(KINDS)})
test_all_conform = pytest.mark.slow(
    conformance("centralbanks", recording=lambda folder: filled(folder).folder, options={"since": SINCE})
)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """All banks from their shapes."""
    recording = filled(tmp_path_factory.mktemp("shapes"))
    context = recording.run(plugins=("centralbanks",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def rates(recording: Recording, bank: str) -> dict[tuple[str, ...], Decimal]:
    """Of one bank, by fixing, day and currencies."""
    query = "SELECT fixing, CAST(date AS VARCHAR), currency || base, rate FROM gold.fx_reference_rate WHERE bank = "
    return {row[:3]: row[3] for row in recording.ask(f"{query}'{bank}'")}


def test_every_bank_is_in_gold_for_one_unit(shapes: Recording) -> None:
    """A price of so many units is divided exactly: no rate is NULL, and rate * units is the price again."""
    wrong = "rate IS NULL OR rate * units <> price"
    query = f"SELECT count(DISTINCT bank), count(*) FILTER ({wrong}) FROM gold.fx_reference_rate"
    assert shapes.ask(query) == [(len({word.partition("_")[0] for word in words()}), 0)]


@pytest.mark.parametrize(
    ("bank", "key", "rate"),
    [
        ("cnb", ("", "2026-01-02", "IDRCZK"), "0.007033"),  # 7.033 for 1000
        ("nbrb", ("", "2026-03-17", "IRRBYN"), "0.000007001"),  # 0.7001 for 100,000
        ("cbr", ("", "2026-04-25", "IDRRUB"), "0.0063235"),  # 63,2350 for 10,000: a decimal comma, in windows-1251
        ("mnb", ("", "2025-03-28", "JPYHUF"), "7.6875"),  # 768,75 for 100, in a document within a SOAP answer
        ("bam", ("", "2026-03-25", "DZDMAD"), "0.0543"),  # 0.5430 for 10
        ("dnb", ("", "2025-07-08", "CZKDKK"), "0.3027"),  # 30.2700 for 100, which no field says
        ("nb", ("", "2026-03-16", "JPYNOK"), "0.027435"),  # 2.7435 times ten to the second units
        ("nbu", ("", "2026-03-01", "VNDUAH"), "0.0072929"),
        ("fbil", ("", "2026-03-20", "IDRINR"), "0.0099745144"),  # "INR / 10000 IDR"
        ("bcra", ("", "2026-03-19", "VNDARS"), "0.09346412944"),  # "(C/1.000 UNIDADES)", in the description alone
        ("lb", ("", "2014-12-29", "AEDLTL"), "0.52887"),  # 5.2887 LTL = 10 AED
        ("lb", ("", "2026-02-03", "EURJPY"), "744.44"),  # 1 EUR = 744.44 JPY: the other way round
        ("bob", ("", "2026-03-19", "BWPCNY"), "0.9729"),  # for one pula, and called CHN
        ("hnb", ("", "2023-01-02", "EURUSD"), "7.422244"),  # for one euro since 2023
        ("hnb", ("", "2022-12-31", "JPYHRK"), "0.09392933"),  # and kunas for units before
        ("bom", ("", "2026-05-22", "USDMNT"), "3952.60"),  # 3,952.60
        ("bom", ("", "2026-05-22", "XDRMNT"), "6885.13"),  # which the bank calls SDR
        ("bnm", ("0900", "2026-03-19", "USDMYR"), "3.13"),  # 3.1299999999999999 is the double 3.13
        ("sarb", ("", "2026-03-27", "USDZAR"), "75.7340"),
        ("nbkr", ("Weekly Exchange Rates", "2026-05-23", "JPYKGS"), "0.96121"),
    ],
)
def test_a_price_becomes_one_of_a_unit(shapes: Recording, bank: str, key: tuple[str, ...], rate: str) -> None:
    assert rates(shapes, bank)[key] == Decimal(rate)


def test_what_is_no_money_of_a_country_is_not_in_gold(shapes: Recording) -> None:
    """Indices, metals (by the ounce here, by the gram there), codes that ended, and what has no price."""
    assert shapes.ask("SELECT DISTINCT currency FROM silver.nb_fx_rates WHERE currency = 'TWI'")
    assert {key[2][:3] for key in rates(shapes, "nb")} == {"JPY", "USD"}
    assert {key[2][:3] for key in rates(shapes, "rb")} == {"JPY", "USD"}  # SEKETT is the krona itself
    assert {key[2][:3] for key in rates(shapes, "bcra")} == {"AUD", "USD", "VND"}  # neither REF nor MXP
    assert shapes.ask("SELECT DISTINCT currency FROM gold.fx_reference_rate WHERE currency LIKE 'X_U'") == []
    assert {key[2] for key in rates(shapes, "amcm")} == {"USDMOP", "JPYMOP"}  # LIQ has 0 units


def test_the_text_of_the_bank_is_kept(shapes: Recording) -> None:
    kept = dict(shapes.ask("SELECT bank || currency, any_value(quoted) FROM gold.fx_reference_rate GROUP BY 1"))
    assert (kept["cbrUSD"], kept["bomUSD"][:2], kept["dnbCZK"]) == ("59,9053", "3,", "30.2700")
    assert kept["bnmUSD"] == "3.1299999999999999"


def test_days_are_those_of_the_rate_and_not_those_of_the_request(shapes: Recording) -> None:
    """A Monday has the rate of Saturday in Georgia; Botswana writes no zero for what it did not quote."""
    assert shapes.ask(
        "SELECT DISTINCT CAST(date AS VARCHAR), CAST(set_at AS VARCHAR)[:16] FROM silver.nbg_fx_rates"
    ) == [("2026-02-28", "2026-02-27 17:01")]
    gone = "SELECT rate, quoted FROM silver.bob_fx_rates WHERE currency = 'CHN' AND date = '2009-04-23'"
    assert shapes.ask(gone) == [(None, None)]
    assert shapes.ask("SELECT rate, status FROM silver.bcch_fx_rates ORDER BY date DESC LIMIT 1") == [(None, "ND")]


def test_a_corrected_rate_is_a_revision(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    content = (SHAPES / "cnb.json").read_bytes()
    for hours, sent in enumerate((content, content.replace(b"73.767", b"73.768"))):
        add(recording, "cnb", sent, moment=NOW + dt.timedelta(hours=hours))
    assert recording.run(plugins=("centralbanks",)).errors == []
    assert recording.ask("SELECT rate FROM silver.cnb_fx_rates_history") == [(Decimal("73.767"),)]
    assert rates(recording, "cnb")["", "2026-01-02", "JPYCZK"] == Decimal("0.73768")


def test_units_that_are_no_power_of_ten_have_no_rate(tmp_path: Path) -> None:
    """A seventh of a price would be rounded."""
    recording = Recording(tmp_path, options=OPTIONS)
    content = (SHAPES / "cnb.json").read_bytes().replace(b'"amount":1000', b'"amount":7')
    add(recording, "cnb", content)
    assert recording.run(plugins=("centralbanks",)).errors == []
    found = recording.ask("SELECT DISTINCT units, rate FROM gold.fx_reference_rate WHERE currency = 'IDR'")
    assert found == [(7, None)]


@pytest.mark.parametrize(
    ("word", "content", "reason"),
    [
        ("cbr", b"<!DOCTYPE x [<!ENTITY a 'b'>]><ValCurs/>", "document type"),
        ("cbr", b"<html/>", "root is 'html'"),
        ("bnr", b"<DataSet><Body><OrigCurrency>EUR</OrigCurrency></Body></DataSet>", "'EUR', expected RON"),
        ("lb", b"<FxRates><FxRate><CcyAmt/></FxRate></FxRates>", "1 amounts, expected two"),
        ("mnb", b"<Envelope><Body><Fault><faultstring>no day</faultstring></Fault></Body></Envelope>", "no day"),
        (
            "banguat",
            b"<E><TipoCambioRangoResult><Vars><Var><moneda>3</moneda></Var></Vars></TipoCambioRangoResult></E>".replace(
                b"E>", b"Envelope>"
            ),
            "currency '3'",
        ),
    ],
)
def test_what_is_no_list_of_rates_is_refused(tmp_path: Path, word: str, content: bytes, reason: str) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    add(recording, word, content)
    assert reason in " ".join(recording.run(plugins=("centralbanks",)).errors)


def test_the_settings_choose() -> None:
    chosen = plugin.datasets({"banks": ["cnb", "hnb_kuna", "cnb"]})
    assert [entry.id for entry in chosen] == ["fx/centralbanks/cnb", "fx/centralbanks/hnb_kuna"]
    all_entries = plugin.datasets({})
    assert len(all_entries) == 40
    assert {(entry.source, entry.opt_in) for entry in all_entries} == {("centralbanks", True)}
    with pytest.raises(UsageError, match="there is no bank 'cnd'"):
        plugin.datasets({"banks": ["cnd"]})
