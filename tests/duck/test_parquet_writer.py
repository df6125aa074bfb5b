"""Rows on their way to Parquet: each value as it was, or none at all."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbf_core.duck.parquet_writer import Field, TextRows, scratch, texts_of
from sbf_core.errors import DatasetFailure

TEXTS = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(['"', '""', ",", "\r\n", "\n", "\\"])
)


def written(folder: Path, fields: Sequence[Field], rows: Sequence[Sequence[str | None]], *, sort: bool = True) -> Path:
    file = folder / "answer.parquet"
    with closing(TextRows(folder, fields, bytes_max=1024**2, where="here")) as texts:
        texts.add(rows)
        assert texts.write(file, first=("b",), sort=sort) == len(rows)
    return file


def read(file: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as conn:
        return conn.execute(f"SELECT * FROM read_parquet('{file}')").fetchall()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[TEXTS] * width), min_size=1, max_size=12)))
def test_texts_come_back_as_they_were(rows: list[tuple[str | None, ...]]) -> None:
    fields = [Field(name, "VARCHAR") for name in "abc"[: len(rows[0])]]
    with scratch() as folder:
        assert read(written(folder, fields, rows, sort=False)) == rows


def test_rows_in_any_order_are_the_same_bytes(tmp_path: Path) -> None:
    fields = [Field("a", "BIGINT"), Field("b", "DOUBLE")]
    rows = [("1", "0.5"), ("2", None), (None, "nan"), ("1", "0.25")]
    hashes = {hashlib.sha256(written(tmp_path, fields, order).read_bytes()).hexdigest() for order in (rows, rows[::-1])}
    assert len(hashes) == 1
    assert [row[1] for row in read(written(tmp_path, fields, rows))][:2] == [0.25, 0.5], "b first, as it was wished"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("DATE", "0044-03-15 BC"), ("TIMESTAMP", "0044-03-15 10:00:00 BC"),
        ("TIMESTAMP WITH TIME ZONE", "0044-03-15 10:00:00+00 BC"), ("DATE", "2024-02-30"),
        ("BIGINT", "9223372036854775808"), ("UINTEGER", "-1"), ("TIMESTAMP", "294276-12-31 00:00:00"),
        ("UUID", "x"), ("BOOLEAN", "maybe"),
    ],
)  # fmt: skip
def test_what_is_none_of_its_type_is_named(tmp_path: Path, kind: str, text: str) -> None:
    with pytest.raises(DatasetFailure) as error:
        written(tmp_path, [Field("a", "BIGINT"), Field("b", kind)], [("1", None), ("2", text)])
    assert str(error.value) == (
        f"the column 'b' is {kind} and holds {text!r}, which is not kept exactly; here; CAST(b AS VARCHAR) AS b"
    )


def test_bytes_come_as_their_digits(tmp_path: Path) -> None:
    file = written(tmp_path, [Field("a", "BLOB"), Field("b", "TIME")], [("00ff", "12:00:00.000001"), (None, None)])
    assert read(file)[0] == (b"\x00\xff", dt.time(12, 0, 0, 1))


def test_texts_of_a_column_come_once_each(tmp_path: Path) -> None:
    file = written(
        tmp_path, [Field("a", "VARCHAR"), Field("b", "VARCHAR")], [("y", "1"), (None, "2"), ("x", "3"), ("y", "4")]
    )
    assert list(texts_of(file, "a")) == ["x", "y"]


def test_a_long_text_is_a_text_like_another(tmp_path: Path) -> None:
    fields = [Field("a", "VARCHAR"), Field("b", "VARCHAR")]
    rows = [("é\n" * 2_000_000, "1"), ("x", "2")]
    file = tmp_path / "answer.parquet"
    with closing(TextRows(tmp_path, fields, bytes_max=64 * 1024**2, where="here")) as texts:
        texts.add(rows)
        texts.write(file, first=("b",), sort=True)
    assert read(file) == rows
