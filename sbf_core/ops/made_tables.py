"""What made each silver table, and which datasets wait for their user."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs
import duckdb

from sbf_core.clock import Clock, to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import as_written_now, declaration_text, fingerprint_of
from sbf_core.ops import queries
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.ops.rows import RowCounts
from sbf_core.ops.taking_over import take_over
from sbf_core.value import Value

#: Goes up with the text of the macros that look back, see ``silver/tables.py``.
MACROS = 2
_Write = Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None]


@attrs.frozen(kw_only=True)
class MadeTable(Value):
    """What made a silver table.

    Attributes:
        table: its name, without schema.
        dataset: the identity of the dataset that fills it.
        text: what of it decides the rows, as the release wrote it that made the table.
    """

    table: str
    dataset: str
    text: str

    @property
    def declaration(self) -> str:
        """The text as ``declaration_text`` writes it now."""
        return as_written_now(self.text)

    @property
    def reads(self) -> bool:
        """Whether its rows were read out of payloads that another dataset fetched."""
        return bool(json.loads(self.text).get("reads"))

    def is_made_by(self, declaration: str) -> bool:
        """Whether a text of now says the same; nearly always it is the same."""
        return self.text == declaration or self.declaration == declaration


@attrs.frozen(kw_only=True)
class HeldTable(Value):
    """A table that is not made again by itself.

    Attributes:
        table: its name, without schema.
        dataset: the identity of its dataset.
        fingerprint: of the declaration that waits.
        reason: what would be lost.
    """

    table: str
    dataset: str
    fingerprint: str
    reason: str


@attrs.frozen(kw_only=True)
class HeldPayloads(Value):
    """Payloads of one table that wait for their user.

    Attributes:
        table: its name, without schema.
        dataset: the identity of its dataset, as it was when the first of them was fetched.
        number: how many.
        since: when the first of them was fetched; UTC, naive.
        reason: why the newest of them is held.
    """

    table: str
    dataset: str
    number: int
    since: dt.datetime
    reason: str


def made_tables(conn: duckdb.DuckDBPyConnection) -> dict[str, MadeTable]:
    """What made each silver table, by its name."""
    rows = conn.execute("SELECT table_name, dataset, declaration FROM ops.table_declarations").fetchall()
    return {table: MadeTable(table=table, dataset=dataset, text=text) for table, dataset, text in rows}


def held_tables(conn: duckdb.DuckDBPyConnection) -> list[HeldTable]:
    """Tables that wait for their user, in order."""
    rows = conn.execute("SELECT table_name, dataset, fingerprint, reason FROM ops.held_tables ORDER BY ALL").fetchall()
    return [
        HeldTable(table=table, dataset=dataset, fingerprint=fingerprint, reason=reason)
        for table, dataset, fingerprint, reason in rows
    ]


def left_by_readers(made: Mapping[str, MadeTable], entries: Iterable[DatasetKeymapEntry]) -> list[MadeTable]:
    """Tables that were read out of others' payloads, and that no dataset fills now: no payload tells of them.

    Args:
        made: what made each table that is there.
        entries: the datasets that are declared, and can be read.
    """
    filled = {name for entry in entries for name in (entry.silver_table, *entry.former_tables)}
    return [one for table, one in sorted(made.items()) if table not in filled and one.reads]


def held_payloads(conn: duckdb.DuckDBPyConnection) -> list[HeldPayloads]:
    """Payloads that wait for their user, by table."""
    if conn.execute(f"SELECT 1 FROM {ALL_PROMOTIONS} WHERE status = 'held' LIMIT 1").fetchone() is None:
        return []  # as nearly always: the join costs each run two milliseconds
    rows = conn.execute(
        "SELECT p.silver_table, min_by(dataset_id, m.fetched_at), count(*), min(m.fetched_at), max_by(p.error, "
        f"m.fetched_at) FROM {ALL_PROMOTIONS} AS p JOIN ops.bronze_manifest AS m USING (bronze_file_id) WHERE "
        "p.status = 'held' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return [
        HeldPayloads(table=table, dataset=dataset, number=number, since=since, reason=reason)
        for table, dataset, number, since, reason in rows
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

    def record(self, conn: duckdb.DuckDBPyConnection, *entries: DatasetKeymapEntry) -> None:
        """The declarations have made their tables: in the transaction that makes them. Writes ops.table_declarations,
        and ends in ops.held_tables what waited. Idempotent.
        """
        moment = to_naive_utc(self._clock.now())
        rows: list[object] = []
        for entry in entries:
            text = declaration_text(entry)
            rows += [entry.silver_table, entry.id, fingerprint_of(text), text, moment, MACROS]
        tables = [entry.silver_table for entry in entries]
        conn.execute("DELETE FROM ops.table_declarations WHERE table_name IN (SELECT unnest(?))", [tables])
        values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(entries))
        conn.execute(f"INSERT INTO ops.table_declarations VALUES {values}", rows)
        _let_go(conn, tables, [name for entry in entries for name in entry.ids])

    def with_older_macros(self) -> list[MadeTable]:
        """Tables whose macros an older release made, in order."""
        rows = self._cursor().execute(
            "SELECT table_name, dataset, declaration FROM ops.table_declarations WHERE macros < ? ORDER BY 1", [MACROS]
        )
        return [MadeTable(table=table, dataset=dataset, text=text) for table, dataset, text in rows.fetchall()]

    def record_macros(self, conn: duckdb.DuckDBPyConnection, table: str) -> None:
        """The macros of a table are those of now, in the transaction that writes them. Writes ops.table_declarations.
        Idempotent.
        """
        conn.execute("UPDATE ops.table_declarations SET macros = ? WHERE table_name = ?", [MACROS, table])

    def take_over(self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, other: str) -> None:
        """Take what the ledger of another database says of a dataset's promotions in the place of what stands here, in
        the caller's transaction, the one that swaps its tables.

        Writes ops.promotion_manifest or ops.readings, ops.rejects, ops.schema_drift, ops.watermarks,
        ops.file_ingestions and ops.data_dates.
        """
        take_over(conn, entry, other=other)

    def promoted_counts(self, entry: DatasetKeymapEntry, file_ids: Sequence[str]) -> RowCounts:
        """What the promotion of some payloads into the table of a dataset came to."""
        return queries.promoted_counts(self._cursor(), entry, file_ids)

    def forget(self, conn: duckdb.DuckDBPyConnection, table: str) -> None:
        """The table is gone.

        Writes ops.table_declarations and ops.held_tables in the caller's transaction. Idempotent.
        """
        conn.execute("DELETE FROM ops.table_declarations WHERE table_name = ?", [table])
        conn.execute("DELETE FROM ops.held_tables WHERE table_name = ?", [table])

    def forget_gold(self, conn: duckdb.DuckDBPyConnection, table: str) -> None:
        """A gold table is gone. Writes ops.gold_watermarks in the caller's transaction. Idempotent."""
        conn.execute("DELETE FROM ops.gold_watermarks WHERE table_name = ?", [table])

    def hold(self, held: HeldTable, *, ids: Sequence[str]) -> None:
        """A table waits, for the declaration that was tried last. Writes ops.held_tables in a transaction of its own.
        Idempotent.

        Args:
            held: what waits.
            ids: the identities of its dataset, former ones too: what waited under a former name of the table ends.
        """

        def work(conn: duckdb.DuckDBPyConnection) -> None:
            _let_go(conn, [held.table], ids)
            moment = to_naive_utc(self._clock.now())
            row = [held.table, held.dataset, held.fingerprint, held.reason, moment]
            conn.execute("INSERT INTO ops.held_tables VALUES (?, ?, ?, ?, ?)", row)

        self._write(work)


def _let_go(conn: duckdb.DuckDBPyConnection, tables: Sequence[str], ids: Sequence[str]) -> None:
    conn.execute(
        "DELETE FROM ops.held_tables WHERE list_contains(?, table_name) OR list_contains(?, dataset)",
        [list(tables), list(ids)],
    )
