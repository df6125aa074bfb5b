"""Cubes of the Swiss National Bank: the shape that is documented, with values that are made up."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from recorded import NOW, Recording

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.snb import plugin

MONTHS = """\ufeff"CubeId";"devkum"
"PublishingDate";"2026-10-01 14:30"

"Date";"D0";"D1";"Value"
"2026-08";"M0";"EUR1";"0.9"
"2026-08";"M0";"JPY100";"0.51234"
"2026-08";"M1";"EUR1";"0.91"
"2026-09";"M0";"EUR1";
"""
DAYS = """\ufeff"CubeId";"rendoblid"
"PublishingDate";"2026-09-01 14:29"

"Date";"D0";"Value"
"1988-01-01";"1J";
"2026-08-31";"1J";"-0.1"
"2026-08-31";"10J";"0.5"
"""


def filled(folder: Path, *contents: tuple[str, str]) -> Recording:
    recording = Recording(folder, options='[options.snb]\ncubes = ["devkum", "rendoblid"]\n')
    for hour, (cube, content) in enumerate(contents):
        moment = NOW.replace(hour=NOW.hour + hour)
        recording.add(f"macro/snb/{cube}", content.replace("\n", "\r\n").encode(), extension="csv", moment=moment)
    return recording


test_snb_conforms = conformance(
    "snb",
    recording=lambda folder: filled(folder, ("devkum", MONTHS)).folder,
    options={"cubes": ["devkum"]},
)


def test_dimensions_of_a_cube(tmp_path: Path) -> None:
    recording = filled(tmp_path, ("devkum", MONTHS), ("rendoblid", DAYS))
    assert recording.run(plugins=("snb",)).errors == []
    found = recording.ask("SELECT period, member, dimensions, value FROM silver.snb_devkum ORDER BY ALL")
    assert [(*row[:2], json.loads(row[2]), row[3]) for row in found] == [
        ("2026-08", "M0/EUR1", {"D0": "M0", "D1": "EUR1"}, Decimal("0.9")),
        ("2026-08", "M0/JPY100", {"D0": "M0", "D1": "JPY100"}, Decimal("0.51234")),
        ("2026-08", "M1/EUR1", {"D0": "M1", "D1": "EUR1"}, Decimal("0.91")),
        ("2026-09", "M0/EUR1", {"D0": "M0", "D1": "EUR1"}, None),
    ]
    assert recording.ask("SELECT value FROM silver.snb_rendoblid WHERE period = '1988-01-01'") == [(None,)]


def test_what_a_cube_has_no_more_is_closed(tmp_path: Path) -> None:
    less = MONTHS.replace('"2026-09";"M0";"EUR1";\n', "")
    recording = filled(tmp_path, ("devkum", MONTHS), ("devkum", less))
    assert recording.run(plugins=("snb",)).errors == []
    assert recording.ask("SELECT max(period) FROM silver.snb_devkum") == [("2026-08",)]


def test_other_columns_are_refused(tmp_path: Path) -> None:
    for number, content in enumerate((MONTHS.replace("Value", "Level"), DAYS.replace('"D0"', '"Series"'))):
        errors = filled(tmp_path / str(number), ("devkum", content)).run(plugins=("snb",)).errors
        assert "expected Date, D0 and so on, Value" in " ".join(errors)


def test_the_settings_choose() -> None:
    assert [entry.id for entry in plugin.datasets({"cubes": ["snbbipo"]})] == ["macro/snb/snbbipo"]
    assert all(entry.opt_in for entry in plugin.datasets({}))
    with pytest.raises(UsageError, match="'SNB/X' is no cube"):
        plugin.datasets({"cubes": ["SNB/X"]})
