"""Datasets found by words."""

from __future__ import annotations

from typing import Any

import pytest
from warehouse import entry

from sbf_core.api import Column
from sbf_core.reports.catalogue import search

RATE = Column(name="yield_10y", type="DOUBLE", doc="Ten-year constant maturity", unit="percent")
KEY = Column(name="day", type="DATE", key=True)


def dataset(name: str, **changes: Any) -> Any:
    return entry(dataset=name, silver_table=f"t_{name}", columns=[KEY, RATE], **changes)


ENTRIES = [
    dataset("curve", title="Daily par yield curve", tags=("rates", "daily"), terms="Public domain."),
    dataset("bills", title="Treasury bills", source_url="https://curves.example"),
    dataset("gdp", title="Output", scope="per_ticker", members=("GDP", "CPI")),
]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("yield curve", [("curve", ("title",)), ("bills", ("column yield_10y", "source"))]),
        ("YIELD", [("curve", ("title",)), ("bills", ("column yield_10y",)), ("gdp", ("column yield_10y",))]),
        ("cpi", [("gdp", ("members",))]),
        ("public", [("curve", ("terms",))]),
        ("ten-year gdp", [("gdp", ("dataset", "column yield_10y"))]),
        ("daily rates", [("curve", ("title", "tags"))]),
        ("yield nothing", []),
    ],
)
def test_each_word_stands_somewhere(words: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(one.entry.dataset, one.places) for one in search(ENTRIES, words)] == found


def test_no_word_finds_all() -> None:
    assert len(search(ENTRIES, "  ")) == 3
