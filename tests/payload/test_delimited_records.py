"""Records of delimited text: as Python's csv module reads what is well formed, and what damage costs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from delimited_reading import Bench, reading_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(folder=tmp_path_factory.mktemp("delimited"))


def read(bench: Bench, text: str | bytes, *names: str | Column, **dialect: Any) -> list[tuple[Any, ...]]:
    """Rows as they come in, each the way that the look chose; a fault is ``(place, fault, raw)``."""
    reading = reading_of(Csv(**dialect), names)
    file = bench.file(text.encode() if isinstance(text, str) else text)
    look = bench.look(reading, file)
    records = bench.records(reading, file)
    rows = [
        tuple(record.values) if not record.fault else (record.place, record.fault, record.raw) for record in records
    ]
    if look.is_regular:
        assert look.record_count == len(records)
        assert [row[1:] for row in bench.selected(reading, [look])] == rows
    return rows


def refused(bench: Bench, text: str | bytes, *names: str | Column, **dialect: Any) -> str:
    """Why a payload is refused: in both ways in."""
    reading = reading_of(Csv(**dialect), names)
    file = bench.file(text.encode() if isinstance(text, str) else text)
    with pytest.raises(PayloadRefused) as error:
        bench.records(reading, file)
    return str(error.value)


TEXTS = st.text(st.sampled_from("ab ,;\t\"'\\#0\u00e9\u2028\x85\x0b\x0c\x1c"), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    delimiter=st.sampled_from([",", ";", "\t", " ", "|"]),
    quote=st.sampled_from(['"', "'"]),
    style=st.sampled_from(
        [("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
    ),
)
def test_what_python_writes_is_read_as_python_reads_it(
    bench: Bench, rows: list[list[str]], delimiter: str, quote: str, style: tuple[str, int]
) -> None:
    end, quoting = style  # with the other line ends Python writes a CR or LF in a field without quotes
    names = [f"n{place}" for place in range(len(rows[0]))]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=quoting).writerows(
        [names, *rows]
    )
    again = list(csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=delimiter, quotechar=quote))[1:]
    reading = reading_of(Csv(delimiter=delimiter, quote=quote, escape=quote), names)
    file = bench.file(stream.getvalue().encode())
    records = bench.records(reading, file)
    assert [(tuple(record.values), record.fault) for record in records] == [
        (tuple(value or None for value in row), "") for row in again
    ]
    look = bench.look(reading, file)
    assert look.is_regular == (end != "\r")
    if look.is_regular:
        assert look.record_count == len(rows)
        assert [row[1:] for row in bench.selected(reading, [look])] == [tuple(record.values) for record in records]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "a,b\n1,2\n3\n4,5,6\n7,8\n",
            [("1", "2"), ("line 3", "ragged", "3"), ("line 4", "ragged", "4,5,6"), ("7", "8")],
        ),
        ("a,b\n1,2,\n3,4\n", [("line 2", "ragged", "1,2,"), ("3", "4")]),
        ('a,b\n1,5" pipe\n3,4\n', [("line 2", "bad_quote", '1,5" pipe'), ("3", "4")]),
        ('a,b\n1,"5" pipe\n3,4\n', [("line 2", "bad_quote", '1,"5" pipe'), ("3", "4")]),
        ('a,b\n1,"5\n3,4\n5,6\n', [("line 2", "bad_quote", '1,"5'), ("3", "4"), ("5", "6")]),
        ('a,b\n1,"5\n3,"4"\n5,6\n', [("line 2", "bad_quote", '1,"5'), ("3", "4"), ("5", "6")]),
        (
            'a,b\n"x\ny",2\n1,"5\n3,4\n',
            [("x\ny", "2"), ("line 4", "bad_quote", '1,"5'), ("line 5", "bad_quote", "3,4")],
        ),
        (
            'a,b\n"x\ny",2\n1,"5\n3,4\n5,"6"\n7,8\n',
            [
                ("x\ny", "2"),
                *[(f"line {line}", "bad_quote", raw) for line, raw in ((4, '1,"5'), (5, "3,4"), (6, '5,"6"'))],
                ("7", "8"),
            ],
        ),
        ('a,b\n"x\r\ny\rz",2\n3\n', [("x\r\ny\rz", "2"), ("line 5", "ragged", "3")]),
        ("a,b\n1,2\na,b\n3,4\n", [("1", "2"), ("line 3", "header_again", "a,b"), ("3", "4")]),
        ('a,b\n1,2\n "a" ,b\n', [("1", "2"), ("line 3", "bad_quote", ' "a" ,b')]),
        ('a,b\n1,2\n"a", b\n', [("1", "2"), ("line 3", "header_again", '"a", b')]),
        ("a,b\r\n1,2\n3,4\r5,6", [("1", "2"), ("3", "4"), ("5", "6")]),
        ("a,b\n\n1,2\n  \n\n3,4\n\n", [("1", "2"), ("3", "4")]),
        ("a,b\n,\n 1 ,\t\n", [(None, None), (" 1 ", "\t")]),
        ('a,b\n"",""\n', [(None, None)]),
        ("a,b\n1\0,2\n", [("1\0", "2")]),
        ("a , b\n1,2\n", [("1", "2")]),
        ("a,b\n1,2\n\u00a0a,b\n", [("1", "2"), ("\u00a0a", "b")]),
        ('\ufeff"a",b\n1,2\n', [("1", "2")]),
        ("\n\na,b\n1,2", [("1", "2")]),
        ("a,b\n", []),
    ],
)
def test_each_record_is_a_row_or_a_fault(bench: Bench, text: str, rows: list[tuple[Any, ...]]) -> None:
    assert read(bench, text, "a", "b") == rows


def test_of_one_field_an_empty_line_is_a_row_without_a_value(bench: Bench) -> None:
    assert read(bench, "a\n1\n\n \n\n2\n\n\n", "a") == [("1",), (None,), (" ",), (None,), ("2",)]
    assert read(bench, "a\n1\n\n", "a") == [("1",)]


@pytest.mark.parametrize(
    ("text", "dialect", "rows"),
    [
        ('pre "x\nmore\na;b\n1;2,5\n', {"delimiter": ";", "skip_rows": 2}, [("1", "2,5")]),
        ('a,b\n1,2\n3,4\n\nTotal: 2\nSource "x\n\n', {"footer_rows": 2}, [("1", "2"), ("3", "4")]),
        ('# x\na,b\n#1,2\n3,#4\n"#5",6\n', {"comment": "#"}, [("3", "#4"), ("#5", "6")]),
        ("1,2\n3,4\n", {"header": ("a", "b")}, [("1", "2"), ("3", "4")]),
        ("a,b\n3,4\n", {"header": ("a", "b")}, [("line 1", "header_again", "a,b"), ("3", "4")]),
        ('a,b\n1,"5\\"\\\\ \\n"\n\\,\\\n', {"escape": "\\"}, [("1", '5"\\ \\n'), ("\\", "\\")]),
        ('a,b\n"5"" x",1\n3,"4"\n', {"escape": ""}, [("line 2", "bad_quote", '"5"" x",1'), ("3", "4")]),
        ('a,b\n"5" x,1"\n', {"quote": ""}, [('"5" x', '1"')]),
        ("a||b\n1|2||3\n", {"delimiter": "||"}, [("1|2", "3")]),
        ("a\u00a7b\n1\u00a73\n", {"delimiter": "\u00a7"}, [("1", "3")]),
        ('a,b\nNA,"NA"\nn/a, NA\n', {"null": ("NA", "n/a")}, [(None, "NA"), (None, " NA")]),
    ],
)
def test_a_dialect_means_what_it_says(
    bench: Bench, text: str, dialect: dict[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    assert read(bench, text, "a", "b", **dialect) == rows


def test_fields_go_by_exact_name(bench: Bench) -> None:
    text = "b,note,B,a\n1,x,2,3\n4,y,5,6\n"
    assert read(bench, text, "a", "b") == [("3", "1"), ("6", "4")]
    renamed = Column(name="c", type="VARCHAR", source="A", also=("B", "b"))
    optional = Column(name="d", type="VARCHAR", optional=True)
    assert read(bench, text, renamed, optional, "a") == [("2", None, "3"), ("5", None, "6")]


@pytest.mark.parametrize(
    ("text", "names", "dialect", "words"),
    [
        (
            "item,Price,unit\nnut,1,kg\n",
            ("item", "price"),
            {},
            ("lacks 'price'", "item, Price, unit", "source='Price'", "optional=True"),
        ),
        ("item,price,price\nnut,1,2\n", ("item", "price"), {}, ("names 'price' twice",)),
        ("item;price;unit;x\nnut;1;kg;\n", ("item", "price"), {}, ("';' 3 times", "Csv(delimiter=';')")),
        ("item\tprice\nnut\t1\n", ("item", "price"), {}, ("'\\t' once", "Csv(delimiter='\\t')")),
        (
            "Prices of the day\nitem,price\nnut,1\n",
            ("item", "price"),
            {},
            ("names no declared field: Prices of the day", "skip_rows="),
        ),
        ("nut,1\nbolt,2\n", ("item", "price"), {}, ("names no declared field: nut,1", "header=")),
        ("<html><body>Maintenance</body></html>\n", ("item", "price"), {}, ("names no declared field: <html>",)),
        ("", ("item", "price"), {}, ("is empty",)),
        ("\n\n", ("item", "price"), {}, ("is empty",)),
        (
            "item,price\nnut,1,kg\nbolt,2,lb\n",
            ("item", "price"),
            {},
            ("names 2 fields (item, price)", "each of its 2 rows has 3", "header=("),
        ),
        ('item,"price\nnut,1\n', ("item", "price"), {}, ("its header, line 1", "quote")),
        ("x\n", ("item",), {"skip_rows": 3}, ("has 1 lines", "skip_rows=3")),
        ("item\n1\n", ("item",), {"footer_rows": 3}, ("footer_rows=3",)),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_declare(
    bench: Bench, text: str, names: tuple[str, ...], dialect: dict[str, Any], words: tuple[str, ...]
) -> None:
    reason = refused(bench, text, *names, **dialect)
    assert [word for word in words if word not in reason] == [], reason


def test_the_refusal_of_a_look_is_that_of_the_records(bench: Bench) -> None:
    reading = reading_of(Csv(), ["item", "price"])
    with pytest.raises(PayloadRefused, match="lacks 'price'"):
        bench.look(reading, bench.file(b"item,Price\nnut,1\n"))


def test_only_an_open_quote_is_lost_of_a_long_file(bench: Bench) -> None:
    lines = [f"r{row},p{row}" for row in range(5000)]
    lines[100] = 'zz,"open'
    rows = read(bench, "a,b\n" + "\n".join(lines), "a", "b")
    assert [row for row in rows if len(row) == 3] == [("line 102", "bad_quote", 'zz,"open')]
    assert len(rows) == 5000
