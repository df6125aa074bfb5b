"""A home whose dataset is declared anew again and again, and how it is compared with ``declared_model``."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import types
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import duckdb
from declared_model import FIELDS, Declared, Row, Table, hooked, whole_rows
from typer.exceptions import Exit, TyperException
from warehouse import START, FakeVendor, Warehouse, counts_add_up

from sbf_core.api import GoldModel, ParseRows, SelectRows, hookimpl
from sbf_core.care.rebuild import Rebuilt, rebuild
from sbf_core.care.rebuild_tables import TableRebuild
from sbf_core.care.repair import Repair, Repaired
from sbf_core.care.verify import Verification, VerifyReport
from sbf_core.cli.app import application
from sbf_core.errors import SbfError
from sbf_core.home.home import Home as OpenedHome
from sbf_core.runs.context import RunContext
from sbf_core.silver.stale import stale_tables

#: Payloads are of hours after START; the present is long after, so that each run finds its dataset due.
NOW_HOURS = 50_000
FIRST_TABLE = "px"
FLAGS = {"bronze__fsync": "none", "duckdb__threads": 1, "run__publish": "no"}
DATASET = "prices/fake/"


class Changing(FakeVendor):
    """A vendor whose plugin is declared by ``declared``; its payloads are of an hour."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared.entry())
        self.declared = declared
        self.hour = 0

    def declare(self, declared: Declared) -> None:
        self.declared = declared
        self.entries = [declared.entry()]

    @hookimpl
    def fetch(self, entry: Any, request: Any) -> Any:
        self.payloads[entry.dataset, None] = self.payloads["", None]
        return attrs.evolve(super().fetch(entry, request), fetched_at=moment(self.hour), address=f"fake://{self.hour}")

    @hookimpl
    def build_gold(self) -> Sequence[GoldModel]:
        return [_gold("fact", self.declared.table), _gold("fact_first", FIRST_TABLE)]


class Hooked(Changing):
    """The same with a hook, whose versions read the note otherwise."""

    @hookimpl
    def promote(self, entry: Any, batch: Any) -> Any:
        version = entry.promote_version
        if version % 3 == 1:
            return None
        fields = batch.fields if version % 3 == 0 else ()
        if "document" in fields:
            names = ", ".join(f"b.r->>'{name}' AS {name}" for name in FIELDS if name != "note")
            return SelectRows(
                f"SELECT b._file, {names}, (b.r->>'note') || '?' AS note "
                "FROM (SELECT _file, unnest(CAST(document AS JSON[])) AS r FROM batch) AS b"
            )
        if fields:
            return SelectRows("SELECT b.* REPLACE (b.note || '?' AS note) FROM batch AS b")
        return ParseRows(lambda payload: [hooked(version, row) for row in json.loads(payload)])


def _gold(name: str, table: str) -> GoldModel:
    return GoldModel(
        name=name,
        key=("id",),
        sql=f"SELECT t.id, count(*) AS n, max(t.known_from) AS last_at FROM silver.{table} AS t GROUP BY t.id",
    )


def moment(hour: int) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


def hour_of(at: dt.datetime | None) -> int | None:
    return None if at is None else round((at - START.replace(tzinfo=None)).total_seconds() / 3600)


class Home:
    """The home, and every command on it."""

    def __init__(self, folder: Path, vendor: Changing) -> None:
        self.vendor = vendor
        self.warehouse = Warehouse(folder / "home", vendor)
        self.warehouse.clock.advance(hours=NOW_HOURS)

    def later(self) -> OpenedHome:
        """What every command works on; the clock goes on."""
        self.warehouse.clock.advance(hours=1)
        return self.warehouse.opened(**FLAGS)

    def says(self, hour: int, rows: Sequence[Row]) -> None:
        self.vendor.hour = hour
        self.vendor.payloads["", None] = (json.dumps(list(rows)) + " " * hour).encode()  # bytes of its own

    def run(self, options: Any) -> RunContext:
        return self.warehouse.run(hours_later=1, options=options, **FLAGS)

    def rebuild(self, *, accept: bool) -> Rebuilt:
        return rebuild(self.later(), keep_backups=0, accept=accept)

    def rebuild_table(self, *, accept: bool) -> RunContext:
        return TableRebuild(self.later(), [f"{DATASET}{self.vendor.declared.dataset}"]).run(accept=accept)

    def verify(self) -> VerifyReport:
        return Verification(self.later()).run()

    def repair(self) -> Repaired:
        return Repair(self.later()).run()

    def asks(self, *arguments: str) -> int:
        """A command of the command line in this process; anything but a plain answer is a fault."""
        module = types.ModuleType("sbf_machine_plugin")
        module.plugin = self.vendor  # type: ignore[attr-defined]
        sys.modules["sbf_machine_plugin"] = module
        points = [EntryPoint("fake", "sbf_machine_plugin:plugin", "sbf.plugins")]
        with (
            mock.patch("sbf_core.plugin.manager._installed", lambda: points),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            try:
                answer = application(arguments)([*arguments, "--home", str(self.warehouse.home)], standalone_mode=False)
            except Exit as error:
                return error.exit_code
            except SbfError as error:
                return error.exit_code
            except TyperException as error:
                raise AssertionError(f"{arguments}: {error}") from error
        return answer if isinstance(answer, int) else 0

    def is_table(self, cursor: duckdb.DuckDBPyConnection, table: Table | None, *, exact: bool) -> None:
        """Compare everything with a table of the model; None: there is none.

        Args:
            cursor: on the database.
            table: of the model.
            exact: no payload came late, so that each one's part is known.
        """
        there = {
            name
            for (name,) in cursor.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'silver'"
            ).fetchall()
        }
        views = {
            name
            for (name,) in cursor.execute(
                "SELECT view_name FROM duckdb_views() WHERE schema_name = 'silver'"
            ).fetchall()
        }
        if table is None:
            assert there == views == set()
            return
        declared = table.declared
        name, columns = declared.table, ", ".join(declared.columns)
        assert there == {name, f"{name}_history"}
        assert views == (set(declared.former_tables) if declared.keep_view else set())
        current, history = whole_rows(table)
        for place in (name, *views):
            rows = cursor.execute(f"SELECT {columns}, known_from, recorded_at FROM silver.{place}").fetchall()
            assert all(row[-1] == row[-2] for row in rows)
            _same([(*row[:-2], hour_of(row[-1])) for row in rows], current)
        superseded = cursor.execute(
            f"SELECT {columns}, known_from, known_to, _deleted FROM silver.{name}_history"
        ).fetchall()
        _same([(*row[:-3], hour_of(row[-3]), hour_of(row[-2]), row[-1]) for row in superseded], history)
        types_of = dict(cursor.execute(f"SELECT column_name, column_type FROM (DESCRIBE silver.{name})").fetchall())
        assert types_of[declared.amount] == declared.kind
        self._is_ledger(cursor, table, exact=exact)

    def _is_ledger(self, cursor: duckdb.DuckDBPyConnection, table: Table, *, exact: bool) -> None:
        promoted = cursor.execute(
            "SELECT m.fetched_at, p.status, p.rows_seen, p.rows_rejected, p.rows_inserted, p.rows_updated, "
            "p.rows_unchanged, p.silver_table FROM ops.promotion_manifest AS p "
            "JOIN ops.bronze_manifest AS m USING (bronze_file_id)"
        ).fetchall()
        found = {hour_of(at): facts for at, *facts in promoted}
        assert len(found) == len(promoted)
        assert found.keys() == table.came.keys()
        for hour, came in table.came.items():
            status, seen, rejected, inserted, updated, unchanged, name = found[hour]
            assert (status, seen, rejected, name) == (came.status, came.seen, came.rejected, table.declared.table), hour
            assert seen == rejected + inserted + updated + unchanged
            assert unchanged >= 0
            assert not exact or (inserted, updated) == (came.inserted, came.updated), hour
        rejects = cursor.execute(
            "SELECT m.fetched_at, r.reason, r.column_name FROM ops.rejects AS r "
            "JOIN ops.bronze_manifest AS m USING (bronze_file_id)"
        ).fetchall()
        wanted = Counter(
            {(hour, *reason): number for hour, came in table.came.items() for reason, number in came.rejects.items()}
        )
        kept = Counter((hour_of(at), reason, column) for at, reason, column in rejects)
        assert kept == wanted, f"kept {kept - wanted}, wanted {wanted - kept}, {table.declared}"
        assert cursor.execute("SELECT coverage_from, coverage_to FROM ops.watermarks").fetchall() == table.watermark

    def gold_is_right(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Every gold table whose silver table is there says what its SELECT says now."""
        names = {
            name
            for (name,) in cursor.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'silver'"
            ).fetchall()
        }
        for gold, silver in (("fact", self.vendor.declared.table), ("fact_first", FIRST_TABLE)):
            if silver in names:
                wanted = cursor.execute(_gold(gold, silver).sql + " ORDER BY ALL").fetchall()
                assert cursor.execute(f"SELECT id, n, last_at FROM gold.{gold} ORDER BY ALL").fetchall() == wanted, gold

    def is_clean(self) -> None:
        """No scratch file is left."""
        staging = self.warehouse.home / "staging"
        assert not staging.is_dir() or list(staging.iterdir()) == []

    def stale(self, cursor: duckdb.DuckDBPyConnection) -> tuple[bool, bool]:
        """Whether sbf says that the table is stale, and that it is held."""
        found = stale_tables(cursor, self.vendor.entries)
        return bool(found), any(each.hold is not None for each in found)

    def counts_add_up(self) -> None:
        counts_add_up(self.warehouse)


def _same(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> None:
    assert sorted(found, key=repr) == sorted(wanted, key=repr), f"found {found}, wanted {wanted}"
