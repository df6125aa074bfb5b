"""Rows that a function of a plugin gives: kept as Parquet, exactly, and answered from the recording in a replay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import duckdb
import nanoarrow
import pytest
from warehouse import Warehouse

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, column, fetch_rows, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext
from sbf_core.testing.kit import check_all
from sbf_core.testing.outcome import FAILED
from sbf_core.testing.subject import Subject


@attrs.frozen
class Price:
    """One price."""

    symbol: str = column(key=True)
    day: dt.date = column(key=True, row_date=True)
    close: Decimal = column(precision=20, scale=4)
    seen: dt.datetime | None = column()


class Script:
    """A plugin that calls a function, and counts how often."""

    def __init__(self, rows: Callable[[], Any], columns: Any = Price, names: Any = (), **entry: Any) -> None:
        self.rows, self.calls, self.names = rows, 0, names
        self.entry = DatasetKeymapEntry(
            domain="prices", source="script", dataset="eod", silver_table="px", columns=columns,
            title="Prices", terms="our own", source_url="https://example.com/", refresh_after_hours=0.1, **entry,
        )  # fmt: skip

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [self.entry]

    @hookimpl
    def fetch(self, entry: Any, request: Any, http: Any) -> Any:
        def counted() -> Any:
            self.calls += 1
            return self.rows()

        return fetch_rows(entry, request, http, counted, address="prices of a script", names=self.names)


def rows_of(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    names = "_bronze_file_id, _run_id, known_from, recorded_at"
    return warehouse.ask(f"SELECT * EXCLUDE ({names}) FROM silver.px ORDER BY ALL")


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


MOMENT = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
GIVEN = [
    {"symbol": "B", "day": dt.date(2024, 1, 1), "close": Decimal("1E+1"), "seen": MOMENT},
    {"symbol": "A", "day": dt.date(2024, 1, 1), "close": Decimal("0.1000"), "seen": None},
]
KEPT = [
    ("A", dt.date(2024, 1, 1), Decimal("0.1"), None),
    ("B", dt.date(2024, 1, 1), Decimal("10"), dt.datetime(2024, 1, 1, 10)),
]


def test_rows_of_a_function_are_a_dataset(tmp_path: Path) -> None:
    script = Script(lambda: GIVEN)
    warehouse = Warehouse(tmp_path / "home", script)
    assert is_fine(warehouse.run(hours_later=1))
    assert rows_of(warehouse) == KEPT
    script.rows = lambda: iter([attrs.make_class("Row", list(row))(**row) for row in GIVEN[::-1]])
    context = warehouse.run(hours_later=2)
    assert (context.files, context.unchanged_files) == (0, 1), "the same rows, in another order, of another kind"
    assert script.calls == 2
    rebuild(warehouse.opened())
    again = Warehouse(tmp_path / "again", script)
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert (rows_of(again), rows_of(warehouse), script.calls) == (KEPT, KEPT, 2), "a replay does not call it"


def test_its_recording_passes_the_checks_of_plugins(tmp_path: Path) -> None:
    script = Script(lambda: GIVEN)
    warehouse = Warehouse(tmp_path / "home", script)
    warehouse.run(hours_later=1)
    subject = Subject("script", tmp_path / "work", plugin=script, recording=warehouse.home / "bronze")
    told = {outcome.check.name: outcome.text for outcome in check_all(subject) if outcome.state == FAILED}
    assert (set(told) - {"docs"}, script.calls) == (set(), 1), told


class Word(StrEnum):
    """A text with a class of its own."""

    A = "a"


EACH = [
    (0.1 + 0.2, "0.30000000000000004"), (2**80, str(2**80)), (True, "true"), (Word.A, "a"), (float("inf"), "inf"),
    (Decimal("1E-7"), "0.0000001"), (dt.time(12, 0, 0, 5), "12:00:00.000005"), ("", ""), (None, None),
    ({"é": [1, 0.1, None]}, '{"é":[1,0.1,null]}'),
    (dt.datetime(2024, 1, 1, 12), "2024-01-01T12:00:00"), (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
]  # fmt: skip


def test_each_value_keeps_all_its_digits(tmp_path: Path) -> None:
    script = Script(
        lambda: [{"id": at, "value": value} for at, (value, _) in enumerate(EACH)],
        [Column(name="id", type="BIGINT", key=True), Column(name="value", type="VARCHAR", nullable=True)],
    )
    warehouse = Warehouse(tmp_path / "home", script)
    assert is_fine(warehouse.run(hours_later=1))
    assert [row[1] for row in rows_of(warehouse)] == [text for _, text in EACH]


ID = [Column(name="id", type="BIGINT", key=True)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([{"id": 1}, {"id": 2, "x": 1}], "row 2 has other names than the first: 'x'"),
        ([{"id": 1}, None], "a row is NoneType; give rows as mappings or attrs instances"),
        ([{"id": [Decimal(1)]}], "the value of 'id' holds what JSON has not"),
        ([{"id": {"a": float("nan")}}], "the value of 'id' holds what JSON has not"),
        ([{"id": b"x"}], "the value of 'id' is bytes, which is not kept exactly"),
        ([{"id": 1, "ID": 2}], "two columns of the answer are called 'ID'"),
        ({"id": 1}, "the function gave dict, which is no rows"),
        ("id", "the function gave str, which is no rows"),
        (None, "the function gave NoneType, which is no rows"),
        ([], "the function gave no rows"),
    ],
)
def test_what_is_not_exact_is_refused(tmp_path: Path, given: Any, told: str) -> None:
    (failure,) = Warehouse(tmp_path / "home", Script(lambda: given, ID)).run(hours_later=1).failures
    assert told in failure.what and failure.kind in (FailureKind.QUERY, FailureKind.EMPTY)


def test_names_say_what_is_kept_of_rows_that_differ(tmp_path: Path) -> None:
    script = Script(lambda: [{"id": 1, "x": 2}, {"id": 2, "value": "v"}], names=("id", "value"), columns=[
        *ID, Column(name="value", type="VARCHAR", nullable=True),
    ])  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", script)
    assert is_fine(warehouse.run(hours_later=1))
    assert rows_of(warehouse) == [(1, None), (2, "v")]


def test_where_there_may_be_none_there_are_none(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", Script(list, is_data=DataRules(may_be_empty=True)))
    context = warehouse.run(hours_later=1)
    assert (is_fine(context), context.files, rows_of(warehouse)) == (True, 1, [])


def test_a_table_with_an_arrow_stream_keeps_its_types(tmp_path: Path) -> None:
    class Relation:
        """A table as one would have it of DuckDB."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return duckdb.sql(
                "SELECT 'A' AS symbol, DATE '2024-01-01' AS day, 1.2500::DECIMAL(20,4) AS close, "
                "TIMESTAMPTZ '2024-01-01 12:00:00+02' AS seen UNION ALL SELECT 'B', DATE '2024-01-01', 2, NULL"
            ).__arrow_c_stream__()

    warehouse = Warehouse(tmp_path / "home", Script(Relation))
    assert is_fine(warehouse.run(hours_later=1))
    assert rows_of(warehouse) == [
        ("A", dt.date(2024, 1, 1), Decimal("1.25"), dt.datetime(2024, 1, 1, 10)),
        ("B", dt.date(2024, 1, 1), Decimal("2"), None),
    ]
    with duckdb.connect() as conn:
        told = conn.execute(f"DESCRIBE FROM '{tmp_path}/home/bronze/{warehouse.bronze_files()[-1]}'").fetchall()
    assert [row[1] for row in told] == ["VARCHAR", "DATE", "DECIMAL(20,4)", "TIMESTAMP WITH TIME ZONE"]
    assert warehouse.run(hours_later=2).unchanged_files == 1


def table(kind: Any, values: list[Any]) -> Any:
    """A table of one column, with the id 1."""
    if values == [None]:
        column = nanoarrow.c_array_from_buffers(kind, len(values), [], null_count=len(values))
    else:
        column = nanoarrow.c_array(values, kind)
    ids = nanoarrow.c_array([1] * len(values), nanoarrow.int64())
    schema = nanoarrow.struct({"id": nanoarrow.int64(), "value": kind})
    both = nanoarrow.c_array_from_buffers(schema, len(values), [None], children=[ids, column])
    return nanoarrow.c_array_stream(both)


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        (nanoarrow.timestamp("ns", "UTC"), [1_700_000_000_123_456_789], "the Arrow type 'tsn:UTC'"),
        (nanoarrow.duration("us"), [5], "the Arrow type 'tDu'"),
        (nanoarrow.date64(), [86_400_005], "the Arrow type 'tdm'"),
        (nanoarrow.float16(), [1.5], "the Arrow type 'e'"),
        (nanoarrow.timestamp("ns"), [1_700_000_000_123_456_789], ""),
        (nanoarrow.timestamp("s", "Europe/Berlin"), [5], ""),
        (nanoarrow.uint64(), [2**64 - 1], ""),
        (nanoarrow.large_string(), ["é"], ""),
        (nanoarrow.null(), [None], ""),
        (nanoarrow.bool_(), [True], ""),
    ],
)  # fmt: skip
def test_a_type_of_arrow_is_kept_or_refused(tmp_path: Path, kind: Any, values: list[Any], told: str) -> None:
    warehouse = Warehouse(tmp_path / "home", Script(lambda: table(kind, values), ID))
    context = warehouse.run(hours_later=1)
    if told:
        assert told in context.failures[0].what
        return
    assert is_fine(context), context.errors
    with duckdb.connect() as conn:
        conn.execute("SET TimeZone = 'UTC'")
        path = f"{tmp_path}/home/bronze/{warehouse.bronze_files()[-1]}"
        (row,) = conn.execute(f"SELECT value::VARCHAR, typeof(value) FROM '{path}'").fetchall()
    assert row in {
        ("2023-11-14 22:13:20.123456789", "TIMESTAMP_NS"), ("1970-01-01 00:00:05+00", "TIMESTAMP WITH TIME ZONE"),
        ("18446744073709551615", "UBIGINT"), ("é", "VARCHAR"), (None, "VARCHAR"), ("true", "BOOLEAN"),
    }  # fmt: skip
