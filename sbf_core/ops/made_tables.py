"""What made each silver table, and which datasets wait for their user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import duckdb

from sbf_core.clock import Clock, to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import declaration_text, fingerprint_of
from sbf_core.ops import queries
from sbf_core.ops.rows import RowCounts
from sbf_core.ops.take_over import take_over
from sbf_core.vocabulary import HoldKind

_Write = Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None]


@attrs.frozen(kw_only=True)
class MadeTable:
    """What made a silver table.

    Attributes:
        table: its name, without schema.
        dataset: the identity of the dataset that fills it.
        fingerprint: of the declaration.
        declaration: what of it decides the rows, as ``declaration_text`` writes it.
    """

    table: str
    dataset: str
    fingerprint: str
    declaration: str


@attrs.frozen(kw_only=True)
class Hold:
    """What a dataset waits for.

    Attributes:
        dataset: its identity.
        table: its silver table, without schema.
        kind: what is held: the table, or payloads.
        subject: the fingerprint of the declaration that waits, or the field that is gone.
        reason: for a reader.
    """

    dataset: str
    table: str
    kind: HoldKind
    subject: str
    reason: str


def made_tables(conn: duckdb.DuckDBPyConnection) -> dict[str, MadeTable]:
    """What made each silver table, by its name."""
    rows = conn.execute("SELECT table_name, dataset, fingerprint, declaration FROM ops.table_declarations").fetchall()
    return {
        table: MadeTable(table=table, dataset=dataset, fingerprint=fingerprint, declaration=declaration)
        for table, dataset, fingerprint, declaration in rows
    }


def holds(conn: duckdb.DuckDBPyConnection) -> list[Hold]:
    """What datasets wait for, in order."""
    rows = conn.execute("SELECT dataset, table_name, kind, subject, reason FROM ops.held ORDER BY ALL").fetchall()
    return [
        Hold(dataset=dataset, table=table, kind=HoldKind(kind), subject=subject, reason=reason)
        for dataset, table, kind, subject, reason in rows
    ]


class MadeTables:
    """What made each silver table, and what waits. Got from ``OpsService.tables``.

    Args:
        cursor: gives this thread's cursor.
        write: runs some work in one transaction.
        clock: the present moment.
    """

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection], write: _Write, clock: Clock) -> None:
        self._cursor = cursor
        self._write = write
        self._clock = clock

    def made(self) -> Mapping[str, MadeTable]:
        """What made each silver table, by its name."""
        return made_tables(self._cursor())

    def holds(self) -> list[Hold]:
        """What datasets wait for."""
        return holds(self._cursor())

    def record(self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
        """The declaration has made the table: in the transaction that makes it. Writes ops.table_declarations, and
        ends in ops.held what waited for a declaration. Idempotent.
        """
        text = declaration_text(entry)
        conn.execute("DELETE FROM ops.table_declarations WHERE table_name = ?", [entry.silver_table])
        conn.execute(
            "INSERT INTO ops.table_declarations VALUES (?, ?, ?, ?, ?)",
            [entry.silver_table, entry.id, fingerprint_of(text), text, to_naive_utc(self._clock.now())],
        )
        conn.execute("DELETE FROM ops.held WHERE table_name = ?", [entry.silver_table])

    def take_over(self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, other: str) -> None:
        """Take what the ledger of another database says of a dataset's promotions in the place of what stands here, in
        the caller's transaction, the one that swaps its tables.

        Writes ops.promotion_manifest, ops.rejects, ops.schema_drift, ops.watermarks, ops.file_ingestions and
        ops.data_dates.
        """
        take_over(conn, entry, other=other)

    def promoted_counts(self, file_ids: Sequence[str]) -> RowCounts:
        """What the promotion of some payloads came to."""
        return queries.promoted_counts(self._cursor(), file_ids)

    def forget(self, conn: duckdb.DuckDBPyConnection, table: str) -> None:
        """The table is gone. Writes ops.table_declarations and ops.held in the caller's transaction. Idempotent."""
        conn.execute("DELETE FROM ops.table_declarations WHERE table_name = ?", [table])
        conn.execute("DELETE FROM ops.held WHERE table_name = ?", [table])

    def hold(self, hold: Hold) -> None:
        """A dataset waits. Writes ops.held in a transaction of its own. Idempotent."""
        self._write(lambda conn: self.hold_within(conn, hold))

    def hold_within(self, conn: duckdb.DuckDBPyConnection, hold: Hold, *, file_id: str | None = None) -> None:
        """The same in the caller's transaction, with the payload that waits. Idempotent."""
        same = [hold.table, str(hold.kind), hold.subject]
        conn.execute("DELETE FROM ops.held WHERE table_name = ? AND kind = ? AND subject = ?", same)
        conn.execute(
            "INSERT INTO ops.held VALUES (?, ?, ?, ?, ?, ?, ?)",
            [hold.dataset, *same, hold.reason, file_id, to_naive_utc(self._clock.now())],
        )
