"""What a run works on: plugins by name, package and pattern, datasets by terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.plugin.patterns import chosen_by, matches
from sbf_core.runner.options import RunOptions, split_select
from sbf_core.vocabulary import Layer


class Plugin:
    """As the loader knows it."""

    def __init__(self, name: str, distribution: str = "") -> None:
        self.name = name
        self.distribution = distribution


INSTALLED = [
    Plugin("ecb", "sbf"),
    Plugin("fmp", "sbf"),
    Plugin("fred", "sbf"),
    Plugin("riksbank", "Sbf_Nordic.Rates"),
    Plugin("norges", "sbf-nordic-rates"),
    Plugin("hand"),
]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ecb", ["ecb"]), ("f*", ["fmp", "fred"]), ("*", ["ecb", "fmp", "fred", "riksbank", "norges", "hand"]),
        ("sbf", ["ecb", "fmp", "fred"]), ("sbf-nordic-rates", ["riksbank", "norges"]),
        ("SBF_nordic_rates", ["riksbank", "norges"]), ("sbf-nordic*", ["riksbank", "norges"]),
        ("[ef]*", ["ecb", "fmp", "fred"]), ("h?nd", ["hand"]),
    ],
)  # fmt: skip
def test_what_a_word_means(pattern: str, names: list[str]) -> None:
    assert chosen_by(pattern, INSTALLED, what="--plugins") == names


def test_a_plugin_goes_before_a_package_of_its_name() -> None:
    assert chosen_by("sbf", [*INSTALLED, Plugin("sbf", "other")], what="--plugins") == ["sbf"]


@pytest.mark.parametrize(
    ("word", "fix"), [("emp", "did you mean 'fmp'"), ("x*", "installed: ecb, fmp"), ("", "installed")]
)
def test_a_word_that_means_nothing_is_refused(word: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_by(word, INSTALLED, what="--exclude")
    assert fix in str(caught.value)
    assert "--exclude" in str(caught.value)


def test_names_are_not_patterns_of_letters() -> None:
    assert not matches(Plugin("fmp"), "FMP"), "names of plugins are told apart by their letters"


class Home:
    """Two vendors with four datasets."""

    def __init__(self, folder: Path) -> None:
        self.first = FakeVendor(
            entry(tags=("daily", "prices")), entry(dataset="splits", silver_table="splits", tags=("rare",))
        )
        other = {"source": "other", "domain": "macro"}
        self.second = FakeVendor(
            entry(**other, silver_table="px2", tags=("daily",)),
            entry(**other, dataset="eod_bulk", discriminator="US", silver_table="bulk"),
        )
        for vendor in (self.first, self.second):
            for declared in vendor.entries:
                vendor.says([price("A", "2024-01-01")], dataset=declared.dataset)
        self.warehouse = Warehouse(folder, self.first, self.second)

    def asked(self, **options: object) -> list[str]:
        self.first.asked.clear()
        self.second.asked.clear()
        context = self.warehouse.run(options=RunOptions(force=True, **options))  # type: ignore[arg-type]
        assert context.errors == []
        return sorted([*self.first.asked, *self.second.asked])


EOD, SPLITS, EOD2, BULK = "prices/fake/eod", "prices/fake/splits", "macro/other/eod", "macro/other/eod_bulk@US"


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, [EOD, SPLITS, EOD2, BULK]),
        ({"plugins": ("fake*",)}, [EOD, SPLITS, EOD2, BULK]),
        ({"plugins": ("fake*",), "exclude": ("fake1",)}, [EOD, SPLITS]),
        ({"exclude": ("fake",)}, [EOD2, BULK]),
        ({"select": ("fake:eod",)}, [EOD]),
        ({"select": ("*:eod*",)}, [EOD, EOD2, BULK]),
        ({"select": ("fake1:eod_bulk@US",)}, [BULK]),
        ({"select": ("prices/*",)}, [EOD, SPLITS]),
        ({"select": ("tag:daily",)}, [EOD, EOD2]),
        ({"select": ("tag:r*", "macro/other/eod")}, [SPLITS, EOD2]),
        ({"select": ("tag:daily",), "exclude": ("fake1",)}, [EOD]),
    ],
)
def test_a_run_asks_for_what_is_selected(tmp_path: Path, options: dict[str, object], asked: list[str]) -> None:
    assert Home(tmp_path / "home").asked(**options) == sorted(asked)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"select": ("fake:eo",)}, "no dataset is 'fake:eo'; --select; did you mean 'fake:eod'?"),
        ({"select": ("tag:xyz",)}, "no dataset is 'tag:xyz'; --select; tags: daily, prices, rare"),
        ({"select": ("tag:dayly",)}, "no dataset is 'tag:dayly'; --select; did you mean 'daily'?"),
        ({"select": ("eod",)}, "'eod' selects nothing; --select; write PLUGIN:DATASET"),
        ({"select": ("fake1:eod",), "exclude": ("fake1",)}, "no dataset is 'fake1:eod'"),
        ({"exclude": ("nobody",)}, "there is no plugin 'nobody'; --exclude; installed: fake, fake1"),
        ({"exclude": ("*",)}, "no plugin is left; --exclude *"),
        ({"plugins": ("x*",)}, "there is no plugin 'x*'; --plugins"),
    ],
)
def test_what_means_nothing_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, object], told: str
) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(UsageError) as caught:
        home.warehouse.run(options=RunOptions(**options))  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("text", "only", "expected"),
    [
        (None, None, ((), None)),
        (None, "gold", ((), Layer.GOLD)),
        ("layer:gold", None, ((), Layer.GOLD)),
        ("fmp:eod*,layer:bronze", None, (("fmp:eod*",), Layer.BRONZE)),
        ("layer:silver", "silver", ((), Layer.SILVER)),
    ],
)
def test_a_term_may_name_a_layer(text: str | None, only: str | None, expected: object) -> None:
    assert split_select(text, only) == expected


@pytest.mark.parametrize(
    "more", [{"opt_in": True}, {"recipe": RestRecipe(url="https://v.example/x", secrets={"key": "NOT_SET_KEY"})}]
)
def test_what_is_selected_and_cannot_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, object]
) -> None:
    monkeypatch.delenv("NOT_SET_KEY", raising=False)
    vendor = FakeVendor(entry(**more))
    vendor.says([price("A", "2024-01-01")])
    with pytest.raises(
        UsageError, match="none of the selected datasets can be run; --select fake:eod; left out, because"
    ):
        Warehouse(tmp_path / "home", vendor).run(options=RunOptions(select=("fake:eod",)))
    assert not (tmp_path / "home").exists()


def test_two_layers_are_refused() -> None:
    with pytest.raises(UsageError, match="gold and silver are two layers"):
        split_select("layer:gold", "silver")


def test_the_settings_block_by_pattern(tmp_path: Path) -> None:
    from importlib.metadata import entry_points

    from sbf_core.plugin.manager import PluginManager

    states = {
        name: record.state
        for name, record in PluginManager(entry_points(group="sbf.plugins"), block=("f*",)).records.items()
    }
    assert {name for name, state in states.items() if state == "blocked"} == {"fmp", "fred"}
    package = PluginManager(entry_points(group="sbf.plugins"), block=("sbf",))
    assert {record.state for name, record in package.records.items() if record.distribution == "sbf"} == {"blocked"}


def test_tickers_that_nothing_takes_are_told(tmp_path: Path) -> None:
    """A dataset with members of its own asked for these, whatever --tickers said, and nobody was told."""
    note = "--tickers changes nothing here: no dataset that was asked for takes its tickers from it"
    vendor = FakeVendor(entry(scope="per_ticker", members=("A",)))
    plan = Warehouse(tmp_path / "own", vendor).runner(universe__tickers=("X",)).plan()
    assert ([one.request.ticker for one in plan.requests], plan.notes) == (["A"], (note,))
    other = FakeVendor(entry(scope="per_ticker"))
    assert Warehouse(tmp_path / "taken", other).runner(universe__tickers=("X",)).plan().notes == ()
    assert Warehouse(tmp_path / "unasked", vendor).runner().plan().notes == ()
