"""What a dataset is about: closed words, and regions that lie in each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from warehouse import entry

from sbf_core.dataset import regions
from sbf_core.dataset.about import About
from sbf_core.dataset.fingerprint import declaration_text
from sbf_core.dataset.from_toml import entries_from_toml
from sbf_core.errors import UsageError


def test_one_text_or_several() -> None:
    declared = entry(region="EZ", frequency=("day", "month", "day"), cost="free with key")
    assert (declared.region, declared.frequency, declared.cost) == (("EZ",), ("day", "month"), "free with key")
    assert (entry().region, entry().frequency, entry().cost) == ((), (), None)
    assert declaration_text(declared) == declaration_text(entry())  # for readers: no table is made again


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("region", "USA", "region 'USA' is not known; write 'US'"),
        ("region", ("US", "germany"), "region 'germany' is not known; write 'DE'"),
        ("region", "UK", "write 'GB'"),
        ("region", "us", "write 'US'"),
        ("region", "euro", "did you mean 'europe'"),
        ("region", "XQ", "a code of ISO 3166 such as 'US'"),
        ("region", 840, "region 840 is no text"),
        ("frequency", "daily", "frequency 'daily' is not known; did you mean 'day'"),
        ("frequency", ("day", "mnth"), "did you mean 'month'"),
        ("frequency", "D", "use second, minute"),
        ("cost", "free-with-key", "did you mean 'free with key'"),
        ("cost", "0", "use free, free with key or paid"),
    ],
)
def test_other_words_are_refused_with_those_that_there_are(field: str, value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        entry(**{field: value})


def test_toml_says_it_as_well(tmp_path: Path) -> None:
    path = tmp_path / "datasets.toml"
    head = '[[dataset]]\ndomain = "a"\nsource = "b"\ndataset = "c"\nsilver_table = "t"\nregion = "US"\n'
    head += 'frequency = ["day", "week"]\ncost = "paid"\n'
    path.write_text(head + '[[dataset.columns]]\nname = "k"\ntype = "VARCHAR"\nkey = true\n')
    (declared,) = entries_from_toml(path)
    assert (declared.region, declared.frequency, declared.cost) == (("US",), ("day", "week"), "paid")
    path.write_text(path.read_text().replace("paid", "dear"))
    with pytest.raises(UsageError, match="cost 'dear' is not known"):
        entries_from_toml(path)


def test_a_declaration_knows_the_regions_that_the_list_has() -> None:
    assert {About(region=code).region[0] for code in regions.names()} == set(regions.names())


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("germany", "DE"), ("DEU", "DE"), ("de", "DE"), ("  United  states ", "US"), ("UK", "GB"), ("EL", "GR"),
        ("euro area", "EZ"), ("World", "world"), ("Türkiye", "TR"), ("nowhere", ""), ("", ""),
    ],
)  # fmt: skip
def test_how_people_write_regions(written: str, code: str) -> None:
    assert regions.code_of(written) == code


@pytest.mark.parametrize(
    ("wide", "narrow", "is_within"),
    [
        ("world", "US", True), ("europe", "DE", True), ("EZ", "DE", True), ("EU", "EZ", True), ("europe", "EZ", True),
        ("EZ", "PL", False), ("EU", "PL", True), ("DE", "EZ", False), ("asia", "DE", False), ("US", "US", True),
        ("europe", "world", False),
    ],
)  # fmt: skip
def test_regions_lie_in_each_other(wide: str, narrow: str, is_within: bool) -> None:
    assert regions.covers(wide, narrow) is is_within
