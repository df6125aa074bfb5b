"""Bronze to Silver: one batch of payloads of one dataset, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.engine_errors import ENGINE_ERRORS, EngineFault, fault_of
from sbf_core.duck.transaction import transaction
from sbf_core.errors import DamageFound, EnvironmentFault, FieldGone, PayloadRefused, SbfError
from sbf_core.failures import Failure, FailureKind, kind_of
from sbf_core.faults import fault_point
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.silver.cursors import moves_of
from sbf_core.silver.cut import promoted_beyond
from sbf_core.silver.drift import DriftWatch, Gone, lenient, notes_of_emptied, why_refused, without_gone
from sbf_core.silver.fields import record_fields
from sbf_core.silver.inspection import READ_BYTES_MAX, Inspected, inspect, refusal
from sbf_core.silver.judging import keys_twice, refuse_payloads, reject_rewrites, settle_duplicates
from sbf_core.silver.merge import Merged, merge
from sbf_core.silver.outcome import Batch, BatchOutcome
from sbf_core.silver.outside import reject_outside
from sbf_core.silver.promoted import promoted_of, totals
from sbf_core.silver.reading import AskPlan
from sbf_core.silver.rejects import notes_of_rejects
from sbf_core.silver.restatement import restatements
from sbf_core.silver.staging import Habits, stage_batch, staged_of, straight_rows
from sbf_core.silver.straight import NotStraight, leave_straight, take_straight
from sbf_core.silver.vanished import close_vanished, find_vanished, list_answers, note_of_empty, note_of_vanished
from sbf_core.vocabulary import Drift, Semantics

#: Hashing a large payload leaves Python's lock alone; over small ones threads only wait for it, at twice the cost.
_LOOKING_THREADS = 4
#: Files of a batch in the staging folder, beside those that begin with the id of a payload.
BATCH_FILES = frozenset({"documents.ndjson", "parsed.ndjson", "records.ndjson"})
#: What payloads joined into one file are called, and copies in another encoding.
BATCH_PREFIXES = ("joined-", "tmp")
_REJECTS = (
    "SELECT _bronze_file_id AS bronze_file_id, _run_id AS run_id, split_part(_reason, ':', 1) AS reason, "
    "nullif(split_part(_reason, ':', 2), '') AS column_name, _row AS row_json FROM stage WHERE _reason IS NOT NULL AND "
    "NOT _context"
)


#: Payloads that were looked at, and why others were refused, by id.
Looked = tuple[list[Inspected], dict[str, SbfError]]


class Promotion:
    """Promotes batches of one dataset, whose tables are there, see ``prepare_tables``.

    Args:
        ops: the facade, for the ledger's part of the transaction.
        entry: the dataset.
        bronze, staging: folders of the home.
        ask_plan: asks the plugin's hook ``promote``; None where it has none.
        fresh_run_id: payloads of this run were written by this process; the hash of others is checked again.
        drift: what to do with payloads that lack a field which came until then; None where that was settled before.
        is_accepted: the payloads were released although they lack one.
        needs_all: a payload that is not what was recorded ends the promotion with ``DamageFound``; else it costs only
            itself.
    """

    def __init__(
        self,
        ops: OpsService,
        entry: DatasetKeymapEntry,
        *,
        bronze: Path,
        staging: Path,
        ask_plan: AskPlan = None,
        fresh_run_id: str = "",
        drift: Drift | None = None,
        is_accepted: bool = False,
        needs_all: bool = False,
    ) -> None:
        self._ops = ops
        self._entry = entry
        self._bronze = bronze
        self._staging = staging
        self._ask_plan = ask_plan
        self._fresh_run_id = fresh_run_id
        self._drift = None if is_accepted else drift
        self._reading = lenient(entry) if is_accepted else entry
        self._needs_all = needs_all
        self._habits = Habits()

    def promote(
        self,
        rows: Sequence[BronzeManifestRow],
        *,
        context: Sequence[BronzeManifestRow] = (),
        looked: Looked | None = None,
    ) -> BatchOutcome:
        """Promote payloads, oldest first; all of their ledger and silver rows are kept together, or none.

        Args:
            rows: payloads to promote. For snapshots there is one.
            context: younger payloads that were promoted before one of ``rows`` arrived late. Those of a vendor that
                cuts days of publication are found here.
            looked: what ``look`` said of ``rows``, where they were looked at before and have no context.
        """
        started_at = self._ops.clock.now()
        conn = self._ops.cursor()
        items, refused_looks = self.look(rows, context) if looked is None else looked
        if not refused_looks and not context:
            outcome = self._promote_straight(conn, rows, items, started_at)
            if outcome is not None:
                return outcome
        errors = {file_id: refusal(error) for file_id, error in refused_looks.items()}
        staged = stage_batch(
            conn, self._reading, items, staging=self._staging, ask_plan=self._ask_plan, habits=self._habits
        )
        beyond = promoted_beyond(conn, self._entry)
        if beyond:
            return self.promote(rows, context=[*context, *beyond])
        errors.update(staged.errors)
        gone = self._gone(conn, rows, items, refused_looks, staged.errors)
        errors, held = without_gone(conn, gone, errors, drift=self._drift)
        are_rejects = reject_outside(conn, self._entry) or staged.has_rejects
        unique = not keys_twice(conn, self._entry, rows=staged.row_count)
        if not unique and settle_duplicates(conn, self._entry):
            are_rejects, unique = True, not keys_twice(conn, self._entry, rows=staged.row_count)
        kinds = {file_id: kind_of(error) for file_id, error in refused_looks.items()}
        kinds |= dict.fromkeys(gone, FailureKind.FIELD_GONE)
        failed = {
            row.bronze_file_id: self._failure(row, errors[row.bronze_file_id], kinds)
            for row in rows
            if row.bronze_file_id in errors
        }
        refused = refuse_payloads(conn, self._entry, without={*errors, *held}, are_rejects=are_rejects)
        failed |= {
            row.bronze_file_id: attrs.evolve(refused[row.bronze_file_id], dataset=self._entry.id, payload=row.rel_path)
            for row in rows
            if row.bronze_file_id in refused
        }
        told = {file_id: one for file_id, one in gone.items() if file_id not in {*errors, *held, *refused}}
        is_as_staged = not (are_rejects or gone or refused or self._entry.semantics is Semantics.APPEND)
        batch = Batch(
            rows=rows,
            items=items,
            staged=staged,
            is_as_staged=is_as_staged,
            started_at=started_at,
            failed=failed,
            held=held,
            refused=refused,
            told=told,
            without=frozenset({*errors, *held, *refused}),
        )
        fault_point("promote.staged")
        with transaction(conn):
            fault_point("promote.begun")
            merged = self._take_in(conn, unique=unique)
            outcome = self._recorded(conn, batch, merged, is_known=merged.is_known and not context)
            fault_point("promote.recorded")
        fault_point("promote.committed")
        self._clean(items)
        return outcome

    def _promote_straight(
        self,
        conn: duckdb.DuckDBPyConnection,
        rows: Sequence[BronzeManifestRow],
        items: Sequence[Inspected],
        started_at: dt.datetime,
    ) -> BatchOutcome | None:
        """Promote a batch of which nothing must be judged, see ``straight``; None, and nothing is kept, where something
        must.
        """
        habit = self._habits.straight
        if self._ask_plan is not None or not items or not habit.allows(conn, self._entry, rows):
            return None
        try:
            taken = straight_rows(conn, self._reading, items, staging=self._staging)
            if taken is None:
                return None
            batch = Batch(rows=rows, items=items, staged=staged_of(items, {}), started_at=started_at)
            fault_point("promote.staged")
            with transaction(conn):
                fault_point("promote.begun")
                take_straight(conn, self._entry, taken, items)
                if self._gone(conn, rows, items, {}, {}):
                    raise NotStraight
                outcome = self._recorded(conn, batch, Merged(), is_known=False, may_close=False)
                leave_straight(conn)
                fault_point("promote.recorded")
        except (*ENGINE_ERRORS, PayloadRefused, NotStraight) as error:
            if not isinstance(error, NotStraight) and fault_of(error) not in (EngineFault.INPUT, EngineFault.MEMORY):
                raise
            habit.is_on = False
            return None
        fault_point("promote.committed")
        self._clean(items)
        return outcome

    def _recorded(
        self, conn: duckdb.DuckDBPyConnection, batch: Batch, merged: Merged, *, is_known: bool, may_close: bool = True
    ) -> BatchOutcome:
        """The ledger's part of the transaction that took the rows in; what became of the batch.

        ``is_known``: a key was known before, and no payload arrived late. ``may_close``: rows were there before.
        """
        rows = batch.rows
        notes = notes_of_emptied(batch.told)
        closed: Mapping[str, int] = {}
        if may_close:
            gone_notes, closed = self._without_vanished(conn, batch.without, is_known=is_known)
            notes += gone_notes
        fault_point("promote.merged")
        told = batch.staged.told if batch.is_as_staged else None
        promoted = promoted_of(
            conn, self._entry, rows, merged=merged, closed=closed, failed=batch.failed, held=batch.held, told=told
        )
        counts = totals(promoted)
        rejects = _REJECTS if counts.rejected else ""
        self._ops.record_promoted(conn, self._entry, promoted, started_at=batch.started_at, rejects=rejects)
        if self._ask_plan is None:
            notes += record_fields(self._ops, conn, self._entry, batch.staged, tells=self._drift is not None)
        restated = tuple(restatements(conn, self._entry))
        if self._entry.cursor is not None:
            moves = moves_of(conn, self._entry, rows, batch.items, without=batch.without)
            self._ops.move_cursors(conn, self._entry, moves)
        self._ops.restated.mark(
            conn, {self._entry.key(each.ticker) for each in restated}, again_from=self._entry.first_date
        )
        notes += notes_of_rejects(conn, batch.refused) if rejects else ()
        paths = {row.bronze_file_id: row.rel_path for row in rows}
        waiting = {paths[file_id]: text for file_id, text in batch.held.items() if file_id in paths}
        failures = tuple(batch.failed.values())
        return BatchOutcome(counts=counts, failures=failures, held=waiting, restated=restated, notes=notes)

    def _failure(self, row: BronzeManifestRow, text: str, kinds: Mapping[str, FailureKind]) -> Failure:
        kind = kinds.get(row.bronze_file_id, FailureKind.PAYLOAD)
        return Failure(kind=kind, what=text, dataset=self._entry.id, payload=row.rel_path)

    def _gone(
        self,
        conn: duckdb.DuckDBPyConnection,
        rows: Sequence[BronzeManifestRow],
        items: Sequence[Inspected],
        looks: Mapping[str, SbfError],
        errors: Mapping[str, str],
    ) -> dict[str, Gone]:
        """Payloads that lack a field which came until then."""
        if self._drift is None or self._ask_plan is not None:
            return {}
        refused = {file_id: error for file_id, error in looks.items() if isinstance(error, FieldGone)}
        for item in items:
            if item.file_id in errors:
                error = why_refused(self._entry, item, staging=self._staging)
                refused |= {item.file_id: error} if isinstance(error, FieldGone) else {}
        fetched = {row.bronze_file_id: row.fetched_at for row in rows}
        return DriftWatch(conn, self._entry, fetched).gone(items, refused)

    def look(self, rows: Sequence[BronzeManifestRow], context: Sequence[BronzeManifestRow] = ()) -> Looked:
        """Look at payloads, see ``inspect``. Asks no database, so another thread may do it while a batch is promoted.

        Returns:
            What was found, and why the others are refused, by id.
        """
        looked_at = [*((row, False) for row in rows), *((row, True) for row in context)]
        items: list[Inspected] = []
        errors: dict[str, SbfError] = {}
        large = sum(row.content_length_bytes > READ_BYTES_MAX for row, _ in looked_at)
        look_at = partial(self._look_at, known=set())
        with ThreadPoolExecutor(_LOOKING_THREADS) as pool:
            each = pool.map(look_at, looked_at) if large > 1 else map(look_at, looked_at)
            for (row, _), outcome in zip(looked_at, each, strict=True):
                if isinstance(outcome, Inspected):
                    items.append(outcome)
                else:
                    errors[row.bronze_file_id] = outcome
        return items, errors

    def _look_at(self, looked_at: tuple[BronzeManifestRow, bool], *, known: set[str]) -> Inspected | SbfError:
        row, is_context = looked_at
        fresh = row.run_id == self._fresh_run_id
        try:
            return inspect(
                self._reading,
                row,
                bronze=self._bronze,
                staging=self._staging,
                fresh=fresh,
                is_context=is_context,
                as_declared=self._ask_plan is None,
                known=known,
            )
        except EnvironmentFault:
            raise  # the payload may be fine: it stays to be promoted
        except SbfError as error:
            if self._needs_all and isinstance(error, DamageFound):
                raise
            return error

    def _take_in(self, conn: duckdb.DuckDBPyConnection, *, unique: bool) -> Merged:
        """``unique``: no key has two live rows in the batch."""
        if self._entry.semantics is Semantics.APPEND:
            reject_rewrites(conn, self._entry, unique=unique)
        return merge(conn, self._entry, unique=unique)

    def _without_vanished(
        self, conn: duckdb.DuckDBPyConnection, without: Collection[str], *, is_known: bool
    ) -> tuple[tuple[str, ...], Mapping[str, int]]:
        """Close the rows that answers do not list although they speak about them, or tell of them; what is to be told,
        and how many rows payloads closed.
        """
        entry = self._entry
        if not entry.closes_rows and not (entry.tells_of_vanished and is_known and self._drift is not None):
            return (), {}
        is_told = entry.closes_rows and self._drift is not None
        note = note_of_empty(conn, entry, without=without) if is_told else None
        list_answers(conn, entry, without=without)
        notes = () if note is None else (note,)
        if not find_vanished(conn, entry):
            return notes, {}
        if not entry.closes_rows:
            return (note_of_vanished(conn, entry),), {}
        close_vanished(conn, entry)
        return notes, dict(conn.execute("SELECT v._by, count(*) FROM vanished AS v GROUP BY v._by").fetchall())

    def _clean(self, items: Sequence[Inspected]) -> None:
        ids = {item.file_id for item in items}
        for path in self._staging.iterdir():
            if path.name in BATCH_FILES or path.name.startswith(BATCH_PREFIXES) or path.name.partition(".")[0] in ids:
                path.unlink(missing_ok=True)
