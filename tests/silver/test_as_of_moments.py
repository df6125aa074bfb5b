"""What was known at a moment is the same in every session, whatever its zone, and however the moment is written.

Copies for readers are opened by other programs, whose zone is that of their machine.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from older_release import back_to_schema
from warehouse import START, FakeVendor, Warehouse, entry, price

from sbf_core.duck.publish import current_publication
from sbf_core.runner.options import RunOptions

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"]
#: The first value comes at noon, another one an hour later.
LATER = START + dt.timedelta(hours=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01", "1")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "2")])
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    return warehouse


@pytest.fixture
def reader(warehouse: Warehouse, request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    copy = current_publication(warehouse.opened().config)
    assert copy is not None
    connection = duckdb.connect(str(copy.path), read_only=True)
    request.addfinalizer(connection.close)
    return connection


def known(reader: duckdb.DuckDBPyConnection, *arguments: str) -> str | None:
    row = reader.execute(f"SELECT max(close)::VARCHAR FROM silver.px_as_of({', '.join(arguments)})").fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])[0]


MOMENTS = [
    (START - dt.timedelta(seconds=1), None),
    (START, "1"),
    (LATER - dt.timedelta(microseconds=1), "1"),
    (LATER, "2"),
]


@pytest.mark.parametrize("zone", ZONES)
def test_an_instant_is_an_instant_in_every_session(reader: duckdb.DuckDBPyConnection, zone: str) -> None:
    reader.execute(f"SET TimeZone = '{zone}'")
    for moment, expected in MOMENTS:
        naive = moment.replace(tzinfo=None).isoformat(sep=" ")
        east = moment.astimezone(dt.timezone(dt.timedelta(hours=9))).isoformat(sep=" ")
        for written in (
            f"TIMESTAMP '{naive}'",
            f"TIMESTAMPTZ '{naive}+00'",
            f"TIMESTAMPTZ '{east}'",
            f"'{naive}'",
            f"'{naive}Z'",
            f"TIMESTAMP_NS '{naive}'",
            f"(SELECT max(t) FROM (VALUES (TIMESTAMPTZ '{east}')) AS v(t))",
        ):
            assert known(reader, written) == expected, (zone, written)
            assert known(reader, written, "now()") == expected, (zone, written)
            assert known(reader, "now()", written) == expected, (zone, written)


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_moments_without_end(reader: duckdb.DuckDBPyConnection, zone: str) -> None:
    reader.execute(f"SET TimeZone = '{zone}'")
    expected = {
        "DATE '2024-01-02'": None,
        "DATE '2024-01-03'": "2",
        "'2024-01-02'": None,
        "'2024-01-03'": "2",
        "now()": "2",
        "'infinity'": "2",
        "TIMESTAMPTZ 'infinity'": "2",
        "TIMESTAMP '-infinity'": None,
        "NULL": None,
    }
    assert {written: known(reader, written) for written in expected} == expected
    assert {written: known(reader, written, "'infinity'") for written in expected} == expected


@pytest.mark.parametrize(
    "text", ["2024-01-02 13:00+09", "2024-01-02 13:00:00-05:00", "2024-01-02 13:00 Asia/Tokyo", "2024-01-02T13:00 UTC"]
)
def test_a_text_whose_zone_the_engine_passes_over_is_refused(reader: duckdb.DuckDBPyConnection, text: str) -> None:
    for arguments in ((f"'{text}'",), ("now()", f"'{text}'")):
        with pytest.raises(duckdb.InvalidInputException, match="write TIMESTAMPTZ before it"):
            known(reader, *arguments)


def test_the_moment_reaches_the_scan(reader: duckdb.DuckDBPyConnection) -> None:
    """As a value of the column's own type: so that blocks that are too young are left out, and no zone is looked up."""
    reader.execute("SET disabled_optimizers = 'statistics_propagation'")  # which knows that all rows are old enough
    plan = reader.execute(
        f"EXPLAIN SELECT sum(volume) FROM silver.px_as_of(TIMESTAMPTZ '{LATER.isoformat()}')"
    ).fetchall()[0][1]
    assert "known_from <= '2024-01-02 13:00:00'::TIMESTAMP" in " ".join(plan.split())
    assert "CAST" not in plan.upper()


def older_macros(warehouse: Warehouse) -> None:
    """As an older release left them."""
    with duckdb.connect(str(warehouse.opened().config.database)) as connection:
        connection.execute(
            "CREATE OR REPLACE MACRO silver.px_as_of(ts) AS TABLE (SELECT c.* FROM silver.px AS c "
            "WHERE c.known_from <= ts), (ts, recorded_until) AS TABLE (SELECT c.* FROM silver.px AS c)"
        )
        back_to_schema(connection, 10)


def test_the_next_run_after_an_upgrade_writes_them_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    """Although nothing is due, and although the plugin that filled the table is gone."""
    older_macros(warehouse)
    other = Warehouse(tmp_path / "home", FakeVendor(entry(dataset="other", silver_table="other")))
    assert other.ask("SELECT count(*) FROM silver.px_as_of(TIMESTAMP '2024-01-02 12:30')") == [(0,)]
    other.run()
    assert other.ask("SELECT close::INTEGER FROM silver.px_as_of(TIMESTAMP '2024-01-02 12:30')") == [(1,)]
    assert other.ask("SELECT macros FROM ops.table_declarations WHERE table_name = 'px'") == [(2,)]
    names = [column[0] for column in _described(other, "FROM silver.px_as_of(now())")]
    assert names == [column[0] for column in _described(other, "FROM silver.px")]
    assert other.ask("SELECT close::INTEGER FROM silver.px_as_of(now(), TIMESTAMP '2024-01-02 12:30')") == [(1,)]


def _described(warehouse: Warehouse, query: str) -> list[tuple[str, ...]]:
    return warehouse.ask(f"DESCRIBE {query}")
