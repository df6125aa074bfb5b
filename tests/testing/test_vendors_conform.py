"""The bundled plugins whose payloads may not be shipped pass the conformance kit, too,
on what the vendors really sent.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from recorded import NOW, Recording, entries, payload
from table_payloads import recorded_body

from sbf_core.testing.check_declaration import docs
from sbf_core.testing.subject import Subject
from sbf_core.testing.suite import conformance


def _fred(folder: Path) -> Path:
    rows = [row for row in entries(endpoint="fred.series.observations") if row["status"] == 200]
    documents = {row["url"].partition("series_id=")[2].partition("&")[0]: payload(row) for row in rows}
    recording = Recording(folder, options=f"[options.fred]\nseries = {json.dumps(sorted(documents))}\n")
    for series, content in documents.items():
        recording.add("macro/fred/observations", content, ticker=series, first=dt.date(2020, 1, 1))
    for row in entries(endpoint="fred.series"):
        if row["status"] == 200 and row["dataset"] in documents:
            recording.add("macro/fred/series", payload(row), ticker=row["dataset"])
    return recording.folder


def _treasury(folder: Path) -> Path:
    recording = Recording(folder)
    for row in entries(endpoint="treasury.feed.svc.DailyTreasuryYieldCurveRateData"):
        if "partial" not in row["dataset"]:
            recording.add(
                "rates/treasury/par_yield_curve",
                payload(row),
                extension="xml",
                first=dt.date(int(row["dataset"][:4]), 1, 1),
            )
    (sheet,) = entries(endpoint="treasury.daily-treasury-rates.csv")
    recording.add("rates/treasury/par_yield_curve", payload(sheet), extension="csv", first=dt.date(2024, 1, 1))
    return recording.folder


def _stooq(folder: Path) -> Path:
    recording = Recording(folder, options='[options.stooq]\nsymbols = ["aapl.us", "^nkx", "eurusd"]\n')
    for symbol, name in {"aapl.us": "aapl", "^nkx": "nkx", "eurusd": "eurusd"}.items():
        (row,) = [row for row in entries(endpoint="stooq.q.d.l") if name in row["file"]]
        recording.add("prices/stooq/eod_adjusted", payload(row), ticker=symbol, extension="csv")
    return recording.folder


def _kinds_of_events(row: dict[str, Any]) -> int:
    return len(json.loads(payload(row))["chart"]["result"][0].get("events") or {})


def _yahoo(folder: Path) -> Path:
    recording = Recording(folder)
    # a check changes a value of the payload that came last: the one with most kinds of events
    for hour, row in enumerate(sorted(entries(endpoint="yahoo.chart"), key=_kinds_of_events)):
        meta = json.loads(payload(row))["chart"]["result"][0]["meta"]
        if meta["dataGranularity"] == "1d":
            recording.add(
                "prices/yahoo/eod", payload(row), ticker=meta["symbol"], moment=NOW + dt.timedelta(hours=hour)
            )
    return recording.folder


_FMP = {
    "prices/fmp/eod": "fmp.stable.historical-price-eod.full",
    "prices/fmp/dividends": "fmp.stable.dividends",
    "fundamentals/fmp/balance_sheet": "fmp.stable.balance-sheet-statement",
    "fundamentals/fmp/income_statement": "fmp.stable.income-statement",
    "reference/fmp/profile": "fmp.stable.profile",
}
_FMP_CHOSEN = [dataset_id.rpartition("/")[2] for dataset_id in _FMP]


def _fmp(folder: Path) -> Path:
    recording = Recording(folder, options=f'[options.fmp]\nplan = "ultimate"\ndatasets = {json.dumps(_FMP_CHOSEN)}\n')
    for dataset_id, endpoint in _FMP.items():
        for hour, row in enumerate(entries(endpoint=endpoint)):
            moment, first = NOW + dt.timedelta(hours=hour), dt.date(2023, 1, 1)
            recording.add(dataset_id, payload(row), ticker="AAPL", period="annual", moment=moment, first=first)
            if "statement" in endpoint or "balance" in dataset_id:
                recording.add(dataset_id, b"[]", ticker="AAPL", period="quarter", moment=moment, first=first)
    return recording.folder


def _facts(folder: Path) -> Path:
    recording = Recording(folder, options='[options.sec]\nciks = ["320193", "1324424"]\n')
    (row,) = [row for row in entries(endpoint="sec.companyfacts") if "0000320193" in row["file"]]
    recording.add("fundamentals/sec/companyfacts", payload(row), ticker="0000320193")
    pages = {
        "-submissions-001" in row["url"]: payload(row)
        for row in entries(endpoint="sec.submissions")
        if "1324424" in row["file"]
    }
    recording.add("fundamentals/sec/submissions", pages[False], ticker="0001324424", part=(1, 2))
    recording.add(
        "fundamentals/sec/submissions",
        pages[True],
        ticker="0001324424",
        part=(2, 2),
        address="https://data.sec.gov/submissions/CIK0001324424-submissions-001.json",
    )
    return recording.folder


_FLOWS = [
    "ECB/EXR/FREQ=M.CURRENCY=USD.EUR.SP00.A?format=xml&attributes=TITLE",
    "NORGESBANK/EXR/B.BASE_CUR=.NOK.SP?periods=days",
    "ISTAT/22_289/A.IT.JAN.SEX=.TOTAL.99?periods=years&as=people",
]


def _sdmx(folder: Path) -> Path:
    recording = Recording(folder, options=f"[options.sdmx]\nflows = {json.dumps(_FLOWS)}\n")
    recording.add("statistics/ecb/exr", recorded_body("ecb-sdmx-r2-001"), extension="xml")
    recording.add("statistics/norgesbank/exr", recorded_body("cb-nb-0339"), extension="csv")
    recording.add("statistics/istat/people", recorded_body("istat-r2-003"), extension="xml")
    return recording.folder


test_sdmx = conformance(
    "sdmx",
    recording=_sdmx,
    options={"flows": _FLOWS},
    exempt={"columns_are_filled": "no office sends each of the attributes that most have, and none of these deletes"},
)
test_fred = conformance("fred", recording=_fred)
test_treasury = conformance("treasury", recording=_treasury)
test_stooq = conformance("stooq", recording=_stooq)
test_yahoo = conformance(
    "yahoo",
    recording=_yahoo,
    exempt={
        "revision_is_kept:prices/yahoo/splits": "4 and 1 stand in a chart too often for the ones of a split to be found"
    },
)
test_fmp = conformance("fmp", recording=_fmp, options={"plan": "ultimate", "datasets": _FMP_CHOSEN})
test_sec = conformance(
    "sec",
    recording=_facts,
    options={"ciks": ["320193", "1324424"]},
    exempt={"recorded:reference/*": "tests/testing/test_bundled.py checks it on the sample"},
)


def test_every_dataset_of_fmp_is_described(tmp_path: Path) -> None:
    subject = Subject("fmp", tmp_path, options={"plan": "ultimate", "datasets": ["all"]})
    assert len(subject.entries) >= 25
    assert list(docs(subject)) == []
