"""A run that failed in order has left nothing to look after; one that an error ended has."""

from __future__ import annotations

import pytest
from warehouse import FakeVendor, Warehouse, price

from sbf_core import faults
from sbf_core.errors import EnvironmentFault


def test_a_run_whose_vendor_failed_is_not_recovered(
    warehouse: Warehouse, vendor: FakeVendor, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.says(ConnectionError("no route"))
    assert warehouse.run().status == "failed"
    assert warehouse.run(hours_later=1).status == "failed"
    assert warehouse.ask("SELECT count(*) FROM ops.recoveries") == [(0,)]
    assert "Recovered" not in caplog.text


def test_a_run_that_an_error_ended_is(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01")])
    faults.arm("manifest.recorded:1:full")
    try:
        with pytest.raises(EnvironmentFault):
            warehouse.run()
    finally:
        faults.arm("")
    assert warehouse.ask("SELECT status, content_length_bytes FROM ops.file_ingestions WHERE kind = 'run'") == [
        ("failed", None)
    ]
    assert warehouse.run(hours_later=1).errors == []
    assert warehouse.ask("SELECT count(*) FROM ops.recoveries") == [(1,)]
    size = warehouse.ask("SELECT sum(content_length_bytes) FROM ops.bronze_manifest")
    assert warehouse.ask("SELECT sum(content_length_bytes) FROM ops.file_ingestions WHERE kind = 'run'") != [(None,)]
    assert size != [(0,)]
