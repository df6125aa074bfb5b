"""DataHub's core sets, on byte-exact lines of what it serves: public domain (ODC-PDDL 1.0)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from kit_of import kit_of
from recorded import NOW, Recording, entries, payload

from sbf_core.api import UsageError
from sbf_plugins.datahub import plugin

HERE = Path(__file__).with_name("datahub")
NAMES = [entry.dataset for entry in plugin.datasets({})]


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options="[options.datahub]\n")
    for entry in plugin.datasets({}):
        recording.add(entry.id, (HERE / f"{entry.dataset}.csv").read_bytes(), extension="csv")
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("datahub"))
    later = (HERE / "sp500_constituents_later.csv").read_bytes()
    moment = NOW + dt.timedelta(days=1)
    recording.add("reference/datahub/sp500_constituents", later, extension="csv", moment=moment)
    context = recording.run(plugins=("datahub",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_a_row(filled: Recording, name: str) -> None:
    wanted = (HERE / f"{name}{'_later' if name == 'sp500_constituents' else ''}.csv").read_text()
    assert filled.ask(f"SELECT count(*) FROM silver.datahub_{name}") == [(len(wanted.splitlines()) - 1,)]


def test_who_left_the_index_is_closed(filled: Recording) -> None:
    """The list of today knows nothing of who left; the history does."""
    left = "SELECT symbol FROM silver.datahub_sp500_constituents_history WHERE symbol NOT IN "
    assert filled.ask(left + "(SELECT symbol FROM silver.datahub_sp500_constituents) AND NOT _deleted") == [("AMD",)]
    assert filled.ask("SELECT founded FROM silver.datahub_sp500_constituents WHERE symbol = 'ABBV'") == [
        ("2013 (1888)",)
    ]


def test_what_is_not_known_yet_is_no_zero(filled: Recording) -> None:
    """Shiller's file writes 0.0 for dividends of months that are not out, and for PE10 of the first ten years."""
    assert filled.ask(
        "SELECT sp500, dividend, earnings, cpi, pe10 FROM silver.datahub_sp500_month "
        "WHERE date IN ('1871-01-01', '2023-06-01', '2023-07-01', '2026-06-01') ORDER BY date"
    ) == [
        (4.44, 0.26, 0.4, 12.46, None), (4345.372857142857, 68.71, 181.17, 305.11, 29.94),
        (4508.075500000001, None, None, 305.69, 30.89), (7450.03, None, None, None, None),
    ]  # fmt: skip


def test_months_without_a_day(filled: Recording) -> None:
    assert filled.ask("SELECT min(date) FROM silver.datahub_gold_month") == [(dt.date(1833, 1, 1),)]


@pytest.mark.parametrize(
    ("name", "endpoint"), [("gdp", "datahub.gdp"), ("exchange_rates_month", "datahub.exchange-rates.monthly")]
)
def test_whole_files(tmp_path: Path, name: str, endpoint: str) -> None:
    recording = Recording(tmp_path, options=f'[options.datahub]\ndatasets = ["{name}"]\n')
    content = payload(entries(endpoint=endpoint)[1])
    recording.add(f"macro/datahub/{name}", content, extension="csv")
    context = recording.run(plugins=("datahub",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    assert context.rows_inserted == content.strip().count(b"\n")


def test_a_set_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no dataset 'cpi'"):
        plugin.datasets({"datasets": ["cpi"]})


test_datahub_conforms, test_datahub_conforms_wholly = kit_of("datahub", lambda folder: recorded(folder).folder)
