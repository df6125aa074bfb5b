"""Fixed width: what stands at a place is a field, and what has moved is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from table_payloads import recorded_body, records_of, rows_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats_of_tables import FixedWidth
from sbf_core.errors import PayloadRefused, UsageError

INDEX = FixedWidth(
    fields=(("form", 0, 11), ("company", 12, 73), ("cik", 74, 84), ("filed", 86, 96), ("file", 98)),
    after="-----",
)  # fmt: skip
SMALL = FixedWidth(fields=(("id", 0, 4), ("year", 4, 8), ("value", 9, 14)))


def test_the_form_index_of_edgar_but_for_the_row_that_a_long_name_has_shifted(tmp_path: Path) -> None:
    found = records_of(
        tmp_path, INDEX, recorded_body("sec-fullindex-r2-002"), "form", "company", "cik", "filed", "file"
    )
    assert len(found) == 10
    assert found[0].values == [
        "1-A",
        "A-Game Beverages, Inc.",
        "1838675",
        "2021-02-05",
        "edgar/data/1838675/0001213900-21-007106.txt",
    ]
    assert found[5].values[0] == "1-A POS"
    assert found[-1].values[1:4] == ["UOB GLOBAL EQUITY SALES LLC", "1225152", "2021-02-25"]
    assert [(record.place, record.fault) for record in found if record.fault] == [("line 17", "shifted")]
    assert found[6].raw.startswith(
        "X-17A-5     UNITED PLANNERS' FINANCIAL SERVICES OF AMERICA A LIMITED PARTNER  820694"
    )


def test_a_day_without_filings_has_no_rows(tmp_path: Path) -> None:
    assert records_of(tmp_path, INDEX, recorded_body("sec-fullindex-r2-001"), "form") == []


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="no line that begins with '-----'"):
        records_of(tmp_path, INDEX, recorded_body("sec-fullindex-r2-003"), "form")


def test_padding_is_no_text_and_blanks_are_no_value(tmp_path: Path) -> None:
    assert rows_of(tmp_path, SMALL, "AB  2024  1.50\nCD  2025      \n\n  \nE F 2026  -9.0", "id", "year", "value") == [
        ("AB", "2024", "1.50"),
        ("CD", "2025", None),
        ("E F", "2026", "-9.0"),
    ]


def test_a_packed_line_as_in_ghcn_daily(tmp_path: Path) -> None:
    """Fields that touch each other are no fault: readme.txt, section III."""
    packed = FixedWidth(
        fields=(("id", 0, 11), ("year", 11, 15), ("month", 15, 17), ("element", 17, 21), ("v1", 21, 26), ("m1", 26, 27),
                ("q1", 27, 28), ("s1", 28, 29), ("v2", 29, 34)),
        null=("-9999",),
    )  # fmt: skip
    line = "USW00094728202401TMAX   72  W-9999"
    assert rows_of(tmp_path, packed, line, "id", "month", "element", "v1", "s1", "v2") == [
        ("USW00094728", "01", "TMAX", "72", "W", None)
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("AB  2024x 1.50", "shifted"),
        ("AB  2024\t 1.50", "shifted"),
        ("AB  2024  1.50 7", "ragged"),
        ("AB  2024  1.50    ", ""),
        ("AB  2024 ", "ragged"),
        ("AB", "ragged"),
    ],
)
def test_one_damaged_line_costs_one_row(tmp_path: Path, line: str, fault: str) -> None:
    found = records_of(tmp_path, SMALL, f"AB  2023  1.00\n{line}\nAB  2025  1.00\n", "id", "value")
    assert [record.fault for record in found] == ["", fault, ""]
    assert found[1].place == "line 2"
    assert found[1].raw == (line if fault else "")


def test_a_field_that_may_be_absent_may_lack_at_the_end_of_a_line(tmp_path: Path) -> None:
    value = Column(name="value", type="VARCHAR", nullable=True, optional=True)
    assert rows_of(tmp_path, SMALL, "AB  2024\nAB  2025  1.50", "year", value) == [("2024", None), ("2025", "1.50")]


def test_rows_above_and_below(tmp_path: Path) -> None:
    declared = FixedWidth(fields=(("id", 0, 4),), skip_rows=1, footer_rows=2)
    assert rows_of(tmp_path, declared, "HEAD\nA\nB\nC\n\nD\n\n", "id") == [("A",), ("B",)]


def test_characters_are_counted_not_bytes(tmp_path: Path) -> None:
    declared = FixedWidth(fields=(("name", 0, 6), ("value", 6, 8)))
    assert rows_of(tmp_path, declared, "\ufeffZürich 7", "name", "value") == [("Zürich", "7")]
    latin = FixedWidth(fields=declared.fields, encoding="latin-1")
    assert rows_of(tmp_path, latin, "Zürich 7".encode("latin-1"), "name", "value") == [("Zürich", "7")]
    with pytest.raises(PayloadRefused, match="not written in utf-8"):
        records_of(tmp_path, declared, "Zürich 7".encode("latin-1"), "name")


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    declared = FixedWidth(fields=(("name", 0, 3), ("value", 3)))
    assert rows_of(tmp_path, declared, "a\u2028b7\r\nc\x0bd8\re\x85f9", "name", "value") == [
        ("a\u2028b", "7"),
        ("c\x0bd", "8"),
        ("e\x85f", "9"),
    ]


def test_a_field_that_is_not_declared_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="no field 'month'; it has 'id', 'year', 'value'"):
        records_of(tmp_path, SMALL, "AB", "month")


@pytest.mark.parametrize(
    "fields",
    [(), (("a", 0, 4), ("a", 4, 8)), (("a", 4, 8), ("b", 0, 4)), (("a", 0, 5), ("b", 4, 8)), (("a", 0), ("b", 4, 8)),
     (("a", 3, 3),), (("a",),), (("", 0, 1),)],
)  # fmt: skip
def test_places_that_cannot_be_are_refused_when_declared(fields: Any) -> None:
    with pytest.raises(UsageError):
        FixedWidth(fields=fields)
