"""The catalogue: datasets and offers, found by words, region, frequency, price and terms."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from warehouse import entry

from sbf_core.api import Column, Offer, RestRecipe, UsageError, checked_options, hookimpl
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.reports.catalogue import Item, State, Wanted, advice, search, wanted_of
from sbf_core.reports.catalogue_of_home import Catalogue, catalogue_of
from sbf_core.reports.catalogue_words import advice_lines, how_text
from sbf_core.reports.how_to_have import toml_text, with_offer
from sbf_core.reports.search_words import asked_of, stem, stems_of, words_of
from sbf_core.settings.settings import Settings

RATE = Column(name="yield_10y", type="DOUBLE", doc="Ten-year constant maturity", unit="percent")
KEY = Column(name="day", type="DATE", key=True)
PLUGIN = PluginRecord(name="plug")


def item(name: str, state: State = State.READY, **changes: Any) -> Item:
    made = entry(dataset=name, silver_table=f"t_{name}", columns=[KEY, RATE], **changes)
    return Item(plugin=PLUGIN, state=state, what=made)


ITEMS = [
    item(
        "curve", title="Daily par yield curve", tags=("rates", "daily"), terms="Public domain.", region="US",
        frequency="day", cost="free",
    ),
    item("bills", title="Treasury bills", source_url="https://curves.example", region="EZ", frequency=("day", "month")),
    item("gdp", title="Output", scope="per_ticker", members=("GDP", "CPI"), region="world", cost="paid"),
    Item(
        plugin=PLUGIN,
        state=State.OFFERED,
        what=Offer(
            id="EXR", title="Zinssätze", words="currencies of the gross domestic product", region="DE",
            frequency="month", cost="free with key", options={"flows": ("EXR",)},
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("yield curve", [("curve", ("title",)), ("bills", ("column yield_10y", "source"))]),
        ("YIELDS", [("curve", ("title",)), ("bills", ("column yield_10y",)), ("gdp", ("column yield_10y",))]),
        ("cpi", [("gdp", ("members",))]),
        ("consumer prices", [("gdp", ("members",))]),
        ("gdp", [("gdp", ("id",)), ("EXR", ("words",))]),
        ("public", [("curve", ("terms",))]),
        ("ten-year gdp", [("gdp", ("id", "column yield_10y"))]),
        ("rates of the daily", [("curve", ("title", "tags"))]),
        ("currency zinssatze", [("EXR", ("title", "words"))]),
        ("curr ZINS", [("EXR", ("title", "words"))]),
        ("germany", [("EXR", ("region",))]),
        ("us", [("curve", ("region",))]),  # and not what begins with it
        ("yield nothing", []),
    ],
)
def test_each_word_stands_somewhere(words: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(_name(one.item), one.places) for one in search(ITEMS, Wanted(words=words))] == found


def _name(one: Item) -> str:
    return getattr(one.what, "dataset", one.id)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["bills", "curve", "gdp", "EXR"]),
        ({"region": ["germany"]}, ["EXR", "bills", "gdp"]),  # of it, around it, of the world
        ({"region": ["europe"]}, ["bills", "EXR", "gdp"]),
        ({"region": ["US", "EZ"]}, ["bills", "curve", "EXR", "gdp"]),
        ({"region": ["world"]}, ["gdp"]),
        ({"frequency": ["Month"]}, ["bills", "EXR"]),
        ({"cost": ["free"]}, ["curve"]),
        ({"cost": ["free-with-key", "paid"]}, ["gdp", "EXR"]),
        ({"terms": "public DOMAIN"}, ["curve"]),
        ({"terms": "domain of the moon"}, []),
        ({"region": ["DE"], "frequency": ["day"]}, ["bills"]),
    ],
)
def test_filters(filters: dict[str, Any], found: list[str]) -> None:
    assert [_name(one.item) for one in search(reversed(ITEMS), wanted_of("", **filters))] == found


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"region": ["germny"]}, "there is no region 'germny'; --region; did you mean 'germany'"),
        ({"region": ["qq qq qq"]}, "write a code of ISO 3166"),
        ({"frequency": ["daily"]}, "there is no frequency 'daily'; --frequency; did you mean 'day'"),
        ({"cost": ["gratis"]}, "use free, free with key or paid"),
    ],
)
def test_filters_that_there_are_not(filters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        wanted_of("", **filters)


def test_words() -> None:
    assert words_of("U.S. Treasury: 10-Year yield_10y, Zinssätze") == [
        "us", "treasury", "10", "year", "yield", "10y", "zinssatze",
    ]  # fmt: skip
    assert [stem(word) for word in ("currencies", "prices", "indexes", "gas", "us", "index", "loss", "10s")] == [
        "currency", "price", "index", "gas", "us", "index", "loss", "10s",
    ]  # fmt: skip
    assert [word.text for word in asked_of("the yields of a balance of payments")] == ["yield", "bop"]
    assert [word.text for word in asked_of("gross domestic product, exchange rates")] == ["gdp", "fx"]
    assert asked_of("of the")[0].text == "of"  # nothing else was said
    assert stems_of("Exchange rates") == {"exchange", "rate"}


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (
            Wanted(words="yeild curve"),
            ["did you mean `sbf datasets --search 'yield curve'`?", "by itself finds: 'curve' 2"],
        ),
        (Wanted(words="xqzwv"), ["try fewer or other words, or `sbf plugins new NAME` for a source without a plugin"]),
        (Wanted(words="xqzwv qvxwz"), ["none of these words stands anywhere; try others"]),
        (Wanted(words="public cpi"), ["by itself finds: 'cpi' 1, 'public' 1"]),
        (
            wanted_of("curve", cost=["paid"]),
            ["without the filters there are 2: `sbf datasets --search curve`"],
        ),
    ],
)  # fmt: skip
def test_what_to_try_where_nothing_was_found(wanted: Wanted, lines: list[str]) -> None:
    assert search(ITEMS, wanted) == []
    assert advice_lines(advice(ITEMS, wanted), wanted) == lines


def plugin(**more: Any) -> Any:
    @hookimpl
    def datasets(options: Any) -> Any:
        chosen = checked_options(options, series=("A",), plan="")
        recipe = RestRecipe(url="https://example.com/{ticker}", secrets={"key": "PLUG_KEY"} if chosen["plan"] else {})
        if "BAD" in chosen["series"]:
            raise UsageError("BAD is none", fix="leave it out")
        return [entry(source="plug", scope="per_ticker", members=chosen["series"], recipe=recipe, title="Prices")]

    @hookimpl
    def offers(words: str) -> Any:
        del words
        usual = {"series": ("A",)}
        return [
            Offer(id=name, title=f"Series {name}", options={"series": (name,)}, usual=usual)
            for name in ("A", "B", "BAD")
        ] + [
            Offer(id="plan", title="All of it", options={"plan": "gold"}),
            Offer(id="far", title="Far away", asked_by="vendor"),
        ]

    made = ModuleType("plug")
    vars(made).update({"datasets": datasets, "offers": offers, **more})
    return made


def home_with(folder: Path, options: str, **more: Any) -> Catalogue:
    folder.mkdir(exist_ok=True)
    (folder / "sbf.toml").write_text(options)
    settings = Settings(folder)
    manager = PluginManager([], options=settings.options)
    manager.register(plugin(**more), name="plug")
    return catalogue_of(Home(settings, plugins=manager))


def test_what_the_settings_have_is_offered_no_more(tmp_path: Path) -> None:
    def offered(text: str) -> list[str]:
        return [one.id for one in home_with(tmp_path, text).items if one.state is State.OFFERED]

    assert offered("") == ["B", "BAD", "plan", "far"]  # A holds where the settings are silent
    assert offered('[options.plug]\nseries = ["B"]\n') == ["A", "BAD", "plan", "far"]
    assert offered('[options.plug]\nseries = ["B", "A"]\nplan = "gold"\n') == ["BAD", "far"]
    (one,) = (one for one in home_with(tmp_path, "").items if one.id == "A")
    assert one.state is State.READY  # it is found, and stands as the dataset that has it


@pytest.mark.parametrize(
    ("before", "name", "lines", "said"),
    [
        ("", "B", ["[options.plug]", 'series = ["A", "B"]'], "append to sbf.toml, then `sbf run --plugins plug"),
        (
            '[options.plug]\nplan = "x"\n', "B", ["[options.plug]", 'plan = "x"', 'series = ["A", "B"]'],
            "set the key PLUG_KEY in the environment or in secrets.toml, in sbf.toml, in the place of [options.plug], ",
        ),
        ("", "plan", ["[options.plug]", 'plan = "gold"'], "set the key PLUG_KEY"),
        ("", "far", [], "`sbf datasets --search far --ask vendor`"),
        ("", "BAD", [], "it cannot be had: BAD is none"),
    ],
)  # fmt: skip
def test_the_lines_that_are_printed_work_when_pasted(
    tmp_path: Path, before: str, name: str, lines: list[str], said: str
) -> None:
    catalogue = home_with(tmp_path, before)
    how = catalogue.how(next(one for one in catalogue.items if one.id == name))
    assert list(how.lines) == lines
    assert how_text(how).startswith(said)
    if lines:
        kept = before.replace('[options.plug]\nplan = "x"\n', "") if how.replaces else before
        after = home_with(tmp_path, kept + "\n".join(lines) + "\n")
        assert name not in [one.id for one in after.items if one.state is State.OFFERED]


def test_values_are_written_as_toml_has_them() -> None:
    import datetime as dt

    values = {
        "text": 'a "b" \\ \n\x7fä\x9b\u202e\u2028\U0001f600',
        "yes": True, "whole": 3, "real": 1.5, "day": dt.date(2024, 1, 2),
        "long": [f"series-{number:04}" for number in range(20)], "none": [], "table": {"a b": [1, 2], "c": "d"},
        "moment": dt.datetime(2024, 1, 2, 3, 4, 5),
    }  # fmt: skip
    written = "\n".join(f"{name} = {toml_text(value)}" for name, value in values.items())
    assert tomllib.loads(written) == values


def test_an_addition_takes_nothing_away() -> None:
    offer = Offer(id="C", title="C", options={"series": ("C", "A"), "plan": "x"}, usual={"series": ("A", "B")})
    assert with_offer({}, offer) == {"series": ["A", "B", "C"], "plan": "x"}
    assert with_offer({"series": ["D"], "since": 1}, offer) == {"series": ["D", "C", "A"], "since": 1, "plan": "x"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: ["x"], "gave str instead of Offer or VendorSearch"),
        (lambda: 7, "gave int instead of Offer"),
        (lambda: [Offer(id="x", title="")], "has no id or no title"),
        (lambda: [Offer(id="x", title="y")], "write options= or asked_by="),
    ],
)
def test_a_plugin_that_cannot_say_what_it_offers_is_told_of(tmp_path: Path, answer: Any, said: str) -> None:
    @hookimpl
    def offers() -> Any:
        return answer()

    catalogue = home_with(tmp_path, "", offers=offers)
    assert [one.id for one in catalogue.items] == ["prices/plug/eod"]
    (fault,) = catalogue.faults
    assert said in str(fault) and "plug" in str(fault)


def test_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUG_KEY", raising=False)
    text = '[options.plug]\nplan = "gold"\n'
    assert home_with(tmp_path, text).items[0].state is State.KEYED
    monkeypatch.setenv("PLUG_KEY", "set")
    assert home_with(tmp_path, text).items[0].state is State.READY

    @hookimpl
    def datasets() -> Any:
        return [entry(source="plug", opt_in=True)]

    assert home_with(tmp_path, "", datasets=datasets).items[0].state is State.NAMED
    for named in ("plug", "pl*"):
        text = f'[run]\nplugins = ["{named}"]\n'
        assert home_with(tmp_path, text, datasets=datasets).items[0].state is State.READY
