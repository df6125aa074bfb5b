"""Sectioned text: one table of several, or rows under headings; each line is a row, or something that is known."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest
from table_payloads import recorded_body, records_of, rows_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.dataset.formats_of_tables import Sections
from sbf_core.errors import PayloadRefused, UsageError

MONTHLY = Sections(ends="Annual Factors*")
ANNUAL = Sections(title="Annual Factors*", ends="Copyright*")
FACTORS = ("@[0]", "Mkt-RF", "SMB", "HML", "RF")
NAV = Sections(
    csv=Csv(delimiter=";", quote="", escape=""),
    section_fields={
        "category": ("Open Ended Schemes*", "Close Ended Schemes*", "Interval Fund Schemes*"),
        "fund_house": "*Mutual Fund*",
    },
    nested=False,
)


def test_the_months_and_the_years_of_ken_french_are_two_datasets_of_one_payload(tmp_path: Path) -> None:
    payload = recorded_body("famafrench-0121")
    months = rows_of(tmp_path, MONTHLY, payload, *FACTORS)
    assert len(months) == 1203 - 6
    assert months[0] == ("192607", "   2.89", "  -2.55", "  -2.39", "   0.22")
    assert months[-1][0] == "202603"
    years = rows_of(tmp_path, ANNUAL, payload, *FACTORS)
    assert len(years) == 1305 - 1206
    assert years[-1] == ("  2025", "  13.30", " -10.72", "   8.51", "   4.25")


@pytest.mark.parametrize(
    ("title", "count", "first"),
    [
        ("Average Value Weighted Returns -- Monthly", 1186, "192607   "),
        ("Average Equal Weighted Returns -- Monthly", 1186, "192607   "),
        ("Average Value Weighted Returns -- Annual", 98, "1927  "),
        ("Average Equal Weighted Returns -- Annual", 98, "1927  "),
        ("Number of Firms in Portfolios", 1186, "192607"),
        ("Average Firm Size", 1186, "192607"),
        ("Sum of BE / Sum of ME", 99, "1926   "),
        ("Value-Weighted Average of BE/ME", 99, "1926   "),
    ],
)
def test_each_of_eight_tables_is_found_by_its_title(tmp_path: Path, title: str, count: int, first: str) -> None:
    found = rows_of(tmp_path, Sections(title=title), recorded_body("famafrench-0124"), "@[0]", "Cnsmr", "Other")
    assert (len(found), found[0][0]) == (count, first)


def test_a_table_without_a_header_gets_declared_names(tmp_path: Path) -> None:
    names = ("month", "firms", *(f"p{5 * step}" for step in range(1, 21)))
    declared = Sections(csv=Csv(header=names), title="This file was created*", ends="Copyright*")
    found = rows_of(tmp_path, declared, recorded_body("famafrench-0125"), "month", "firms", "p5", "p100")
    assert len(found) == 1207 - 3
    assert found[0] == ("192512", "   488", "        1.40", "     1319.00")


def test_the_net_asset_values_of_amfi_with_six_columns_and_with_eight(tmp_path: Path) -> None:
    option = Column(name="option", type="VARCHAR", nullable=True, source="Option", optional=True)
    fields = ("category", "fund_house", "Scheme Code", "Net Asset Value", "Date", option)
    older = rows_of(tmp_path, NAV, recorded_body("amfi-r2-002"), *fields)
    newer = rows_of(tmp_path, NAV, recorded_body("amfi-r2-001"), *fields)
    assert (len(older), len(newer)) == (14_025, 14_282)
    bank = "Open Ended Schemes(Debt Scheme - Banking and PSU Fund)"
    assert older[0] == (bank, "Aditya Birla Sun Life Mutual Fund", "119551", "107.0688", "16-May-2025", None)
    assert newer[0] == (
        bank,
        "Aditya Birla Sun Life Mutual Fund",
        "119551",
        "106.8821",
        "21-Aug-2026",
        "IDCW-Re-investment",
    )
    assert newer[-1][:3] == (
        "Close Ended Schemes(Income/Debt Oriented Schemes - Other Debt Scheme)",
        "UTI Mutual Fund",
        "106186",
    )
    assert (bank, "Axis Mutual Fund") in {row[:2] for row in newer}  # the category stays when the house changes
    houses = collections.Counter(row[1] for row in newer)
    assert (len(houses), houses["Unifi Mutual Fund"], houses[None]) == (52, 6, 0)
    by_code = {row[2]: row[1] for row in newer}  # where a category begins with the house before, it is not repeated
    assert (by_code["145295"], by_code["154437"]) == ("UTI Mutual Fund", "Zerodha Mutual Fund")
    assert sum(row[3] == "N.A." for row in older) == 6


def test_the_tables_of_statcan_metadata(tmp_path: Path) -> None:
    payload = recorded_body("statcan-r2-004", "MetaData.csv")
    members = rows_of(tmp_path, Sections(), payload, "Dimension ID", "Member Name", "Parent Member ID")
    assert len(members) == 16
    assert members[1] == ("1", "Atlantic Region", "1")
    assert rows_of(tmp_path, Sections(), payload, "Dimension ID", "Dimension name") == [
        ("1", "Geography"),
        ("2", "Index"),
    ]
    symbols = rows_of(
        tmp_path, Sections(title="Symbol Legend", ends='"Survey Code"*'), payload, "Description", "Symbol"
    )
    assert len(symbols) == 14
    assert ("not applicable", "...") in symbols
    with pytest.raises(PayloadRefused, match="goes on behind a blank line"):  # as many fields as in the next table
        records_of(tmp_path, Sections(), payload, "Survey Code")
    ended = Sections(ends='"Subject Code"*')
    assert rows_of(tmp_path, ended, payload, "Survey Code") == [("2325",)]


TEXT = "Prose, of two fields\n\n title one \nday,a\n1,x\n2,y\n\ntitle two\nday,a,b\n3,z,\n4,,w\n\nThe end\n"


def test_a_table_ends_at_the_first_blank_line(tmp_path: Path) -> None:
    assert rows_of(tmp_path, Sections(title="title one"), TEXT, "day", "a") == [("1", "x"), ("2", "y")]
    assert rows_of(tmp_path, Sections(title="title two"), TEXT, "day", "b") == [("3", None), ("4", "w")]


def test_without_a_title_the_header_is_the_first_line_with_all_names(tmp_path: Path) -> None:
    assert rows_of(tmp_path, Sections(), TEXT, "day") == [("1", "x")[:1], ("2",)]
    assert rows_of(tmp_path, Sections(), TEXT, "b") == [(None,), ("w",)]


def test_a_blank_line_within_the_table_does_not_cut_it_in_silence(tmp_path: Path) -> None:
    cut = TEXT.replace("2,y", "\n2,y")
    with pytest.raises(PayloadRefused, match="goes on behind a blank line with as many fields, on line 7: '2,y'"):
        records_of(tmp_path, Sections(title="title one"), cut, "a")
    assert rows_of(tmp_path, Sections(title="title one", ends="title two"), cut, "a") == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("declared", "fields", "why"),
    [
        (Sections(title="title three"), ("a",), "no line like 'title three'"),
        (Sections(title="title*"), ("a",), r"has the title 'title\*' again on line 8"),
        (Sections(title="title one"), ("c",), "no field 'c'; it has 'day', 'a'"),
        (Sections(), ("a", "c"), "no line that names the fields 'a', 'c'"),
        (Sections(title="title two", ends="Copyright*"), ("a",), r"no line like 'Copyright\*' behind its rows"),
    ],
)
def test_a_changed_layout_is_refused(tmp_path: Path, declared: Sections, fields: tuple[str, ...], why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, declared, TEXT, *fields)


@pytest.mark.parametrize(
    ("line", "fault"),
    [("9", "ragged"), ("9,x,y", "ragged"), ("9,", ""), ('9,"x,y"', ""), ('9,"x"y', "quotes"), ("The end", "ragged")],
)
def test_one_damaged_line_costs_one_row(tmp_path: Path, line: str, fault: str) -> None:
    found = records_of(tmp_path, Sections(), f"day,a\n1,x\n{line}\n2,y\n", "day", "a")
    assert [record.fault for record in found] == ["", fault, ""]
    assert found[1].place == "line 3"
    assert found[1].raw == (line if fault else "")


def test_a_quoted_field_may_go_over_lines(tmp_path: Path) -> None:
    found = records_of(tmp_path, Sections(), 'id,note\n1,"a\nb"\n2,c\n', "note")
    assert [(record.place, *record.values) for record in found] == [("line 2", "a\nb"), ("line 4", "c")]
    with pytest.raises(PayloadRefused, match="a quote on line 2 that is never closed"):
        records_of(tmp_path, Sections(), 'id,note\n1,"a\n2,c\n', "note")


HEADED = Sections(csv=Csv(delimiter=";"), section_fields={"kind": "Kind*", "house": "*House"})


def test_a_new_heading_clears_those_behind_it(tmp_path: Path) -> None:
    text = "id;v\n\n0;z\nKind 1\n\n1;a\nThe House\n2;b\nOther House\n3;c\n \nKind 2\n4;d\n"
    assert rows_of(tmp_path, HEADED, text, "kind", "house", "id") == [
        (None, None, "0"),
        ("Kind 1", None, "1"),
        ("Kind 1", "The House", "2"),
        ("Kind 1", "Other House", "3"),
        ("Kind 2", None, "4"),
    ]


def test_a_row_that_reads_like_a_heading_is_a_row(tmp_path: Path) -> None:
    assert rows_of(tmp_path, HEADED, "id;v\nKind 1\nKind 7;a House\n", "kind", "id", "v") == [
        ("Kind 1", "Kind 7", "a House")
    ]


def test_a_heading_of_an_unknown_kind_refuses_the_payload(tmp_path: Path) -> None:
    with pytest.raises(PayloadRefused, match="line 4 is no row and no heading that is known: 'The Hut'"):
        records_of(tmp_path, HEADED, "id;v\nKind 1\n1;a\nThe Hut\n2;b\n", "id")


def test_declarations_that_say_too_little_are_refused() -> None:
    with pytest.raises(UsageError):
        Sections(csv=Csv(footer_rows=1))
    with pytest.raises(UsageError):
        Sections(section_fields={"": "A*"})
    with pytest.raises(UsageError):
        Sections(section_fields={"a": ()})
    assert Sections(csv=Csv(decimal=",", thousands=".")).decimal == ","
