"""Dataflows of statistics offices by a text in ``sbf.toml``, on what the offices really sent."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording
from table_payloads import recorded_body
from warehouse import Warehouse

from sbf_core.api import DatasetKeymapEntry, UsageError, hookimpl
from sbf_plugins.sdmx import plugin as sdmx
from sbf_plugins.sdmx.flows import OPTIONS, flow_of
from sbf_plugins.sdmx.offices import OFFICES

README = Path(sdmx.__file__).with_name("README.md").read_text(encoding="utf-8")


def recording_of(folder: Path, flow: str, payload_id: str, ending: str = "") -> Recording:
    """What an office sent, as the answer to a flow."""
    recording = Recording(folder, options=f"[options.sdmx]\nflows = {json.dumps([flow])}\n")
    (entry,) = sdmx.datasets({"flows": [flow]})
    ticker = entry.members[0] if entry.members else None
    recording.add(entry.id, recorded_body(payload_id, ending), extension=entry.recipe.extension, ticker=ticker)
    return recording


#: By vendor: the flow that a user would write, the recorded answer, how many observations, and a row of it.
RECORDED: dict[str, tuple[str, str, str, int, str, dict[str, Any]]] = {
    "ECB": (
        "ECB/EXR/FREQ=M.CURRENCY=USD.EUR.SP00.A?format=xml&attributes=TITLE+COLLECTION",
        "ecb-sdmx-r2-001", "ecb_exr", 252, "period = '1999-03'",
        {"freq": "M", "currency": "USD", "value": Decimal("1.088295652173913000"), "status": "A", "unit": "USD",
         "unit_mult": "0", "title": "US dollar/Euro", "collection": "A", "deleted": None},
    ),
    "ECB, JSON by series": (
        "ECB/EXR/FREQ=D.CURRENCY=NZD+RUB.EUR.SP00.A?format=json&labels=yes&periods=days",
        "ecb-sdmx-r2-004", "ecb_exr", 4, "currency = 'NZD' AND period = DATE '2013-01-18'",
        {"freq": "D", "freq_name": "Daily", "currency_name": "New Zealand dollar", "value": Decimal("1.5931")},
    ),
    "ECB, JSON flat": (
        "ECB/EXR/FREQ=D.CURRENCY=NZD+RUB.EUR.SP00.A?format=json&labels=yes",
        "ecb-sdmx-r2-003", "ecb_exr", 4, "currency = 'RUB' AND period = '2013-01-21'",
        {"currency_name": "Russian rouble"},
    ),
    "EUROSTAT": (
        "EUROSTAT/cdh_e_fos/UNIT=.Y_GRAD=.FOS07=.GEO=BE?format=xml",
        "eurostat-sdmx-r2-004", "eurostat_cdh_e_fos", 672,
        "geo = 'AT' AND fos07 = 'FOS1' AND y_grad = 'TOTAL' AND period = '2009'",
        {"unit": "PC", "value": None, "status": "na"},
    ),
    "OECD, series": (
        "OECD/TOURISM/COUNTRY=.VARIABLE=?format=json&labels=yes&attributes=POWERCODE&as=tourism",
        "oecd-sdmx-r2-003", "oecd_tourism", 0, "true", {},
    ),
    "OECD, flat, with a time of its own": (
        "OECD/PART2/LOCATION=.IND=.PER=.GRD=.FLD=.MSR=?format=json&time=PER",
        "oecd-sdmx-r2-001", "oecd_part2", 0, "true", {},
    ),
    "ISTAT": (
        "ISTAT/47_850/A.REF_AREA=001001+001002.AUTP.ALL.ALL.1?periods=years",
        "istat-r2-002", "istat_flow_47_850", 0, "ref_area = '001001' AND period = DATE '2014-01-01'",
        {"value": Decimal(20)},
    ),
    "ISTAT, structure-specific": (
        "ISTAT/22_289/A.IT.JAN.SEX=.TOTAL.99", "istat-r2-003", "istat_flow_22_289", 8,
        "sex = '2' AND period = '2022'",
        {"value": Decimal(30235705), "status": "e", "deleted": None},
    ),
    "INSEE": (
        "INSEE/CNA-2010-CONSO-SI-A17/SECT-INST=.OPERATION=.PRODUIT=.PRIX=?as=conso&attributes=TITLE",
        "insee-sdmx-r2-002", "insee_conso", 2, "period = '2013'",
        {"sect_inst": "S13", "produit": "A10-BE", "value": Decimal("92.7"), "status": "SD", "unit": "SO"},
    ),
    "INSEE, by idbank": (
        "INSEE/SERIES_BDM/IDBANK=001572432+001572433?periods=months", "insee-sdmx-r2-001", "insee_series_bdm", 756,
        "idbank = '001572432' AND period = DATE '2016-11-01'", {"value": Decimal("3548.5"), "unit_mult": "3"},
    ),
    "IMF": (
        "IMF/IMF.RES,WEO/COUNTRY=SVK.INDICATOR=.FREQUENCY=A?attributes=SCALE+PUBLICATION_DATE", "imf-sdmx-r2-002",
        "imf_weo", 1,
        "true", {"country": "SVK", "indicator": "NGDP_R", "period": "2018", "value": Decimal(94669000000),
        "scale": "9",
                 "publication_date": "2025-10-14T13:00:00Z", "deleted": None},
    ),
    "WITS": (
        "WITS/TARIFF_TRAINS/A.REPORTER=840.PARTNER=000.PRODUCTCODE=020110.reported?key=TARIFFTYPE+OBS_VALUE_MEASURE",
        "worldbank-sdmx-r2-001", "wits_tariff_trains", 1, "true",
        {"productcode": "020110", "partner": "000", "tarifftype": "MFN", "obs_value_measure": "SimpleAverage",
        "value": Decimal(0)},
    ),
    "BIS": (
        "BIS/WS_CBPOL/M.REF_AREA=?format=xml&ask=whole&periods=months", "bis-r2-001", "bis_ws_cbpol", 3,
        "period = DATE '2026-01-01'", {"ref_area": "CH", "unit": "368", "unit_mult": "0", "decimals": "4"},
    ),
    "BUNDESBANK": (
        "BUNDESBANK/BBSIS/D.I.ZAR.ZI.EUR.S1311.B.A604.R10XX.R.A.A._Z._Z.A?periods=days", "cb-bbk-r2-001",
        "bundesbank_bbsis", 214,
        "period = DATE '2020-01-01'", {"value": None, "status": "K"},
    ),
    "NORGESBANK": (
        "NORGESBANK/EXR/FREQ=B.BASE_CUR=.QUOTE_CUR=NOK.SP?format=xml&periods=days", "cb-nb-r2-001", "norgesbank_exr",
        4,
        "base_cur = 'EUR' AND period = DATE '2026-08-21'", {"value": Decimal("10.8675"), "decimals": "4",
        "freq": "B"},
    ),
    "NORGESBANK, CSV": (
        "NORGESBANK/EXR/B.BASE_CUR=.NOK.SP?periods=days&attributes=COLLECTION", "cb-nb-0339", "norgesbank_exr", 266,
        "base_cur = 'HUF' AND period = DATE '2026-03-17'", {"value": Decimal("2.8514"), "unit_mult": "2",
        "collection": "C"},
    ),
    "BOI": (
        "BOI/EXR/SERIES_CODE=RER_GBP_ILS.D.GBP.ILS.UNIT_MEASURE=ILS.OF00?attributes=RELEASE_STATUS", "cb-boi-r2-001",
        "boi_exr", 3,
        "period = '2024-01-03'", {"value": Decimal("4.6048"), "release_status": "YP", "unit_measure": "ILS"},
    ),
    "NBB, SDMX 2.0": (
        "NBB/TEST_DATASET/SUBJECT=.LOCATION=.FREQUENCY=?format=xml", "nbb-sdmx-r2-001", "nbb_test_dataset", 200,
        "period = '1966-02'", {"subject": "LOCSTL04", "location": "AUS", "value": Decimal("98.68823")},
    ),
}  # fmt: skip


def observations_in(body: bytes) -> int:
    """How many observations a message holds, by another way than the core's."""
    if body.lstrip()[:1] != b"{":
        return len(re.findall(rb"<(?:\w+:)?Obs[ >]", body)) or body.count(b"\n") - 1
    message = json.loads(body)
    sets = message.get("data", message)["dataSets"]
    return sum(
        len(one.get("observations", ())) + sum(len(each["observations"]) for each in one.get("series", {}).values())
        for one in sets
    )


@pytest.mark.parametrize("name", RECORDED)
def test_what_an_office_sent_becomes_rows(tmp_path: Path, name: str) -> None:
    flow, payload_id, table, count, where, wanted = RECORDED[name]
    recording = recording_of(tmp_path, flow, payload_id)
    context = recording.run()
    observations = observations_in(recorded_body(payload_id))
    assert count in (0, observations)
    assert context.errors == []
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (observations, observations, 0)
    names = [column for (column,) in recording.ask(f"SELECT column_name FROM (DESCRIBE silver.{table})")]
    found = [dict(zip(names, row, strict=True)) for row in recording.ask(f"SELECT * FROM silver.{table} WHERE {where}")]
    assert found
    assert {column: found[0][column] for column in wanted} == wanted
    assert len(found) == 1 or not wanted


def test_a_null_of_the_oecd_is_no_value_and_a_position_is_its_code(tmp_path: Path) -> None:
    """4,406 nulls; positions are resolved by the code lists of the same answer."""
    flow, payload_id, *_ = RECORDED["OECD, series"]
    recording = recording_of(tmp_path, flow, payload_id)
    recording.run()
    told = json.loads(recorded_body(payload_id))
    nulls = sum(
        each[0] is None for one in told["dataSets"][0]["series"].values() for each in one["observations"].values()
    )
    assert recording.ask("SELECT count(*) FILTER (value IS NULL) FROM silver.oecd_tourism") == [(nulls,)]
    places = {each["id"]: each["values"] for each in told["structure"]["dimensions"]["series"]}
    first = next(iter(told["dataSets"][0]["series"]))
    country, variable = (
        places[name][int(at)] for name, at in zip(("COUNTRY", "VARIABLE"), first.split(":"), strict=True)
    )
    query = "SELECT country_name, variable_name FROM silver.oecd_tourism WHERE country = ? AND variable = ? LIMIT 1"
    filled = query.replace("?", f"'{country['id']}'", 1).replace("?", f"'{variable['id']}'", 1)
    assert recording.ask(filled) == [(country["name"], variable["name"])]


def test_the_whole_of_a_csv_by_the_days_of_the_ecb(tmp_path: Path) -> None:
    flow = "ECB/EXR/D.CURRENCY=.EUR.SP00.A?periods=days&lookback=30"
    recording = recording_of(tmp_path, flow, "ecb-0320")
    assert recording.run().errors == []
    lines = recorded_body("ecb-0320").decode().split()[1:]
    found = recording.ask("SELECT currency, CAST(period AS VARCHAR), value FROM silver.ecb_exr")
    wanted = [line.split(",")[1:] for line in lines]
    assert sorted(found) == sorted((currency, day, Decimal(value)) for currency, day, value in wanted)


def test_a_promise_of_data_is_no_data(tmp_path: Path) -> None:
    """Status 200, no observation, and in the footer an address to look at later: refused, and no row is touched."""
    flow = "EUROSTAT/apro_mk_pobta/A.GEO=?format=xml"
    recording = recording_of(tmp_path, flow, "eurostat-sdmx-r2-001")
    context = recording.run()
    assert "tells an error in its footer: 413 Due to the large query" in context.errors[0]
    assert context.rows_seen == 0


def test_the_file_behind_that_promise(tmp_path: Path) -> None:
    flow = "EUROSTAT/nama_10_gdp/UNIT=.NA_ITEM=.GEO=?format=xml&periods=years"
    recording = recording_of(tmp_path, flow, "eurostat-sdmx-r2-003", ".xml")
    assert recording.run().errors == []
    found = recording.ask("SELECT value, status FROM silver.eurostat_nama_10_gdp WHERE period = DATE '2017-01-01'")
    assert found == [(Decimal("9820.6"), "e")]


def test_the_command_tells_of_the_rows_and_explains_one(tmp_path: Path) -> None:
    """From ``sbf.toml`` to the text in the payload, by what a user types."""
    flow, payload_id, *_ = RECORDED["ISTAT, structure-specific"]
    recording = recording_of(tmp_path, flow, payload_id)
    sbf = [sys.executable, "-m", "sbf_core"]
    home = ["--home", str(recording.home)]
    run = [*sbf, "run", *home, "--replay", str(recording.folder), "--plugins", "sdmx"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^statistics/istat/flow_22_289 +1 +8 +0 +0 +0$", done.stdout, re.M), done.stdout
    done = subprocess.run(
        [*sbf, "explain", "istat_flow_22_289", "2,2022", "value", *home], capture_output=True, text=True
    )
    assert "30235705" in done.stdout, done.stderr
    assert "series 2 observation 4" in done.stdout
    (recording.home / "sbf.toml").write_text('[options.sdmx]\nflows = ["ECB/EXR/D.USD+GBP.EUR.SP00.A"]\n')
    done = subprocess.run([*sbf, "run", *home, "--plugins", "sdmx"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "part 2 of the key lets 'USD+GBP' through" in done.stderr
    assert 'name it, as "DIMENSION=USD+GBP"' in done.stderr


def test_two_vintages_of_a_flow(tmp_path: Path) -> None:
    """A value that the office changed is a revision, one that it withdrew is closed, and an equal answer with other
    ids and times of preparation in its header is none.
    """
    flow, payload_id, *_ = RECORDED["ECB"]
    recording = recording_of(tmp_path, flow, payload_id)
    body = recorded_body(payload_id)
    again = body.replace(b"3a2ac479-1998", b"00000000-0000").replace(b"2020-01-16T08:16:20", b"2020-02-16T08:16:20")
    assert again != body
    later = again.replace(b'value="1.088295652173913"', b'value="1.0883"')
    first = re.search(rb"<generic:Obs>\s*<generic:ObsDimension value=\"1999-01\"/>.*?</generic:Obs>", later, re.S)
    assert first is not None
    for hours, content in ((24, again), (48, later.replace(first[0], b""))):
        recording.add("statistics/ecb/exr", content, extension="xml", moment=NOW + dt.timedelta(hours=hours))
    context = recording.run()
    assert context.errors == []
    assert context.rows_rejected == 0
    assert recording.ask("SELECT count(*) FROM silver.ecb_exr") == [(251,)]
    assert recording.ask("SELECT period, value, _deleted FROM silver.ecb_exr_history ORDER BY period, _deleted") == [
        ("1999-01", Decimal("1.160780000000000000"), False),
        ("1999-01", None, True),
        ("1999-03", Decimal("1.088295652173913000"), False),
    ]
    asked = NOW + dt.timedelta(hours=12)
    assert recording.ask(
        f"SELECT count(*), sum(value) FILTER (period = '1999-03') FROM silver.ecb_exr_as_of(TIMESTAMP '{asked:%F %T}')"
    ) == [(252, Decimal("1.088295652173913000"))]


def test_codes_that_an_engine_would_take_for_numbers_stay_texts(tmp_path: Path) -> None:
    flow = "EUROSTAT/x/freq=.product=.geo=?value=text"
    recording = Recording(tmp_path, options=f"[options.sdmx]\nflows = {json.dumps([flow])}\n")
    rows = ("A,007,NA,2024,1.10,", "A,1E5,TRUE,2024,:,", "A,T,F,2024,NaN,p")
    content = "DATAFLOW,LAST UPDATE,freq,product,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\r\n" + "".join(
        f"ESTAT:X(1.0),30/11/26 11:00:00,{row}\r\n" for row in rows
    )
    recording.add("statistics/eurostat/x", content.encode(), extension="csv")
    later = content.replace("30/11/26", "01/12/26")
    recording.add("statistics/eurostat/x", later.encode(), extension="csv", moment=NOW + dt.timedelta(hours=24))
    context = recording.run()
    assert context.errors == []
    assert context.rows_unchanged == 3, "the moment of an update is no change of every row"
    assert recording.ask("SELECT product, geo, period, value, status FROM silver.eurostat_x ORDER BY 1") == [
        ("007", "NA", "2024", "1.10", None),
        ("1E5", "TRUE", "2024", ":", None),
        ("T", "F", "2024", "NaN", "p"),
    ]


def test_marks_for_no_value_and_values_that_do_not_fit(tmp_path: Path) -> None:
    """A mark is no value, and the status says why; what has more decimals than the column is a reject, not rounded."""
    long = "0.1234567890123456789"
    for options, found in (
        ("", [("A", None), ("B", None), ("C", None), ("D", Decimal("1E-9"))]),
        ("?value=double", [("A", None), ("B", None), ("C", None), ("D", 1e-9), ("E", float(long))]),
    ):
        flow = f"EUROSTAT/x/geo={options}"
        recording = Recording(tmp_path / f"r{options[1:6]}", options=f"[options.sdmx]\nflows = {json.dumps([flow])}\n")
        rows = [*zip("ABCD", (":", "NaN", "#N/A", "1E-9"), strict=True), ("E", long)]
        rows += [(f"F{number}", "1") for number in range(20)]
        content = "DATAFLOW,LAST UPDATE,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n" + "".join(
            f"ESTAT:X(1.0),30/11/26 11:00:00,{geo},2024,{value},n\n" for geo, value in rows
        )
        recording.add("statistics/eurostat/x", content.encode(), extension="csv")
        context = recording.run()
        assert context.errors == []
        assert context.rows_rejected == (0 if options else 1)
        assert recording.ask("SELECT geo, value FROM silver.eurostat_x WHERE geo < 'F' ORDER BY 1") == found
        reasons = recording.ask("SELECT reason FROM ops.rejects")
        assert reasons == ([] if options else [("too_precise",)])


def test_rejects_of_what_the_engine_reads_tell_their_line(tmp_path: Path) -> None:
    """An action that is none of the standard's, and a value that is no number."""
    flow = "OECD/X/geo=?periods=years&lookback=400"
    lines = [f"DATAFLOW,O:X(1.0),I,G{number:02d},2024,{number}.5" for number in range(60)]
    content = "\n".join(["STRUCTURE,STRUCTURE_ID,ACTION,geo,TIME_PERIOD,OBS_VALUE", *lines])
    for good, bad, reason, shown in (
        ("I,G07,2024,7.5", "Z,G07,2024,7.5", "action", "line 9"),
        ("I,G30,2024,30.5", "I,G30,2024,3o.5", "unparsable", "G30"),
    ):
        recording = Recording(tmp_path / reason, options=f"[options.sdmx]\nflows = {json.dumps([flow])}\n")
        assert good in content
        body = content.replace(good, bad).encode()
        recording.add("statistics/oecd/x", body, extension="csv", ticker="all", first=dt.date(1800, 1, 1))
        context = recording.run()
        assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 59, 1)
        ((told, row),) = recording.ask("SELECT reason, row_json FROM ops.rejects")
        assert told == reason
        assert shown in row, row


def test_rows_that_only_an_attribute_tells_apart_are_rejected_until_it_is_in_the_key(tmp_path: Path) -> None:
    body = recorded_body("worldbank-sdmx-r2-001").decode()
    start, end = body.index("<generic:Obs>"), body.index("</generic:Obs>") + len("</generic:Obs>")
    other = body[start:end].replace('value="MFN"', 'value="AHS"').replace('ObsValue value="0"', 'ObsValue value="1.5"')
    body = body[:end] + other + body[end:]
    flow = "WITS/TARIFF_TRAINS/A.REPORTER=840.000.020110.reported"
    for options, rows, rejected in (("", 0, 2), ("?key=TARIFFTYPE", 2, 0)):
        folder = tmp_path / str(rows)
        recording = Recording(folder, options=f"[options.sdmx]\nflows = {json.dumps([flow + options])}\n")
        recording.add("statistics/wits/tariff_trains", body.encode(), extension="xml")
        context = recording.run()
        assert (context.rows_inserted, context.rows_rejected) == (rows, rejected) or context.errors
        if rejected:
            assert "duplicate_key" in context.errors[0]


#: A text, and what its refusal says: what is wrong, and what to write.
WRONG = {
    "ECB": ("is no OFFICE/FLOW/KEY", "write e.g."),
    "ecb/EXR/D.USD": ("there is no office 'ecb'", "write ECB"),
    "ESTAT/nama_10_gdp/A": ("there is no office 'ESTAT'", "write EUROSTAT"),
    "NASA/EXR/D": ("there is no office 'NASA'", "use one of ECB"),
    "ECB/E X/D": ("'E X' is no flow", '"ECB,EXR,1.0"'),
    "ECB/EXR": ("has no key", "https://data-api.ecb.europa.eu/service/dataflow/ECB/EXR?references=descendants"),
    "ECB/EXR/D.USD+GBP.EUR.SP00.A": ("part 2 of the key lets 'USD+GBP' through", 'name it, as "DIMENSION=USD+GBP"'),
    "ECB/EXR/D..EUR.SP00.A": ("part 2 of the key lets every code through", 'name it, as "DIMENSION="'),
    "ECB/EXR/D.U SD.EUR.SP00.A": ("part 2 of the key, 'U SD', is no", "write e.g."),
    "ECB/EXR/A=.a=.EUR": ("names the dimension A twice", "write each once"),
    "ECB/EXR/D.USD?sinse=2000": ("there is no 'sinse'", "write since="),
    "ECB/EXR/D.USD?since": ("'since' is not said once", "since="),
    "ECB/EXR/D.USD?since=2000&since=2001": ("is not said once", "once"),
    "ECB/EXR/D.USD?since=01/02/2000": ("since is '01/02/2000'", "2010-01-31"),
    "ECB/EXR/D.USD?since=2001-02-29": ("which is no day", "a day that there is"),
    "ECB/EXR/D.USD?format=pdf": ("format is 'pdf'", "csv|xml|json"),
    "INSEE/X/A.B?format=csv": ("gives no csv", "format=xml"),
    "ECB/EXR/D.USD?labels=yes": ("the csv of ECB holds no labels", "add format=json"),
    "INSEE/X/A.B?labels=yes": ("holds no labels", "leave labels out"),
    "ECB/EXR/D.USD?lookback=7": ("a period that is a text is of no day", "periods=days|months|years"),
    "ECB/EXR/D.USD?periods=days&lookback=0": ("lookback is '0'", "lookback=45"),
    "ECB/EXR/D.USD?periods=days&lookback=7&ask=whole": ("say both", "keep one"),
    "ECB/EXR/D.USD?ask=changes": ("does not say what was deleted", "add format=xml"),
    "NORGESBANK/EXR/B.USD?ask=changes": ("cannot be asked for what changed", "lookback="),
    "ECB/EXR/D.USD?attributes=A+A": ("attributes has 'A'", "attributes=TARIFFTYPE+NOMENCODE"),
    "ECB/EXR/D.USD?time=A+B": ("time names several", "time=PER"),
    "OECD/DSD_SOMETHING_OF_A_VERY_LONG_NAME@DF_AND_MORE_OF_IT/A.B": ("can be no name", "add as=NAME"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        flow_of(text)
    what, fix = WRONG[text]
    assert what in refused.value.what
    assert refused.value.fix is not None
    assert fix in refused.value.fix


def test_each_fix_works_when_typed() -> None:
    for text in (
        "ECB/EXR/D.DIMENSION=USD+GBP.EUR.SP00.A",
        "ECB/EXR/D.DIMENSION=.EUR.SP00.A",
        "ECB/EXR/D.USD?format=json&labels=yes",
        "ECB/EXR/D.USD?ask=changes&format=xml",
        "ECB/EXR/D.USD?periods=days&lookback=45",
        "OECD/DSD_SOMETHING_OF_A_VERY_LONG_NAME@DF_AND_MORE_OF_IT/A.B?as=name",
    ):
        assert sdmx.datasets({"flows": [text]})


#: A flow with an id that the payload has not, and what its refusal says: the user has one line of TOML, and no column.
MISNAMED = {
    "ECB/EXR/freq=M.CURRENCY=USD.EUR.SP00.A?format=xml": (
        "ecb-sdmx-r2-001", "write the id that the payload has, in the place of freq"
    ),
    "ECB/EXR/FREKWENCY=D.CURRENCY=NZD.EUR.SP00.A?format=json": (
        "ecb-sdmx-r2-004", "write the id that the payload has, in the place of FREKWENCY"
    ),
    "NORGESBANK/EXR/B.BASE_CURR=.NOK.SP?periods=days": (
        "cb-nb-0339", "write the id that the payload has, in the place of BASE_CURR"
    ),
    "NORGESBANK/EXR/B.BASE_CUR=.NOK.SP?time=PERIOD": (
        "cb-nb-0339", "add time= and the id of the dimension that is the period"
    ),
    "NORGESBANK/EXR/B.BASE_CUR=.NOK.SP?attributes=TITEL": (
        "cb-nb-0339", "write the id that the payload has, in the place of TITEL"
    ),
}  # fmt: skip


@pytest.mark.parametrize("flow", MISNAMED)
def test_a_wrong_id_is_mended_in_sbf_toml(tmp_path: Path, flow: str) -> None:
    payload_id, fix = MISNAMED[flow]
    (error,) = recording_of(tmp_path, flow, payload_id).run().errors
    assert f"in [options.sdmx] flows {fix}" in error
    assert "source=" not in error


def test_a_wrong_id_in_a_message_of_our_own(tmp_path: Path) -> None:
    series = '<Series GEO="A"><Obs TIME_PERIOD="2024" OBS_VALUE="1"/></Series>'
    body = f'<m:StructureSpecificData xmlns:m="m"><m:DataSet>{series}</m:DataSet></m:StructureSpecificData>'
    flow = "EUROSTAT/x/geo=?format=xml"
    recording = Recording(tmp_path, options=f"[options.sdmx]\nflows = {json.dumps([flow])}\n")
    recording.add("statistics/eurostat/x", body.encode(), extension="xml")
    (error,) = recording.run().errors
    assert "in [options.sdmx] flows write the id that the payload has, in the place of geo" in error


def test_what_stands_in_the_place_of_a_host() -> None:
    """A mirror, or a server of tests; ids of datasets and tables stay."""
    flows = ["ECB/EXR/D.USD.EUR.SP00.A"]
    (plain,) = sdmx.datasets({"flows": flows})
    (entry,) = sdmx.datasets({"flows": flows, "hosts": ["data-api.ecb.europa.eu=http://127.0.0.1:8080/x"]})
    assert entry.recipe.url == plain.recipe.url.replace("https://data-api.ecb.europa.eu", "http://127.0.0.1:8080/x")
    assert entry.id == plain.id


def test_two_flows_in_one_table_are_refused() -> None:
    flows = ["ECB/EXR/D.USD.EUR.SP00.A", "ECB/EXR/M.USD.EUR.SP00.A"]
    with pytest.raises(UsageError, match=r"two flows fill silver\.ecb_exr"):
        sdmx.datasets({"flows": flows})
    assert len(sdmx.datasets({"flows": [flows[0], flows[1] + "?as=monthly"]})) == 2
    assert sdmx.datasets({}) == []


def test_a_column_that_would_be_one_of_ours_is_renamed() -> None:
    (entry,) = sdmx.datasets({"flows": ["OECD/X/VALUE=.GROUP=.PERIOD=?as=x"]})
    assert entry.key_columns == ("dim_value", "dim_group", "dim_period", "period")


def test_what_the_readme_says_of_offices_and_options() -> None:
    for word, office in OFFICES.items():
        assert f"| `{word}` |" in README
        (line,) = [line for line in README.splitlines() if line.startswith(f"| `{word}` |")]
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert cells[2] == ", ".join(office.formats), word
        assert cells[3] == ("yes" if office.knows_updated_after else "no"), word
        assert cells[4] == ", ".join(office.limits), word
        assert f"]({office.source_url})" in cells[1], word
    for option in OPTIONS:
        assert f"| `{option}=` |" in README, option


@pytest.mark.parametrize("word", OFFICES)
def test_an_office_is_asked_by_https_for_a_declared_format(word: str) -> None:
    office = OFFICES[word]
    for kind, asked in office.formats.items():
        (entry,) = sdmx.datasets({"flows": [f"{word}/FLOW/A.B?format={kind}&ask=whole&since=2010-01"]})
        recipe = entry.recipe
        assert recipe.url.startswith("https://")
        assert "/FLOW/" in recipe.url
        assert recipe.url.split("?")[0].endswith("/A.B")
        assert recipe.url.endswith("startPeriod=2010-01")
        assert asked.accept or asked.query or kind == "xml", "nothing says which format"
        assert entry.terms
        assert entry.source_url.startswith("https://")


class Loopback:
    """The bundled plugin, with an office on loopback in the place of the real one, and without its limits."""

    def __init__(self, server: HTTPServer, *flows: str) -> None:
        self.base, self.flows = server.url_for(""), flows

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        entries = sdmx.datasets({"flows": list(self.flows)})
        return [
            attrs.evolve(entry, recipe=attrs.evolve(entry.recipe, limits=(), url=self.base + entry.recipe.url[8:]))
            for entry in entries
        ]


class ASourceOfAnswers:
    """Says what it is told, in turn, and keeps what it was asked."""

    def __init__(self, server: HTTPServer, *answers: tuple[int, str]) -> None:
        self.asked: list[Request] = []
        self._answers = iter(answers)
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        status, body = next(self._answers)
        return Response(body, status=status, content_type="text/csv")


def test_the_oecd_is_asked_for_what_changed_and_says_what_it_deleted(tmp_path: Path, httpserver: HTTPServer) -> None:
    head = "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE\n"
    rows = "DATAFLOW,OECD:X(1.0),{},{},{},{},PC\n"
    first = head + "".join(rows.format("I", area, year, "1.5") for area in ("FRA", "DEU") for year in (2022, 2023))
    second = head + rows.format("R", "FRA", 2023, "1.75") + rows.format("D", "DEU", 2022, "")
    office = ASourceOfAnswers(httpserver, (200, first), (200, second), (404, "NoRecordsFound"))
    warehouse = Warehouse(tmp_path / "home", Loopback(httpserver, "OECD/OECD.SDD,X/A.REF_AREA=FRA+DEU?since=2010"))
    for hours in (0, 24, 24):
        assert warehouse.run(hours_later=hours).errors == []
    assert [request.args["updatedAfter"] for request in office.asked] == [
        "1970-01-01T23:00:00Z",
        "2024-01-02T10:59:59Z",
        "2024-01-03T10:59:59Z",
    ], "an hour before the last answer was asked for, and never since the first period"
    assert {request.args["startPeriod"] for request in office.asked} == {"2010"}
    assert {request.path for request in office.asked} == {"/sdmx.oecd.org/public/rest/data/OECD.SDD,X/A.FRA+DEU"}
    assert {request.headers["accept"] for request in office.asked} == {"application/vnd.sdmx.data+csv;version=2.0.0"}
    found = warehouse.ask("SELECT ref_area, period, value, deleted FROM silver.oecd_x ORDER BY 1, 2")
    assert found == [
        ("DEU", "2022", None, "D"),
        ("DEU", "2023", Decimal("1.5"), None),
        ("FRA", "2022", Decimal("1.5"), None),
        ("FRA", "2023", Decimal("1.75"), None),
    ]
    assert warehouse.ask("SELECT value FROM silver.oecd_x_history WHERE ref_area = 'DEU'") == [(Decimal("1.5"),)]


def test_another_key_is_asked_for_from_the_beginning(tmp_path: Path, httpserver: HTTPServer) -> None:
    head = "KEY,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\n"
    usd = head + "".join(f"EXR,D,USD,2024-01-0{day},1.{day}\n" for day in (1, 2))
    both = usd + "".join(f"EXR,D,GBP,2024-01-0{day},0.{day}\n" for day in (1, 2, 3))
    office = ASourceOfAnswers(httpserver, (200, usd), (200, usd), (200, both))
    flow = "ECB/EXR/D.CURRENCY={}.EUR.SP00.A?periods=days&lookback=5&since=1999"
    warehouse = Warehouse(tmp_path / "home", Loopback(httpserver, flow.format("USD")))
    warehouse.run()
    warehouse.run(hours_later=24)
    other = Warehouse(tmp_path / "home", Loopback(httpserver, flow.format("USD+GBP")))
    other.clock.advance(hours=48)
    assert other.run().errors == []
    asked = [(request.path.rpartition("/")[2], request.args["startPeriod"]) for request in office.asked]
    assert asked == [
        ("D.USD.EUR.SP00.A", "1999-01-01"),
        ("D.USD.EUR.SP00.A", "2023-12-29"),
        ("D.USD+GBP.EUR.SP00.A", "1999-01-01"),
    ]
    assert other.ask("SELECT currency, count(*) FROM silver.ecb_exr GROUP BY 1 ORDER BY 1") == [("GBP", 3), ("USD", 2)]


def test_a_wrong_key_is_a_failure_where_the_whole_is_asked_for(tmp_path: Path, httpserver: HTTPServer) -> None:
    ASourceOfAnswers(httpserver, (404, "No results found."))
    context = Warehouse(tmp_path / "home", Loopback(httpserver, "ECB/EXR/D.CURRENCY=ABC.EUR.SP00.A")).run()
    assert "HTTP 404" in context.errors[0]


def test_a_withdrawn_observation_is_closed_and_half_an_answer_is_refused(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    head = "KEY,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE\n"
    lines = [f"EXR,D,USD,2024-01-{day:02d},1.{day}\n" for day in range(1, 31)]
    office = ASourceOfAnswers(
        httpserver, (200, head + "".join(lines)), (200, head + "".join(lines[1:])), (200, head + "".join(lines[:9]))
    )
    warehouse = Warehouse(tmp_path / "home", Loopback(httpserver, "ECB/EXR/D.CURRENCY=USD.EUR.SP00.A?periods=days"))
    assert warehouse.run().errors == []
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT count(*), min(period) FROM silver.ecb_exr") == [(29, dt.date(2024, 1, 2))]
    assert "rows are gone" in warehouse.run(hours_later=24).errors[0]
    assert warehouse.ask("SELECT count(*) FROM silver.ecb_exr") == [(29,)]
    assert {request.full_path for request in office.asked} == {
        "/data-api.ecb.europa.eu/service/data/EXR/D.USD.EUR.SP00.A?format=csvdata"
    }
