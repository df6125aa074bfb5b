"""Gold tables: built from their SELECT as a delta, in one transaction with manifest and watermark."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import duckdb

from sbf_core.counted import counted
from sbf_core.duck.engine_errors import ENGINE_ERRORS, costs_only_its_own, first_line, is_inputs_fault, kind_of_fault
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.transaction import transaction
from sbf_core.errors import DatasetFailure, UsageError, said_by, shortened
from sbf_core.failures import FailureKind
from sbf_core.faults import fault_point
from sbf_core.gold.declared import declaration_text, declared_before, is_built_from, with_inputs
from sbf_core.gold.model import GoldModel
from sbf_core.gold.order import planned, versions_read
from sbf_core.gold.tables import columns_of, number, table_exists
from sbf_core.gold.time_limit import time_limit
from sbf_core.ops.service import OpsService
from sbf_core.value import Value
from sbf_core.vocabulary import WorkStatus

if TYPE_CHECKING:
    from sbf_core.gold.changed import Rebuilt

#: Under this name ``ops.gold_watermarks`` keeps what the last whole build was made from.
_ALL_TABLES = "*"
SELECT_SECONDS_MAX = 3_600.0
_THERE = """
SELECT t.schema_name, t.table_name FROM duckdb_tables() AS t
WHERE t.database_name = current_database() AND t.schema_name IN ('silver', 'gold')
UNION ALL SELECT v.schema_name, v.view_name FROM duckdb_views() AS v
WHERE v.database_name = current_database() AND v.schema_name = 'silver' ORDER BY ALL
"""


@attrs.frozen(kw_only=True)
class GoldOutcome(Value):
    """What became of one gold table.

    Attributes:
        table: its name.
        status: ``ok``, ``skipped`` or ``failed``.
        rows_seen: rows of the SELECT, or of the part that changed where only that was computed.
        rows_written: rows inserted, updated and deleted.
        note: why it was skipped or failed.
        kind: the kind of that; None where it did not fail.
        waits_for: a table that it reads and that nobody has filled; empty where they are there.
        is_half: others that it reads are there.
    """

    table: str
    status: WorkStatus
    rows_seen: int = 0
    rows_written: int = 0
    note: str = ""
    kind: FailureKind | None = None
    waits_for: str = ""
    is_half: bool = False


class _TestFailed(DatasetFailure):
    default_code = "GOLD_TEST"


class _NamesMeet(DatasetFailure):
    default_code = "GOLD_SQL"


class GoldBuild:
    """One build of the gold tables.

    Args:
        ops: the facade.
        run_id: the run that builds.
        force: build tables whose inputs have not changed, too.
        select_seconds_max: how long the SELECT of a table and its tests may take, together.
    """

    def __init__(
        self, ops: OpsService, *, run_id: str, force: bool = False, select_seconds_max: float = SELECT_SECONDS_MAX
    ) -> None:
        self._ops = ops
        self._select_seconds_max = select_seconds_max
        self._run_id = run_id
        self._force = force
        self._build_id: int | None = None
        self._built: dict[str, Rebuilt] = {}
        #: What tables wanted more memory than there is; nothing is recorded of them.
        self.lacking: list[Exception] = []

    def build(
        self,
        models: Sequence[GoldModel],
        *,
        owners: Mapping[str, Sequence[str]] | None = None,
        versions: Mapping[str, str] | None = None,
        done: Callable[[], None] = lambda: None,
    ) -> list[GoldOutcome]:
        """Build what has new input or another declaration, in the order that the SQL gives.

        A model that is wrong fails, and stops no other.

        Args:
            models: all of them.
            owners: who brings each table, for what is told of one that is brought twice.
            versions: of all tables, as ``OpsService.load_table_versions`` gives them now; asked for if None.
            done: called behind each table.
        """
        conn = self._ops.cursor()
        everything = _everything(conn, models, self._ops.load_table_versions(conn) if versions is None else versions)
        if not self._force and self._ops.gold_inputs(conn, table_name=_ALL_TABLES) == everything:
            return [GoldOutcome(table=model.name, status=WorkStatus.SKIPPED, note="no new input") for model in models]
        plan = planned(conn, models, owners=owners)
        outcomes = []
        for name, why in plan.faults.items():
            self._record_failure(conn, name, self._ops.clock.now(), {}, why)
            outcomes.append(GoldOutcome(table=name, status=WorkStatus.FAILED, note=why, kind=FailureKind.GOLD))
            done()
        for model in plan.order:
            outcomes.append(self._build_one(conn, model, plan.reads[f"gold.{model.name}"]))
            done()
        if all(outcome.status is not WorkStatus.FAILED for outcome in outcomes):
            self._remember(conn, models)
        return outcomes

    def _remember(self, conn: duckdb.DuckDBPyConnection, models: Sequence[GoldModel]) -> None:
        """A run with nothing new need not look at each model again: 30 ms for the bundled ones."""
        with transaction(conn):
            self._ops.upsert_gold_watermark(conn, table_name=_ALL_TABLES, watermark_date=None)
            everything = _everything(conn, models, self._ops.load_table_versions(conn))
            self._ops.set_gold_inputs(conn, table_name=_ALL_TABLES, inputs=everything)
        fault_point("gold.remembered")

    def _build_one(self, conn: duckdb.DuckDBPyConnection, model: GoldModel, reads: frozenset[str]) -> GoldOutcome:
        absent = sorted(table for table in reads if not table_exists(conn, table))
        if absent:
            note = f"{absent[0]} does not exist yet"
            is_half = any(table not in absent and table.startswith("silver.") for table in reads)
            return GoldOutcome(
                table=model.name, status=WorkStatus.SKIPPED, note=note, waits_for=absent[0], is_half=is_half
            )
        all_versions = self._ops.load_table_versions(conn)
        versions = versions_read(reads, all_versions)
        is_there = table_exists(conn, f"gold.{model.name}")
        kept = self._ops.gold_inputs(conn, table_name=model.name)
        if not self._force and is_there and is_built_from(kept, with_inputs(model, versions)):
            return GoldOutcome(table=model.name, status=WorkStatus.SKIPPED, note="no new input")
        self._begin()
        started_at = self._ops.clock.now()
        tests: dict[str, int] = {}
        try:
            with transaction(conn):
                fault_point("gold.begun")
                seen, written, keys = self._write(conn, model, kept if is_there else None, versions, started_at, tests)
                fault_point("gold.recorded")
            fault_point("gold.committed")
            self._note_changed(model, all_versions, keys)
        except (*ENGINE_ERRORS, DatasetFailure, UsageError) as error:
            if costs_only_its_own(error):
                self.lacking.append(error)
                return GoldOutcome(
                    table=model.name, status=WorkStatus.FAILED, note=said_by(error), kind=kind_of_fault(error)
                )
            if not is_inputs_fault(error):
                raise
            text = shortened(first_line(error))
            self._record_failure(conn, model.name, started_at, tests, text)
            return GoldOutcome(table=model.name, status=WorkStatus.FAILED, note=text, kind=FailureKind.GOLD)
        return GoldOutcome(table=model.name, status=WorkStatus.OK, rows_seen=seen, rows_written=written)

    def _write(
        self,
        conn: duckdb.DuckDBPyConnection,
        model: GoldModel,
        kept: str | None,
        versions: Mapping[str, str],
        started_at: dt.datetime,
        tests: dict[str, int],
    ) -> tuple[int, int, str]:
        """Rows computed, rows written, and the temporary table of the keys that changed, if there is one."""
        from sbf_core.gold.changed import find_changes  # what a run that builds nothing need not load
        from sbf_core.gold.tested import failing_rows
        from sbf_core.gold.writing import write_gold

        assert self._build_id is not None
        build_id = self._build_id
        self._ops.start_gold_manifest(conn, gold_build_id=build_id, table_name=model.name)
        before, keys = declared_before(kept), f"changed gold.{model.name}"
        with time_limit(conn, self._select_seconds_max, where=f"gold.{model.name}"):
            _check_surrogate_key(conn, model)
            changes = None
            if not self._force:
                changes = find_changes(conn, model, inputs=kept, versions=versions, built=self._built)
            select = model.full_sql if changes is None else changes.select
            conn.execute(f"CREATE OR REPLACE TEMP TABLE candidate AS {select}")
            tests |= failing_rows(conn, model, changes, is_written=False)
            _check(model, tests)
            written, has_keys = write_gold(
                conn,
                model,
                same_key=before is not None and tuple(before["key"]) == model.key,
                part="true" if changes is None else changes.condition,
                keys_into=keys,
            )
            tests |= failing_rows(conn, model, changes, is_written=True)
            _check(model, tests)
        self._ops.record_gold_tests(conn, gold_build_id=build_id, table_name=model.name, outcomes=tests)
        fault_point("gold.applied")
        seen = number(conn, "SELECT count(*) FROM candidate")
        self._ops.upsert_gold_watermark(conn, table_name=model.name, watermark_date=_watermark(conn, model))
        self._ops.set_gold_inputs(conn, table_name=model.name, inputs=with_inputs(model, versions))
        self._ops.finish_gold_manifest(
            conn,
            gold_build_id=build_id,
            table_name=model.name,
            status=WorkStatus.OK,
            rows_seen=seen,
            rows_written=written,
            error_message=None,
        )
        self._ops.record_gold_ingestion(
            conn, self._run_id, model.name, started_at=started_at, status=WorkStatus.OK, rows_inserted=written
        )
        return seen, written, keys if has_keys else ""

    def _note_changed(self, model: GoldModel, versions: Mapping[str, str], keys: str) -> None:
        """A table was built from the version that it had; ``keys``: the temporary table of those that changed."""
        from sbf_core.gold.changed import Rebuilt

        if keys:
            name = f"gold.{model.name}"
            self._built[name] = Rebuilt(version=versions.get(name, ""), keys=keys)

    def _begin(self) -> int:
        if self._build_id is None:
            self._build_id = self._ops.next_gold_build_id()
        return self._build_id

    def _record_failure(
        self, conn: duckdb.DuckDBPyConnection, table: str, started_at: dt.datetime, tests: Mapping[str, int], text: str
    ) -> None:
        build_id = self._begin()
        with transaction(conn):
            self._ops.start_gold_manifest(conn, gold_build_id=build_id, table_name=table)
            self._ops.record_gold_tests(conn, gold_build_id=build_id, table_name=table, outcomes=tests)
            self._ops.finish_gold_manifest(
                conn,
                gold_build_id=build_id,
                table_name=table,
                status=WorkStatus.FAILED,
                rows_seen=0,
                rows_written=0,
                error_message=text,
            )
            self._ops.record_gold_ingestion(
                conn,
                self._run_id,
                table,
                started_at=started_at,
                status=WorkStatus.FAILED,
                error=text,
                error_kind=FailureKind.GOLD,
            )


def _everything(conn: duckdb.DuckDBPyConnection, models: Sequence[GoldModel], versions: Mapping[str, str]) -> str:
    """Changes when any model, or any silver or gold table, does, and when one comes or goes that has no rows."""
    declared = sorted((model.name, model.full_sql, declaration_text(model)) for model in models)
    there = conn.execute(_THERE).fetchall()
    return hashlib.sha256(repr((declared, sorted(versions.items()), there)).encode()).hexdigest()


def _check(model: GoldModel, tests: Mapping[str, int]) -> None:
    """Raise ``_TestFailed`` if rows fail a test."""
    failed = {name: rows for name, rows in tests.items() if rows}
    if failed:
        raise _TestFailed(
            "; ".join(f"test {name} failed on {counted(rows, 'row')}" for name, rows in failed.items()),
            where=f"gold.{model.name}",
        )


def _check_surrogate_key(conn: duckdb.DuckDBPyConnection, model: GoldModel) -> None:
    """The engine would call one of the two ``x_1`` and say nothing."""
    if model.surrogate_key and model.surrogate_key.lower() in {
        name.lower() for name, _ in columns_of(conn, f"({model.body_sql})")
    }:
        what = f"its SELECT gives a column {model.surrogate_key!r}, which is the name of its surrogate key"
        raise _NamesMeet(what, where=f"gold.{model.name}", fix="give one of them another name")


def _watermark(conn: duckdb.DuckDBPyConnection, model: GoldModel) -> dt.date | None:
    if not model.date_column:
        return None
    table = f"gold.{quoted(model.name)}"
    row = conn.execute(f"SELECT CAST(max(t.{quoted(model.date_column)}) AS DATE) FROM {table} AS t").fetchone()
    return None if row is None else row[0]
