"""What is exported is read back as it was, or refused; and it says where it comes from."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import nanoarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoarrow import ipc
from python_calamine import CalamineWorkbook
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import GoldModel, UsageError
from sbf_core.errors import EnvironmentFault
from sbf_core.export.columns import columns_of
from sbf_core.export.export import Export, export
from sbf_core.export.formats import ENDINGS, FORMATS, Wanted

#: Types, and values at their edges; each format holds them exactly, or refuses the type.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "BOOLEAN": st.booleans(),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "UBIGINT": st.integers(0, 2**64 - 1),
    "HUGEINT": st.integers(-(10**38) + 1, 10**38 - 1),
    "DECIMAL(38,6)": st.decimals(Decimal("-9e31"), Decimal("9e31"), places=6),
    "DOUBLE": st.floats(),
    "FLOAT": st.floats(width=32),
    "VARCHAR": st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")),
    "DATE": st.dates(),
    "TIMESTAMP": st.datetimes(),
    "TIMESTAMP WITH TIME ZONE": st.datetimes(timezones=st.just(dt.UTC)),
    "TIME": st.times(),
    "UUID": st.uuids(),
}
ROWS = st.lists(st.tuples(*(st.none() | values for values in VALUES.values())), max_size=5)
NAMES = [f"c{place}" for place in range(len(VALUES))]


def filled(rows: list[tuple[Any, ...]]) -> duckdb.DuckDBPyConnection:
    conn = duckdb.connect()
    conn.execute("SET TimeZone = 'UTC'")
    conn.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in zip(NAMES, VALUES, strict=True))})")
    if rows:
        conn.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(NAMES))})", rows)
    return conn


def written(conn: duckdb.DuckDBPyConnection, kind: str, file: Path, query: str = "FROM t") -> int:
    columns, select = columns_of(conn.sql(query), {}, kind=kind)
    return FORMATS[kind](
        conn, Wanted(select=f"SELECT {select} FROM ({query})", columns=columns, metadata={}), file
    ).rows


class Stream:
    """A file of Arrow, read anew as often as it is asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: list[Any] = []

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        self._open += [ipc.InputStream.from_path(str(self._file))]
        return nanoarrow.ArrayStream(self._open[-1]).__arrow_c_stream__(requested_schema)


def compared(conn: duckdb.DuckDBPyConnection, other: str) -> list[Any]:
    """Rows that one has and the other has not; of NaN and of -0.0 the text tells."""
    shown = ", ".join(
        f"CAST({name} AS VARCHAR)" if kind not in ("HUGEINT",) else f"CAST({name} AS DECIMAL(38,0))"
        for name, kind in zip(NAMES, VALUES, strict=True)
    )
    ours, theirs = f"SELECT {shown} FROM t", f"SELECT {shown} FROM {other}"
    return conn.execute(f"(({ours}) EXCEPT ALL ({theirs})) UNION ALL (({theirs}) EXCEPT ALL ({ours}))").fetchall()


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_parquet_is_read_back_as_it_was(rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("p") / "r.parquet"
    conn = filled(rows)
    assert written(conn, "parquet", file) == len(rows)
    assert compared(conn, f"'{file}'") == []


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_csv_is_read_back_as_it_was(rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("c") / "r.csv"
    conn = filled(rows)
    assert written(conn, "csv", file) == len(rows)
    kinds = {name: "DECIMAL(38,0)" if kind == "HUGEINT" else kind for name, kind in zip(NAMES, VALUES, strict=True)}
    declared = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    reading = (
        f"read_csv('{file}', auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"allow_quoted_nulls = false, new_line = '\\n', columns = {{{declared}}})"
    )
    assert compared(conn, reading) == []


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_arrow_is_read_back_as_it_was(rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("a") / "r.arrows"
    conn = filled(rows)
    assert written(conn, "arrow", file) == len(rows)
    conn.register("read_back", Stream(file))
    assert compared(conn, "read_back") == []


def test_a_workbook_is_read_back_as_it_was(tmp_path: Path) -> None:
    conn = duckdb.connect()
    conn.execute("SET TimeZone = 'UTC'")
    query = (
        "SELECT * FROM (VALUES (1, 'a', 1.25::DECIMAL(18,4), DATE '2024-02-29', TIMESTAMP '2024-02-29 23:59:59.999', "
        "true, 123456789012345::BIGINT, TIMESTAMPTZ '2024-02-29 12:00:00+02', 0.1::DOUBLE), "
        "(2, '=1+1', NULL, DATE '1900-03-01', NULL, false, NULL, NULL, NULL), "
        "(3, '', 0, NULL, NULL, NULL, 0, NULL, 0)) "
        "AS t(n, s, d, day, ts, b, big, tz, x)"
    )
    assert written(conn, "xlsx", tmp_path / "r.xlsx", query) == 3
    header, first, second, third = CalamineWorkbook.from_path(tmp_path / "r.xlsx").get_sheet_by_name("rows").to_python()
    assert header == ["n", "s", "d", "day", "ts", "b", "big", "tz", "x"]
    assert first == [
        1, "a", 1.25, dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 23, 59, 59, 999000), True, 123456789012345,
        dt.datetime(2024, 2, 29, 10), 0.1,
    ]  # fmt: skip
    assert second == [2, "=1+1", "", dt.date(1900, 3, 1), "", False, "", "", ""]
    assert third == [3, "", 0, "", "", "", 0, "", 0]


@pytest.mark.parametrize(
    ("kind", "expression", "words"),
    [
        ("xlsx", "1234567890123456::BIGINT", "a cell holds 15 digits"),
        ("xlsx", "0.1234567890123456::DECIMAL(38,20)", "a cell holds 15 digits"),
        ("xlsx", "'nan'::DOUBLE", "a cell holds no nan"),
        ("xlsx", "DATE '1900-02-28'", "counts days from 1900-03-01 on"),
        ("xlsx", "TIMESTAMP '2024-01-01 00:00:00.0001'", "shows milliseconds"),
        ("xlsx", "repeat('x', 32768)", "a cell holds 32,767 characters"),
        ("xlsx", "[1]", r"a cell holds no INTEGER\[\]"),
        ("xlsx", "TIME '10:00'", "a cell holds no TIME"),
        ("csv", "[1]", "which csv does not hold as it is"),
        ("csv", "'x'::BLOB", "which csv does not hold as it is"),
        ("parquet", "INTERVAL 1 MONTH", "which parquet does not hold as it is"),
        ("parquet", "[1::HUGEINT]", "which parquet does not hold as it is"),
        ("parquet", "{'HUGEINT': INTERVAL 1 DAY}", "which parquet does not hold as it is"),
        ("arrow", "'10'::BIT", "which arrow does not hold as it is"),
        ("parquet", "1 AS x, 2", "two columns are called 'x'"),
    ],
)
def test_what_a_format_changes_is_refused(tmp_path: Path, kind: str, expression: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        written(duckdb.connect(), kind, tmp_path / "f", f"SELECT {expression} AS x")


@pytest.mark.parametrize("expression", ["{'HUGEINT': 1}", "[[1.5]]", "MAP {'a': DATE '2024-01-01'}", "'a'::ENUM('a')"])
def test_lists_and_records_are_exact_too(tmp_path: Path, expression: str) -> None:
    conn, file = duckdb.connect(), tmp_path / "f.parquet"
    written(conn, "parquet", file, f"SELECT {expression} AS x")
    assert conn.sql(f"SELECT x FROM '{file}'").fetchall() == conn.sql(f"SELECT {expression}").fetchall()


def test_a_number_with_more_digits_than_a_decimal_fails_in_words(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match=r"DECIMAL\(38,0\)"):
        written(duckdb.connect(), "parquet", tmp_path / "f.parquet", f"SELECT {2**127 - 1}::HUGEINT AS x")


@pytest.fixture
def made(tmp_path: Path) -> Warehouse:
    vendor = FakeVendor(
        entry(silver_table="fake_eod", title="Bars", terms="Not to be passed on.", passing_on="no"),
        entry(dataset="fx", silver_table="fake_fx", title="Rates", terms="Name us.", passing_on="with source"),
    )
    vendor.says([price("B", "2024-01-01", "2.5"), price("A", "2024-01-02"), price("A", "2024-01-01")], dataset="eod")
    vendor.says([price("A", "2024-01-01")], dataset="fx")
    vendor.models = [
        GoldModel(
            name="highest", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.fake_eod GROUP BY 1"
        )
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    return warehouse


def exported(warehouse: Warehouse, what: str, **facts: Any) -> Export:
    return export(warehouse.opened(), what, **facts)


def test_a_table_with_its_manifest(made: Warehouse, tmp_path: Path) -> None:
    done = exported(made, "silver.fake_eod", to=tmp_path / "out" / "bars.parquet")
    facts = json.loads(done.manifest.read_text(encoding="utf-8"))
    assert done.manifest.name == "bars.parquet.manifest.json"
    assert (facts["file"], facts["rows"], facts["of"], facts["as_of"]) == ("bars.parquet", 3, "silver.fake_eod", None)
    assert facts["sha256"] == hashlib.sha256(done.file.read_bytes()).hexdigest()
    assert facts["bytes"] == done.file.stat().st_size
    assert facts["sources"] == [
        {
            "dataset": "prices/fake/eod", "title": "Bars", "terms": "Not to be passed on.", "source_url": "",
            "passing_on": "no",
        }
    ]  # fmt: skip
    assert done.notes == ("rows of prices/fake/eod may not be passed on: Not to be passed on.",)
    rows = duckdb.sql(f"SELECT symbol, date FROM '{done.file}'").fetchall()
    assert rows == sorted(rows), "in the order of the key"
    ((said,),) = duckdb.sql(
        f"SELECT decode(value) FROM parquet_kv_metadata('{done.file}') WHERE decode(key) = 'sbf'"
    ).fetchall()
    inside = json.loads(said)
    assert inside["sources"] == facts["sources"] and inside["columns"] == facts["columns"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bars.parquet", "bars.parquet.manifest.json"]


def test_terms_travel_through_gold_and_queries(made: Warehouse, tmp_path: Path) -> None:
    of_gold = exported(made, "gold.highest", to=tmp_path / "g.parquet")
    assert [one["dataset"] for one in of_gold.facts["sources"]] == ["prices/fake/eod"]
    query = (
        "SELECT * FROM gold.highest JOIN (SELECT symbol, count(*) AS n FROM silver.fake_fx GROUP BY 1) USING (symbol)"
    )
    of_both = exported(made, query, to=tmp_path / "q.csv", kind="csv")
    assert [one["dataset"] for one in of_both.facts["sources"]] == ["prices/fake/eod", "prices/fake/fx"]
    assert len(of_both.notes) == 2 and of_both.notes[1].startswith("whoever passes on rows of prices/fake/fx names")
    assert (tmp_path / "q.csv").read_text(encoding="utf-8") == "symbol,close,n\nA,1.5000,1\n"


def test_as_it_was_known(made: Warehouse, tmp_path: Path) -> None:
    known = made.clock.now()
    vendor = made.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    vendor.says([price("A", "2024-01-01", "9.5")], dataset="eod")
    made.run(hours_later=30)
    now = exported(made, "gold.highest", to=tmp_path / "now.csv", kind="csv")
    then = exported(made, "gold.highest", to=tmp_path / "then.csv", kind="csv", moment=known)
    assert now.file.read_text(encoding="utf-8") == "symbol,close\nA,9.5000\nB,2.5000\n"
    assert then.file.read_text(encoding="utf-8") == "symbol,close\nA,1.5000\nB,2.5000\n"
    assert then.facts["as_of"] == known.isoformat() and then.facts["sources"] == now.facts["sources"]


def test_what_fails_leaves_what_was_there(made: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "r.xlsx"
    exported(made, "SELECT symbol FROM gold.highest", to=file, kind="xlsx")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert len(before) == 2
    with pytest.raises(UsageError, match="a cell holds 15 digits"):
        exported(made, "SELECT 1234567890123456 AS n FROM gold.highest", to=file, kind="xlsx")
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert not list(tmp_path.glob(".sbf-export-*"))


@pytest.mark.parametrize("end", ["", ";", " -- the best", "; -- the best", ";\n-- the best\n"])
def test_a_query_keeps_its_order_and_may_end_as_it_likes(made: Warehouse, tmp_path: Path, end: str) -> None:
    query = f"SELECT symbol FROM gold.highest ORDER BY symbol DESC{end}"
    done = exported(made, query, to=tmp_path / "x.csv", kind="csv")
    assert done.file.read_text(encoding="utf-8") == "symbol\nB\nA\n"


def test_equal_rows_are_equal_bytes(made: Warehouse, tmp_path: Path) -> None:
    first, second = (exported(made, "silver.fake_eod", to=tmp_path / f"{name}.csv", kind="csv") for name in "ab")
    assert first.facts["sha256"] == second.facts["sha256"]


@pytest.mark.parametrize(
    ("what", "facts", "words"),
    [
        ("silver.fake_oed", {}, "there is no table silver.fake_oed; did you mean 'silver.fake_eod'"),
        ("silver.fake_eod", {"kind": "parqet"}, "there is no format 'parqet'; did you mean 'parquet'"),
        ("silver.fake_eod", {"to": "x.csv"}, "a file of parquet ends with .parquet; .*write --to .*x.parquet"),
        ("SELECT 1 AS a", {}, "a query has no name for its file; give one: --to rows.parquet"),
        ("SELECT * FROM read_csv('x.csv')", {"to": "x.parquet"}, "read_csv"),
        ("DELETE FROM silver.fake_eod", {"to": "x.parquet"}, "DELETE is not allowed here"),
        ("SELECT nothing FROM silver.fake_eod", {"to": "x.parquet"}, "the rows cannot be had: .*nothing"),
        ("ops.file_ingestions", {"to": "x.parquet"}, "cannot be parsed"),
    ],
)
def test_what_makes_no_sense(made: Warehouse, tmp_path: Path, what: str, facts: dict[str, Any], words: str) -> None:
    if "to" in facts:
        facts = facts | {"to": tmp_path / facts["to"]}
    with pytest.raises(UsageError, match=words):
        exported(made, what, **facts)
    assert not [path for path in tmp_path.iterdir() if path.name != "home"]


def test_a_place_where_nothing_can_be_written(made: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(EnvironmentFault, match="nothing can be written there"):
        exported(made, "silver.fake_eod", to=tmp_path / "file" / "x.parquet")


@pytest.mark.parametrize(
    ("kind", "library", "extra"), [("arrow", "nanoarrow", "arrow"), ("xlsx", "xlsxwriter", "excel")]
)
def test_without_the_library_it_says_what_to_install(
    made: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=rf'need a library; pip install "sbf\[{extra}\]"'):
        exported(made, "SELECT symbol FROM gold.highest", to=tmp_path / f"x{ENDINGS[kind]}", kind=kind)


def test_a_table_of_a_plugin_that_is_gone_says_so(made: Warehouse, tmp_path: Path) -> None:
    vendor = made.plugins["fake"]
    assert isinstance(vendor, FakeVendor)
    vendor.entries = [one for one in vendor.entries if one.dataset != "fx"]
    done = exported(made, "silver.fake_fx", to=tmp_path / "x.parquet")
    assert done.notes == ("no loaded plugin says where silver.fake_fx comes from",)


def test_uuids_are_text_in_csv(tmp_path: Path) -> None:
    one = uuid.UUID(int=7)
    written(duckdb.connect(), "csv", tmp_path / "u.csv", f"SELECT '{one}'::UUID AS u")
    assert (tmp_path / "u.csv").read_text(encoding="utf-8") == f"u\n{one}\n"
