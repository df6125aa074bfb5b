"""Bronze to Silver: one batch of payloads of one dataset, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import duckdb

from sbf_core.bronze.file_reader import read_payload
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import differs, literal, matches, quoted, quoted_list
from sbf_core.duck.transaction import transaction
from sbf_core.errors import DamageFound, DatasetFailure, EnvironmentFault, SbfError
from sbf_core.faults import fault_point
from sbf_core.ops.bulk import insert_rows
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.ops.service import OpsService
from sbf_core.silver.inspection import Inspected, inspect, refusal
from sbf_core.silver.merge import LIVE, close_vanished, is_empty, merge, shrinkage
from sbf_core.silver.reading import AskPlan
from sbf_core.silver.restatement import restated_tickers
from sbf_core.silver.staging import Staged, stage_batch
from sbf_core.silver.tables import current_table, ensure_tables, history_table, value_columns
from sbf_core.vocabulary import OnDuplicate, Semantics

_LOOKING_THREADS = 4
_REJECTS = (
    "SELECT _bronze_file_id AS bronze_file_id, _run_id AS run_id, split_part(_reason, ':', 1) AS reason, "
    "nullif(split_part(_reason, ':', 2), '') AS column_name, _row AS row_json FROM stage WHERE _reason IS NOT NULL AND NOT _context"
)


@attrs.frozen(kw_only=True)
class BatchOutcome:
    """What became of a batch.

    Attributes:
        counts: rows of all its payloads together.
        errors: per relative path why a payload failed.
        restated: tickers whose vendor restated their past, with the factor; they are marked to be fetched again.
    """

    counts: RowCounts
    errors: Mapping[str, str]
    restated: Mapping[str, float] = attrs.field(factory=dict)


class Promotion:
    """Promotes batches of one dataset.

    Args:
        ops: the facade, for the ledger's part of the transaction.
        entry: the dataset.
        bronze, staging: folders of the home.
        ask_plan: asks the plugin's hook ``promote``; None where it has none.
        fresh_run_id: payloads of this run were written by this process; the hash of others is checked again.
    """

    def __init__(
        self, ops: OpsService, entry: DatasetKeymapEntry, *, bronze: Path, staging: Path, ask_plan: AskPlan = None, fresh_run_id: str = ""
    ) -> None:
        self._ops = ops
        self._entry = entry
        self._bronze = bronze
        self._staging = staging
        self._ask_plan = ask_plan
        self._fresh_run_id = fresh_run_id

    def prepare(self) -> None:
        """Make or extend the silver tables. Raises ``UsageError`` where the declaration no longer fits them."""
        ensure_tables(self._ops.cursor(), self._entry)
        fault_point("promote.prepared")

    def start_over(self) -> list[BronzeManifestRow]:
        """Empty the dataset's silver tables and forget its promotions, in one transaction; returns all its payloads, to be promoted again.

        A crash afterwards leaves payloads that are still to be promoted, which the next run does.

        Raises:
            DatasetFailure: a payload is not there any more, so that its rows could not come back; nothing was changed.
        """
        entry = self._entry
        rows = [row for row in self._ops.load_manifest_rows() if row.dataset_id == entry.id]
        for row in rows:
            try:
                read_payload(self._bronze, row)
            except DamageFound as error:
                raise DatasetFailure("the table cannot be made again", where=str(error), fix="run `sbf repair` first") from error
        with transaction(self._ops.cursor()) as conn:
            for table in (current_table(entry), history_table(entry)):
                conn.execute(f"DELETE FROM {table}")
            self._ops.forget_promotions(conn, entry)
            fault_point("promote.emptied")
        return rows

    def promote(self, rows: Sequence[BronzeManifestRow], *, context: Sequence[BronzeManifestRow] = ()) -> BatchOutcome:
        """Promote payloads, oldest first; all of their ledger and silver rows are kept together, or none.

        Args:
            rows: payloads to promote. For snapshots there is one.
            context: younger payloads that were promoted before one of ``rows`` arrived late.
        """
        started_at = self._ops.clock.now()
        conn = self._ops.cursor()
        items, errors = self._inspected(rows, context)
        staged = stage_batch(conn, self._entry, items, staging=self._staging, ask_plan=self._ask_plan)
        errors.update(staged.errors)
        self._judge(conn)
        refused = self._refuse(conn, rows[0])
        fault_point("promote.staged")
        with transaction(conn):
            fault_point("promote.begun")
            closed = self._take_in(conn, rows[0])
            fault_point("promote.merged")
            self._make_promoted(conn, rows, errors={**errors, **refused}, closed=closed)
            self._ops.record_promoted(conn, self._entry, started_at=started_at, rejects=_REJECTS)
            self._ops.record_drift(conn, self._entry.silver_table, self._drift(staged))
            restated = restated_tickers(conn, self._entry)
            self._ops.restated.mark(conn, {self._entry.key(ticker) for ticker in restated}, again_from=self._entry.first_date)
            counts = _totals(conn)
            fault_point("promote.recorded")
        fault_point("promote.committed")
        self._clean(items)
        paths = {row.bronze_file_id: row.rel_path for row in rows}
        told = {paths[file_id]: text for file_id, text in {**errors, **refused}.items() if file_id in paths}
        return BatchOutcome(counts=counts, errors=told, restated=restated)

    def _inspected(self, rows: Sequence[BronzeManifestRow], context: Sequence[BronzeManifestRow]) -> tuple[list[Inspected], dict[str, str]]:
        looked_at = [*((row, False) for row in rows), *((row, True) for row in context)]
        items: list[Inspected] = []
        errors: dict[str, str] = {}
        with ThreadPoolExecutor(_LOOKING_THREADS) as pool:  # reading and hashing leave Python's lock alone
            for (row, _), found in zip(looked_at, pool.map(self._look_at, looked_at), strict=True):
                if isinstance(found, Inspected):
                    items.append(found)
                else:
                    errors[row.bronze_file_id] = refusal(found)
        return items, errors

    def _look_at(self, looked_at: tuple[BronzeManifestRow, bool]) -> Inspected | SbfError:
        row, is_context = looked_at
        fresh = row.run_id == self._fresh_run_id
        try:
            return inspect(self._entry, row, bronze=self._bronze, staging=self._staging, fresh=fresh, is_context=is_context, as_declared=self._ask_plan is None)
        except EnvironmentFault:
            raise  # the payload may be fine: it stays to be promoted
        except SbfError as error:
            return error

    def _judge(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Settle keys that one payload states twice: equal rows count once, others by the declared rule."""
        entry = self._entry
        scope = ["_bronze_file_id", *entry.key_columns, *(["known_from"] if entry.known_from_column else [])]
        by = quoted_list(scope)
        conn.execute(f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {by} FROM stage WHERE {LIVE} GROUP BY ALL HAVING count(*) > 1")
        if not _number(conn, "SELECT count(*) FROM twice"):
            return
        values = value_columns(entry)
        order = "DESC" if entry.on_duplicate is OnDuplicate.LAST else "ASC"
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE judged AS SELECT s.rowid AS id, row_number() OVER (PARTITION BY {quoted_list(scope, prefix='s.')} ORDER BY s.rowid {order}) AS place, "
            f"{differs(values, 's', 'f')} AS is_other FROM stage AS s JOIN "
            f"(SELECT {by}, {', '.join(f'first({quoted(name)} ORDER BY rowid {order}) AS {quoted(name)}' for name in values) or '1'} FROM stage SEMI JOIN twice USING ({by}) "
            f"WHERE {LIVE} GROUP BY {by}) AS f ON {matches(scope, 's', 'f')} WHERE s._reason IS NULL AND s._outcome IS NULL"
        )
        conn.execute("UPDATE stage SET _outcome = 'unchanged' FROM judged AS j WHERE stage.rowid = j.id AND j.place > 1 AND NOT j.is_other")
        conflict = f"SELECT {by} FROM stage SEMI JOIN (SELECT id FROM judged WHERE is_other) AS j ON stage.rowid = j.id"
        packed = ", ".join(f"{quoted(column.source_name)} := stage.{quoted(column.name)}" for column in entry.columns)
        reason = f"_reason = 'duplicate_key', _row = CAST(to_json(struct_pack({packed})) AS VARCHAR)"
        if entry.on_duplicate is OnDuplicate.REJECT:
            conn.execute(f"CREATE OR REPLACE TEMP TABLE conflict AS SELECT DISTINCT * FROM ({conflict})")
            conn.execute(f"UPDATE stage SET {reason}, _outcome = NULL FROM conflict AS c WHERE {matches(scope, 'stage', 'c')} AND stage._reason IS NULL")
        else:
            conn.execute(f"UPDATE stage SET {reason} FROM judged AS j WHERE stage.rowid = j.id AND j.is_other")

    def _refuse(self, conn: duckdb.DuckDBPyConnection, first: BronzeManifestRow) -> dict[str, str]:
        """Payloads with too large a share of rejects, and snapshots that shrank too much, are refused whole: each of their rows becomes a reject."""
        share = self._entry.reject_share_max
        rows = conn.execute(
            "SELECT _bronze_file_id, count(_reason), count(*), mode(_reason) FROM stage WHERE NOT _context GROUP BY 1 HAVING count(_reason) > ? * count(*)", [share]
        ).fetchall()
        refused = {
            file_id: f"{bad} of {seen} rows rejected ({bad / seen:.1%}, {share:.1%} are allowed), mostly {reason}" for file_id, bad, seen, reason in rows
        }
        shrunk = shrinkage(conn, self._entry, scope=self._snapshot_scope(first)) if self._entry.semantics is Semantics.SNAPSHOT and not refused else ""
        if shrunk:
            refused[first.bronze_file_id] = shrunk
        if refused:
            ids = ", ".join(literal(file_id) for file_id in refused)
            packed = ", ".join(f"{quoted(column.source_name)} := {quoted(column.name)}" for column in self._entry.columns)
            conn.execute(
                f"UPDATE stage SET _reason = coalesce(_reason, 'file_refused'), _outcome = NULL, _row = coalesce(_row, CAST(to_json(struct_pack({packed})) AS VARCHAR)) "
                f"WHERE _bronze_file_id IN ({ids}) AND NOT _context"
            )
        return refused

    def _take_in(self, conn: duckdb.DuckDBPyConnection, first: BronzeManifestRow) -> int:
        entry = self._entry
        if entry.semantics is Semantics.APPEND:
            self._reject_rewrites(conn)
        keys = quoted_list(entry.key_columns)
        several = _number(conn, f"SELECT count(*) FROM (SELECT 1 FROM stage WHERE {LIVE} GROUP BY {keys} HAVING count(*) > 1)")
        merge(conn, entry, unique=not several)
        if entry.semantics is not Semantics.SNAPSHOT or not _number(conn, f"SELECT count(*) FROM stage WHERE {LIVE}"):
            return 0
        return close_vanished(conn, entry, scope=self._snapshot_scope(first))

    def _snapshot_scope(self, row: BronzeManifestRow) -> str:
        if row.ticker is None:
            return "true"
        identity = (row.domain, row.source, row.dataset, row.discriminator)
        same = " AND ".join(f"{name} = {literal(value)}" for name, value in zip(("domain", "source", "dataset", "discriminator"), identity, strict=True))
        return f"t._bronze_file_id IN (SELECT bronze_file_id FROM ops.bronze_manifest WHERE {same} AND ticker = {literal(row.ticker)})"

    def _reject_rewrites(self, conn: duckdb.DuckDBPyConnection) -> None:
        """``append``: a key that is there, or came earlier in the batch, with other values is rejected; with equal ones it is unchanged."""
        entry = self._entry
        keys, values = entry.key_columns, value_columns(entry)
        if is_empty(conn, entry) and not _number(conn, f"SELECT count(*) FROM (SELECT 1 FROM stage WHERE {LIVE} GROUP BY {quoted_list(keys)} HAVING count(*) > 1)"):
            return
        names = quoted_list([*keys, *values])
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE written_once AS SELECT * FROM (SELECT {names}, recorded_at, -1 AS id FROM {current_table(entry)} UNION ALL "
            f"SELECT {names}, recorded_at, rowid FROM stage WHERE {LIVE}) QUALIFY row_number() OVER (PARTITION BY {quoted_list(keys)} ORDER BY recorded_at, id) = 1"
        )
        packed = ", ".join(f"{quoted(column.source_name)} := stage.{quoted(column.name)}" for column in entry.columns)
        later = f"FROM written_once AS o WHERE {matches(keys, 'stage', 'o')} AND stage.rowid <> o.id AND stage._reason IS NULL AND stage._outcome IS NULL"
        conn.execute(f"UPDATE stage SET _outcome = 'unchanged' {later} AND NOT {differs(values, 'stage', 'o')}")
        conn.execute(f"UPDATE stage SET _reason = 'append_only', _row = CAST(to_json(struct_pack({packed})) AS VARCHAR) {later} AND {differs(values, 'stage', 'o')}")

    def _make_promoted(
        self, conn: duckdb.DuckDBPyConnection, rows: Sequence[BronzeManifestRow], *, errors: Mapping[str, str], closed: int
    ) -> None:
        """The temporary table ``promoted``: one row a payload, with its status and counts."""
        conn.execute("CREATE OR REPLACE TEMP TABLE promoting (bronze_file_id VARCHAR, run_id VARCHAR, ticker VARCHAR, error VARCHAR)")
        types = {"bronze_file_id": "VARCHAR", "run_id": "VARCHAR", "ticker": "VARCHAR", "error": "VARCHAR"}
        listed = [
            {"bronze_file_id": row.bronze_file_id, "run_id": row.run_id, "ticker": row.ticker, "error": errors.get(row.bronze_file_id)} for row in rows
        ]
        insert_rows(conn, "promoting", types, listed)
        day = self._row_date()
        conn.execute(
            "CREATE OR REPLACE TEMP TABLE promoted AS SELECT p.bronze_file_id, p.run_id, p.ticker, CASE WHEN p.error IS NULL THEN 'ok' ELSE 'failed' END AS status, "
            "coalesce(s.seen, 0) AS rows_seen, coalesce(w.inserted, 0) AS rows_inserted, coalesce(w.updated, 0) AS rows_updated, "
            "coalesce(s.seen - s.rejected, 0) - coalesce(w.inserted, 0) - coalesce(w.updated, 0) AS rows_unchanged, coalesce(s.rejected, 0) AS rows_rejected, "
            f"CAST({closed} AS BIGINT) AS rows_closed, s.coverage_from, s.coverage_to, p.error FROM promoting AS p "
            f"LEFT JOIN (SELECT _bronze_file_id AS id, count(*) AS seen, count(_reason) AS rejected, min({day}) FILTER (_reason IS NULL) AS coverage_from, "
            f"max({day}) FILTER (_reason IS NULL) AS coverage_to FROM stage WHERE NOT _context GROUP BY 1) AS s ON s.id = p.bronze_file_id "
            "LEFT JOIN (SELECT bronze_file_id AS id, sum(n) FILTER (NOT is_update) AS inserted, sum(n) FILTER (is_update) AS updated FROM written GROUP BY 1) AS w "
            "ON w.id = p.bronze_file_id"
        )

    def _row_date(self) -> str:
        name = self._entry.row_date_column
        return f"CAST({quoted(name)} AS DATE)" if name else "CAST(NULL AS DATE)"

    def _drift(self, staged: Staged) -> dict[str, tuple[str, str]]:
        if self._ask_plan is not None or not staged.items or not staged.fields:
            return {}
        declared = {column.source_name: column for column in self._entry.columns if not column.from_request}
        file_id = staged.items[-1].file.row.bronze_file_id
        found: dict[str, tuple[str, str]] = {name: ("added", file_id) for name in staged.fields if name not in declared}
        found.update({name: ("missing", file_id) for name in declared if name not in staged.fields})
        return found

    def _clean(self, items: Sequence[Inspected]) -> None:
        for item in items:
            path = Path(item.file.path)
            if path.parent == self._staging:
                path.unlink(missing_ok=True)
        for name in ("joined.ndjson", "parsed.ndjson"):
            (self._staging / name).unlink(missing_ok=True)


def _number(conn: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = conn.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _totals(conn: duckdb.DuckDBPyConnection) -> RowCounts:
    row = conn.execute(
        "SELECT sum(rows_seen), sum(rows_inserted), sum(rows_updated), sum(rows_unchanged), sum(rows_rejected), sum(rows_closed) FROM promoted"
    ).fetchone()
    assert row is not None
    seen, inserted, updated, unchanged, rejected, closed = (int(number or 0) for number in row)
    return RowCounts(seen=seen, inserted=inserted, updated=updated, unchanged=unchanged, rejected=rejected, closed=closed)

