"""What becomes of payloads when the engine fails: nothing is recorded of what the machine,
or a bug, is to blame for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core import faults
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import DatasetFailure, EnvironmentFault, OutOfMemory
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.service import OpsService
from sbf_core.runner import remake_stage
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


def warehouse_of_two(tmp_path: Path) -> Warehouse:
    vendor = FakeVendor(entry(), entry(dataset="other", silver_table="other"))
    vendor.says([price("AAA", "2024-01-01")], dataset="eod")
    vendor.says([price("AAA", "2024-01-01")], dataset="other")
    return Warehouse(tmp_path / "home", vendor)


@pytest.mark.parametrize("kind", ["OutOfMemoryException", "MemoryError"])
def test_too_little_memory_costs_no_rows(tmp_path: Path, kind: str) -> None:
    """Nothing is recorded of the payload; the other dataset is promoted; the next run asks again."""
    warehouse = warehouse_of_two(tmp_path)
    faults.arm(f"promote.merged:1:{kind}")
    with pytest.raises(OutOfMemory, match="there is too little memory"):
        warehouse.run()
    faults.arm("")
    assert warehouse.ask("SELECT status, count(*) FROM ops.promotion_manifest GROUP BY 1") == [("ok", 1)]
    tables = "SELECT count(*) FROM silver.px UNION ALL SELECT count(*) FROM silver.other ORDER BY 1"
    assert warehouse.ask(tables) == [(0,), (1,)]
    assert warehouse.run().status == "ok"
    assert warehouse.ask(tables) == [(1,), (1,)]


@pytest.mark.parametrize(
    ("kind", "error"), [("full", EnvironmentFault), ("InternalException", duckdb.InternalException)]
)
def test_neither_a_disk_nor_a_bug_is_a_judgement(tmp_path: Path, kind: str, error: type[Exception]) -> None:
    warehouse = warehouse_of_two(tmp_path)
    faults.arm(f"promote.merged:1:{kind}")
    with pytest.raises(error):
        warehouse.run()
    faults.arm("")
    assert warehouse.ask("SELECT count(*) FROM ops.promotion_manifest WHERE status = 'failed'") == [(0,)]
    assert warehouse.run().status == "ok"
    assert warehouse.ask("SELECT count(*) FROM silver.px JOIN silver.other USING (symbol, date)") == [(1,)]


def test_a_table_is_not_replaced_while_payloads_fail_that_did_not_before(tmp_path: Path) -> None:
    warehouse = warehouse_of_two(tmp_path)
    warehouse.run()
    file_id = warehouse.ask("SELECT bronze_file_id FROM ops.bronze_manifest WHERE dataset = 'eod'")[0][0]
    bootstrap = DuckDbBootstrap(Settings(warehouse.home, environment={}).config).open()
    try:
        ops = OpsService.over(bootstrap, clock=warehouse.clock)

        entry = warehouse.opened().registry.datasets["prices/fake/eod"].entry

        class Other:
            def payloads_of(self, of: object) -> Other:
                assert of == entry
                return self

            def failed(self) -> list[object]:
                return [row for row in ops.load_manifest_rows() if row.bronze_file_id == file_id]

        made = RunContext(
            run_id="again",
            started_at=warehouse.clock.now(),
            failures=[Failure(kind=FailureKind.PAYLOAD, what="it cannot be read")],
        )
        with pytest.raises(DatasetFailure, match="1 of its payloads, which were promoted before, cannot be now"):
            remake_stage._check_all_came(ops, Other(), entry, made)  # type: ignore[arg-type]
    finally:
        bootstrap.close()
