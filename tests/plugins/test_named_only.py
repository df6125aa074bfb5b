"""A plain ``sbf run`` asks no vendor of the further plugins, whatever keys are set."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import NOW

from sbf_core.clock import FixedClock
from sbf_core.home.home import Home
from sbf_core.runner.configured_datasets import configured
from sbf_core.settings.settings import Settings

NAMED = ("amfi", "cboe", "cftc", "frenchlib", "gleif", "iso10383", "nasdaqtrader", "openfigi")
CHOSEN = """
[options.cboe]
chains = ["AAPL"]
[options.cftc]
reports = ["legacy_futures", "financial_combined"]
[options.frenchlib]
portfolios = ["5_Industry_Portfolios"]
[options.gleif]
leis = ["549300LBI3LRIZ2V8V66"]
[options.openfigi]
key = true
"""


@pytest.mark.parametrize("options", ["", CHOSEN], ids=["as it is installed", "with options"])
def test_they_are_left_out_unless_they_are_named(tmp_path: Path, options: str) -> None:
    (tmp_path / "sbf.toml").write_text(options)
    settings = Settings(tmp_path, environment={"OPENFIGI_API_KEY": "3f7a9c1e"})
    home = Home(settings, clock=FixedClock(NOW))
    kept, (*_, note) = configured(list(home.registry.datasets.values()), home.keys)
    assert not {owned.plugin.name for owned in kept} & set(NAMED)
    told = set(note.partition(": ")[2].split(", "))
    assert told >= set(NAMED) - (set() if options else {"gleif"})
