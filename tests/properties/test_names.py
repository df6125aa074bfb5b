"""Columns may have any name: datasets whose columns are called as words of our own SQL, beside one with plain names.

Both get the same rows: restated, rejected, stated twice, vanished, late. Whatever is seen of the one is seen of the
other: tables, history, what was known when, rejects, counts, gold, charts, pages' facts, the published tables.
Afterwards verify finds nothing, and a rebuild makes the same tables.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from csv import DictWriter
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warehouse import START, FakeVendor, Warehouse, counts_add_up

import sbf_core
from sbf_core.api import (
    AcceptedRange,
    Chart,
    Column,
    DatasetKeymapEntry,
    GoldModel,
    GoldSource,
    NotNull,
    RunResult,
    hookimpl,
)
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.charts.catalog import charts_of_tables
from sbf_core.charts.plotted_rows import plotted
from sbf_core.charts.table import all_rows_of_chart, table_of_chart
from sbf_core.charts.view import View
from sbf_core.duck.publish_tables import VIEWS
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.reports.dataset_rows import RowsWanted, rows_of
from sbf_core.reports.datasets import columns_of_table, coverage, own_header, revisions
from sbf_core.reports.lineage import explain_gold, explain_silver
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import RESERVED_NAMES

ROOMS = ("silver", "payload", "duck", "gold", "reports", "charts", "care", "ops", "recovery", "home")
#: Names that the engine itself gives a meaning.
OF_ENGINE = ("rowid", "filename", "file_row_number", "file_index", "content", "json", "value", "key", "oid", "ctid")
TAKEN = RESERVED_NAMES | {"known_from", "known_to", "recorded_at"}
#: Names that did go wrong once, or would where a column is not qualified.
DANGEROUS = ("ts", "recorded_until", "rowid", "id", "place", "n", "t", "s", "x", "y", "c", "h", "v", "p", "k", "d", "w",
             "o", "j", "f", "b", "r", "e", "g", "u", "l", "stage", "delta", "chain", "kept", "version", "filename",
             "state", "payload", "bronze_file_id", "columns", "model", "candidate", "open", "close", "ticker",
             "source_rank", "f0", "f1", "c0", "raw", "seen", "rejected", "error", "bucket", "day", "first", "last",
             "count", "row", "document", "is_other", "begins", "points")  # fmt: skip
KINDS = ("DECIMAL(18,4)", "DOUBLE", "BIGINT", "VARCHAR", "DATE", "BOOLEAN", "TIMESTAMP")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SQL = re.compile(
    r"\b(SELECT|FROM|WHERE|JOIN|UPDATE|INSERT|DELETE|CREATE|UNION|BY|"
    r"PARTITION|ALTER|COPY|MERGE|CASE|CAST|OVER|AS|NULL|FILTER|DESCRIBE|COMMENT)\b"
)


@cache
def words_of_sql() -> tuple[str, ...]:
    """Every word in the SQL of the rooms that may be declared as a column, and the engine's keywords."""
    found = set(OF_ENGINE) | set(DANGEROUS)
    for room in ROOMS:
        for path in (Path(sbf_core.__file__).parent / room).rglob("*.py"):
            for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
                if _SQL.search(text) or re.fullmatch(
                    r"[a-z]\.|[a-z0-9]+(_[a-z0-9]+)+", text
                ):  # SQL, an alias, or a name put into some
                    found |= {word for word in _WORD.findall(text) if _NAME.fullmatch(word)}
    with duckdb.connect() as conn:
        found |= {
            word
            for (word,) in conn.execute(
                "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
            ).fetchall()
            if _NAME.fullmatch(word)
        }
    return tuple(sorted(found - TAKEN))


def _texts(tree: ast.AST) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@attrs.frozen(kw_only=True)
class Shape:
    """What a dataset is like apart from its names: so many columns of its key, what a payload means,
    whether rows say when they were published.
    """

    names: int
    keys: int
    semantics: str = "upsert"
    published: bool = False
    extension: str = "json"


def entry_of(shape: Shape, names: Sequence[str], *, dataset: str, table: str) -> DatasetKeymapEntry:
    columns = []
    for place, name in enumerate(names):
        if place == 0:
            columns.append(Column(name=name, type="DATE", key=True, row_date=True))
        elif place < shape.keys:
            columns.append(Column(name=name, type="VARCHAR", key=True))
        elif shape.published and place == shape.keys:
            columns.append(Column(name=name, type="DATE", known_from=True, known_at="start of day"))
        else:
            columns.append(Column(name=name, type=kind_of(shape, place), nullable=True))
    values = [name for place, name in enumerate(names) if place > shape.keys]
    numbers = [
        name
        for place, name in enumerate(names)
        if place > shape.keys and kind_of(shape, place) in ("DOUBLE", "BIGINT", "DECIMAL(18,4)")
    ]
    a, b, c = numbers[:3]
    charts = [
        Chart(name="line", x=names[0], y=a, series=names[1]),
        Chart(name="lines", x=names[0], y=(a, b, c)),
        Chart(name="bars", kind="bar", x=names[1], y=b),
        Chart(name="candles", kind="candles", x=names[0], open=a, high=b, low=c, close=a),
        Chart(name="heat", kind="heatmap", x=names[0], y=names[1], value=c),
        Chart(name="own", kind="own", x=names[0], series=names[1], columns=tuple(values), spec={"mark": "point"}),
    ]
    return DatasetKeymapEntry(
        domain="words", source="fake", dataset=dataset, silver_table=table, columns=tuple(columns),
        first_date=dt.date(2020, 1, 1), semantics=shape.semantics, horizon="any",
        reject_share_max=1.0, charts=tuple(charts),
    )  # fmt: skip


def kind_of(shape: Shape, place: int) -> str:
    return KINDS[(place - shape.keys) % len(KINDS)]


def _value(kind: str, seed: int) -> object:
    day = dt.date(2020, 1, 1) + dt.timedelta(days=seed)
    written: dict[str, object] = {
        "DECIMAL(18,4)": f"{seed}.25", "DOUBLE": seed + 0.5, "BIGINT": seed, "VARCHAR": f"t{seed}",
        "DATE": day.isoformat(), "BOOLEAN": "true" if seed % 2 else "false",
        "TIMESTAMP": f"{day.isoformat()}T01:02:03Z",
    }  # fmt: skip
    return written[kind]


def payloads(shape: Shape) -> list[tuple[int, list[list[object]]]]:
    """The hour of each payload, in the order of arrival, with its rows."""

    def row(number: int, seed: int | None, hour: int) -> list[object]:
        found: list[object] = [f"2024-01-{number:02}"]
        for place in range(1, shape.names):
            if place < shape.keys:
                found.append(f"k{(number + place) % 2}")
            elif shape.published and place == shape.keys:
                found.append((dt.date(2024, 1, 1) + dt.timedelta(days=hour)).isoformat())
            else:
                found.append(None if seed is None else _value(kind_of(shape, place), seed + place))
        return found

    bad = row(6, 60, 0)
    bad[next(place for place in range(shape.keys + 1, shape.names) if kind_of(shape, place) == "BIGINT")] = "many"
    keyless = row(7, 70, 0)
    keyless[1] = None
    first = [row(1, 1, 0), row(2, 2, 0), row(3, 3, 0), row(4, 4, 0), row(4, 4, 0), row(5, 5, 0), row(5, 50, 0), bad]
    if shape.semantics != "snapshot":  # a row of a snapshot of which nobody knows the key leaves open what is gone
        first.append(keyless)
    second = [row(1, 10, 4), row(2, None, 4), row(4, 4, 4), row(5, 5, 4), row(8, 8, 4)]
    late = [row(1, 20, 2), row(2, 2, 2), row(3, 3, 2), row(4, 4, 2), row(9, 9, 2)]
    back = [row(1, 1, 6), row(2, 2, 6), row(3, 3, 6), row(4, 41, 6), row(8, 8, 6)]
    return [(0, first), (4, second), (2, late), (6, back)]


def _written(shape: Shape, names: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    records = [dict(zip(names, row, strict=True)) for row in rows]
    if shape.extension == "json":
        return json.dumps(records).encode()
    text = io.StringIO()
    writer = DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


Datasets = Sequence[tuple[DatasetKeymapEntry, Shape]]


class Words(FakeVendor):
    """Answers each dataset with its payload, dated to an hour."""

    hour = 0

    def __init__(self, datasets: Datasets) -> None:
        super().__init__(*(entry for entry, _ in datasets))
        self.shapes = {entry.dataset: shape for entry, shape in datasets}

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        payload = self.payloads[entry.dataset, request.ticker]
        fetched_at = START + dt.timedelta(hours=self.hour)
        extension = self.shapes[entry.dataset].extension
        return RunResult(
            request=request,
            address=f"fake://{entry.dataset}/{self.hour}",
            payload=payload,
            extension=extension,
            fetched_at=fetched_at,
        )


def model_of(entry: DatasetKeymapEntry, names: Sequence[str]) -> GoldModel:
    values = ", ".join(f'r."{name}"' for name in names)
    numbers = [column.name for column in entry.columns if column.type == "DOUBLE"]
    direct = f'SELECT {values} FROM silver."{entry.silver_table}" AS r'
    sources = (
        {"all_rows": [GoldSource(sql=direct)]} if "source_rank" not in names else {}
    )  # that name is ours in a source, and refused
    return GoldModel(
        name=f"g_{entry.dataset}", key=entry.key_columns,
        sql=f"SELECT {values} FROM all_rows AS r" if sources else direct, sources=sources, surrogate_key="zz_surrogate",
        date_column=names[0],
        tests=(NotNull(column=names[0]), *(AcceptedRange(column=name, low=-1, high=1000) for name in numbers)),
    )  # fmt: skip


def lived(folder: Path, datasets: Datasets) -> Warehouse:
    """A warehouse after all payloads."""
    vendor = Words(datasets)
    vendor.models = [model_of(entry, list(entry.column_types)) for entry, _ in datasets]
    warehouse = Warehouse(folder / "home", vendor)
    for step in range(4):
        for entry, shape in datasets:
            vendor.hour, rows = payloads(shape)[step]
            vendor.says(_written(shape, list(entry.column_types), rows), dataset=entry.dataset)
        context = warehouse.run(hours_later=1, options=RunOptions(force=True), run__publish="all")
        assert [error for error in context.errors if "rejected" not in error] == []
    counts_add_up(warehouse)
    return warehouse


def seen(warehouse: Warehouse, entry: DatasetKeymapEntry) -> dict[str, Any]:
    """Everything that can be seen of a dataset, with numbers in the place of the names of its columns."""
    names = list(entry.column_types)
    with warehouse.open() as cursor:
        found = (
            _tables(cursor, entry, names)
            | _ledger(cursor, entry)
            | _facts(cursor, warehouse, entry, names)
            | _charts(cursor, entry, names)
        )
    with duckdb.connect(str(warehouse.home / "published" / VIEWS), read_only=True) as published:
        found |= {f"published {name}": rows for name, rows in _tables(published, entry, names).items()}
    return found


def _tables(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, names: Sequence[str]) -> dict[str, Any]:
    table = f'silver."{entry.silver_table}'
    values = ", ".join(f'r."{name}"' for name in names)

    def rows(source: str, more: str = "") -> list[tuple[Any, ...]]:
        return cursor.execute(f"SELECT {values}{more} FROM {source} AS r ORDER BY ALL").fetchall()

    found: dict[str, Any] = {"current": rows(f'{table}"', ", r.known_from, r.recorded_at")}
    found["history"] = rows(f'{table}_history"', ", r.known_from, r.recorded_at, r.known_to, r._deleted")
    for hour in (-1, 0, 1, 2, 5, 200):
        moment = f"TIMESTAMP '{START.replace(tzinfo=None) + dt.timedelta(hours=hour)}'"
        found[f"as of {hour}"] = rows(f'{table}_as_of"({moment})', ", r.known_from")
        found[f"as of the end, recorded until {hour}"] = rows(
            f"{table}_as_of\"(TIMESTAMP '2100-01-01', {moment})", ", r.known_from, r.recorded_at"
        )
    found["by name"] = rows(
        f"{table}_as_of\"(ts := TIMESTAMP '2024-01-02 17:00:00', recorded_until := TIMESTAMP '2024-01-02 15:00:00')"
    )
    found["gold"] = cursor.execute(f'SELECT * FROM gold."g_{entry.dataset}" ORDER BY ALL').fetchall()
    return found


def _ledger(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, Any]:
    rejects = cursor.execute(
        "SELECT reason, column_name, row_json FROM ops.rejects WHERE silver_table = ?", [entry.silver_table]
    ).fetchall()
    places = {column.name: place for place, column in enumerate(entry.columns)}
    counts = cursor.execute(
        "SELECT rows_seen, rows_inserted, rows_updated, rows_unchanged, rows_rejected, "
        "rows_closed, coverage_from, coverage_to, status "
        "FROM ops.promotion_manifest WHERE silver_table = ? ORDER BY ALL",
        [entry.silver_table],
    ).fetchall()
    told = []
    for reason, column, text in rejects:
        row = json.loads(text)
        assert set(row) == set(places)
        told.append((reason, places.get(column), [str(row[name]) for name in places]))
    gold = cursor.execute(
        "SELECT status, rows_seen, rows_written, error_message FROM ops.gold_manifest "
        "WHERE table_name = ? ORDER BY started_at",
        [f"g_{entry.dataset}"],
    ).fetchall()
    return {"rejects": sorted(told, key=str), "counts": counts, "builds": gold}


def _facts(
    cursor: duckdb.DuckDBPyConnection, warehouse: Warehouse, entry: DatasetKeymapEntry, names: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "columns": [row[1:] for row in columns_of_table(cursor, entry).rows],
        "coverage": coverage(cursor, entry, by="month", ticker_column=names[1]).rows,
    }
    first = cursor.execute(
        f'SELECT {", ".join(f"""CAST(r."{name}" AS VARCHAR)""" for name in entry.key_columns)} '
        f'FROM silver."{entry.silver_table}" AS r ORDER BY ALL'
    ).fetchall()[0]
    key = dict(zip(entry.key_columns, first, strict=True))
    told = revisions(cursor, entry, key)
    assert len(set(told.headers)) == len(told.headers), "a column of ours hides one of the dataset"
    state = told.headers.index(own_header(entry, "state"))
    found["revisions"] = [(row[:-2], row[state]) for row in told.rows]
    text = ",".join(f"{name}={value}" for name, value in key.items())
    shown = names[-3:]
    origins = [
        explain_silver(
            cursor, warehouse.home / "bronze", [entry], table=f"silver.{entry.silver_table}", key=text, column=name
        )
        for name in shown
    ]
    found["explained"] = [
        (origin.value, origin.place.where.removesuffix(f".{origin.column}"), str(origin.place.raw))
        for origin in origins
    ]
    gold = [
        explain_gold(
            cursor,
            [model_of(entry, names).over([f"silver.{entry.silver_table}"])],
            table=f"gold.g_{entry.dataset}",
            key=text,
            column=name,
        )
        for name in shown
    ]
    found["explained gold"] = [
        (origin.value, [[tuple(row[: len(names)]) for row in one.rows.rows] for one in origin.inputs])
        for origin in gold
    ]
    for place in (0, 1, len(names) - 1):
        kept = RowsWanted(
            sort=names[place],
            descending=True,
            filters={names[0]: ">=2024-01-02", names[1]: "k"},
            as_of=dt.datetime(2024, 1, 2, 17),
        )
        rows = rows_of(cursor, entry, kept)
        found[f"rows by {place}"] = ([row[:-1] for row in rows.table.rows], rows.total)
    return found


def _charts(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, names: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for known in charts_of_tables(cursor, [entry], []):
        assert known.fault == ""
        for as_of in (None, dt.datetime(2024, 1, 2, 15)):
            view = (
                View(as_of=as_of, since=dt.date(2024, 1, 1), until=dt.date(2024, 1, 8))
                if known.is_over_time
                else View(as_of=as_of)
            )
            drawn = plotted(cursor, known, view, with_values=True)
            plain = [
                [names.index(value) if value in names else value for value in mark.values()] for mark in drawn.marks
            ]
            page, total = table_of_chart(cursor, drawn, limit=5)
            _, parts = all_rows_of_chart(cursor, drawn)
            found[f"{known.chart.name} {as_of}"] = (
                sorted(plain, key=str),
                drawn.axis,
                page.rows,
                total,
                list(parts),
                drawn.first,
                drawn.last,
            )
    return found


PLAIN: dict[Shape, dict[str, Any]] = {}


def plainly(shape: Shape) -> dict[str, Any]:
    """What is seen of a dataset of that shape whose names mean nothing."""
    if shape not in PLAIN:
        names = [f"col_{place:03}" for place in range(shape.names)]
        entry = entry_of(shape, names, dataset="neutral", table="neutral")
        with tempfile.TemporaryDirectory() as folder:
            PLAIN[shape] = seen(lived(Path(folder), [(entry, shape)]), entry)
        assert PLAIN[shape]["rejects"]
        assert bool(PLAIN[shape]["history"]) is (shape.semantics != "append")
        assert PLAIN[shape]["as of 1"] != PLAIN[shape]["as of 200"]
    return PLAIN[shape]


def agree(warehouse: Warehouse, datasets: Datasets) -> None:
    """Each dataset looks as the one with plain names; verify finds nothing, and a rebuild makes the same tables."""
    for entry, shape in datasets:
        plain, named = plainly(shape), seen(warehouse, entry)
        assert plain.keys() == named.keys()
        for what, value in plain.items():
            assert named[what] == value, (what, entry.dataset, tuple(entry.column_types))
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    home = Settings(warehouse.home, environment={})
    assert Verification(Home(home, clock=warehouse.clock, plugins=manager)).run().findings == []
    before = _digests(warehouse)
    assert [
        error
        for error in rebuild(Home(home, clock=warehouse.clock, plugins=manager)).context.errors
        if "rejected" not in error
    ] == []
    assert _digests(warehouse) == before


def _digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {one.table: one.sha256 for one in digest_tables(cursor, keys={})}


KEYS = 24


def _groups() -> list[tuple[str, ...]]:
    """All words, in groups of keys and values;
    each word is once among the keys of a dataset and once among its values.
    """
    words = words_of_sql()
    padded = [*words, *(f"pad_{number}" for number in range(-len(words) % KEYS))]
    halves = [padded[start : start + KEYS] for start in range(0, len(padded), KEYS)]
    return [(*keys, *values) for keys, values in zip(halves, [*halves[1:], halves[0]], strict=True)]


def test_the_words_are_those_of_the_sql() -> None:
    words = words_of_sql()
    assert len(words) > 500
    assert set(words) >= {
        "ts",
        "recorded_until",
        "rowid",
        "bronze_file_id",
        "is_context",
        "stage",
        "candidate",
        "placed",
        "fetched_at",
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("part", "semantics", "extension"),
    [(0, "upsert", "json"), (1, "append", "csv"), (2, "snapshot", "json"), (3, "upsert", "csv")],
)
def test_columns_may_be_called_as_any_word_of_the_sql(
    tmp_path: Path, part: int, semantics: str, extension: str
) -> None:
    shape = Shape(names=2 * KEYS, keys=KEYS, semantics=semantics, extension=extension)
    words = words_of_sql()
    datasets: list[tuple[DatasetKeymapEntry, Shape]] = []
    for number, names in enumerate(_groups()):
        if number % 4 == part:
            turned = names[number % KEYS : KEYS] + names[: number % KEYS] + names[KEYS:]  # another word is the date
            datasets.append(
                (entry_of(shape, turned, dataset=f"d{number}", table=words[7 * number % len(words)]), shape)
            )
    agree(lived(tmp_path, datasets), datasets)


shapes = st.builds(Shape, names=st.just(12), keys=st.integers(2, 4),
                   semantics=st.sampled_from(["upsert", "append", "snapshot"]), published=st.booleans(),
                   extension=st.sampled_from(["json", "csv"]))  # fmt: skip


@pytest.mark.timeout(600)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=shapes, data=st.data())
def test_columns_in_every_role_may_be_called_as_a_dangerous_word(shape: Shape, data: st.DataObject) -> None:
    words = tuple(word for word in DANGEROUS if word not in TAKEN)
    datasets: list[tuple[DatasetKeymapEntry, Shape]] = []
    for number in range(3):
        names = data.draw(st.permutations(words), label="names")[: shape.names]
        table = data.draw(st.sampled_from(words), label="table")
        if table not in {entry.silver_table for entry, _ in datasets}:
            datasets.append((entry_of(shape, names, dataset=f"d{number}", table=table), shape))
    with tempfile.TemporaryDirectory() as folder:
        agree(lived(Path(folder), datasets), datasets)
