"""How many payloads are promoted together."""

from __future__ import annotations

import attrs
import pytest
from warehouse import START, entry

from sbf_core.api import RunRequest, RunResult
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runner import promotion_batches


@pytest.mark.parametrize(
    ("extension", "size", "lengths"),
    [
        ("csv", 25, [4, 4, 2]),
        ("json", 25, [8, 2]),
        ("ndjson", 25, [8, 2]),
        ("xml", 25, [4, 4, 2]),
        ("csv", 500, [1] * 10),
    ],
)
def test_a_batch_is_full_by_what_its_payloads_hold(
    monkeypatch: pytest.MonkeyPatch, extension: str, size: int, lengths: list[int]
) -> None:
    monkeypatch.setattr(promotion_batches, "BATCH_BYTES", 100)
    asked = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")
    result = RunResult(request=asked, address="a", extension=extension, fetched_at=START)
    row = BronzeManifestRow.of(result, rel_path="a", payload_hash="0" * 64, content_length_bytes=size)
    rows = [attrs.evolve(row, rel_path=f"{number}") for number in range(10)]
    assert [len(batch) for batch in promotion_batches.batches(entry(), rows)] == lengths
