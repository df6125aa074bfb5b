"""Vendors that cut the day of publication to what was asked for:
what was published before is no version of that day.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from warehouse import FakeVendor, Warehouse, counts_add_up, entry

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, UsageError
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.plugin.manager import PluginManager

FIRST = dt.date(2020, 1, 1)
KEY = Column(name="k", type="VARCHAR", key=True)
AMOUNT = Column(name="amount", type="BIGINT", nullable=True)
SINCE = Column(name="since", type="DATE", source="$.since")
PUBLISHED = Column(
    name="published", type="DATE", nullable=True, known_from=True, known_at="start of day", cut_at="since"
)
#: Of each key the days on which it was published, from FIRST, and what.
Truth = dict[str, list[tuple[int, int]]]


def declared(**changes: object) -> DatasetKeymapEntry:
    usual = {
        "columns": [KEY, AMOUNT, PUBLISHED, SINCE],
        "rows_at": "rows",
        "is_data": DataRules(may_be_empty=True),
        "refresh_after_hours": 0.5,
    }
    return entry(**{**usual, **changes})


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def answer(truth: Truth, start: int, end: int) -> bytes:
    """What the vendor says of the days from ``start`` to ``end``."""
    rows = [
        {"k": key, "amount": amount, "published": str(day(max(begun, start)))}
        for key, versions in truth.items()
        for (begun, amount), (later, _) in pairwise([*versions, (10_000, 0)])
        if begun <= end and later > start
    ]
    return json.dumps({"since": str(day(start)), "rows": rows}).encode()


def wanted(truth: Truth, asked: list[tuple[int, int]]) -> set[tuple[str, int, str | None, str]]:
    """The versions that follow from the answers, in any order: what they state, and of what they cut what no other one
    before says already.
    """
    stated: dict[str, set[tuple[int, bool, int]]] = {key: set() for key in truth}
    for start, end in asked:
        for key, versions in truth.items():
            for (begun, amount), (later, _) in pairwise([*versions, (10_000, 0)]):
                if begun <= end and later > start:
                    stated[key].add((max(begun, start), begun <= start, amount))
    found = set()
    for key, rows in stated.items():
        before: tuple[int, bool, int] | None = None
        for row in sorted(rows):
            moment, is_cut, amount = row
            if before is None or (before[2] != amount) or (before[0] != moment and not is_cut):
                found.add((key, amount, None if is_cut else str(day(moment)), str(day(moment))))
            before = row
    return found


def kept(warehouse: Warehouse) -> set[tuple[str, int, str | None, str]]:
    named = "k, amount, CAST(published AS VARCHAR), CAST(CAST(known_from AS DATE) AS VARCHAR)"
    return set(warehouse.ask(f"SELECT {named} FROM silver.px UNION ALL SELECT {named} FROM silver.px_history"))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Truth, list[tuple[int, int]]]:
    truth: Truth = {}
    for key in draw(st.sampled_from(["a", "ab", "abc"])):
        days = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=4)))
        amounts: list[int] = []
        for _ in days:  # a version differs from the one before, and may be the one before that
            amounts.append(draw(st.sampled_from([one for one in (1, 2, 3) if not amounts or one != amounts[-1]])))
        truth[key] = list(zip(days, amounts, strict=True))
    spans = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: (min(pair), max(pair)))
    return truth, draw(st.lists(spans, min_size=1, max_size=5))


@settings(max_examples=7, deadline=None)
@given(histories())
@example(({"a": [(1, 1), (2, 2), (3, 1), (6, 2)]}, [(0, 1), (3, 3), (0, 3)]))  # the gap hides another value and its end
@example(({"a": [(1, 1), (2, 2), (3, 1), (6, 2)]}, [(0, 1), (3, 3), (2, 2)]))  # day 3 says again what day 1 said
def test_any_windows_in_any_order(history: tuple[Truth, list[tuple[int, int]]]) -> None:
    truth, asked = history
    vendor = FakeVendor(declared())
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "home", vendor)
        for start, end in asked:
            vendor.says(answer(truth, start, end))
            warehouse.run(hours_later=1)
        counts_add_up(warehouse)
        assert kept(warehouse) == wanted(truth, asked)
        manager = PluginManager(())
        manager.register(vendor, name="fake")
        rebuild(warehouse.opened(manager))
        assert kept(warehouse) == wanted(truth, asked)
        findings = Verification(warehouse.opened(manager)).run().findings
        assert findings == []


def test_what_is_cut_and_the_same_is_unchanged(tmp_path: Path) -> None:
    vendor = FakeVendor(declared())
    warehouse = Warehouse(tmp_path / "home", vendor)
    truth: Truth = {"a": [(1, 10)], "b": [(2, 20)]}
    vendor.says(answer(truth, 0, 3))
    warehouse.run()
    truth["b"].append((5, 21))
    vendor.says(answer(truth, 4, 6))
    context = warehouse.run(hours_later=1)
    assert (context.rows_inserted, context.rows_updated, context.rows_unchanged) == (0, 1, 2)
    assert warehouse.ask(
        "SELECT k, amount, CAST(published AS VARCHAR), CAST(since AS VARCHAR) FROM silver.px ORDER BY 1"
    ) == [
        ("a", 10, "2020-01-02", "2020-01-01"),
        ("b", 21, "2020-01-06", "2020-01-05"),
    ]


def test_a_row_that_says_no_day_is_rejected(tmp_path: Path) -> None:
    vendor = FakeVendor(declared(reject_share_max=1.0))
    warehouse = Warehouse(tmp_path / "home", vendor)
    rows = [{"k": "a", "amount": 1, "published": "2020-01-02"}, {"k": "b", "amount": 1, "published": None}]
    vendor.says(json.dumps({"since": "2020-01-01", "rows": rows}))
    warehouse.run()
    assert warehouse.ask("SELECT reason, column_name FROM ops.rejects") == [("missing", "published")]


@pytest.mark.parametrize(
    "columns",
    [
        [KEY, AMOUNT, Column(name="published", type="DATE", known_from=True, cut_at="since"), SINCE],
        [KEY, AMOUNT, Column(name="published", type="DATE", nullable=True, cut_at="since"), SINCE],
        [KEY, AMOUNT, PUBLISHED],
        [KEY, AMOUNT, Column(name="published", type="DATE", nullable=True, known_from=True, cut_at="published")],
        [KEY, AMOUNT, PUBLISHED, Column(name="since", type="TIMESTAMP", zone="UTC", source="$.since")],
        [KEY, AMOUNT, PUBLISHED, Column(name="since", type="DATE", nullable=True, source="$.since")],
        [KEY, AMOUNT, PUBLISHED, Column(name="since", type="DATE", key=True, source="$.since")],
    ],
)
def test_cut_at_is_checked(columns: list[Column]) -> None:
    with pytest.raises(UsageError, match="cut_at"):
        declared(columns=columns)


def test_a_listing_is_kept_and_holds_no_rows(tmp_path: Path) -> None:
    """Also where an empty answer is none; a field of that name deeper down lists nothing."""
    rules = DataRules(listing_fields=("dates",))
    vendor = FakeVendor(declared(is_data=rules))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(b'{"count": 0, "dates": []}')
    context = warehouse.run()
    assert (context.errors, context.rows_seen, len(warehouse.bronze_files())) == ([], 0, 1)
    vendor.says(
        b'{"since": "2020-01-01", "rows": [{"k": "dates", "amount": 1, "published": "2020-01-02", "dates": 1}]}'
    )
    assert warehouse.run(hours_later=1).rows_inserted == 1
    vendor.says(b'{"since": "2020-01-01", "rows": []}')
    assert "holds no rows" in warehouse.run(hours_later=1).errors[0]
    manager = PluginManager(())
    manager.register(vendor, name="fake")
    rebuild(warehouse.opened(manager))
    assert warehouse.ask("SELECT k FROM silver.px") == [("dates",)]
