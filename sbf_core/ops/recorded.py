"""The part of the facade that tells of every payload on record, without holding them all in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.older_ledger import ledger_table, looking
from sbf_core.ops import manifest
from sbf_core.ops.payloads_of import promoted_sql, with_unread
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.ops.rows import BronzeManifestRow

#: Payloads of one answer stand together, in the order in which answers were complete.
_BY_ANSWER = (
    "max(struct_pack(at := fetched_at, id := bronze_file_id)) OVER (PARTITION BY run_id, coalesce(ticker, ''), "
    "from_date, to_date, cursor, CASE WHEN parts = 0 THEN bronze_file_id ELSE '' END), fetched_at, bronze_file_id"
)


class RecordedPayloads:
    """Every payload on record. Got from ``OpsService.recorded``.

    Args:
        cursor: gives this thread's cursor.
        write: runs some work in one transaction.
    """

    def __init__(
        self,
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        write: Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None],
    ) -> None:
        self._cursor = cursor
        self._write = write

    def sizes(self) -> Iterator[tuple[str, str, int, str, int]]:
        """Path below Bronze, hash, size, pack and offset of every payload, oldest first.

        Raises ``DamageFound`` for a row that sbf did not write.
        """
        with closing(self._new_cursor()) as conn:
            yield from manifest.each_size(conn)

    def journal_texts(self, paths: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """What the journal has to say of payloads, see ``manifest.journal_texts``."""
        return manifest.journal_texts(self._cursor(), paths)

    def rows(self, paths: Sequence[str]) -> Iterator[BronzeManifestRow]:
        """The rows of payloads, by their paths below Bronze, oldest first."""
        with closing(self._new_cursor()) as conn:
            yield from manifest.each_row(conn, f"SEMI JOIN {manifest.PATHS} USING (rel_path)", [manifest.listed(paths)])

    def failed(self) -> Iterator[BronzeManifestRow]:
        """Those that could not be promoted, into one table at least, oldest first."""
        failed = f"(SELECT DISTINCT bronze_file_id FROM {ALL_PROMOTIONS} WHERE status = 'failed')"
        with closing(self._new_cursor()) as conn:
            yield from manifest.each_row(conn, f"SEMI JOIN {failed} USING (bronze_file_id)")

    def with_unread(self, entries: Sequence[DatasetKeymapEntry]) -> frozenset[str]:
        """Identities of those of some datasets, which read others' payloads, that have not read all of them."""
        return with_unread(self._cursor(), entries)

    def dataset_ids(self) -> frozenset[str]:
        """The datasets, by the identities that they had, of which there is a payload."""
        rows = self._cursor().execute("SELECT DISTINCT dataset_id FROM ops.bronze_manifest").fetchall()
        return frozenset(name for (name,) in rows)

    def later_than(self, moment: dt.datetime) -> Mapping[str, dt.datetime]:
        """When the newest payload was fetched of each dataset that has one of after a moment, by the identity that it
        had.
        """
        sql = "SELECT dataset_id, max(fetched_at) FROM ops.bronze_manifest WHERE fetched_at > ? GROUP BY 1"
        rows = self._cursor().execute(sql, [to_naive_utc(moment)]).fetchall()
        return {name: at.replace(tzinfo=dt.UTC) for name, at in rows}

    def promoted_count(self, entry: DatasetKeymapEntry) -> int:
        """How many payloads a table holds the rows of."""
        sql = f"SELECT count(*) FROM ops.bronze_manifest SEMI JOIN ({promoted_sql(entry)}) USING (bronze_file_id) {_OF}"
        row = self._cursor().execute(sql, [list(entry.payload_ids)]).fetchone()
        assert row is not None
        return int(row[0])

    def of(self, ids: Sequence[str]) -> Iterator[BronzeManifestRow]:
        """The payloads of a dataset, by all identities that it had, oldest first."""
        with closing(self._new_cursor()) as conn:
            yield from manifest.each_row(conn, _OF, [list(ids)])

    def all(self, *, by_answer: bool = False) -> Generator[BronzeManifestRow, None, None]:
        """Every payload of a ledger that this process has made of rows that were looked at, oldest first;
        ``by_answer``: those of one answer stand together, in the order in which answers were complete.
        """
        with closing(self._new_cursor()) as conn:
            yield from manifest.each_row(conn, "", order=_BY_ANSWER if by_answer else manifest.BY_TIME, is_ours=True)

    def copy_promoted(
        self,
        other: RecordedPayloads,
        entry: DatasetKeymapEntry,
        *,
        without: Sequence[str] = (),
        but: Sequence[str] = (),
    ) -> None:
        """Take from another ledger in the same instance the payloads whose rows the table of a dataset holds. Writes
        ops.bronze_manifest.

        Args:
            other: the other ledger.
            entry: the dataset.
            without: series of payloads that are left out.
            but: paths of payloads that are left out.
        """
        cursor = other._cursor()
        named = cursor.execute("SELECT current_database()").fetchone()
        assert named is not None
        database = f"{quoted(named[0])}."
        recorded = ledger_table(cursor, "bronze_manifest")
        self._write(
            lambda conn: manifest.copy(
                conn,
                f"FROM {recorded} SEMI JOIN ({promoted_sql(entry, database)}) USING (bronze_file_id) "
                f"{_OF} AND NOT list_contains(?, series_key) AND NOT list_contains(?, rel_path)",
                [list(entry.payload_ids), list(without), list(but)],
            )
        )

    def _new_cursor(self) -> duckdb.DuckDBPyConnection:
        """A further cursor on the same database."""
        named = self._cursor().execute("SELECT current_database()").fetchone()
        assert named is not None
        conn = self._cursor().cursor()
        conn.execute(f"USE {quoted(named[0])}")
        return looking(conn)


_OF = "WHERE list_contains(?, dataset_id)"
