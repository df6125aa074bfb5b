"""The bundled vendor plugins on what the vendors really sent."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording, entries, payload

from sbf_core.api import UsageError
from sbf_plugins.fmp import plugin as fmp
from sbf_plugins.fmp.columns import snake
from sbf_plugins.yahoo import plugin as yahoo

FIRST = dt.date(1990, 1, 1)


def test_treasury_of_all_ages(tmp_path: Path) -> None:
    """The XML feeds of five years and the CSV of a month: each value as the Treasury shows it, two decimals."""
    recording = Recording(tmp_path)
    feeds = [
        row
        for row in entries(endpoint="treasury.feed.svc.DailyTreasuryYieldCurveRateData")
        if "partial" not in row["dataset"]
    ]
    for row in feeds:
        recording.add(
            "rates/treasury/par_yield_curve",
            payload(row),
            extension="xml",
            first=dt.date(int(row["dataset"][:4]), 1, 1),
        )
    (sheet,) = entries(endpoint="treasury.daily-treasury-rates.csv")
    recording.add("rates/treasury/par_yield_curve", payload(sheet), extension="csv", first=dt.date(2024, 1, 1))
    context = recording.run()
    assert context.errors == []
    assert context.rows_rejected == 0
    days = (
        sum(payload(row).count(b"<entry>") for row in feeds)
        + payload(sheet).count(b"\n")
        - (not payload(sheet).endswith(b"\n")) * 0
    )
    assert abs(recording.ask("SELECT count(DISTINCT date) FROM silver.treasury_par_yield")[0][0] - days) <= 1
    found = recording.ask(
        "SELECT date, maturity, par_yield FROM silver.treasury_par_yield "
        "WHERE date IN ('1990-06-08', '2024-09-20') AND maturity IN ('3M', '10Y') ORDER BY 1, 2"
    )
    assert found == [
        (dt.date(1990, 6, 8), "10Y", Decimal("8.460")), (dt.date(1990, 6, 8), "3M", Decimal("7.960")),
        (dt.date(2024, 9, 20), "10Y", Decimal("3.730")), (dt.date(2024, 9, 20), "3M", Decimal("4.750")),
    ]  # fmt: skip
    assert recording.ask(
        "SELECT count(*) FROM silver.treasury_par_yield WHERE par_yield * 100 <> round(par_yield * 100)"
    ) == [(0,)]
    assert recording.ask(
        "SELECT par_yield FROM silver.treasury_par_yield WHERE date = '1990-06-08' AND maturity = '1M'"
    ) == [(None,)]
    assert (
        recording.ask(
            "SELECT min(change), max(change), count(*) > 1000 FROM gold.fact_yield_curve "
            "WHERE maturity = '10Y' AND year(date) = 2019"
        )[0][2]
        is False
    )


def test_stooq_history_and_its_text_errors(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options='[options.stooq]\nsymbols = ["aapl.us", "^nkx", "eurusd"]\n')
    rows = {"aapl.us": "aapl", "^nkx": "nkx", "eurusd": "eurusd"}
    lines = 0
    for symbol, name in rows.items():
        (row,) = [row for row in entries(endpoint="stooq.q.d.l") if name in row["file"]]
        lines += len(payload(row).splitlines()) - 1
        recording.add("prices/stooq/eod_adjusted", payload(row), ticker=symbol, extension="csv")
    context = recording.run()
    assert context.errors == []
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (lines, lines, 0)
    assert recording.ask(
        "SELECT open, close, volume FROM silver.stooq_eod_adjusted WHERE symbol = 'aapl.us' AND date = '1984-09-07'"
    ) == [(Decimal("0.0991725000"), Decimal("0.0991725000"), Decimal("99242379.0000"))]


def test_every_figure_of_apple(tmp_path: Path) -> None:
    """24,579 figures, none lost; as of any day only what was filed by then."""
    recording = Recording(tmp_path, options='[options.sec]\nciks = ["320193"]\n')
    (row,) = [row for row in entries(endpoint="sec.companyfacts") if "0000320193" in row["file"]]
    content = payload(row)
    recording.add("fundamentals/sec/companyfacts", content, ticker="0000320193")
    context = recording.run()
    assert context.errors == []
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (24_579, 24_579, 0)
    facts = json.loads(content, parse_float=Decimal, parse_int=Decimal)["facts"]
    wanted = sorted(
        (taxonomy, concept, unit, figure["accn"], figure["end"], figure["val"])
        for taxonomy, concepts in facts.items() for concept, told in concepts.items()
        for unit, figures in told["units"].items() for figure in figures
    )  # fmt: skip
    found = recording.ask(
        "SELECT taxonomy, concept, unit, accession, CAST(period_end AS VARCHAR), value FROM silver.sec_company_fact"
    )
    assert sorted(found) == wanted
    assert recording.ask(
        "SELECT count(*) FROM silver.sec_company_fact "
        "WHERE known_from <> timezone('UTC', timezone('America/New_York', CAST(filed + 1 AS TIMESTAMP)))"
    ) == [(0,)]
    day = dt.date(2015, 1, 1)
    filed_by_then = sum(
        dt.date.fromisoformat(figure["filed"]) < day
        for concepts in facts.values()
        for told in concepts.values()
        for figures in told["units"].values()
        for figure in figures
    )
    assert recording.ask(
        "SELECT count(*), max(filed) < DATE '2015-01-01' "
        "FROM silver.sec_company_fact_as_of(TIMESTAMP '2015-01-01 05:00:00')"
    ) == [(filed_by_then, True)]  # the end of the year in New York
    annual = "SELECT count(*), count(*) FILTER (value <> value_first_filed) FROM gold.fact_fundamental_annual"
    last: dict[tuple[str, ...], list[tuple[str, str, Decimal]]] = {}
    for taxonomy, concepts in facts.items():
        for concept, told in concepts.items():
            for unit, figures in told["units"].items():
                for figure in figures:
                    start = figure.get("start")
                    if (
                        start is None
                        or 340 <= (dt.date.fromisoformat(figure["end"]) - dt.date.fromisoformat(start)).days <= 380
                    ):
                        last.setdefault((taxonomy, concept, unit, start or "", figure["end"]), []).append(
                            (figure["filed"], figure["accn"], figure["val"])
                        )
    restated = sum(max(each)[2] != min(each)[2] for each in last.values())
    assert recording.ask(annual) == [(len(last), restated)]
    assert restated > 0


def test_filings_with_their_older_pages(tmp_path: Path) -> None:
    """Expedia: 1,002 filings in the newest page, 976 in the older one; none lost, none twice."""
    recording = Recording(tmp_path, options='[options.sec]\nciks = ["1324424"]\n')
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
    context = recording.run()
    assert context.errors == []
    lists = [json.loads(pages[False])["filings"]["recent"], json.loads(pages[True])]
    wanted = {
        accession: (form, filed)
        for each in lists
        for accession, form, filed in zip(each["accessionNumber"], each["form"], each["filingDate"], strict=True)
    }
    found = recording.ask("SELECT accession, form, CAST(filed AS VARCHAR) FROM silver.sec_filing WHERE cik = 1324424")
    assert {accession: (form, filed) for accession, form, filed in found} == wanted
    assert len(found) == len(wanted)
    assert context.rows_rejected == 0
    assert recording.ask("SELECT count(*) FROM silver.sec_filing WHERE known_from <> accepted") == [(0,)]
    assert recording.ask(
        "SELECT form, report_date, items FROM silver.sec_filing WHERE accession = '0001193125-16-498632'"
    )[0][::2] == ("8-K", "5.02,9.01")
    before = recording.ask(
        "SELECT count(*) FROM silver.sec_filing_as_of(TIMESTAMP '2016-03-09 23:00:00') "
        "WHERE accession = '0001225208-16-029557'"
    )
    assert before == [(0,)], "accepted at 23:49:37"
    # who files stands in the newest page, and is read out of it: nothing was fetched for it
    assert recording.ask("SELECT name, sic, fiscal_year_end, tickers, exchanges FROM silver.sec_company") == [
        ("Expedia Group, Inc.", "4700", "1231", "EXPE", "Nasdaq")
    ]
    assert recording.ask(
        "SELECT name, CAST(first_day AS VARCHAR), CAST(last_day AS VARCHAR) FROM silver.sec_former_name"
    ) == [("Expedia, Inc.", "2005-04-25", "2018-03-20")]
    assert recording.ask("SELECT count(*) FROM ops.bronze_manifest WHERE source = 'sec'") == [(2,)]


def test_a_former_name_has_days_however_they_are_written(tmp_path: Path) -> None:
    """One name in two vintages: from midnight in New York, and from midnight UTC. It is no revision."""
    recording = Recording(tmp_path, options='[options.sec]\nciks = ["1718179"]\n')
    vintages = [payload(row) for row in entries(endpoint="sec.submissions") if "1718179" in row["file"]]
    froms = [json.loads(each)["formerNames"][0]["from"] for each in vintages]
    assert sorted(froms) == ["2017-10-02T00:00:00.000Z", "2017-10-02T04:00:00.000Z"]
    for number, each in enumerate(vintages):
        recording.add("fundamentals/sec/submissions", each, ticker="0001718179", moment=NOW + dt.timedelta(days=number))
    assert recording.run().errors == []
    assert recording.ask("SELECT name, CAST(first_day AS VARCHAR) FROM silver.sec_former_name") == [
        ("Barth Stephanie A", "2017-10-02")
    ]
    assert recording.ask("SELECT count(*) FROM silver.sec_former_name_history") == [(0,)]


@pytest.mark.parametrize("endpoint", ["fred.series.observations", "fred.fred.series.observations"])
def test_fred_observations_as_recorded(tmp_path: Path, endpoint: str) -> None:
    rows = [row for row in entries(endpoint=endpoint) if row["status"] == 200]
    documents = {}
    for row in rows:
        series = row["url"].partition("series_id=")[2].partition("&")[0]
        documents.setdefault(series, payload(row))
    listed = ", ".join(f'"{series}"' for series in documents)
    recording = Recording(tmp_path, options=f"[options.fred]\nseries = [{listed}]\n")
    for series, content in documents.items():
        recording.add("macro/fred/observations", content, ticker=series, first=dt.date(2020, 1, 1))
    context = recording.run()
    told = {series: json.loads(content)["observations"] for series, content in documents.items()}
    assert context.rows_rejected == 0, recording.ask("SELECT reason, column_name, row_json FROM ops.rejects LIMIT 3")
    assert context.rows_seen == sum(len(each) for each in told.values())
    found = {
        (series, date): value
        for series, date, value in recording.ask(
            "SELECT series_id, CAST(date AS VARCHAR), value FROM silver.fred_observation"
        )
    }
    assert found == {
        (series, each["date"]): None if each["value"] == "." else float(each["value"])
        for series, listing in told.items()
        for each in listing
    }


def test_fred_gives_what_was_published_then(tmp_path: Path) -> None:
    """Three vintages of one quarter in one payload, made in the shape of ALFRED: a chain in the order of their days."""
    vintages = [
        ("2020-04-29", "2020-05-27", "18987.9"),
        ("2020-05-28", "2020-06-24", "18974.7"),
        ("2020-06-25", "9999-12-31", "18977.4"),
    ]
    listing = [
        {"realtime_start": start, "realtime_end": end, "date": "2020-01-01", "value": value}
        for start, end, value in vintages
    ]
    document = {"realtime_start": "1776-07-04", "count": 3, "offset": 0, "limit": 100000, "observations": listing}
    recording = Recording(tmp_path, options='[options.fred]\nseries = ["GDPC1"]\n')
    recording.add("macro/fred/observations", json.dumps(document).encode(), ticker="GDPC1", first=dt.date(1776, 7, 4))
    later = {"realtime_start": "2026-11-24", "count": 2, "offset": 0, "limit": 100000, "observations": [
        {"realtime_start": "2026-11-24", "realtime_end": "2026-11-25", "date": "2020-01-01", "value": "18977.4"},
        {"realtime_start": "2026-11-26", "realtime_end": "9999-12-31", "date": "2020-01-01", "value": "19010.8"},
    ]}  # fmt: skip
    recording.add(
        "macro/fred/observations",
        json.dumps(later).encode(),
        ticker="GDPC1",
        first=dt.date(2020, 1, 2),
        moment=NOW + dt.timedelta(days=4),
    )
    assert recording.run().errors == []
    for day, wanted in (
        ("2020-04-28", []),
        ("2020-05-01", ["18987.9"]),
        ("2020-06-01", ["18974.7"]),
        ("2021-01-01", ["18977.4"]),
        ("2026-11-25", ["18977.4"]),
        ("2026-12-01", ["19010.8"]),
    ):
        found = recording.ask(f"SELECT value FROM silver.fred_observation_as_of(TIMESTAMP '{day} 12:00:00')")
        assert [repr(value) for (value,) in found] == wanted, day


FMP = '[options.fmp]\nplan = "ultimate"\ndatasets = ["all"]\n'
SHAPES = {
    "prices/fmp/eod": ("fmp.stable.historical-price-eod.full", "fmp_eod", 6),
    "prices/fmp/dividends": ("fmp.stable.dividends", "fmp_dividends", 1),
    "fundamentals/fmp/balance_sheet": ("fmp.stable.balance-sheet-statement", "fmp_balance_sheet", 1),
    "fundamentals/fmp/income_statement": ("fmp.stable.income-statement", "fmp_income_statement", 2),
}


@pytest.mark.parametrize("dataset_id", SHAPES)
def test_fmp_as_recorded(tmp_path: Path, dataset_id: str) -> None:
    """Every field of the payload that is declared comes out with its exact value."""
    endpoint, table, count = SHAPES[dataset_id]
    recording = Recording(tmp_path, options=FMP)
    rows = []
    for hour, row in enumerate(entries(endpoint=endpoint)):
        rows += json.loads(payload(row), parse_float=Decimal, parse_int=Decimal)
        asked = {"ticker": "AAPL", "moment": NOW + dt.timedelta(hours=hour), "first": dt.date(2023, 1, 1)}
        recording.add(dataset_id, payload(row), period="annual", **asked)
        if "statement" in endpoint:
            recording.add(dataset_id, b"[]", period="quarter", **asked)
    context = recording.run()
    assert context.errors == []
    assert (context.rows_inserted, context.rows_rejected) == (count, 0)
    for told in rows:
        extra = f" AND period = '{told['period']}'" if "period" in told else ""
        (found,) = recording.ask(
            "SELECT COLUMNS(* EXCLUDE (_bronze_file_id, _run_id, known_from, recorded_at)) "
            f"FROM silver.{table} WHERE date = '{told['date']}'{extra}"
        )
        names = [name for (name,) in recording.ask(f"SELECT column_name FROM (DESCRIBE silver.{table})")]
        values = dict(zip(names, found, strict=False))
        for field, value in told.items():
            kept = values[snake(field)]
            assert (
                Decimal(repr(kept)) if isinstance(kept, float) else kept if isinstance(value, Decimal) else str(kept)
            ) == value, field


def test_fmp_profiles_of_both_versions_and_the_bulk_file_are_one_shape(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=FMP)
    (v3,), (stable,) = entries(endpoint="fmp.v3.profile.AAPL"), entries(endpoint="fmp.stable.profile")
    recording.add("reference/fmp/profile", payload(v3), ticker="AAPL")
    assert recording.run().errors == []
    query = (
        "SELECT symbol, exchange, exchange_full_name, cik, isin, sector, country, "
        "ipo_date, full_time_employees, is_etf "
        "FROM silver.{}"
    )
    wanted = (
        "AAPL",
        "NASDAQ",
        "NASDAQ Global Select",
        "0000320193",
        "US0378331005",
        "Technology",
        "US",
        dt.date(1980, 12, 12),
        150000,
        False,
    )
    assert recording.ask(query.format("fmp_profile")) == [wanted]
    other = Recording(tmp_path / "other", options=FMP)
    other.add("reference/fmp/profile", payload(stable), ticker="AAPL")
    bulk = json.loads(payload(stable))[0]
    names = [name for name in bulk if not isinstance(bulk[name], str) or "," not in bulk[name]]
    sheet = (
        ",".join(names)
        + "\n"
        + ",".join(
            "" if bulk[name] is None else str(bulk[name]).lower() if isinstance(bulk[name], bool) else str(bulk[name])
            for name in names
        )
        + "\n"
    )
    other.add("reference/fmp/profile_bulk", sheet.encode(), extension="csv")
    assert other.run().errors == []
    assert other.ask(query.format("fmp_profile")) == other.ask(query.format("fmp_profile_bulk"))
    assert other.ask("SELECT exchange, exchange_full_name FROM silver.fmp_profile") == [
        ("NASDAQ", "NASDAQ Global Select")
    ]


def test_fmp_v3_prices_name_the_symbol_once(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=FMP)
    bars = json.loads(payload(entries(endpoint="fmp.stable.historical-price-eod.full")[0]))
    v3 = {
        "symbol": "AAPL",
        "historical": [{name: value for name, value in bar.items() if name != "symbol"} for bar in bars],
    }
    recording.add("prices/fmp/eod", json.dumps(v3).encode(), ticker="AAPL", first=dt.date(2023, 1, 1))
    assert recording.run().errors == []
    assert recording.ask("SELECT DISTINCT symbol, count(*) OVER () FROM silver.fmp_eod") == [("AAPL", 6)]


def test_the_plan_and_the_choice_decide_what_is_declared() -> None:
    free = {entry.dataset for entry in fmp.datasets({"datasets": ["all"]})}
    assert {"eod", "profile", "income_statement"} <= free
    assert not {"eod_bulk", "sp500_constituents"} & free
    assert {entry.dataset for entry in fmp.datasets({"plan": "ultimate", "datasets": ["eod_bulk"]})} == {"eod_bulk"}
    assert len(fmp.datasets({"plan": "ultimate", "datasets": ["all"]})) >= 25
    assert {entry.recipe.limits for entry in fmp.datasets({})} == {("5/second", "250/day")}
    for wrong, message in (
        ({"plan": "gold"}, "plan 'gold' is not known"),
        ({"datasets": ["eods"]}, "no dataset 'eods'"),
        ({"dataset": ["eod"]}, "did you mean 'datasets'"),
        ({"fx": "EURUSD"}, "no list of texts"),
    ):
        with pytest.raises(UsageError, match=message):
            fmp.datasets(wrong)


def test_fmp_v3_statements_have_other_names(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=FMP)
    (told,) = json.loads(payload(entries(endpoint="fmp.stable.income-statement")[0]))
    v3 = {
        {"filingDate": "fillingDate", "fiscalYear": "calendarYear", "epsDiluted": "epsdiluted"}.get(name, name): value
        for name, value in told.items()
    }
    recording.add(
        "fundamentals/fmp/income_statement",
        json.dumps([v3]).encode(),
        ticker="AAPL",
        period="annual",
        first=dt.date(2023, 1, 1),
    )
    recording.add(
        "fundamentals/fmp/income_statement", b"[]", ticker="AAPL", period="quarter", first=dt.date(2023, 1, 1)
    )
    assert recording.run().errors == []
    found = recording.ask(
        "SELECT CAST(filing_date AS VARCHAR), fiscal_year, eps_diluted FROM silver.fmp_income_statement"
    )
    assert found == [(told["filingDate"], int(told["fiscalYear"]), Decimal(str(told["epsDiluted"])))]


def test_yahoo_charts_of_all_exchanges(tmp_path: Path) -> None:
    """Each daily chart that was recorded: days as the exchange means them, bars of an open session marked."""
    recording = Recording(tmp_path)
    charts = {}
    for row in entries(endpoint="yahoo.chart"):
        result = json.loads(payload(row))["chart"]["result"][0]
        if result["meta"]["dataGranularity"] == "1d":
            charts.setdefault(result["meta"]["symbol"], (row, result))
    for symbol, (row, _) in charts.items():
        recording.add("prices/yahoo/eod", payload(row), ticker=symbol)
    context = recording.run()
    assert context.errors == []
    assert context.rows_rejected == 0
    assert recording.ask("SELECT count(DISTINCT symbol) FROM silver.yahoo_eod") == [(len(charts),)]
    assert recording.ask(
        "SELECT count(*) FROM silver.yahoo_eod WHERE dayofweek(date) IN (0, 6) AND symbol NOT LIKE '%-USD'"
    ) == [(0,)]
    for symbol, (_, result) in charts.items():
        closes = [close for close in result["indicators"]["quote"][0]["close"] if close is not None]
        kept = [
            close
            for (close,) in recording.ask(
                f"SELECT close FROM silver.yahoo_eod WHERE symbol = '{symbol}' AND close IS NOT NULL ORDER BY date"
            )
        ]
        assert set(kept) <= set(closes)
        assert len(closes) - len(kept) <= 1, symbol


def test_yahoo_marks_a_bar_of_an_open_session(tmp_path: Path) -> None:
    open_session = {"timezone": "EDT", "start": 1742823000, "end": 1742846400, "gmtoffset": -14400}
    meta = {
        "symbol": "AAPL",
        "currency": "USD",
        "dataGranularity": "1d",
        "exchangeTimezoneName": "America/New_York",
        "regularMarketTime": 1742824293,
        "currentTradingPeriod": {"regular": open_session},
    }
    quote = {name: [1.0, 2.0] for name in ("open", "high", "low", "close")} | {"volume": [10, 20]}
    chart = {
        "chart": {
            "result": [
                {
                    "meta": meta,
                    "timestamp": [1742563800, 1742823000],
                    "indicators": {"quote": [quote], "adjclose": [{"adjclose": [1.0, 2.0]}]},
                }
            ],
            "error": None,
        }
    }
    recording = Recording(tmp_path)
    recording.add("prices/yahoo/eod", json.dumps(chart).encode(), ticker="AAPL")
    meta["regularMarketTime"] = 1742846401
    quote["close"] = [1.0, 2.5]
    recording.add("prices/yahoo/eod", json.dumps(chart).encode(), ticker="AAPL", moment=NOW + dt.timedelta(hours=6))
    assert recording.run().errors == []
    assert recording.ask("SELECT date, close, is_final FROM silver.yahoo_eod ORDER BY date") == [
        (dt.date(2025, 3, 21), 1.0, True),
        (dt.date(2025, 3, 24), 2.5, True),
    ]
    assert recording.ask("SELECT close, is_final FROM silver.yahoo_eod_history") == [(2.0, False)]


def test_days_of_a_market_that_opens_at_midnight_do_not_move_with_the_season() -> None:
    """London, 00:00 in summer is 23:00 UTC of the day before."""
    meta = {"symbol": "EURUSD=X", "dataGranularity": "1d", "exchangeTimezoneName": "Europe/London", "gmtoffset": 0}
    moments = [
        int(dt.datetime(2024, 7, 1, 23, tzinfo=dt.UTC).timestamp()),
        int(dt.datetime(2024, 12, 2, 0, tzinfo=dt.UTC).timestamp()),
    ]
    quote = {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
    chart = {"chart": {"result": [{"meta": meta, "timestamp": moments, "indicators": {"quote": [quote]}}]}}
    assert [row["date"] for row in yahoo.parse(json.dumps(chart).encode())] == [
        dt.date(2024, 7, 2),
        dt.date(2024, 12, 2),
    ]
