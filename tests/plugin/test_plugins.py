"""Plugins load one by one; a bad one costs only itself; two owners of one thing are refused by name."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import hookimpl
from sbf_core.errors import PluginFault, UsageError
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner


def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> EntryPoint:
    module = f"plug_{tmp_path.name.replace('-', '_')}_{name}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return EntryPoint(name=name, value=module, group="sbf.plugins")


GOOD = "from sbf_core.api import hookimpl\n@hookimpl\ndef build_gold():\n    return []\n"
BAD = {
    "syntax": ("def (", "SyntaxError"),
    "missing": ("import nothing_of_this_name", "ModuleNotFoundError"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "unknown_hook": ("from sbf_core.api import hookimpl\n@hookimpl\ndef promoted():\n    pass\n", "promoted"),
    "unknown_argument": (
        "from sbf_core.api import hookimpl\n@hookimpl\ndef fetch(entry, wishes):\n    pass\n",
        "wishes",
    ),
    "not_marked": ("def datasets():\n    return []\n", "write @hookimpl above `def datasets`"),
    "not_marked_beside_another": (
        GOOD + "def promote(entry, batch):\n    pass\n",
        "its function 'promote' is called like a hook",
    ),
    "future": ("HOOK_API = 99\n", "HOOK_API 99, this sbf supports 1"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=BAD)
def test_a_bad_plugin_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    points = [
        point(tmp_path, monkeypatch, name, body) for name, body in (("a_good", GOOD), ("bad", text), ("z_good", GOOD))
    ]
    manager = PluginManager(points)
    assert [record.name for record in manager.selected(None)] == ["a_good", "z_good"]
    assert manager.records["bad"].state == "refused"
    assert reason in manager.records["bad"].reason
    with pytest.raises(UsageError, match="is refused"):
        manager.selected(["bad"])


def test_a_helper_that_is_called_like_a_hook_is_one_where_it_takes_other_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD + "def fetch(url):\n    pass\nfrom os.path import join as promote\nuniverse_members = 1\n"
    assert PluginManager([point(tmp_path, monkeypatch, "good", text)]).records["good"].loaded


def test_an_unknown_plugin_gets_the_nearest_name_and_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = PluginManager([point(tmp_path, monkeypatch, "prices", GOOD)])
    with pytest.raises(UsageError, match=r"did you mean 'prices'\?; installed: prices"):
        manager.selected(["price"])


def when_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> EntryPoint:
    found = point(tmp_path, monkeypatch, name, text)
    return EntryPoint(name=found.name, value=found.value, group="sbf.plugins.when_named")


def test_a_plugin_that_nobody_names_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        when_named(tmp_path, monkeypatch, "later", "1 / 0"), when_named(tmp_path, monkeypatch, "chosen", GOOD),
        when_named(tmp_path, monkeypatch, "asked", GOOD), point(tmp_path, monkeypatch, "always", GOOD),
    ]  # fmt: skip
    manager = PluginManager(points, options={"chosen": {}}, named=("as*",))
    assert [record.name for record in manager.selected(None)] == ["always", "asked", "chosen"]
    assert manager.records["later"].state == "asleep"
    with pytest.raises(UsageError, match=r"asleep: nobody has named it.*write \[options.later\] into sbf.toml"):
        manager.selected(["later"])
    assert manager.wake(["always", "other"]) is False
    assert manager.wake(["lat*"]) is True
    assert manager.records["later"].state == "refused"  # it was imported
    assert manager.wake(["lat*"]) is False


def test_one_that_nobody_names_costs_a_run_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, later = FakeVendor(entry()), when_named(tmp_path, monkeypatch, "later", "1 / 0")
    good.says([price("A", "2024-01-01")])
    warehouse = Warehouse(tmp_path / "home", good)
    manager = PluginManager([later])
    manager.register(good, name="fake")
    good.clock = warehouse.clock
    context = Runner(warehouse.opened(manager)).run()
    assert (context.errors, context.notes) == ([], [])
    named = Runner(warehouse.opened(manager, run__plugins=("fake", "later"))).run()
    assert "plugin later is refused: ZeroDivisionError" in named.errors[0]


LATER = """
import attrs
from sbf_core.api import DatasetKeymapEntry, FileRecipe, column, hookimpl
@attrs.frozen
class Row:
    k: str = column(key=True)
@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="d", source="{source}", dataset="rows", silver_table="later_row", columns=Row,
                               recipe=FileRecipe(path="rows.csv"), opt_in=True)]
"""


def test_what_came_once_is_known_ever_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = when_named(tmp_path, monkeypatch, "later", LATER.format(source="later"))
    monkeypatch.setattr("sbf_core.plugin.manager._installed", lambda: [found])
    home = tmp_path / "home"
    (home / "files").mkdir(parents=True)
    (home / "files" / "rows.csv").write_text("k\na\n")
    assert Home.at(home).entries == []
    assert Runner(Home.at(home, flags={"run.plugins": ("later",)})).run().errors == []
    assert [one.id for one in Home.at(home).entries] == ["d/later/rows"]
    replayed = Runner(Home.at(tmp_path / "other"), RunOptions(replay=str(home / "bronze"))).run()
    assert (replayed.errors, replayed.rows_inserted) == ([], 1)


def test_its_payloads_must_be_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = when_named(tmp_path, monkeypatch, "later", LATER.format(source="other"))
    manager = PluginManager([found], named=("later",))
    assert DatasetRegistry(manager).datasets == {}
    assert "nobody would load it again for its payloads" in manager.records["later"].reason


def test_a_blocked_plugin_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = PluginManager([point(tmp_path, monkeypatch, "bad", "1 / 0")], block=("bad",))
    assert manager.records["bad"].state == "blocked"


def registry(*vendors: object) -> DatasetRegistry:
    manager = PluginManager(())
    for number, vendor in enumerate(vendors):
        manager.register(vendor, name=f"p{number}")
    return DatasetRegistry(manager)


@pytest.mark.parametrize(
    ("changes", "what"), [({}, "dataset 'prices/fake/eod'"), ({"dataset": "other"}, "silver table 'px'")]
)
def test_two_owners_are_refused_and_both_named(changes: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=rf"{what} is declared twice; plugins p0 and p1"):
        registry(FakeVendor(entry()), FakeVendor(entry(**changes)))


def test_no_dataset_is_called_like_a_series_of_another() -> None:
    first = entry(discriminator="A", scope="per_ticker")
    other = entry(discriminator="A/B", silver_table="other")
    with pytest.raises(UsageError, match=r"'prices/fake/eod@A/B' is that of a series of 'prices/fake/eod@A'") as raised:
        registry(FakeVendor(first, other))
    assert raised.value.code == "TWICE"
    for first, second in (("AB", "A/B"), ("A", "AB/A")):
        other = entry(discriminator=second, silver_table="other")
        registry(FakeVendor(entry(discriminator=first, scope="per_ticker"), other))
    registry(FakeVendor(entry(discriminator="A"), entry(discriminator="A/B", silver_table="other")))  # it has no series


@pytest.mark.parametrize("name", ["px_history", "px_as_of"])
def test_no_table_is_named_as_what_sbf_makes_of_others(name: str) -> None:
    """As the history of another table it took that table's place, and all that was known before was gone."""
    with pytest.raises(
        UsageError, match=rf"silver table '{name}' ends in _.* renamed_from=\(\"silver.{name}\",\)"
    ) as raised:
        entry(silver_table=name)
    assert raised.value.code == "NAME"


def test_a_former_name_is_not_the_history_of_a_table() -> None:
    other = entry(dataset="other", silver_table="other", renamed_from=("silver.px_history",))
    with pytest.raises(UsageError, match=r"former name 'silver\.px_history' is declared twice"):
        registry(FakeVendor(entry()), FakeVendor(other))
    registry(FakeVendor(entry(renamed_from=("silver.px_history",))))
    with pytest.raises(UsageError, match="which is its name now"):  # a view would be where the history is
        entry(renamed_from=("silver.px_history",), keep_view=True)


def test_declarations_that_are_none_refuse_the_plugin() -> None:
    vendor = FakeVendor()
    vendor.entries = ["x"]  # type: ignore[list-item]
    manager = PluginManager(())
    record = manager.register(vendor, name="p")
    DatasetRegistry(manager)
    assert (record.state, record.reason) == ("refused", "datasets() gave str instead of DatasetKeymapEntry")


MISDEEDS = [ValueError("boom"), RecursionError(), SystemExit(3), None, "text", [], [1]]


@pytest.mark.parametrize("misdeed", MISDEEDS, ids=repr)
def test_a_fetch_that_misbehaves_costs_only_its_own_dataset(tmp_path: Path, misdeed: object) -> None:
    class Hostile(FakeVendor):
        @hookimpl
        def fetch(self) -> object:
            if isinstance(misdeed, BaseException):
                raise misdeed
            return misdeed

    good = FakeVendor(entry(dataset="good", silver_table="good"))
    warehouse = Warehouse(tmp_path / "home", Hostile(entry()), good)
    good.says([price("A", "2024-01-01")], dataset="good")
    context = warehouse.run()
    assert context.status == "partial"
    assert warehouse.ask("SELECT count(*) FROM silver.good") == [(1,)]
    assert len(context.errors) == 1
    assert "plugin fake, hook fetch" in context.errors[0]


@pytest.mark.parametrize("misdeed", [ValueError("boom"), 7, "SELECT 1"], ids=repr)
def test_a_promote_that_misbehaves_leaves_its_payload_for_the_next_run(tmp_path: Path, misdeed: object) -> None:
    class Hostile(FakeVendor):
        mended = False

        @hookimpl
        def promote(self) -> object:
            from sbf_core.api import SelectRows

            if self.mended:
                return SelectRows("SELECT * FROM batch")
            if isinstance(misdeed, BaseException):
                raise misdeed
            return misdeed

    vendor = Hostile(entry())
    vendor.extension = "csv"
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1,1\n")
    warehouse = Warehouse(tmp_path / "home", vendor)
    context = warehouse.run()
    assert "hook promote" in context.errors[0] or "promote answered" in context.errors[0]
    vendor.mended = True
    assert warehouse.run(hours_later=1).rows_inserted == 1


def test_only_the_owner_of_a_dataset_is_asked(tmp_path: Path) -> None:
    one, other = FakeVendor(entry()), FakeVendor(entry(dataset="other", silver_table="other"))
    warehouse = Warehouse(tmp_path / "home", one, other)
    one.says([price("A", "2024-01-01")])
    other.says([price("B", "2024-01-01")], dataset="other")
    warehouse.run()
    assert (one.asked, other.asked) == (["prices/fake/eod"], ["prices/fake/other"])


def test_a_plugin_that_cannot_be_hashed_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be hashed"):
        PluginManager(()).register(types.SimpleNamespace(), name="p")


def test_a_hook_that_answers_none_is_an_error() -> None:
    module = types.ModuleType("p")
    module.build_gold = hookimpl(lambda: None)  # type: ignore[attr-defined]
    manager = PluginManager(())
    record = manager.register(module, name="p")
    with pytest.raises(PluginFault, match=r"answered None; gold, plugin p, hook build_gold; nothing was written"):
        manager.call(record, "build_gold", doing="gold", safe="nothing was written", options={})


def test_who_is_named_and_declares_nothing_says_where_to_choose(tmp_path: Path) -> None:
    good, empty = FakeVendor(entry()), FakeVendor()
    good.says([price("A", "2024-01-01")])
    warehouse = Warehouse(tmp_path / "home", good, empty)
    assert warehouse.runner().plan().notes == ()
    (told,) = warehouse.runner(run__plugins=("fake", "fake1")).plan().notes
    assert told == "fake1 declares no dataset: [options.fake1] in sbf.toml says which it has, see its README"
