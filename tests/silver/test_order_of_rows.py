"""Which row of a payload comes first, in batches whose other payloads hold nothing: what the engine estimates of them
may turn each join of the rows with a table of the payloads, and a join that is turned gives its rows backwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import duckdb
import pytest
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.api import Column, Csv, DataRules, Json, Parquet

#: More than is read with others as one file.
_LARGE = 200_000
_EMPTY, _FULL = 30, 5


def _parquet(count: int, folder: Path) -> bytes:
    path = folder / "one.parquet"
    with duckdb.connect() as conn:
        conn.execute(f"COPY (SELECT 'A' AS k, range AS v FROM range({count})) TO '{path.as_posix()}'")
    return path.read_bytes()


def _csv(count: int, folder: Path) -> bytes:
    return ("k,v\n" + "".join(f"A,{number}\n" for number in range(count))).encode()


def _json(count: int, folder: Path) -> bytes:
    return json.dumps([{"k": "A", "v": number} for number in range(count)]).encode()


def _large_json(count: int, folder: Path) -> bytes:
    return _json(count, folder).replace(b"[", b"[" + b" " * _LARGE)


@pytest.mark.parametrize("asks", [False, True], ids=["", "with-the-request"])
@pytest.mark.parametrize(("extension", "form", "write"), [
    ("parquet", Parquet(), _parquet), ("csv", Csv(), _csv), ("json", Json(), _json), ("json", Json(), _large_json),
], ids=["parquet", "csv", "json", "large-json"])  # fmt: skip
def test_other_payloads_do_not_turn_the_rows_of_one(
    tmp_path: Path, extension: str, form: object, write: Callable[[int, Path], bytes], asks: bool
) -> None:
    columns: tuple[Column, ...] = (Column(name="k", type="VARCHAR", key=True), Column(name="v", type="BIGINT"))
    if asks:
        columns = (*columns, Column(name="ticker", type="VARCHAR", source="request.ticker", key=True))
    tickers = [f"T{number:02}" for number in range(_EMPTY + 1)]
    declared = entry(
        columns=columns,
        scope="per_ticker",
        on_duplicate="last",
        reject_share_max=1.0,
        format=form,
        is_data=DataRules(may_be_empty=True),
    )
    vendor = FakeVendor(declared)
    vendor.extension = extension
    warehouse = Warehouse(tmp_path / "home", vendor)
    for number, ticker in enumerate(tickers):
        vendor.says(write(_FULL if number == _EMPTY // 2 else 0, tmp_path), ticker=ticker)
    context = warehouse.run(universe__tickers=tuple(tickers))
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 1, _FULL - 1)
    assert warehouse.ask("SELECT v FROM silver.px") == [(_FULL - 1,)]
    vendor.entries = [attrs.evolve(declared, promote_version=2)]
    assert warehouse.run(universe__tickers=tuple(tickers)).remade_tables == 1
    assert warehouse.ask("SELECT v FROM silver.px") == [(_FULL - 1,)]
