"""The signatures of the design stay as they are: names, keyword-only, defaults, types."""

from __future__ import annotations

import inspect

import pytest

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.ops.repo import DuckDbOpsRepo
from sbf_core.ops.service import OpsService

CONN = "duckdb.DuckDBPyConnection"
REPO = {
    "close": "(self) -> None",
    "insert_bronze_manifest": (
        "(self, *, result: RunResult, rel_path: Path, payload_hash: str, content_length_bytes: int) -> None"
    ),
    "get_data_date": "(self, key: str) -> dt.date | None",
    "upsert_data_date": "(self, *, key: str, to_date: dt.date) -> None",
    "load_promotable_rows": "(self) -> list[BronzeManifestRow]",
    "start_promotion_manifest": "(self, row: BronzeManifestRow) -> None",
    "finish_promotion_manifest": (
        "(self, row: BronzeManifestRow, *, status: str, rows_seen: int, rows_written: int, error: str | None) -> None"
    ),
    "get_watermark": f"(self, conn: {CONN}, row: BronzeManifestRow, entry: DatasetKeymapEntry) -> dt.date | None",
    "upsert_watermark": (
        f"(self, conn: {CONN}, row: BronzeManifestRow, entry: DatasetKeymapEntry, *, "
        "coverage_from: dt.date | None, coverage_to: dt.date | None) -> None"
    ),
    "start_gold_manifest": f"(self, conn: {CONN}, *, gold_build_id: int, table_name: str) -> None",
    "finish_gold_manifest": (
        f"(self, conn: {CONN}, *, gold_build_id: int, table_name: str, status: str, rows_seen: int, "
        "rows_written: int, error_message: str | None) -> None"
    ),
    "get_gold_watermark": f"(self, conn: {CONN}, *, table_name: str) -> dt.date | None",
    "upsert_gold_watermark": f"(self, conn: {CONN}, *, table_name: str, watermark_date: dt.date | None) -> None",
}
OTHERS = [
    (
        DuckDbOpsRepo,
        "__init__",
        (
            "(self, config: DuckDbConfig | None = None, logger: logging.Logger | None = None, "
            "bootstrap: DuckDbBootstrap | None = None) -> None"
        ),
    ),
    (
        BronzeFileWriter,
        "__init__",
        "(self, config: DuckDbConfig | None = None, logger: logging.Logger | None = None) -> None",
    ),
    (BronzeFileWriter, "write", "(self, result: RunResult) -> tuple[Path, str, int]"),
    (
        OpsService,
        "__init__",
        (
            "(self, ops_repo: DuckDbOpsRepo | None = None, universe: UniverseService | None = None, "
            "logger: logging.Logger | None = None) -> None"
        ),
    ),
    (OpsService, "start_run", "(self, *, ticker_limit: int) -> RunContext"),
    (OpsService, "finish_run", "(self, summary: RunContext) -> None"),
]


def _signature(owner: type, name: str) -> str:
    return str(inspect.signature(getattr(owner, name))).replace("'", "")


@pytest.mark.parametrize(("name", "expected"), REPO.items())
@pytest.mark.parametrize("owner", [DuckDbOpsRepo, OpsService])
def test_repo_and_facade_have_the_same_methods(owner: type, name: str, expected: str) -> None:
    assert expected == _signature(owner, name)


@pytest.mark.parametrize(("owner", "name", "expected"), OTHERS)
def test_the_rest(owner: type, name: str, expected: str) -> None:
    assert expected == _signature(owner, name)
