"""Declarations: from attrs classes and from TOML, and what is said about a mistake."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import Price, entry

from sbf_core.api import Column, DatasetKeymapEntry, FileRecipe, RestRecipe, column
from sbf_core.dataset.column_checks import USUAL_ZONES
from sbf_core.dataset.columns import columns_of
from sbf_core.dataset.fingerprint import declaration_text
from sbf_core.dataset.from_toml import entries_from_toml
from sbf_core.errors import UsageError


def test_columns_come_from_an_attrs_class() -> None:
    @attrs.frozen
    class Everything:
        text: str = column(key=True, doc="a text")
        whole: int | None = column()
        real: float = column(unit="USD")
        flag: bool = column(source="isFlag")
        day: dt.date = column(row_date=True, date_format="%d/%m/%Y")
        moment: dt.datetime = column(known_from=True)
        exact: Decimal | None = column(precision=10, scale=2, missing=("N/A",))

    columns = columns_of(Everything)
    assert [item.type for item in columns] == [
        "VARCHAR",
        "BIGINT",
        "DOUBLE",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "DECIMAL(10,2)",
    ]
    assert [item.name for item in columns if item.nullable] == ["whole", "exact"]
    assert (columns[3].source_name, columns[0].source_name) == ("isFlag", "text")
    declared = entry(columns=Everything)
    assert (declared.key_columns, declared.row_date_column, declared.known_from_column) == (("text",), "day", "moment")


def test_identity() -> None:
    assert entry().id == "prices/fake/eod"
    assert entry(discriminator="GDP").key("A") == "prices/fake/eod@GDP/A"
    assert (
        declaration_text(entry())
        == declaration_text(entry(title="another"))
        != declaration_text(entry(semantics="append"))
    )


def wrong(**fields: Any) -> type:
    body = {name: value for name, (_, value) in fields.items()}
    hints = {name: kind for name, (kind, _) in fields.items()}
    return attrs.frozen(type("Wrong", (), {**body, "__annotations__": hints}))


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"columns": wrong(a=(str, column()))}, "no column is part of the key"),
    ({"columns": wrong(a=(str | None, column(key=True)))}, "key column 'a' may be NULL"),
    ({"columns": wrong(a=(Decimal, column(key=True)))}, "needs its precision and scale; Wrong.a"),
    ({"columns": wrong(a=(int, column(key=True, precision=3)))}, "belong to Decimal"),
    ({"columns": wrong(a=(bytes, column(key=True)))}, "cannot have the type"),
    ({"columns": wrong(A=(str, column(key=True)))}, "is not a name"),
    ({"columns": wrong(known_from=(str, column(key=True)))}, "one that sbf adds itself"),
    ({"columns": wrong(a=(str, column(key=True, row_date=True)))}, "is VARCHAR, no date"),
    ({"columns": wrong(a=(str, column(key=True)), b=(dt.date | None, column(known_from=True)))}, "may not be NULL"),
    ({"columns": [Column(name="a", type="MONEY", key=True)]}, "'MONEY'; .*use one of BIGINT"),
    ({"columns": [Column(name="a", type="VARCHAR", key=True)] * 2}, "declared twice"),
    ({"columns": int}, "declares no columns"),
    ({"columns": attrs.make_class("Bare", {"a": column(key=True)})}, "column 'a' has no type; Bare"),
    ({"domain": "../x"}, r"domain '\.\./x' is not a name"),
    ({"domain": "select"}, "is reserved, as words of SQL are; .*choose another name$"),
    ({"columns": wrong(order=(str, column(key=True)))}, "keep the vendor's as source='order'"),
    ({"source": "Ops"}, "is not a name"),
    ({"dataset": "a" * 49}, "is not a name"),
    ({"silver_table": "a;drop"}, "is not a name"),
    ({"semantics": "upsrt"}, "did you mean 'upsert'"),
    ({"scope": "ticker"}, "scope 'ticker' is not known"),
    ({"on_duplicate": "newest"}, "reject, first or last"),
    ({"reject_share_max": 5}, "no share"),
    ({"lookback_days": -1}, "negative"),
    ({"settles_after_days": -0.5}, "negative"),
    ({"horizon": -1}, "no number of days"),
    ({"horizon": "all"}, "no number of days"),
    ({"horizon": True}, "no number of days"),
    ({"first_date": None}, "is no date"),
    ({"first_date": dt.datetime(2024, 1, 1)}, "is no date"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES)
def test_mistakes_are_found_when_it_is_declared(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        entry(**changes)


RECIPES = [
    (lambda: RestRecipe(url="ftp://x"), "not http"),
    (lambda: RestRecipe(url="https://x/{tikcer}"), r"holds \{tikcer\}; placeholders are"),
    (lambda: RestRecipe(url="https://x/{from_date:%Y}"), r"says how \{from_date\} is written; write \{from_date\}"),
    (lambda: RestRecipe(url="https://x/{ticker!r}"), r"says how \{ticker\} is written"),
    (lambda: RestRecipe(url="https://x/{ticker"), r"'\}' before end of string; write \{\{ for a brace"),
    (lambda: FileRecipe(path="{ticker:>9}.csv"), r"says how \{ticker\} is written"),
    (lambda: RestRecipe(url="https://x", extension=".pdf"), "extension '.pdf'"),
    (lambda: RestRecipe(url="https://x", mirrors="https://y"), "one text where several"),
    (lambda: FileRecipe(path="{nothing}.csv"), r"\{nothing\}"),
]


@pytest.mark.parametrize(("make", "message"), RECIPES)
def test_mistakes_in_a_recipe(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


TOML = """
[[dataset]]
domain = "prices"
source = "fake"
dataset = "eod"
silver_table = "px"
first_date = 2020-01-01
horizon = "any"
scope = "per_ticker"
recipe = { url = "https://example.com/{ticker}", mirrors = ["file:x"] }
columns = [
    { name = "symbol", type = "VARCHAR", key = true },
    { name = "date", type = "DATE", key = true, row_date = true },
    { name = "close", type = "DECIMAL(18,4)", nullable = true, missing = ["N/A"] },
    { name = "volume", type = "BIGINT", nullable = true },
]
"""


def test_a_declaration_from_toml_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text(TOML)
    recipe = RestRecipe(url="https://example.com/{ticker}", mirrors=("file:x",))
    assert entries_from_toml(path) == [entry(columns=Price, scope="per_ticker", recipe=recipe, horizon="any")]
    path.write_text(
        TOML.replace('{ url = "https://example.com/{ticker}", mirrors = ["file:x"] }', '{ path = "{ticker}.csv" }')
    )
    assert entries_from_toml(path)[0].recipe == FileRecipe(path="{ticker}.csv")
    bodies: list[tuple[str, dict[str, Any]]] = [
        ('json = { a = [1.0, true, "{ticker}"] }', {"json": {"a": [1.0, True, "{ticker}"]}}),
        ('form = { a = "{ticker}" }', {"form": {"a": "{ticker}"}}),
    ]
    for declared, body in bodies:
        path.write_text(TOML.replace('mirrors = ["file:x"]', declared))
        assert entries_from_toml(path)[0].recipe == RestRecipe(url="https://example.com/{ticker}", **body)


TOML_MISTAKES = [
    (('source = "fake"\n', ""), "source"),
    (('dataset = "eod"', 'dataste = "eod"'), "dataste"),
    (('type = "DATE"', 'typ = "DATE"'), "typ"),
    (("first_date = 2020-01-01", 'first_date = "soon"'), "first_date"),
    (('type = "DATE"', 'type = "DAY"'), "'DAY'"),
    (('"prices"', "prices"), "not TOML"),
    (('mirrors = ["file:x"]', "form = { all = true }"), "form holds what is no text"),
    (('mirrors = ["file:x"]', 'form = ["all"]'), "form holds what is no text"),
    (('mirrors = ["file:x"]', "json = { day = 2024-01-01 }"), "the body cannot be JSON"),
    (("[[dataset]]", "[[datasets]]"), r"no \[\[dataset\]\]"),
]


@pytest.mark.parametrize(("change", "message"), TOML_MISTAKES)
def test_mistakes_in_toml_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text(TOML.replace(*change))
    with pytest.raises(UsageError, match=message):
        entries_from_toml(path)


def test_a_declaration_is_a_value() -> None:
    assert isinstance(entry(), DatasetKeymapEntry)
    assert entry() == entry()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        entry().domain = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    "date_format", ["%d.%m", "%Y-%m-%d %Z", "%c", "%Y-%U", "%I:%M %Y-%m-%d", "%Y%Y-%m-%d", "%q", ""]
)
def test_a_date_format_that_cannot_be_exact_is_refused_when_it_is_declared(date_format: str) -> None:
    def declare() -> DatasetKeymapEntry:
        columns = [
            Column(name="a", type="VARCHAR", key=True),
            Column(name="moment", type="TIMESTAMP", date_format=date_format, zone="UTC"),
        ]
        return DatasetKeymapEntry(domain="d", source="s", dataset="t", silver_table="t", columns=columns)

    if not date_format:
        declare()
        return
    with pytest.raises(UsageError, match="column 'moment': date_format"):
        declare()


def test_the_directive_of_seconds_since_1970_is_an_epoch() -> None:
    @attrs.frozen
    class Row:
        day: dt.date = column(key=True, date_format="%s")

    def declare(*columns: Column) -> DatasetKeymapEntry:
        return DatasetKeymapEntry(domain="d", source="s", dataset="t", silver_table="t", columns=columns)

    assert (
        DatasetKeymapEntry(domain="d", source="s", dataset="t", silver_table="t", columns=Row).columns[0].epoch == "s"
    )
    assert declare(Column(name="day", type="DATE", key=True, date_format="%s")).columns[0].epoch == "s"
    assert declare(Column(name="day", type="DATE", key=True)).columns[0].epoch == ""
    for wrong in ({"epoch": "ms", "date_format": "%s"}, {"epoch": "s", "date_format": "%Y"}):
        with pytest.raises(UsageError, match="goes without a date_format"):
            declare(Column(name="day", type="DATE", key=True, **wrong))


@pytest.mark.parametrize("zone", sorted(USUAL_ZONES))
def test_a_zone_that_is_not_looked_up_is_one(zone: str) -> None:
    assert zoneinfo.ZoneInfo(zone).key == zone


@pytest.mark.parametrize("zone", ["localtime", "Mars/Base", "posix/UTC", "../UTC"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(UsageError, match="there is no zone"):
        DatasetKeymapEntry(
            domain="d",
            source="s",
            dataset="t",
            silver_table="t",
            columns=[Column(name="a", type="TIMESTAMP", key=True, zone=zone)],
        )


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("n.json", "json"), ("in/{ticker}.parquet", "parquet"), ("A.CSV", "csv"), ("a.b.csv.gz", "csv.gz"),
        ("rates.tsv", "tsv"), ("book.xlsx", "xlsx"), ("v1.2/notes.txt", "txt"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_name_ends_with(path: str, extension: str) -> None:
    """It was read as CSV, whatever its name said."""
    assert FileRecipe(path=path).extension == extension
    assert FileRecipe(path=path, extension="csv").extension == "csv", "who says it is right"
    assert FileRecipe(path=f"drops/*.{extension}", each="file").extension == extension


@pytest.mark.parametrize(
    "path", ["rates", "{ticker}", "a.{period}", "rates.2024", "in.csv/rates", "a.", ".", "a.json/"]
)
def test_a_file_whose_name_does_not_say_what_it_is_says_so(path: str) -> None:
    with pytest.raises(UsageError, match="does not say what the file is") as caught:
        FileRecipe(path=path)
    assert 'extension="csv"' in caught.value.fix
    assert FileRecipe(path=path, extension="csv").extension == "csv"
