"""A hook that finds too little memory, a full disk or no descriptor is not to blame: nothing is recorded of its
dataset, the others go on, the command ends with 6, and the next run asks again.
Here and in a process of the plugin's own.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from odd_plugins import fetch_with, promote_with, run
from warehouse import Warehouse

from sbf_core import signals
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.errors import EnvironmentFault, OutOfMemory
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.settings.settings import Settings

GOOD = "return result(request)"
HOOKS = {
    "fetch": fetch_with("{} \n    return result(request)"),
    "promote": promote_with("{}; return None"),
    "parse": promote_with("def parse(content): {}; yield from json.loads(content)\n    return ParseRows(parse)"),
}
FAULTS = {
    "memory": ("raise MemoryError", OutOfMemory),
    "descriptors": ("raise OSError(24, 'Too many open files')", EnvironmentFault),
}


@pytest.fixture(params=["all", "none"])
def isolate(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _as_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals._Asked, "installed", True)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hook", HOOKS)
def test_what_the_machine_lacks_is_no_judgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str, hook: str, fault: str
) -> None:
    """It lacks it while a file is there: the same plugin is whole afterwards."""
    lacking = tmp_path / "lacking"
    lacking.touch()
    raising, kind = FAULTS[fault]
    text = HOOKS[hook].replace("{}", f"exec({raising!r}) if os.path.exists({str(lacking)!r}) else None", 1)
    with pytest.raises(EnvironmentFault) as raised:
        run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert type(raised.value) is kind
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(1,)], "the others went on"
    assert warehouse.ask("SELECT status FROM ops.file_ingestions WHERE kind = 'run'") == [("partial",)]
    told = "SELECT count(*) FROM ops.promotion_manifest WHERE status = 'failed'"
    assert warehouse.ask(told) == [(0,)]
    assert warehouse.ask("SELECT count(*) FROM ops.file_ingestions WHERE status = 'failed'") == [(0,)]
    assert ("prices/odd/eod" in "".join(warehouse.bronze_files())) == (hook != "fetch")
    lacking.unlink()
    context = run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert context.errors == []
    assert Warehouse(tmp_path / "home").ask("SELECT symbol FROM silver.odd_eod") == [("A",)]


@pytest.mark.parametrize("isolate", ["all", "none"])
def test_gold_waits_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str) -> None:
    text = fetch_with(GOOD) + "\n@hookimpl\ndef build_gold():\n    raise MemoryError\n"
    with pytest.raises(OutOfMemory, match="gold models, plugin odd, hook build_gold"):
        run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert Warehouse(tmp_path / "home").ask("SELECT count(*) FROM silver.odd_eod") == [(1,)]


@pytest.mark.parametrize(
    "raising",
    ["raise MemoryError", 'raise RuntimeError("can\'t start new thread")', "raise OSError(24, 'Too many open files')"],
)
@pytest.mark.parametrize("place", ["import", "datasets"])
def test_an_import_that_lacks_something_says_nothing_about_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, raising: str
) -> None:
    """The others go on, the run ends as where a hook lacks it,
    and nobody judges the home by what is declared meanwhile.
    """
    lacking = tmp_path / "lacking"
    lacking.touch()
    code = f"exec({raising!r}) if os.path.exists({str(lacking)!r}) else None\n"
    text = fetch_with(GOOD)
    text = (
        text.replace("@attrs.frozen", f"{code}\n@attrs.frozen", 1)
        if place == "import"
        else text.replace("    return [Dat", f"    {code}    return [Dat")
    )
    with pytest.raises(EnvironmentFault):
        run(tmp_path, monkeypatch, text)
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(1,)], "the others went on"
    module = f"odd_{tmp_path.name.replace('-', '_')}"
    sys.modules.pop(module, None)
    manager = PluginManager([EntryPoint(name="odd", value=module, group="sbf.plugins")])
    settings = Settings(tmp_path / "home", environment={})
    for judge in (Verification, Repair):
        with pytest.raises(EnvironmentFault):
            judge(Home(settings, plugins=manager)).run()
    with pytest.raises(EnvironmentFault):
        rebuild(Home(settings, plugins=manager))
    with pytest.raises(EnvironmentFault):
        manager.selected(["odd"])
    lacking.unlink()
    assert run(tmp_path, monkeypatch, text).errors == []
    assert Warehouse(tmp_path / "home").ask("SELECT symbol FROM silver.odd_eod") == [("A",)]
