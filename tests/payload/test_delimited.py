"""What is regular, what the engine is given, and what it is spared."""

from __future__ import annotations

from pathlib import Path

import pytest
from delimited_reading import Bench, reading_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload import delimited, delimited_shape, text
from sbf_core.payload.delimited import READER


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "is_regular"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("a,b\r\n1,2\r\n3,4", True),
        ('a,b\n"1,\n""2""",2\n3,""\n', True),
        ("a,b\n1,2\n3,4\n\n\n", True),
        ("a,b\n1,2,\n3,4\n", False),
        ("a,b\n1,2,\n3\n", False),
        ("a,b\n1,2\n\n3,4\n", False),
        ("a,b\r\n1,2\n3,4\n", False),
        ("a,b\n1,2\r\n3,4\n", False),
        ("a,b\r1,2\r3,4\r", False),
        ('a,b\n1,2"\n3,"4\n', False),
        ('a,b\n1, "2"\n', False),
        ('a,b\n1,"2" \n', False),
        ('a,b\n1,"2\n3,4\n', False),
        ('a,b\r\n1,2\r"x"\n3,4\r\n', False),
        ("a,b\r\n1,2\r3\n4,5\r\n", False),
        ("a,b\r\n1\r,2\n4,5\r\n", False),
        ("a,b\r\n1,2\n4,5\r6,7\r\n", False),
        ('a,b\r\n1,"2"\n4,5\r\n', False),
        ('a,b\n1,"' + "2" * 99 + '"\n3,4\n', True),
        ("a,b\n1," + "2" * 99 + '"3"\n4,5\n', False),
        ('a,b\n1,"3"' + "2" * 99 + "\n4,5\n", False),
        ("a,b\r\n" + "1" * 99 + ',2\r"3"\n4,5\r\n', False),
        ("a,b\n1\0,2\n", False),
        ('a,b\n"1\0",2\n', False),
        ("a,b\n1,2\na,b\n", False),
        ('a,b\n1,2\n "a",b\n', False),
        ("a,b\n", False),
        ("a\n1\n\n2\n", False),
    ],
)
def test_only_what_leaves_nothing_to_decide_goes_to_the_engine(bench: Bench, content: str, is_regular: bool) -> None:
    names = content.split("\n")[0].strip().split("\r")[0].split(",")
    assert bench.look(reading_of(Csv(), names), bench.file(content.encode())).is_regular is is_regular


@pytest.mark.parametrize(
    ("row", "is_regular"),
    [('"1",2', True), ("\\1,2\\", True), ('"1\\"",2', False), ('"1\\n",2', False), ('"1""",2', False)],
)
def test_escapes_are_left_to_python(bench: Bench, row: str, is_regular: bool) -> None:
    """The engine drops a backslash before any letter."""
    assert (
        bench.look(reading_of(Csv(escape="\\"), ["a", "b"]), bench.file(f"a,b\n{row}\n".encode())).is_regular
        is is_regular
    )


def test_files_of_many_layouts_are_read_by_one_statement(bench: Bench) -> None:
    reading = reading_of(Csv(), ["a", "b"])
    contents = [
        "a,b\n1,2\n",
        "b,a\n2,1\n",
        "a,x,b\r\n1,x,2\r\n",
        '"a",b\n1,2',
        "\ufeffa,b\n1,2\n",
        'a,b\n"1","2"\n',
        "a,b\r\n1,2\r\n\r\n",
    ]
    looks = [bench.look(reading, bench.file(content.encode())) for content in contents]
    assert all(look.is_regular for look in looks)
    assert len({look.layout for look in looks}) == 5
    assert sorted(bench.selected(reading, looks)) == sorted((look.file.file_id, "1", "2") for look in looks)


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(
    ("contents", "are_known"),
    [
        (["a,b,c\n1,2,3\n"], True),
        (['a,b,c\n"1","",3\n'], True),
        (["b,a\n2,1\n", "b,a\n3,4\n"], True),
        (["a,b,c\n1,2,3\n", "b,a\n2,1\n"], False),
    ],
)
def test_the_types_of_one_layout_are_those_that_the_engine_tells(
    bench: Bench, contents: list[str], are_known: bool, typed: bool
) -> None:
    number = Column(name="number", type="DOUBLE", source="b")
    reading = reading_of(Csv(), ["a", number, Column(name="c", type="DOUBLE", optional=True, nullable=True)])
    looks = [bench.look(reading, bench.file(content.encode())) for content in contents]
    bench.selected(reading, looks)
    select = READER.select(reading, looks, bench.folder, typed=typed)
    told = {row[0]: row[1] for row in bench.conn.execute(f"DESCRIBE {select}").fetchall()}
    assert READER.types(reading, looks, typed=typed) == (told if are_known else {})


def test_what_the_engine_cannot_skip_is_read_from_a_copy(bench: Bench, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    for csv, content in [
        (Csv(skip_rows=1), 'odd "line\na,b\n1,2\n'),
        (Csv(skip_rows=1), "other end\r\na,b\n1,2\n"),
        (Csv(footer_rows=1), 'a,b\n1,2\nTotal "1\n'),
        (Csv(), '"a\n",b\n1,2\n'),
        (Csv(), "a,b\n1,2\r\n"),
        (Csv(encoding="cp1252"), "a,b\n1,2\n"),
        (Csv(skip_rows=2, header=("a", "b")), "\n\n1,2\r\n"),
    ]:
        reading, file = reading_of(csv, ["a", "b"]), bench.file(content.encode())
        assert not READER.look(reading, file, None).is_regular
        look = READER.look(reading, file, None, staging=staging)
        assert look.is_regular
        assert look.file.path.parent == staging
        assert look.file.file_id == file.file_id
        assert bench.selected(reading, [look]) == [(file.file_id, "1", "2")]
        assert [tuple(record.values) for record in READER.records(reading, file)] == [("1", "2")]


def test_a_file_with_line_ends_in_quotes_is_not_read_from_its_middle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that begins within quotes takes what stands there for records (DuckDB 1.5.5 and 2.0.1)."""
    monkeypatch.setattr(delimited, "_WHOLE_BYTES_MAX", 10)
    reading = reading_of(Csv(), ["a", "b"])
    for content, word in [('a,b\n"1\n3,4",2\n', "parallel=false"), ('a,b\n"1",2\n3,4\n', "parallel=true")]:
        look = bench.look(reading, bench.file(content.encode()))
        assert word in READER.select(reading, [look], bench.folder)


def test_quoted_lines_that_look_like_rows_stay_in_their_field(bench: Bench) -> None:
    trap = "\n".join(f"{line},trap" for line in range(3000))
    block = f'"{trap}",z\n' + "".join(f"r{row},y\n" for row in range(20))
    count = 36_000_000 // len(block)
    look = bench.look(reading_of(Csv(), ["a", "b"]), bench.file(b"a,b\n" + block.encode() * count), in_memory=False)
    bench.conn.execute("SET threads=4")
    rows = bench.selected(reading_of(Csv(), ["a", "b"]), [look])
    assert look.record_count == len(rows) == 21 * count
    assert {row[2] for row in rows} == {"y", "z"}


def test_a_very_long_record_is_left_to_python(bench: Bench) -> None:
    """The engine has a limit of 2,000,000 bytes a line."""
    reading = reading_of(Csv(), ["a", "b"])
    for size, is_regular in [(400_000, True), (2_100_000, False)]:
        for value in ("y" * size, '"' + "y\n" * (size // 2) + '"'):
            file = bench.file(f"a,b\nx,{value}\nz,1\n".encode())
            look = bench.look(reading, file)
            assert look.is_regular is is_regular
            rows = (
                bench.selected(reading, [look])
                if is_regular
                else [(file.file_id, *record.values) for record in bench.records(reading, file)]
            )
            assert rows == [(file.file_id, "x", value.strip('"')), (file.file_id, "z", "1")]


def test_two_thousand_fields_are_no_matter(bench: Bench) -> None:
    names = [f"n{place}" for place in range(2000)]
    content = "\n".join(",".join(f"{row}-{place}" for place in range(2000)) for row in range(20))
    reading = reading_of(Csv(), ["n1999", "n0"])
    look = bench.look(reading, bench.file((",".join(names) + "\n" + content).encode()))
    assert look.is_regular
    assert [row[1:] for row in bench.selected(reading, [look])] == [(f"{row}-1999", f"{row}-0") for row in range(20)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_large_file_is_looked_at_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch, quote: str) -> None:
    monkeypatch.setattr(text, "IN_MEMORY_BYTES_MAX", 1000)
    monkeypatch.setattr(delimited_shape, "_PIECE_BYTES", 1000)
    rows = [f"r{row},{quote}v{row}{quote}" for row in range(3000)]
    reading = reading_of(Csv(), ["a", "b"])
    file = bench.file(("a,b\n" + "\n".join(rows)).encode())
    look = bench.look(reading, file, in_memory=False)
    assert look.is_regular and look.record_count == 3000
    assert len(bench.selected(reading, [look])) == 3000
    rows[2000] += ","
    assert not bench.look(reading, bench.file(("a,b\n" + "\n".join(rows)).encode()), in_memory=False).is_regular


def test_a_type_is_not_pushed_into_the_reader(bench: Bench) -> None:
    """The engine would read 2.5 as the whole number 3, or fail, instead of casting the text."""
    reading = reading_of(Csv(), ["a", "b"])
    look = bench.look(reading, bench.file(b"a,b\n2.5,x\n12345678901234567,y\nz,w\n"))
    bench.selected(reading, [look])
    rows = bench.conn.execute(
        f"SELECT f0, TRY_CAST(f0 AS BIGINT), TRY_CAST(f0 AS DATE) FROM ({READER.select(reading, [look], bench.folder)})"
    ).fetchall()
    assert [row[0] for row in rows] == ["2.5", "12345678901234567", "z"]
    assert [row[1] for row in rows][1:] == [12345678901234567, None]


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": ""}, {"delimiter": "\n"}, {"delimiter": '"'}, {"delimiter": 'a"'}, {"delimiter": "x" * 9},
        {"quote": "''"}, {"quote": "\u00ab"}, {"quote": "\n"}, {"escape": "xy"}, {"escape": ","}, {"comment": "##"},
        {"comment": ","}, {"comment": '"'}, {"header": False}, {"skip_rows": -1}, {"footer_rows": -1},
        {"encoding": "utf-99"},
    ],
)  # fmt: skip
def test_a_dialect_that_cannot_be_told_apart_is_refused(dialect: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Csv(**dialect)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"T\xff\na,b\n1,2\nend\n", b"T\na,b\n1,2\nend\xff\n", b"T\xff\na,b\n1,2,\nend\n"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_byte_around_the_records_that_is_none_refuses_the_payload(
    bench: Bench, content: bytes, in_memory: bool
) -> None:
    """The engine never sees those lines; record by record they were read, and refused."""
    reading = reading_of(Csv(skip_rows=1, footer_rows=1), ["a", "b"])
    file = bench.file(content)
    with pytest.raises(PayloadRefused, match=r"\(FF\) is no utf-8"):
        if bench.look(reading, file, in_memory=in_memory).is_regular is False:
            bench.records(reading, file)
