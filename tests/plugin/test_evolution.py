"""Hooks change in time: what happens to plugins that are older, newer, or use what will be gone."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import warnings
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from warehouse import START

from sbf_core import api
from sbf_core.clock import FixedClock
from sbf_core.errors import UsageError
from sbf_core.fetching.progress import Progress
from sbf_core.home.home import Home
from sbf_core.plugin import hookspecs
from sbf_core.plugin.deprecations import Deprecation, MovedName, SbfDeprecationWarning
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.runner import Runner
from sbf_core.settings.settings import Settings
from sbf_core.testing.scratch import ScratchHome

FROZEN = Path(__file__).parent / "frozen" / "sbf_frozen_v1.py"


def frozen() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbf_frozen_v1", FROZEN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(home: Path, manager: PluginManager, progress: Progress | None = None) -> list[str]:
    files = home / "files"
    files.mkdir(parents=True)
    (files / "Kew.csv").write_text("day,mm\n01.03.2024,4.2\n02.03.2024,n/a\n")
    (files / "Oxford.csv").write_text("day,mm\n01.03.2024,0.0\n")
    (files / "stations.json").write_text(json.dumps([{"station": "Kew", "height": 12}]))
    context = Runner(
        Home(Settings(home, environment={}), clock=FixedClock(START.replace(month=6)), plugins=manager),
        progress=progress,
    ).run()
    return context.errors


def works(home: Path, manager: PluginManager) -> None:
    assert run(home, manager) == []
    told = ScratchHome(home, manager)
    assert told.ask("SELECT station, CAST(day AS VARCHAR), amount FROM silver.frozen_rain ORDER BY ALL") == [
        ("Kew", "2024-03-01", Decimal("4.2")), ("Kew", "2024-03-02", None), ("Oxford", "2024-03-01", Decimal("0.0")),
    ]  # fmt: skip
    assert told.ask("SELECT station, height FROM silver.frozen_station") == [("Kew", 12)]
    assert told.ask("SELECT station FROM gold.frozen_dry") == [("Oxford",)]


def test_the_plugin_is_as_it_was() -> None:
    assert (
        hashlib.sha256(FROZEN.read_bytes()).hexdigest()
        == "bedce8320ab2e4c8dbb711d507d2dca830261555fd971a3eb3b20537c397032b"
    ), "it stands for plugins that nobody edits any more"


def test_a_plugin_of_the_first_hooks_works(tmp_path: Path) -> None:
    manager = PluginManager(())
    manager.register(frozen(), name="frozen")
    assert manager.records["frozen"].hooks == ("build_gold", "datasets", "fetch", "promote", "universe_members")
    works(tmp_path / "home", manager)


def test_a_plugin_that_names_no_number_was_written_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hookspecs, "HOOK_API_SUPPORTED", range(2, 4))
    with pytest.raises(UsageError, match="written for HOOK_API 1, this sbf supports 2 to 3; upgrade the plugin"):
        PluginManager(()).register(ModuleType("old"), name="old")


@pytest.mark.parametrize(
    ("number", "fix"),
    [(2, "upgrade sbf"), (0, "upgrade the plugin"), ("1", "write HOOK_API = 1"), (None, "write HOOK_API = 1")],
)
def test_a_number_that_is_not_supported_is_refused(number: Any, fix: str) -> None:
    module = ModuleType("other")
    module.HOOK_API = number  # type: ignore[attr-defined]
    with pytest.raises(UsageError) as caught:
        PluginManager(()).register(module, name="other")
    assert str(caught.value) == f"written for HOOK_API {number!r}, this sbf supports 1; {fix}"


class Tomorrow:
    """The next hooks: they know the first ones, and would rather not."""

    deprecated = (
        Deprecation(hook="fetch", argument="http", since=2, gone_in="3.0", instead="session"),
        Deprecation(hook="universe_members", since=2, gone_in="3.0", instead="members"),
        Deprecation(hook="promote", argument="payloads", since=2, gone_in="3.0", instead="batch"),
    )


def test_what_will_be_gone_still_works_and_is_told_with_what_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hookspecs, "HOOK_API_SUPPORTED", range(1, 3))
    monkeypatch.setattr(hookspecs, "DEPRECATED", Tomorrow.deprecated)
    manager = PluginManager(())
    with pytest.warns(SbfDeprecationWarning) as caught:
        manager.register(frozen(), name="frozen")
    told = [
        "the argument 'http' of the hook fetch is deprecated since HOOK_API 2 and gone in sbf 3.0; use session",
        "the hook universe_members is deprecated since HOOK_API 2 and gone in sbf 3.0; use members",
    ]
    assert [str(warning.message) for warning in caught] == [f"plugin frozen: {text}" for text in told]
    assert manager.records["frozen"].deprecated == tuple(told)
    works(tmp_path / "home", manager)
    plan = Runner(
        Home(Settings(tmp_path / "home", environment={}), clock=FixedClock(START.replace(month=6)), plugins=manager)
    ).plan()
    assert [note for note in plan.notes if "deprecated" in note] == [f"plugin frozen: {text}" for text in told]


def test_a_name_that_moved_still_works_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        api._MOVED,
        "TableRecipe",
        MovedName(place="sbf_core.dataset.file_recipe", instead="FileRecipe", since="0.9", gone_in="1.0"),
    )
    with pytest.warns(
        SbfDeprecationWarning,
        match=r"sbf_core.api.TableRecipe is deprecated since sbf 0.9 and gone in sbf 1.0; use FileRecipe",
    ):
        assert api.TableRecipe is api.FileRecipe  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'NeverThere'"):
        _ = api.NeverThere  # type: ignore[attr-defined]


def test_nothing_is_deprecated_that_a_bundled_plugin_uses() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SbfDeprecationWarning)
        manager = PluginManager(named=None)
    assert [record.name for record in manager.records.values() if record.deprecated or not record.loaded] == []
