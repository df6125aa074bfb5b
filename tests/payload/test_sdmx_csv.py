"""SDMX-CSV: every column is a text, and what deletes is never a value."""

from __future__ import annotations

import collections
import contextlib
import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_payloads import recorded_body, records_of, rows_of, wanted
from warehouse import entry

from sbf_core.dataset.formats_of_statistics import SdmxCsv
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.model import PayloadFile, Reading
from sbf_core.payload.sdmx_csv import READER

HEAD_1 = "DATAFLOW,FREQ,GEO,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
HEAD_2 = "STRUCTURE[;],STRUCTURE_ID,ACTION,DIM_1,TIME_PERIOD,OBS_VALUE,ATTR_1[]\n"
FLOW = "dataflow,ESTAT:NA_MAIN(1.6.0)"


def test_every_column_is_a_text(tmp_path: Path) -> None:
    lines = [
        "E:F(1.0),A,007,2024-M02,1.10,NA",
        "E:F(1.0),TRUE,1E5,2024,NaN,",
        'E:F(1.0),T,F,01/24,#N/A,"a, ""b"""',
        "E:F(1.0),A,X,2024,,n",
    ]
    assert rows_of(
        tmp_path, SdmxCsv(), HEAD_1 + "\r\n".join(lines), "FREQ", "GEO", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS"
    ) == [
        ("A", "007", "2024-M02", "1.10", "NA"),
        ("TRUE", "1E5", "2024", "NaN", None),
        ("T", "F", "01/24", "#N/A", 'a, "b"'),
        ("A", "X", "2024", None, "n"),
    ]


def test_columns_of_version_2(tmp_path: Path) -> None:
    body = HEAD_2 + f"{FLOW},M,A,2014-01,12.40,X;Y\n\n{FLOW},R,B,2014-02,10.8,\n"
    assert rows_of(tmp_path, SdmxCsv(), body, "STRUCTURE_ID", "DIM_1", "OBS_VALUE", "ATTR_1[]") == [
        ("ESTAT:NA_MAIN(1.6.0)", "A", "12.40", "X;Y"),
        ("ESTAT:NA_MAIN(1.6.0)", "B", "10.8", None),
    ]


def test_exchange_rates_of_the_ecb(tmp_path: Path) -> None:
    """The ECB's own form has no first column of the standard; with ``KEY`` it does."""
    body = recorded_body("ecb-0320")
    with pytest.raises(PayloadRefused, match=r"its first column is 'FREQ'; declare Csv\(...\)"):
        records_of(tmp_path, SdmxCsv(), body, "CURRENCY")
    keyed = b"\n".join(
        b"KEY," + line if not number else b"EXR.D," + line
        for number, line in enumerate(body.rstrip(b"\n").split(b"\n"))
    )
    found = rows_of(tmp_path, SdmxCsv(), keyed, "KEY", "CURRENCY", "TIME_PERIOD", "OBS_VALUE")
    lines = body.decode().splitlines()
    assert found[0] == ("EXR.D", "AUD", "2026-02-17", "1.6776")
    assert [",".join(("D", *(text or "" for text in row[1:]))) for row in found] == lines[1:]
    assert collections.Counter(row[1] for row in found)["AUD"] == sum(",AUD," in line for line in lines)


def test_a_deletion_is_refused_until_a_column_takes_the_action(tmp_path: Path) -> None:
    body = HEAD_2 + f"{FLOW},M,A,2014-01,12.40,X\n{FLOW},D,A,,-,\n"
    with pytest.raises(
        PayloadRefused, match='holds deletions, the first on line 3; declare a column with source="ACTION"'
    ):
        records_of(tmp_path, SdmxCsv(), body, "DIM_1", "OBS_VALUE")
    assert rows_of(tmp_path, SdmxCsv(), body, "ACTION", "DIM_1", "TIME_PERIOD", "OBS_VALUE") == [
        ("M", "A", "2014-01", "12.40"),
        ("D", "A", None, "-"),
    ]


def test_labels_are_told_apart_from_codes(tmp_path: Path) -> None:
    body = (
        "STRUCTURE[|];STRUCTURE_ID;ACTION;DIM_1: Dimension 1;TIME_PERIOD: Time;"
        "OBS_VALUE: Observation value;ATTR_2: Attribut 2\n"
        "dataflow;ESTAT:NA_MAIN(1.6.0): Principaux agrégats: les comptes;M;A: Value: A;2014-01: 2014-01;12,4;"
        "Note à part: rien\n"
    )
    declared = SdmxCsv(delimiter=";", labels=True, decimal=",")
    assert rows_of(
        tmp_path,
        declared,
        body,
        "DIM_1",
        "DIM_1.name",
        "TIME_PERIOD",
        "OBS_VALUE",
        "OBS_VALUE.name",
        "STRUCTURE_ID",
        "ATTR_2",
        "ATTR_2.text",
    ) == [("A", "Value: A", "2014-01", "12,4", None, "ESTAT:NA_MAIN(1.6.0)", "Note à part: rien", "Note à part: rien")]
    assert rows_of(tmp_path, declared, body, "STRUCTURE_ID.name", "DIM_1.text") == [
        ("Principaux agrégats: les comptes", "A: Value: A")
    ]


@pytest.mark.parametrize(
    ("declared", "body", "why"),
    [
        (SdmxCsv(), "FREQ,GEO\nA,B\n", "no SDMX-CSV: its first column is 'FREQ'"),
        (SdmxCsv(), HEAD_1.replace(",", ";"), r"declare SdmxCsv\(delimiter=';'\)"),
        (SdmxCsv(), HEAD_1.replace("GEO", "GEO: Place"), r"has labels: 'GEO: Place'; declare SdmxCsv\(labels=True\)"),
        (SdmxCsv(), HEAD_1.replace("FREQ", "GEO"), "has the field 'GEO' 2 times"),
        (SdmxCsv(), HEAD_1.replace("GEO", "geo"), "has no field 'GEO'; it has 'DATAFLOW', 'FREQ', 'geo'"),
        (SdmxCsv(), '<html lang="en">', "no SDMX-CSV"),
        (SdmxCsv(), '"DATAFLOW', "a quote on line 1 that is never closed"),
        (SdmxCsv(), "\n", "no SDMX-CSV: its first line cannot be read"),
        (SdmxCsv(), HEAD_1 + 'E,A,X,2024,1,"\nE,A,X,2024,1,\n', "a quote on line 2 that is never closed"),
    ],
)
def test_what_is_no_such_message_is_refused(tmp_path: Path, declared: SdmxCsv, body: str, why: str) -> None:
    with pytest.raises(PayloadRefused, match=why):
        records_of(tmp_path, declared, body, "GEO")


def test_one_damaged_line_costs_one_row(tmp_path: Path) -> None:
    good = f"{FLOW},M,A,2014-01,1,X"
    bad = [f"{FLOW},M,A,2014-01,1,X,", f"{FLOW},M,A,2014-01,1", f'{FLOW},M,A,2014-01,1,"X"y', f"{FLOW},Z,A,2014-01,1,X"]
    found = records_of(tmp_path, SdmxCsv(), "\ufeff" + HEAD_2 + "\n".join([good, *bad, good]) + "\n", "OBS_VALUE")
    assert [(record.place, record.fault) for record in found] == [
        ("line 2", ""), ("line 3", "ragged"), ("line 4", "ragged"), ("line 5", "quotes"), ("line 6", "action"),
        ("line 7", ""),
    ]  # fmt: skip
    assert [record.raw for record in found[1:5]] == bad


def test_lines_are_counted_through_quoted_breaks(tmp_path: Path) -> None:
    found = records_of(
        tmp_path,
        SdmxCsv(),
        HEAD_2 + f'{FLOW},M,A,2014-01,1,"<p>\nx</p>"\n{FLOW},M,A,2014-01,2,\n',
        "ATTR_1[]",
        "OBS_VALUE",
    )
    assert [(record.place, *record.values) for record in found] == [
        ("line 2", "<p>\nx</p>", "1"),
        ("line 4", None, "2"),
    ]


FIELDS = ("DATAFLOW", "GEO", "TIME_PERIOD", "OBS_VALUE")


def is_regular(folder: Path, declared: SdmxCsv, body: str, *fields: str) -> bool:
    """Whether the engine reads it."""
    path = folder / "looked"
    path.write_bytes(body.encode())
    file = PayloadFile(file_id="1", path=path, extension="csv", byte_count=len(body.encode()))
    reading = Reading(entry=entry(), format=declared, slots=wanted(*fields))
    return bool(READER.look(reading, file, None, staging=folder).is_regular)


def test_the_engine_reads_what_is_regular_and_nothing_else(tmp_path: Path) -> None:
    plain = HEAD_1 + "E:F(1.0),A,007,2024-M02,1.10,NA\n" * 3
    assert is_regular(tmp_path, SdmxCsv(), plain, "GEO")
    assert is_regular(tmp_path, SdmxCsv(), plain.replace("NA\n", '"N, ""A"""\n'), "GEO")
    assert is_regular(tmp_path, SdmxCsv(delimiter=";", decimal=","), plain.replace(",", ";"), "GEO")
    for body in (
        plain.replace("GEO", " GEO"),  # a name has its blanks here
        plain.replace(",NA", ""),
        plain.replace("NA", 'N"A'),
        plain + "\n\n" + "E,A,X,2024,1,\n",
        HEAD_1,
        plain.replace("GEO", "GEO: Place"),
    ):
        assert not is_regular(tmp_path, SdmxCsv(), body, "GEO"), body
    labelled = "STRUCTURE,STRUCTURE_ID,GEO: Place\nd,E,A: B\n"
    assert not is_regular(tmp_path, SdmxCsv(labels=True), labelled, "GEO")
    assert not is_regular(tmp_path, SdmxCsv(labels=True), plain, "GEO"), "codes and names may stand in the rows alone"


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from('aD0.,;"\n\r NM'), max_size=4)] * len(FIELDS)), min_size=1, max_size=4
    ),
    quoted=st.booleans(),
    actions=st.lists(st.sampled_from(["I", "R", "", "D", "X"]), min_size=4, max_size=4),
    has_action=st.booleans(),
)
def test_both_ways_give_the_same_rows(
    rows: list[tuple[str, ...]], quoted: bool, actions: list[str], has_action: bool
) -> None:
    """``records_of`` compares them, also where a message is refused."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow((*FIELDS, "ACTION") if has_action else FIELDS)
    for row, action in zip(rows, actions, strict=False):
        writer.writerow((*row, action) if has_action else row)
    with tempfile.TemporaryDirectory() as folder:
        for fields in (FIELDS[1:], (*FIELDS, "ACTION") if has_action else FIELDS):
            with contextlib.suppress(PayloadRefused):
                records_of(Path(folder), SdmxCsv(), text.getvalue(), *fields)


def test_declarations() -> None:
    with pytest.raises(UsageError):
        SdmxCsv(delimiter='"')
    with pytest.raises(UsageError):
        SdmxCsv(thousands="x")
