"""What vendors of prices tell beside prices: on recorded answers, which may not be shipped, and, where nothing is
recorded, on the forms of their documentation, with numbers that are made up.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from kit_of import kit_of
from recorded import Recording, entries, payload

from sbf_core.api import PayloadRefused, UsageError
from sbf_core.http.content import why_no_data
from sbf_plugins.alphavantage import fundamentals as alphavantage_more
from sbf_plugins.alphavantage import plugin as alphavantage
from sbf_plugins.fred import plugin as fred
from sbf_plugins.polygon import plugin as polygon
from sbf_plugins.polygon import reference as polygon_more
from sbf_plugins.tiingo import plugin as tiingo
from sbf_plugins.tiingo import reference as tiingo_more
from sbf_plugins.yahoo import events
from sbf_plugins.yahoo import plugin as yahoo

DAY = dt.date(2020, 10, 14)
ONE_DAY = {"first": DAY, "moment": dt.datetime(2020, 10, 14, tzinfo=dt.UTC)}


def told(endpoint: str, text: str = "") -> bytes:
    """A recorded answer whose address holds a text."""
    return payload(next(row for row in entries(endpoint=endpoint) if text in (row["url"] or "")))


def documented(rows: list[dict[str, Any]], at: str) -> bytes:
    return json.dumps({at: rows, "status": "OK", "request_id": "x"}).encode()


POLYGON_OPTIONS = {
    "plan": "paid", "since": DAY, "datasets": [name for name in polygon_more.NAMES if name != "eod"]
}  # fmt: skip


def without_next(content: bytes) -> bytes:
    """A page as the last one: those behind it are not recorded."""
    return json.dumps({name: value for name, value in json.loads(content).items() if name != "next_url"}).encode()


def polygon_recorded(folder: Path) -> Recording:
    options = f'plan = "paid"\nsince = 2020-10-14\ndatasets = {POLYGON_OPTIONS["datasets"]}\n'
    recording = Recording(folder, options=f'[universe]\ntickers = ["A"]\n[options.polygon]\n{options}')
    recording.add("reference/polygon/tickers", without_next(told("polygon.v3.reference.tickers", "cursor=")))
    recording.add("prices/polygon/grouped", told("polygon.v2.aggs.grouped"), **ONE_DAY)  # type: ignore[arg-type]
    recording.add("reference/polygon/holidays", told("polygon.v1.marketstatus.upcoming"))
    recording.add("reference/polygon/conditions", without_next(told("polygon.v3.reference.conditions")))
    contracts = without_next(told("polygon.v3.reference.options", "cursor="))
    recording.add("options/polygon/option_contracts", contracts, ticker="A")
    figures = without_next(told("polygon.vX.reference.financials"))
    recording.add("fundamentals/polygon/financials", figures, ticker="A")
    dividend = {
        "cash_amount": 0.22, "currency": "USD", "declaration_date": "2021-10-28", "dividend_type": "CD",
        "ex_dividend_date": "2021-11-05", "frequency": 4, "id": "E8e3c4f794613e9205e2f178a36c53fcc57cdabb",
        "pay_date": "2021-11-11", "record_date": "2021-11-08", "ticker": "A",
    }  # fmt: skip
    recording.add("prices/polygon/dividends", documented([dividend], "results"), ticker="A")
    split = {"execution_date": "2020-10-15", "id": "E36416cce743c3964c5da63e1ef1626c0aece30fb47302eea5a49c0055c04e8d0",
             "split_from": 1, "split_to": 4, "ticker": "A"}  # fmt: skip
    recording.add("prices/polygon/splits", documented([split], "results"), ticker="A")
    return recording


def test_polygon_beside_its_bars(tmp_path: Path) -> None:
    recording = polygon_recorded(tmp_path)
    context = recording.run(plugins=("polygon",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    # The bar of a day is called by a moment of its evening; its day is the one that was asked for.
    assert recording.ask("SELECT symbol, date, close, trades FROM silver.polygon_grouped") == [
        ("GIK", DAY, Decimal("10.02"), 96)
    ]
    figures = json.loads(told("polygon.vX.reference.financials"))["results"]
    count = sum(len(statement) for filing in figures for statement in filing["financials"].values())
    assert recording.ask("SELECT count(*) FROM silver.polygon_financials") == [(count,)]
    assert recording.ask(
        "SELECT DISTINCT unit, statement FROM silver.polygon_financials WHERE concept = 'liabilities'"
    ) == [("USD", "balance_sheet")]
    assert recording.ask("SELECT count(*), count(DISTINCT strike) FROM silver.polygon_option_contracts")[0][0] > 1
    assert recording.ask("SELECT name, updates_volume FROM silver.polygon_conditions WHERE id = 2") == [
        ("Average Price Trade", True)
    ]
    assert recording.ask("SELECT ex_date, amount, frequency FROM silver.polygon_dividends") == [
        (dt.date(2021, 11, 5), Decimal("0.22"), 4)
    ]
    assert recording.ask("SELECT old_shares, new_shares FROM silver.polygon_splits") == [(1, 4)]
    assert recording.ask(
        "SELECT count(*) FROM silver.polygon_holidays WHERE status = 'early-close' AND closes IS NULL"
    ) == [(0,)]


ALPHA_OPTIONS = {"plan": "75", "datasets": [name for name in alphavantage_more.NAMES if name != "eod"]}


def alphavantage_recorded(folder: Path) -> Recording:
    options = f'plan = "75"\ndatasets = {ALPHA_OPTIONS["datasets"]}\n'
    recording = Recording(folder, options=f'[universe]\ntickers = ["IBM"]\n[options.alphavantage]\n{options}')
    recording.add("fundamentals/alphavantage/overview", told("alphavantage.company_overview"), ticker="IBM")
    statement = told("alphavantage.fundamental_data")
    for name in alphavantage_more.STATEMENTS:
        recording.add(f"fundamentals/alphavantage/{name}", statement, ticker="IBM")
    earnings = {"symbol": "IBM", "annualEarnings": [], "quarterlyEarnings": [
        {"fiscalDateEnding": "2024-09-30", "reportedDate": "2024-10-23", "reportedEPS": "2.3", "estimatedEPS": "2.23",
         "surprise": "0.07", "surprisePercentage": "3.139", "reportTime": "post-market"},
        {"fiscalDateEnding": "1996-03-31", "reportedDate": "1996-04-17", "reportedEPS": "0.41", "estimatedEPS": "None",
         "surprise": "None", "surprisePercentage": "None", "reportTime": "pre-market"},
    ]}  # fmt: skip
    recording.add("fundamentals/alphavantage/earnings", json.dumps(earnings).encode(), ticker="IBM")
    dividends = {"symbol": "IBM", "data": [
        {"ex_dividend_date": "2024-11-12", "declaration_date": "2024-10-30", "record_date": "2024-11-12",
         "payment_date": "2024-12-10", "amount": "1.67"},
        {"ex_dividend_date": "1999-11-08", "declaration_date": "None", "record_date": "None", "payment_date": "None",
         "amount": "0.114725"},
    ]}  # fmt: skip
    recording.add("prices/alphavantage/dividends", json.dumps(dividends).encode(), ticker="IBM")
    splits = {"symbol": "IBM", "data": [{"effective_date": "1999-05-27", "split_factor": "2.0000"}]}
    recording.add("prices/alphavantage/splits", json.dumps(splits).encode(), ticker="IBM")
    listed = (
        "symbol,name,exchange,assetType,ipoDate,delistingDate,status\n"
        "A,Agilent Technologies Inc,NYSE,Stock,1999-11-18,null,Active\n"
    )
    recording.add("reference/alphavantage/listed", listed.encode(), extension="csv")
    return recording


def test_alpha_vantage_beside_its_bars(tmp_path: Path) -> None:
    """A statement has a row for each figure, and the word None for what there is not."""
    recording = alphavantage_recorded(tmp_path)
    context = recording.run(plugins=("alphavantage",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    reports = json.loads(told("alphavantage.fundamental_data"))
    wanted = {
        (period, report["fiscalDateEnding"], concept): None if value == "None" else Decimal(value)
        for period in ("annual", "quarterly")
        for report in reports[f"{period}Reports"]
        for concept, value in report.items()
        if concept not in ("fiscalDateEnding", "reportedCurrency")
    }
    found = recording.ask("SELECT period, CAST(ends AS VARCHAR), concept, value FROM silver.alphavantage_cash_flow")
    assert {(period, ends, concept): value for period, ends, concept, value in found} == wanted
    assert recording.ask("SELECT name, currency, shares IS NOT NULL FROM silver.alphavantage_overview") == [
        ("International Business Machines Corporation", "USD", True)
    ]
    assert recording.ask("SELECT ends, eps_expected FROM silver.alphavantage_earnings ORDER BY 1") == [
        (dt.date(1996, 3, 31), None), (dt.date(2024, 9, 30), Decimal("2.23")),
    ]  # fmt: skip
    assert recording.ask("SELECT declared, amount FROM silver.alphavantage_dividends ORDER BY ex_date") == [
        (None, Decimal("0.114725")), (dt.date(2024, 10, 30), Decimal("1.67")),
    ]  # fmt: skip
    assert recording.ask("SELECT ended FROM silver.alphavantage_listed") == [(None,)]


def test_a_figure_that_is_not_told(tmp_path: Path) -> None:
    options = '[universe]\ntickers = ["IBM"]\n[options.alphavantage]\nplan = "75"\ndatasets = ["balance_sheet"]\n'
    recording = Recording(tmp_path, options=options)
    report = {"fiscalDateEnding": "2024-12-31", "reportedCurrency": "USD", "totalAssets": "137175000000",
              "accumulatedDepreciation": "None"}  # fmt: skip
    content = {"symbol": "IBM", "annualReports": [report], "quarterlyReports": []}
    recording.add("fundamentals/alphavantage/balance_sheet", json.dumps(content).encode(), ticker="IBM")
    context = recording.run(plugins=("alphavantage",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    found = recording.ask("SELECT period, concept, value, currency FROM silver.alphavantage_balance_sheet ORDER BY 2")
    assert found == [
        ("annual", "accumulatedDepreciation", None, "USD"), ("annual", "totalAssets", Decimal(137175000000), "USD"),
    ]  # fmt: skip


TIINGO_OPTIONS = {
    "plan": "power", "since": DAY, "pairs": ["eurusd"],
    "datasets": [name for name in tiingo_more.NAMES if name != "eod"],
}  # fmt: skip


def tiingo_recorded(folder: Path) -> Recording:
    options = f'plan = "power"\nsince = 2020-10-14\npairs = ["eurusd"]\ndatasets = {TIINGO_OPTIONS["datasets"]}\n'
    recording = Recording(folder, options=f'[universe]\ntickers = ["AAPL"]\n[options.tiingo]\n{options}')
    meta = {"ticker": "aapl", "name": "Apple Inc", "exchangeCode": "NASDAQ", "startDate": "1980-12-12",
            "endDate": "2020-10-13", "description": "Apple designs things."}  # fmt: skip
    recording.add("reference/tiingo/meta", json.dumps(meta).encode(), ticker="AAPL")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(
            "supported_tickers.csv",
            "ticker,exchange,assetType,priceCurrency,startDate,endDate\n"
            "AAPL,NASDAQ,Stock,USD,1980-12-12,2020-10-13\nACME,NYSE,Stock,USD,1990-01-02,2001-05-04\n"
            "ACME,NYSE,Stock,USD,2010-03-01,2020-10-13\nNEVER,NYSE,Stock,USD,,\n",
        )
    recording.add("reference/tiingo/supported", stream.getvalue(), extension="zip")
    measure = {"date": "2020-10-14T00:00:00.000Z", "marketCap": 2072000000000.5, "enterpriseVal": 2090000000000.0,
               "peRatio": 36.8, "pbRatio": 28.7, "trailingPEG1Y": None}  # fmt: skip
    recording.add("fundamentals/tiingo/measures", json.dumps([measure]).encode(), ticker="AAPL", **ONE_DAY)  # type: ignore[arg-type]
    rate = {"date": "2020-10-14T00:00:00.000Z", "ticker": "eurusd", "open": 1.17451, "high": 1.17709, "low": 1.17198,
            "close": 1.17473}  # fmt: skip
    recording.add("fx/tiingo/fx", json.dumps([rate]).encode(), ticker="eurusd", **ONE_DAY)  # type: ignore[arg-type]
    return recording


def test_tiingo_beside_its_bars(tmp_path: Path) -> None:
    """A ticker that was given anew is two rows; one that never traded has no first day."""
    recording = tiingo_recorded(tmp_path)
    context = recording.run(plugins=("tiingo",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT began, ended FROM silver.tiingo_supported WHERE symbol = 'ACME' ORDER BY 1") == [
        ("1990-01-02", dt.date(2001, 5, 4)), ("2010-03-01", dt.date(2020, 10, 13)),
    ]  # fmt: skip
    assert recording.ask("SELECT began, ended FROM silver.tiingo_supported WHERE symbol = 'NEVER'") == [("-", None)]
    assert recording.ask("SELECT date, close FROM silver.tiingo_fx") == [(DAY, Decimal("1.17473"))]
    assert recording.ask("SELECT market_cap, peg FROM silver.tiingo_measures") == [(2072000000000.5, None)]


FRED_OPTIONS = {"series": [], "searches": ["leading index"], "releases": ["402", "50"], "calendar": True}


def fred_recorded(folder: Path) -> Recording:
    options = 'series = []\nsearches = ["leading index"]\nreleases = ["402", "50"]\ncalendar = true\n'
    recording = Recording(folder, options=f"[options.fred]\n{options}")
    recording.add("macro/fred/found", told("fred.series.search"), ticker="leading index")
    for release in ("402", "50"):
        content = told("fred.release.tables", f"release_id={release}")
        recording.add("macro/fred/release_elements", content, ticker=release)
    days = {
        "realtime_start": "2026-11-01", "realtime_end": "9999-12-31", "order_by": "release_date", "sort_order": "asc",
        "count": 2, "offset": 0, "limit": 1000,
        "release_dates": [
            {"release_id": 10, "release_name": "Consumer Price Index", "date": "2026-11-12"},
            {"release_id": 10, "release_name": "Consumer Price Index", "date": "2027-01-13"},
        ],
    }  # fmt: skip
    recording.add("macro/fred/release_days", json.dumps(days).encode(), first=dt.date(2020, 1, 1))
    return recording


def test_what_fred_has(tmp_path: Path) -> None:
    recording = fred_recorded(tmp_path)
    context = recording.run(plugins=("fred",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    found = json.loads(told("fred.series.search"))["seriess"]
    assert recording.ask("SELECT count(*) FROM silver.fred_found") == [(len(found),)]
    # FRED writes the zone of Chicago with two digits.
    assert recording.ask("SELECT updated FROM silver.fred_found WHERE series_id = 'BBKMCLA'") == [
        (dt.datetime(2024, 9, 30, 12, 31, 9),)
    ]
    elements = json.loads(told("fred.release.tables", "release_id=402"))["elements"]
    assert recording.ask("SELECT count(*) FROM silver.fred_release_element WHERE release_id = 402") == [
        (len(elements),)
    ]
    assert recording.ask("SELECT kind, level FROM silver.fred_release_element WHERE series_id = 'HQMCB6MT'") == [
        ("series", 1)
    ]
    assert recording.ask("SELECT max(date) FROM silver.fred_release_day") == [(dt.date(2027, 1, 13),)]


def yahoo_recorded(folder: Path) -> Recording:
    recording = Recording(folder, options='[universe]\ntickers = ["AAPL"]\n[options.yahoo]\nfundamentals = true\n')
    charts = [json.loads(payload(row)) for row in entries(endpoint="yahoo.chart", dataset="AAPL")]
    daily = [
        each for each in charts if (each["chart"]["result"] or [{}])[0].get("meta", {}).get("dataGranularity") == "1d"
    ]
    longest = max(daily, key=lambda each: len(each["chart"]["result"][0].get("events", {}).get("dividends", {})))
    recording.add("prices/yahoo/eod", json.dumps(longest).encode(), ticker="AAPL")
    figures = payload(entries(endpoint="yahoo.fundamentalsTimeSeries", dataset="AAPL-all-quarterly")[0])
    recording.add("fundamentals/yahoo/fundamentals", figures, ticker="AAPL")
    return recording


def test_yahoo_beside_its_bars(tmp_path: Path) -> None:
    recording = yahoo_recorded(tmp_path)
    context = recording.run(plugins=("yahoo",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT count(*) FROM silver.yahoo_dividend") == recording.ask(
        "SELECT count(*) FROM silver.yahoo_eod WHERE dividend IS NOT NULL"
    )
    told_series = json.loads(
        payload(entries(endpoint="yahoo.fundamentalsTimeSeries", dataset="AAPL-all-quarterly")[0])
    )["timeseries"]["result"]
    count = sum(1 for each in told_series for figure in each.get(each["meta"]["type"][0]) or [] if figure)
    assert recording.ask("SELECT count(*) FROM silver.yahoo_fundamental") == [(count,)]
    assert recording.ask(
        "SELECT value, currency FROM silver.yahoo_fundamental WHERE concept = 'TotalRevenue' AND ends = '2024-06-30'"
    ) == [(Decimal(85777000000), "USD")]


def test_growth_as_fmp_counts_it(tmp_path: Path) -> None:
    options = '[universe]\ntickers = ["AAPL"]\n[options.fmp]\nplan = "ultimate"\ndatasets = ["financial_growth"]\n'
    recording = Recording(tmp_path, options=options)
    content = told("fmp.stable.financial-growth")
    for place, period in enumerate(("annual", "quarter"), start=1):
        answer = content if period == "annual" else content.replace(b'"FY"', b'"Q4"')
        recording.add("fundamentals/fmp/financial_growth", answer, ticker="AAPL", period=period, part=(place, 2))
    context = recording.run(plugins=("fmp",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert recording.ask("SELECT period, revenue_growth, ebitgrowth FROM silver.fmp_financial_growth ORDER BY 1") == [
        ("FY", 0.0642551178283274, 0.0748592946511722), ("Q4", 0.0642551178283274, 0.0748592946511722),
    ]  # fmt: skip


def test_a_series_of_neither_years_nor_quarters_is_refused() -> None:
    series = {"meta": {"symbol": ["A"], "type": ["monthlyTotalRevenue"]}, "monthlyTotalRevenue": []}
    with pytest.raises(PayloadRefused, match="neither of years"):
        list(events.parse_fundamentals(json.dumps({"timeseries": {"result": [series]}}).encode()))


@pytest.mark.parametrize(
    ("plugin", "options", "reason"),
    [
        (polygon, {"plan": "free", "datasets": ["bars"]}, "no dataset 'bars'"),
        (alphavantage, {"plan": "free", "datasets": ["news"]}, "no dataset 'news'"),
        (tiingo, {"plan": "free", "datasets": ["news"]}, "no dataset 'news'"),
    ],
)
def test_datasets_that_there_are_not(plugin: Any, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        plugin.datasets(options)


def test_a_list_that_goes_on_is_not_the_whole_truth() -> None:
    (entry,) = polygon.datasets({"plan": "free", "datasets": ["conditions"]})
    content = documented(
        [{"id": 1, "type": "sale_condition", "name": "Acquisition", "asset_class": "stocks"}], "results"
    )
    assert why_no_data(entry, content, "json") is None
    more = json.dumps({**json.loads(content), "next_url": "https://api.polygon.io/v3/reference/conditions?cursor=x"})
    assert why_no_data(entry, more.encode(), "json") is not None


def test_a_plan_that_does_not_cover_it_is_no_failure_and_no_data() -> None:
    (entry,) = polygon.datasets({"plan": "free", "datasets": ["grouped"]})
    note = b'{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}'
    assert why_no_data(entry, note, "json") is not None
    assert [entry.dataset for entry in yahoo.datasets({})] == ["dividends", "splits", "eod"]
    assert [entry.dataset for entry in fred.datasets({})] == ["observations", "series"]


UNSEEN = {"columns_are_filled": "the recorded answers do not hold each field"}
test_polygon_conforms, test_polygon_conforms_wholly = kit_of(
    "polygon", lambda folder: polygon_recorded(folder).folder, POLYGON_OPTIONS
)
test_alphavantage_conforms, test_alphavantage_conforms_wholly = kit_of(
    "alphavantage", lambda folder: alphavantage_recorded(folder).folder, ALPHA_OPTIONS, UNSEEN
)
test_tiingo_conforms, test_tiingo_conforms_wholly = kit_of(
    "tiingo", lambda folder: tiingo_recorded(folder).folder, TIINGO_OPTIONS, UNSEEN
)
test_yahoo_conforms, test_yahoo_conforms_wholly = kit_of(
    "yahoo", lambda folder: yahoo_recorded(folder).folder, {"fundamentals": True}
)
