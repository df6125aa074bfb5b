"""A plain ``sbf run`` asks no vendor of the further plugins, whatever keys are set."""

from __future__ import annotations

from pathlib import Path

from recorded import NOW

from sbf_core.clock import FixedClock
from sbf_core.home.home import Home
from sbf_core.runner.configured_datasets import configured
from sbf_core.settings.settings import Settings

NAMED = (
    "amfi", "boe", "cboe", "centralbanks", "cftc", "datahub", "fiscaldata", "frenchlib", "gleif", "iso10383",
    "nasdaqdatalink", "nasdaqtrader", "nse", "openfigi", "rba", "snb",
)  # fmt: skip
CHOSEN = """
[options.amfi]
[options.boe]
[options.cboe]
chains = ["AAPL"]
[options.centralbanks]
banks = ["cnb", "nbu"]
[options.cftc]
reports = ["legacy_futures", "financial_combined"]
[options.datahub]
[options.fiscaldata]
[options.nasdaqdatalink]
[options.nse]
[options.frenchlib]
portfolios = ["5_Industry_Portfolios"]
[options.gleif]
leis = ["549300LBI3LRIZ2V8V66"]
[options.iso10383]
[options.nasdaqtrader]
[options.rba]
[options.snb]
[options.openfigi]
key = true
"""


def opened(folder: Path, options: str) -> Home:
    (folder / "sbf.toml").write_text(options)
    settings = Settings(folder, environment={"OPENFIGI_API_KEY": "3f7a9c1e"})
    return Home(settings, clock=FixedClock(NOW))


def test_they_are_not_even_imported_before_somebody_names_them(tmp_path: Path) -> None:
    home = opened(tmp_path, "")
    assert {home.plugins.records[name].state for name in NAMED} == {"asleep"}
    assert not {owned.plugin.name for owned in home.registry.datasets.values()} & set(NAMED)


def test_options_alone_do_not_have_them_asked(tmp_path: Path) -> None:
    home = opened(tmp_path, CHOSEN)
    assert {home.plugins.records[name].state for name in NAMED} == {"loaded"}
    kept, (*_, note) = configured(list(home.registry.datasets.values()), home.keys)
    assert not {owned.plugin.name for owned in kept} & set(NAMED)
    assert set(note.partition(": ")[2].split(", ")) >= set(NAMED)
