"""Sheets of workbooks: what a cell holds, not what it looks like, and what the library cannot tell is told."""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from table_payloads import recorded_body, records_of, rows_of
from workbooks import ods, row, xlsx

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats_of_tables import Excel
from sbf_core.errors import PayloadRefused, UsageError

pytest.importorskip("python_calamine", reason="the extra excel is not installed")
AB = Excel(header=("a", "b"))
DATES = ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000", "[h]:mm:ss")


def of_type(sql_type: str, source: str = "a") -> Column:
    return Column(name="wanted", type=sql_type, nullable=True, source=source)


def test_rates_of_the_reserve_bank_of_fiji(tmp_path: Path) -> None:
    declared = Excel(sheet="Exchange Rates", header=3)
    fields = ("Period", "SDR", "STG", "YEN", "CHF", "A$", "US$", "EURO")
    body = recorded_body("cb-rbf-0349")
    found = records_of(tmp_path, declared, body, *fields)
    assert [(record.place, record.values[0]) for record in found] == [
        (f"sheet 'Exchange Rates' row {number}", f"2026-05-{day}")
        for number, day in zip(range(6370, 6375), range(18, 23), strict=True)
    ]
    assert found[0].values == ["2026-05-18", "0.328656", "0.3375", "71.35", "0.3537", "0.6293", "0.4497", "0.3869"]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:  # an independent look into the XML
        cells = {
            cell.get("r"): cell[0].text
            for cell in ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml")).iter()
            if cell.tag.endswith("}c") and len(cell)
        }
    assert [float(value) for value in found[4].values[1:5]] == [float(cells[f"{letter}6374"]) for letter in "BCDE"]
    assert dt.date(1899, 12, 30) + dt.timedelta(days=int(cells["A6374"])) == dt.date.fromisoformat(found[4].values[0])


def test_rates_of_the_bank_of_algeria(tmp_path: Path) -> None:
    """The first column has no name, and two thousand rows above the data are blank."""
    declared = Excel(sheet="USD - DZD", header=4)
    found = rows_of(tmp_path, declared, recorded_body("cb-boa-0308"), "@[0]", "USD / DZD")
    assert len(found) == 22
    assert found[0][0] == "2026-04-01"
    assert found == rows_of(
        tmp_path, Excel(sheet=17, cells="A5:B", header=("day", "rate")), recorded_body("cb-boa-0308"), "day", "rate"
    )
    with pytest.raises(PayloadRefused, match=r"has 17 sheets: 'AED - DZD', 'CAD - DZD'.*; declare sheet="):
        records_of(tmp_path, Excel(header=4), recorded_body("cb-boa-0308"), "@[0]")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=12", "12"), ("=12.0", "12"), ("=1234.5", "1234.5"), ("=0.33750000000000002", "0.3375"), ("=0.1", "0.1"),
        ("=-0", "0"), ("=1E-5", "0.00001"), ("=71.349999999999994", "71.35"), ("=1.0999999999999999E-2", "0.011"),
        ("=9007199254740991", "9007199254740991"), ("=1E-30", "1e-30"), ("007", "007"), ("1234p", "1234p"),
        (" a\nb ", " a\nb "), ("  ", "  "), ('<c t="b"><v>1</v></c>', "true"), ('<c t="b"><v>0</v></c>', "false"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"), ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="str"><f>A1</f><v></v></c>', None),
        ("<c><f>1+1</f><v>2</v></c>", "2"), ('<c t="str"><f>A1</f><v>x</v></c>', "x"), (None, None),
    ],
)  # fmt: skip
def test_what_a_cell_holds(tmp_path: Path, cell: object, text: str | None) -> None:
    assert rows_of(tmp_path, AB, xlsx({"S": row(1, cell, "z")}), "a", "b") == [(text, "z")]


@pytest.mark.parametrize(
    ("serial", "is_1904", "style", "text"),
    [
        ("45292", False, 1, "2024-01-01"), ("1", False, 1, "1900-01-01"), ("58", False, 1, "1900-02-27"),
        ("61", False, 1, "1900-03-01"), ("45292", True, 1, "2028-01-02"), ("1", True, 1, "1904-01-02"),
        ("60", True, 1, "1904-03-01"), ("43830", True, 1, "2024-01-01"), ("45292.25", False, 2, "2024-01-01T06:00:00"),
        ("45292.5000115741", False, 2, "2024-01-01T12:00:01"), ("1.25", False, 3, "30:00:00"),
        ("0.5", False, 2, "12:00:00"),
    ],
)  # fmt: skip
def test_days_are_counted_as_the_workbook_says(
    tmp_path: Path, serial: str, is_1904: bool, style: int, text: str
) -> None:
    body = xlsx({"S": row(1, "=" + serial, style=style)}, formats=DATES, is_1904=is_1904)
    assert rows_of(tmp_path, AB, body, "a") == [(text,)]


def test_the_midnight_of_a_moment_is_written_out(tmp_path: Path) -> None:
    body = xlsx({"S": row(1, "=45292", style=1) + row(2, "=45292.75", style=1)}, formats=DATES)
    assert rows_of(tmp_path, AB, body, of_type("TIMESTAMP")) == [("2024-01-01T00:00:00",), ("2024-01-01T18:00:00",)]
    assert rows_of(tmp_path, AB, body, of_type("DATE")) == [("2024-01-01",), ("2024-01-01T18:00:00",)]


def test_the_days_59_and_60_of_1900_are_one_to_the_library(tmp_path: Path) -> None:
    body = xlsx({"S": row(1, "=59", style=1) + row(2, "=60", style=1) + row(3, "=60.5", style=1)}, formats=DATES)
    assert {record.fault for record in records_of(tmp_path, AB, body, of_type("DATE"))} == {"no_such_day:wanted"}


@pytest.mark.parametrize(
    "code",
    [
        '#,##0.00 "CHF"',
        "0.00 CHF",
        "#,##0 GWh",
        "0 shares",
        "0.0 [$CHF]",
        r"0\h",
        "General months",
        "_-* #,##0_m",
        "0.0%",
        "[Red]0.00 EUR/MWh;[Blue]-0.00 EUR/MWh",
        "##0 yyyy",
    ],
)
def test_a_unit_in_a_number_format_is_no_date(tmp_path: Path, code: str) -> None:
    assert rows_of(tmp_path, AB, xlsx({"S": row(1, "=1234.5", "=45292", style=1)}, formats=(code,)), "a", "b") == [
        ("1234.5", "45292")
    ]


@pytest.mark.parametrize(
    "code",
    [
        14,
        22,
        27,
        30,
        36,
        50,
        57,
        "yyyy-mm-dd",
        "mmm-yy",
        'yyyy"年"m"月"d"日"',
        "[$-409]d-mmm-yyyy;@",
        "dd/mm/yyyy hh:mm:ss.000",
        "m/d/yy h:mm AM/PM",
    ],
)
def test_a_format_of_days_is_a_date(tmp_path: Path, code: str | int) -> None:
    """27 to 36 and 50 to 58 are the built-in formats of East Asia (18.8.30)."""
    assert rows_of(tmp_path, AB, xlsx({"S": row(1, "=45292", style=1)}, formats=(code, "0 CHF")), "a") == [
        ("2024-01-01",)
    ]


@pytest.mark.parametrize("sql_type", ["VARCHAR", "BIGINT", "DECIMAL(38,0)", "DATE", "TIMESTAMP"])
@pytest.mark.parametrize("cell", ["=9007199254740993", "=9007199254740992", "=-1E+20"])
def test_a_whole_number_beyond_the_exact_ones_costs_its_row(tmp_path: Path, sql_type: str, cell: str) -> None:
    found = records_of(tmp_path, AB, xlsx({"S": row(1, cell) + row(2, 7)}), of_type(sql_type))
    assert [(record.fault, *record.values) for record in found] == [("beyond_exact:wanted", None), ("", "7")]


def test_a_double_may_be_large(tmp_path: Path) -> None:
    assert rows_of(tmp_path, AB, xlsx({"S": row(1, "=1.5E+300") + row(2, "=1E+20")}), of_type("DOUBLE")) == [
        ("1.5e+300",),
        ("100000000000000000000",),
    ]


def test_a_formula_without_a_result_costs_its_row_where_it_is_wanted(tmp_path: Path) -> None:
    body = xlsx({"S": row(1, "<c><f>A2+1</f></c>", "x") + row(2, 1, "y")})
    assert [record.fault for record in records_of(tmp_path, AB, body, of_type("VARCHAR"))] == [
        "not_calculated:wanted",
        "",
    ]
    assert rows_of(tmp_path, AB, body, "b") == [("x",), ("y",)]


TABLE = (
    row(2, "Title", first="B") + row(4, "day", " price\n", "day", first="B")
    + row(5, "1", 1.5, "note", first="B") + row(7, "2", "1234p", first="B")
    + row(8, " ", "", first="B") + row(2000, "3", 2.5, first="B") + row(2002, "Source: us", first="B")
)  # fmt: skip


def test_rows_and_columns_that_are_blank_move_nothing(tmp_path: Path) -> None:
    declared = Excel(header=4, footer_rows=1)
    found = records_of(tmp_path, declared, xlsx({"S": TABLE}), "@[1]", "price")
    assert [(record.place, *record.values) for record in found] == [
        ("sheet 'S' row 5", "1", "1.5"),
        ("sheet 'S' row 7", "2", "1234p"),
        ("sheet 'S' row 2000", "3", "2.5"),
    ]
    assert rows_of(tmp_path, Excel(header=4, cells="B4:C7"), xlsx({"S": TABLE}), "@[0]", "price") == [
        ("1", "1.5"),
        ("2", "1234p"),
    ]
    assert rows_of(tmp_path, Excel(header=("day", "p"), cells="$B$5:C2000"), xlsx({"S": TABLE}), "day") == [
        ("1",),
        ("2",),
        ("3",),
    ]


@pytest.mark.parametrize(
    ("declared", "field", "why"),
    [
        (Excel(header=4), "day", "the field 'day' 2 times"),
        (Excel(header=4), "close", "no field 'close'; it has '', 'day', 'price', 'day'"),
        (Excel(header=3), "day", "nothing in row 3 of sheet 'S'"),
        (Excel(header=9000), "day", "nothing in row 9000"),
        (Excel(sheet="T", header=4), "day", "no sheet 'T'; it has 'S'"),
        (Excel(sheet=2, header=4), "day", "no sheet 2; it has 'S'"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, declared: Excel, field: str, why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, declared, xlsx({"S": TABLE}), field)


def test_cells_behind_the_declared_names_are_noticed(tmp_path: Path) -> None:
    found = records_of(tmp_path, AB, xlsx({"S": row(1, 1, 2) + row(2, 1, 2, 3)}), "a")
    assert [(record.fault, record.raw) for record in found] == [("", ""), ("ragged", "1 | 2 | 3")]


def test_a_merged_cell_is_the_value_of_all_that_it_covers(tmp_path: Path) -> None:
    rows = row(1, "place", "year", "value") + row(2, "Bern", 2023, 1) + row(3, None, 2024, 2) + row(4, "Total", None, 3)
    after = '<mergeCells count="2"><mergeCell ref="A2:A3"/><mergeCell ref="A4:B4"/></mergeCells>'
    assert rows_of(tmp_path, Excel(), xlsx({"S": rows}, after=after), "place", "year", "value") == [
        ("Bern", "2023", "1"),
        ("Bern", "2024", "2"),
        ("Total", "Total", "3"),
    ]


def test_numbers_and_days_may_name_fields(tmp_path: Path) -> None:
    rows = row(1, "place", "=2023", "=45292", style=1) + row(2, "Bern", 1, 2)
    assert rows_of(tmp_path, Excel(), xlsx({"S": rows}, formats=DATES), "place", "2024-01-01") == [("Bern", "2")]


def test_open_document(tmp_path: Path) -> None:
    float_of = 'office:value-type="float" office:value="{0}"><text:p>{0}</text:p></table:table-cell>'
    day = 'office:value-type="date" office:date-value="1900-02-27"><text:p>x</text:p></table:table-cell>'
    text = 'office:value-type="string"><text:p>NA</text:p></table:table-cell>'
    body = ods([["", ""], [day, float_of.format("1.50")], [text, float_of.format("12")]])
    assert rows_of(tmp_path, AB, body, "a", "b") == [("1900-02-27", "1.5"), ("NA", "12")]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"day,price\n",
        b"PK\x03\x04 cut",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        xlsx({"S": TABLE})[:700],
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(PayloadRefused, match="is no workbook"):
        records_of(tmp_path, AB, body, "a")


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(UsageError, match=r"pip install 'sbf\[excel\]'"):
        records_of(tmp_path, AB, xlsx({"S": TABLE}), "a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sheet": 0},
        {"sheet": True},
        {"header": 0},
        {"header": True},
        {"cells": "B4-H9"},
        {"cells": "B4:A9"},
        {"cells": "B4:C3"},
        {"cells": "A5:B", "header": 4},
        {"footer_rows": -1},
    ],
)
def test_declarations_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Excel(**wrong)
