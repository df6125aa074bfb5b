"""The guide's declarations read the real payloads that they are about, whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from table_payloads import recorded_body

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats_of_tables import Excel, FixedWidth
from sbf_core.payload.formats import reader_of
from sbf_core.payload.model import PayloadFile, Reading, Record, slots_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "declare-formats.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def names_of(mark: str) -> dict[str, Any]:
    """What the block of the guide that holds a mark declares."""
    (block,) = [block for block in BLOCKS if mark in block]
    names: dict[str, Any] = {"__name__": "sample"}
    exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    return names


def declared(mark: str, dataset: str) -> DatasetKeymapEntry:
    (found,) = [entry for entry in names_of(mark)["datasets"]() if entry.dataset == dataset]
    return found


def records(folder: Path, entry: DatasetKeymapEntry, body: bytes) -> list[Record]:
    assert entry.format is not None
    path = folder / "payload"
    path.write_bytes(body)
    file = PayloadFile(file_id="1", path=path, extension="", byte_count=len(body))
    reading = Reading(entry=entry, format=entry.format, slots=slots_of(entry))
    reader = reader_of(entry.format.kind)
    return list(reader.records(reading, reader.look(reading, file, None, staging=folder).file))


@pytest.mark.parametrize(
    ("mark", "dataset", "payload_id", "count", "last"),
    [
        ("ken.french", "months", "famafrench-0121", 1197, ("202603", "  -5.18", "   0.44", "   3.35", "   0.29")),
        ("ken.french", "years", "famafrench-0121", 99, ("  13.30", " -10.72", "   8.51", "   4.25", "  2025")),
        ("amfiindia", "nav", "amfi-r2-002", 14_025,
         ("110021", "25-Mar-2025", "11.0613", "UTI Quarterly Interval Fund - III -Regular Plan - IDCW", None, None,
          "Close Ended Schemes(Income)", "UTI Mutual Fund")),
        ("amfiindia", "nav", "amfi-r2-001", 14_282,
         ("106186", "21-Aug-2026", "11.079", "UTI Annual Interval Fund - I", "Regular Plan", "IDCW",
          "Close Ended Schemes(Income/Debt Oriented Schemes - Other Debt Scheme)", "UTI Mutual Fund")),
        ("SdmxMl()", "gdp", "eurostat-sdmx-r2-003", 43, ()),
        ("kraken_ohlc", "ohlc", "kraken-r2-001", 720, ()),
    ],
)  # fmt: skip
def test_the_guide_reads_the_payload(
    tmp_path: Path, mark: str, dataset: str, payload_id: str, count: int, last: tuple[str, ...]
) -> None:
    found = records(tmp_path, declared(mark, dataset), recorded_body(payload_id))
    assert len(found) == count
    assert not [record for record in found if record.fault]
    if last:
        assert tuple(found[-1].values) == last


def test_the_other_formats_of_the_guide_read_theirs(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    from table_payloads import records_of

    names = names_of("FixedWidth(")
    assert isinstance(names["form_index"], FixedWidth)
    assert isinstance(names["without_names"], Excel)
    assert len(records_of(tmp_path, names["form_index"], recorded_body("sec-fullindex-r2-002"), "cik")) == 10
    assert len(records_of(tmp_path, names["rates_of_fiji"], recorded_body("cb-rbf-0349"), "Period")) == 5
    assert len(records_of(tmp_path, names["without_names"], recorded_body("cb-boa-0308"), "rate")) == 22


@pytest.mark.parametrize("mark", ["ken.french", "amfiindia", "SdmxMl()", "kraken_ohlc"])
def test_a_declaration_takes_less_than_20_lines(mark: str) -> None:
    """Without the imports, each class and the function that returns the datasets."""
    (block,) = [block for block in BLOCKS if mark in block]
    body = [line for line in block.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    entries = len(names_of(mark)["datasets"]())
    assert len(body) < 20 * entries
    assert attrs.has(type(names_of(mark)["datasets"]()[0]))
