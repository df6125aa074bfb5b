"""Plain rows are read the short way; a payload that holds another pays for itself alone, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import column
from sbf_core.payload import delimited
from sbf_core.payload.model import Look

HEAD = "name,ratio,size\n"
PLAIN = "1.5,10"


@attrs.frozen
class Ratio:
    """A number that the engine may read itself, beside one that it may not."""

    ticker: str = column(key=True, source="request.ticker")
    name: str = column(key=True)
    ratio: float | None = column()
    size: int = column()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """How many payloads each statement reads, and whether it may read doubles."""
    seen: list[tuple[int, bool]] = []
    select = delimited.DelimitedReader.select

    def spied(self: Any, reading: Any, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        seen.append((len(looks), typed))
        return select(self, reading, looks, staging, typed=typed)

    monkeypatch.setattr(delimited.DelimitedReader, "select", spied)
    return seen


def warehouse_of(tmp_path: Path, *payloads: str) -> Warehouse:
    """A warehouse whose vendor says these, one a ticker."""
    tickers = tuple(f"T{number}" for number in range(len(payloads)))
    vendor = FakeVendor(entry(columns=Ratio, scope="per_ticker", members=tickers, reject_share_max=1))
    vendor.extension = "csv"
    for ticker, payload in zip(tickers, payloads, strict=True):
        vendor.says(payload, ticker=ticker)
    return Warehouse(tmp_path / "home", vendor)


#: The rest of a row, its ratio and size; or the reason, and the ratio as it is written.
OTHERS: dict[str, tuple[str, tuple[object, object]]] = {
    "blanks": (" 1.50 , 7 ", (1.5, 7)),
    "no number": ("1.50x,7", ("unparsable:ratio", "1.50x")),
    "underscore": ("1_0,7", ("unparsable:ratio", "1_0")),
    "two signs": ("+-5,7", ("unparsable:ratio", "+-5")),
    "not finite": ("inf,7", ("not_finite:ratio", "inf")),
    "too large": ("1e999,7", ("not_finite:ratio", "1e999")),
    "fraction": ("1.50,7.5", ("not_an_integer:size", "1.50")),
    "exponent": ("1.50,1e2", (1.5, 100)),
    "missing": ("1.50,", ("missing:size", "1.50")),
    "quoted": ('"1.50","7"', (1.5, 7)),
    "empty in quotes": ('"",7', (None, 7)),
    "empty": (",7", (None, 7)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_payload_with_another_row_is_read_with_care(tmp_path: Path, name: str) -> None:
    rest, (first, second) = OTHERS[name]
    clean = HEAD + "".join(f"r{number},{PLAIN}\n" for number in range(3))
    warehouse = warehouse_of(tmp_path, clean, f"{HEAD}a,{PLAIN}\nodd,{rest}\nz,{PLAIN}\n", clean)
    context = warehouse.run()
    assert context.errors == []
    rows = warehouse.ask("SELECT ticker, name, ratio, size FROM silver.px WHERE name NOT LIKE 'r%' ORDER BY name")
    plain = [("T1", "a", 1.5, 10), ("T1", "z", 1.5, 10)]
    if isinstance(first, str):
        assert rows == plain
        ((reason, column_name, row),) = warehouse.ask("SELECT reason, column_name, row_json FROM ops.rejects")
        assert f"{reason}:{column_name}" == first
        assert json.loads(row)["ratio"] == second
    else:
        assert rows == [plain[0], ("T1", "odd", first, second), plain[1]]
    assert context.rows_seen == 9


def test_only_the_payload_with_another_row_is_read_again(tmp_path: Path, read: list[tuple[int, bool]]) -> None:
    clean = f"{HEAD}a,{PLAIN}\n"
    warehouse_of(tmp_path, clean, f"{HEAD}a,1.5,7.5\n", clean, clean).run()
    assert read == [(4, True), (1, False)]


def test_plain_payloads_are_read_once(tmp_path: Path, read: list[tuple[int, bool]]) -> None:
    clean = f"{HEAD}a,{PLAIN}\nb,,10\n"
    assert warehouse_of(tmp_path, clean, clean).run().rows_inserted == 4
    assert read == [(2, True)]


def test_where_most_are_not_plain_later_batches_are_read_with_care_at_once(
    tmp_path: Path, read: list[tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sbf_core.runner.promotion_batches.BATCH_FILES", 2)
    odd = f"{HEAD}a,1.5x,7\n"
    context = warehouse_of(tmp_path, odd, odd, odd, odd).run()
    assert (context.rows_seen, context.rows_rejected) == (4, 4)
    assert read == [(2, True), (2, False), (2, False)]


def test_one_of_several_layouts_with_quotes_leaves_texts_to_all(tmp_path: Path, read: list[tuple[int, bool]]) -> None:
    """A union has one type for each field, and ``1_0`` must not be read where a double is."""
    context = warehouse_of(tmp_path, f"{HEAD}a,{PLAIN}\n", f"{HEAD}a,1_0,7\n", f'{HEAD}"a",1.50,7\n').run()
    assert (context.rows_inserted, context.rows_rejected) == (2, 1)
    assert read == [(3, True), (1, False)]
