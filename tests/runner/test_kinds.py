"""Each failure of a run is on record by its kind: among the run's failures, and in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import GoldModel
from sbf_core.failures import FailureKind

FIRST = [price(symbol, "2024-01-01") for symbol in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
WITHOUT_VOLUME = [{name: value for name, value in row.items() if name != "volume"} for row in FIRST]
#: What the vendor says on the second day, how its dataset is declared, and the kind of failure that is.
SECOND: dict[str, tuple[Any, dict[str, Any], FailureKind]] = {
    "no JSON": ("<p>late</p>", {}, FailureKind.PAYLOAD),
    "a note of a vendor with the words of an engine": ('{"checksum": "Corrupt database"}', {}, FailureKind.PAYLOAD),
    "too many rejects": ([*FIRST[:2], price("B", "nonsense")], {}, FailureKind.REJECTS),
    "a list that shrank": (FIRST[:1], {"semantics": "snapshot"}, FailureKind.SHRUNK),
    "a field that is gone": (WITHOUT_VOLUME, {}, FailureKind.HELD),
    "a field that is gone, and that fails": (WITHOUT_VOLUME, {"drift": "fail"}, FailureKind.FIELD_GONE),
    "code that raises": (ValueError("checksum"), {}, FailureKind.PLUGIN),
}


@pytest.mark.parametrize(("said", "declared", "kind"), SECOND.values(), ids=SECOND)
def test_a_dataset_fails(tmp_path: Path, said: Any, declared: dict[str, Any], kind: FailureKind) -> None:
    vendor = FakeVendor(entry(**declared))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(FIRST)
    assert warehouse.run().failures == []
    vendor.says(said)
    (failure,) = warehouse.run(hours_later=24).failures
    assert (failure.kind, failure.dataset) == (kind, "prices/fake/eod")
    assert failure.as_dict()["kind"] == str(kind)
    recorded = "SELECT error_kind FROM ops.file_ingestions WHERE status IN ('failed', 'held') AND kind = 'file'"
    assert warehouse.ask(recorded) == [(str(kind),)]
    assert warehouse.ask("SELECT count(*) FROM ops.file_ingestions WHERE status = 'ok' AND error_kind IS NOT NULL") == [
        (0,)
    ]


def test_a_gold_table_fails(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    vendor.says(FIRST)
    vendor.models = [GoldModel(name="broken", key=("symbol",), sql="SELECT symbol, error('no') AS n FROM silver.px")]
    warehouse = Warehouse(tmp_path / "home", vendor)
    (failure,) = warehouse.run().failures
    assert (failure.kind, failure.table) == (FailureKind.GOLD, "gold.broken")
    assert warehouse.ask("SELECT error_kind FROM ops.file_ingestions WHERE kind = 'gold'") == [("gold",)]
