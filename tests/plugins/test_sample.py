"""The bundled plugins on the bundled recording: real payloads, and the numbers that must come out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sbf_plugins.sample
from sbf_core.bronze.archive import BronzeArchive
from sbf_core.care.digest import digest_tables
from sbf_core.clock import FixedClock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
SAMPLE = Path(sbf_plugins.sample.__file__).parent


def run(home: Path, **options: object) -> RunContext:
    return Runner(
        Home(Settings(home, environment={}), clock=FixedClock(NOW)), RunOptions(**{"replay": "sample", **options})
    ).run()


class Sample:
    """A home in which the sample was run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.context = run(home)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        bootstrap = DuckDbBootstrap(Settings(self.home, environment={}).config, read_only=True).open()
        try:
            return bootstrap.cursor().execute(query).fetchall()
        finally:
            bootstrap.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("sample") / "home")


def test_the_run_is_whole(sample: Sample) -> None:
    context = sample.context
    assert (context.status, context.errors, context.files, context.gold_tables) == ("ok", [], 10, 7)
    assert context.tickers == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert (
        context.rows_seen
        == context.rows_inserted + context.rows_updated + context.rows_unchanged + context.rows_rejected
    )
    assert context.rows_rejected == 0


def test_of_two_vintages_the_later_one_says_when_a_series_was_looked_at(sample: Sample) -> None:
    assert sample.ask("SELECT checked_at FROM ops.data_dates WHERE key = 'macro/bls/cpi'") == [
        (dt.datetime(2026, 9, 30),)
    ]


STATS = {  # independently computed twice; see the notes on data
    "AAPL": (3269, 0.481503, 0.491045, 12.408616, 8.970853),
    "IBM": (3269, 0.279649, 0.295451, 1.379213, 0.769219),
    "MSFT": (3269, 0.330089, 0.344192, -0.183333, -0.392714),
    "GOOG": (2147, 0.341628, 0.349957, 7.034983, 6.638796),
    "FB": (195, 0.600017, 0.610504, -0.273380, -0.288974),
}


@pytest.mark.parametrize("ticker", STATS)
def test_the_reference_figures_come_out(sample: Sample, ticker: str) -> None:
    columns = "returns, volatility_usd, volatility_eur, total_return_usd, total_return_eur"
    (found,) = sample.ask(f"SELECT {columns} FROM gold.instrument_stats WHERE ticker = '{ticker}'")
    assert found[0] == STATS[ticker][0]
    assert [round(float(str(value)), 6) for value in found[1:]] == list(STATS[ticker][1:])


def test_the_figures_agree_with_plain_python(sample: Sample) -> None:
    """The same from the payloads alone, without the engine."""
    with zipfile.ZipFile(next((SAMPLE / "bronze" / "fx").rglob("*.zip"))) as archive:
        rates = {
            row["Date"]: float(row["USD"])
            for row in csv.DictReader(io.TextIOWrapper(archive.open("eurofxref-hist.csv")))
            if row["USD"] != "N/A"
        }
    days = sorted(rates)
    with next((SAMPLE / "bronze" / "prices" / "wiki" / "eod" / "AAPL").iterdir()).open() as bars:
        prices = [(row["Date"], float(row["Adj Close"])) for row in csv.DictReader(bars)]
    euros = []
    for day, close in prices:
        fixing = max(known for known in days[: len(days)] if known <= day) if day not in rates else day
        euros.append(close / rates[fixing])
    returns = [math.log(after / before) for before, after in zip(euros, euros[1:], strict=False)]
    (found,) = sample.ask("SELECT volatility_eur FROM gold.instrument_stats WHERE ticker = 'AAPL'")
    assert float(str(found[0])) == pytest.approx(statistics.stdev(returns) * math.sqrt(252), rel=1e-12)


def test_no_cell_and_no_day_is_lost(sample: Sample) -> None:
    assert sample.ask("SELECT count(*), count(rate), count(DISTINCT currency) FROM silver.ecb_reference_rate") == [
        (292_166, 221_702, 41)
    ]
    assert sample.ask("SELECT count(*) FROM gold.fact_fx_rate") == [(221_702,)]
    without = "WHERE date <> fixing_date"
    assert sample.ask(f"SELECT count(DISTINCT date), count(*) FROM gold.fact_price_eod {without}") == [(31, 111)]
    assert sample.ask("SELECT count(*), count(adj_close_eur) FROM gold.fact_price_eod") == [(12_154, 12_154)]


def test_currencies_that_ended_keep_their_dates(sample: Sample) -> None:
    ended = "SELECT currency, last_fixing FROM gold.dim_currency WHERE currency IN ('HRK', 'RUB', 'BGN') ORDER BY 1"
    assert sample.ask(ended) == [
        ("BGN", dt.date(2025, 12, 31)),
        ("HRK", dt.date(2022, 12, 30)),
        ("RUB", dt.date(2022, 3, 1)),
    ]


def test_both_truths_of_the_consumer_price_index(sample: Sample) -> None:
    """Two vintages: 781 values came, 3,793 were restated."""
    as_of = "SELECT count(*), round(sum(value), 3) FROM silver.bls_cpi_as_of(TIMESTAMP '{}')"
    before, after = sample.ask(as_of.format("2026-01-01"))[0], sample.ask(as_of.format("2026-10-01"))[0]
    assert (before[0], after[0]) == (48_124, 48_905)
    assert sample.ask("SELECT count(*) FROM silver.bls_cpi_history") == [(3_793,)]
    assert sample.ask(
        "SELECT rows_inserted, rows_updated, rows_unchanged FROM ops.promotion_manifest "
        "WHERE silver_table = 'bls_cpi' ORDER BY rows_seen"
    ) == [
        (48_124, 0, 0),
        (781, 3_793, 44_331),
    ]
    assert sample.ask("SELECT count(*) FROM silver.bls_cpi_as_of(TIMESTAMP '2026-10-01', TIMESTAMP '2025-12-31')") == [
        (48_124,)
    ]
    assert sample.ask("SELECT count(*) FROM silver.bls_cpi WHERE year = 2025 AND period = 'M10'") == [(0,)]


def test_reference_tables(sample: Sample) -> None:
    assert sample.ask("SELECT count(*), count(DISTINCT cik) < count(*) FROM silver.sec_company_ticker") == [
        (10_365, True)
    ]
    assert sample.ask("SELECT cik, exchange FROM silver.sec_company_ticker WHERE ticker = 'AAPL'") == [
        (320193, "Nasdaq")
    ]
    assert sample.ask("SELECT count(*), count(currency) < 280 FROM silver.iso4217_currency") == [(280, True)]
    assert sample.ask("SELECT DISTINCT numeric_code FROM silver.iso4217_currency WHERE currency = 'ALL'") == [("008",)]
    assert sample.ask("SELECT count(*) FROM ops.schema_drift") == [(0,)]


def test_every_gold_test_ran_and_passed(sample: Sample) -> None:
    assert sample.ask("SELECT DISTINCT status FROM ops.gold_tests") == [("ok",)]
    assert sample.ask("SELECT count(DISTINCT table_name) FROM ops.gold_tests") == [(7,)]


def test_a_second_run_changes_nothing(sample: Sample) -> None:
    files = sorted(path.as_posix() for path in (sample.home / "bronze").rglob("*"))
    tables = (
        "SELECT (SELECT count(*) FROM silver.bls_cpi), "
        "(SELECT count(*) FROM ops.promotion_manifest), "
        "(SELECT count(*) FROM ops.gold_manifest)"
    )
    before = sample.ask(tables)
    context = run(sample.home)
    assert (context.status, context.requests, context.files, context.rows_seen, context.gold_tables) == (
        "ok",
        0,
        0,
        0,
        0,
    )
    assert sample.ask(tables) == before
    assert sorted(path.as_posix() for path in (sample.home / "bronze").rglob("*")) == files


def digests(home: Path) -> dict[str, str]:
    bootstrap = DuckDbBootstrap(Settings(home, environment={}).config, read_only=True).open()
    registry = DatasetRegistry(PluginManager())
    keys = {f"silver.{owned.entry.silver_table}": owned.entry.key_columns for owned in registry.datasets.values()}
    try:
        return {item.table: item.sha256 for item in digest_tables(bootstrap.cursor(), keys=keys)}
    finally:
        bootstrap.close()


def test_a_home_replayed_from_another_home_is_equal(sample: Sample, tmp_path: Path) -> None:
    """A Bronze folder is a cassette: the database can be made again from it, on any machine."""
    context = run(tmp_path / "copy", replay=str(sample.home))
    assert context.status == "ok"
    first, second = digests(sample.home), digests(tmp_path / "copy")
    assert len(first) == 17
    assert first == second


def test_vintage_by_vintage_is_the_same_as_at_once(sample: Sample, tmp_path: Path) -> None:
    home = tmp_path / "slow"
    for moment in (dt.datetime(2025, 12, 31, tzinfo=dt.UTC), dt.datetime(2026, 6, 1, tzinfo=dt.UTC), None):
        assert run(home, replay_until=moment).status == "ok"
    assert digests(home) == digests(sample.home)


def test_only_some_plugins(tmp_path: Path) -> None:
    context = run(tmp_path / "home", plugins=("ecb",))
    assert (context.files, context.rows_inserted, context.status) == (1, 292_166, "ok")


def test_the_sample_is_what_its_journal_says() -> None:
    archive = BronzeArchive(SAMPLE)
    for vintage in archive.vintages:
        for line in vintage.lines:
            assert archive.result(line, vintage.request).payload


def test_the_sample_can_be_made_again(tmp_path: Path) -> None:
    import make_sample

    shared = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not shared.is_dir():
        pytest.skip("the source files of the sample are not here; they are not shipped with the project")
    made = {
        (result.request.key, result.fetched_at): result.payload
        for result in make_sample.results(shared / "bundled", shared / "recorded" / "bls")
    }
    archive = BronzeArchive(SAMPLE)
    kept = {
        (line.row.key, line.row.fetched_at): archive.result(line, vintage.request).payload
        for vintage in archive.vintages
        for line in vintage.lines
    }
    assert made == kept


def test_the_example_reads_it(sample: Sample) -> None:
    script = Path(__file__).resolve().parents[2] / "examples" / "read_gold.py"
    done = subprocess.run([sys.executable, str(script), str(sample.home)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("AAPL  2000-09-29")


def test_tickers_may_be_named(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", flags={"universe.tickers": ("IBM", "FB")}, environment={})
    context = Runner(Home(settings, clock=FixedClock(NOW)), RunOptions(replay="sample", plugins=("eod",))).run()
    assert (context.tickers, context.files, context.rows_inserted) == (("IBM", "FB"), 2, 3_466)
