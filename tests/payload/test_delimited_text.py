"""Encodings of delimited text: by their declared names, as a stream, and refused where a byte is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from delimited_reading import Bench, reading_of

from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused
from sbf_core.payload import text as text_module

TEXT = "name,city\nSoci\u00e9t\u00e9,Gen\u00e8ve\nM\u00fcller,K\u00f6ln\n"
ROWS = [("Soci\u00e9t\u00e9", "Gen\u00e8ve"), ("M\u00fcller", "K\u00f6ln")]
JAPANESE = "name,city\n\u6771,\u4eac\n\u30bd,\u8868\n"  # the second bytes of the last two are a backslash


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def both(bench: Bench, content: bytes, encoding: str, *, in_memory: bool = True) -> list[tuple[str | None, ...]]:
    reading = reading_of(Csv(encoding=encoding), ["name", "city"])
    file = bench.file(content)
    look = bench.look(reading, file, in_memory=in_memory)
    assert look.is_regular
    rows = [tuple(record.values) for record in bench.records(reading, file)]
    assert [row[1:] for row in bench.selected(reading, [look])] == rows
    assert look.record_count == len(rows)
    return rows


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "UTF8",
        "latin-1",
        "cp1252",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp850",
        "mac-roman",
        "utf-7",
    ],
)
@pytest.mark.parametrize("is_large", [False, True])
def test_an_encoding_is_read_by_its_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, encoding: str, is_large: bool
) -> None:
    if is_large:  # then the text goes through a file, in chunks that cut characters
        monkeypatch.setattr(text_module, "IN_MEMORY_BYTES_MAX", 10)
        monkeypatch.setattr(text_module, "_CHUNK_BYTES", 7)
    assert both(bench, TEXT.encode(encoding), encoding, in_memory=not is_large) == ROWS
    leftover = [path for path in bench.folder.iterdir() if path.suffix == ".txt"]
    assert len(leftover) == (1 if is_large and not text_module.is_utf8(encoding) else 0)


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "gb18030", "iso2022_jp"])
@pytest.mark.parametrize("is_large", [False, True])
def test_a_byte_within_a_character_is_no_delimiter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, encoding: str, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr(text_module, "IN_MEMORY_BYTES_MAX", 10)
        monkeypatch.setattr(text_module, "_CHUNK_BYTES", 3)
    assert both(bench, JAPANESE.encode(encoding), encoding, in_memory=not is_large) == [
        ("\u6771", "\u4eac"),
        ("\u30bd", "\u8868"),
    ]


def test_a_mark_is_taken_off(bench: Bench) -> None:
    for encoding in ("utf-8", "ascii"):
        assert both(bench, b"\xef\xbb\xbfname,city\nx,y\n", encoding) == [("x", "y")]
    for encoding in ("utf-16-le", "utf-16-be"):
        assert both(bench, ("\ufeff" + TEXT).encode(encoding), encoding) == ROWS


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (TEXT.encode("latin-1"), "utf-8", "byte 14 (E9) is no utf-8"),
        (TEXT.encode("latin-1"), "utf-8", "is it cp1252 or latin-1?"),
        (TEXT.encode(), "ascii", "byte 14 (C3) is no ascii"),
        (TEXT.encode(), "US-ASCII", "byte 14 (C3) is no US-ASCII"),
        (b"name,city\nx,y\n\xc3", "utf-8", "within a character"),
        (b"name,city\nx,\x81\n", "cp1252", "byte 12 (81) is no cp1252"),
        (TEXT.encode("utf-16"), "utf-8", 'mark of utf-16, and utf-8 is declared; declare encoding="utf-16"'),
        (TEXT.encode("utf-8-sig"), "cp1252", 'declare encoding="utf-8"'),
        (TEXT.encode("utf-16"), "latin-1", 'declare encoding="utf-16"'),
        (TEXT.encode("utf-16-le"), "utf-16", 'declare encoding="utf-16-le" or "utf-16-be"'),
        (("\ufeff" + TEXT).encode("utf-16-be"), "utf-16-le", "mark of utf-16"),
        (TEXT.encode("utf-16-be"), "utf-8", "is no utf-8"),
        ("name,city\nx,y\n".encode("utf-16-be"), "utf-8", "NUL"),
        (b"n\0a\0m\0e\0,\0c\0i\0t\0y\0\n\0\x00\xd8,\0\n\0", "utf-16-le", "utf-16-le"),
    ],
)
@pytest.mark.parametrize("is_large", [False, True])
def test_a_byte_that_is_none_refuses_the_payload(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, content: bytes, encoding: str, words: str, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr(text_module, "IN_MEMORY_BYTES_MAX", 10)
        monkeypatch.setattr(text_module, "_CHUNK_BYTES", 4)
    reading = reading_of(Csv(encoding=encoding), ["name", "city"])
    file = bench.file(content)
    with pytest.raises(PayloadRefused) as error:
        bench.records(reading, file)
    assert words in str(error.value)
    with pytest.raises(PayloadRefused):
        bench.look(reading, file, in_memory=not is_large)


def test_the_byte_is_counted_in_the_whole_payload(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"name,city\n" + b"x,y\n" * 400_000 + b"x,\xff\n" + b"x,y\n" * 400_000
    reading = reading_of(Csv(), ["name", "city"])
    for size in (text_module.IN_MEMORY_BYTES_MAX, 10):
        monkeypatch.setattr(text_module, "IN_MEMORY_BYTES_MAX", size)
        for ask in (lambda file: bench.look(reading, file, in_memory=False), lambda file: bench.records(reading, file)):
            with pytest.raises(PayloadRefused, match="byte 1600012 "):
                ask(bench.file(content))
