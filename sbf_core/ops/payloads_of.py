"""The payloads of one dataset, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal_list
from sbf_core.ops import manifest
from sbf_core.ops.promotions import ledger_of, promotions_of, tables_of
from sbf_core.ops.recoveries import promoted_files_sql
from sbf_core.ops.rows import BronzeManifestRow

#: Statuses that end a promotion; anything else is work still to do.
_SETTLED = "('ok', 'failed', 'held')"


def promoted_sql(entry: DatasetKeymapEntry, database: str = "") -> str:
    """A SELECT of the ids of payloads whose rows the table of a dataset holds, see ``promotions_of``."""
    if not entry.payloads_of:
        return promoted_files_sql(database)
    return f"SELECT bronze_file_id FROM {promotions_of(entry, database)} WHERE status = 'ok'"


class PayloadsOf:
    """The payloads of one dataset, be it that it fetches them or reads them. Got from ``OpsService.payloads_of``.

    Args:
        cursor: gives this thread's cursor.
        write: runs some work in one transaction.
        entry: the dataset.
    """

    def __init__(
        self,
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        write: Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None],
        entry: DatasetKeymapEntry,
    ) -> None:
        self._cursor = cursor
        self._write = write
        self._entry = entry
        self._of_it = f"WHERE list_contains({literal_list(entry.payload_ids)}, dataset_id)"

    def pending(self) -> list[BronzeManifestRow]:
        """Those whose promotion is still to be done, oldest first."""
        settled = self._with(f"status IN {_SETTLED}")
        return list(self._rows(f"ANTI JOIN {settled} USING (bronze_file_id)"))

    def failed(self) -> list[BronzeManifestRow]:
        """Those whose promotion failed, oldest first."""
        failed = self._with("status = 'failed'")
        return list(self._rows(f"SEMI JOIN {failed} USING (bronze_file_id)"))

    def all(self) -> list[BronzeManifestRow]:
        """All of them, oldest first."""
        return list(self._rows(""))

    def promoted_files(self) -> frozenset[str]:
        """Ids of those whose rows silver holds."""
        rows = self._cursor().execute(promoted_sql(self._entry)).fetchall()
        return frozenset(file_id for (file_id,) in rows)

    def read_before(self) -> frozenset[str]:
        """Ids of payloads that its table was made of while it read what another dataset fetched."""
        names = literal_list(tables_of(self._entry))
        sql = f"SELECT bronze_file_id FROM ops.readings WHERE list_contains({names}, silver_table)"
        return frozenset(file_id for (file_id,) in self._cursor().execute(sql).fetchall())

    def held(self) -> list[tuple[str, str]]:
        """Id and path of those that wait for their user, oldest first."""
        held = self._with("status = 'held'")
        sql = (
            f"SELECT bronze_file_id, rel_path FROM ops.bronze_manifest SEMI JOIN {held} USING (bronze_file_id) "
            f"{self._of_it} ORDER BY {manifest.BY_TIME}"
        )
        return self._cursor().execute(sql).fetchall()

    def release(self, file_ids: Sequence[str]) -> None:
        """Let those be promoted that waited. Writes ops.promotion_manifest or ops.readings. Idempotent."""
        entry, ledger = self._entry, ledger_of(self._entry)
        of_it = f" AND list_contains({literal_list(tables_of(entry))}, silver_table)" if entry.payloads_of else ""

        def work(conn: duckdb.DuckDBPyConnection) -> None:
            conn.execute(
                f"DELETE FROM ops.{ledger} WHERE status = 'held' AND list_contains(?, bronze_file_id){of_it}",
                [list(file_ids)],
            )

        if file_ids:
            self._write(work)

    def _with(self, condition: str) -> str:
        return f"(SELECT bronze_file_id FROM {promotions_of(self._entry)} WHERE {condition})"

    def _rows(self, joined: str) -> Iterator[BronzeManifestRow]:
        return manifest.each_row(self._cursor(), f"{joined} {self._of_it}")


def with_unread(conn: duckdb.DuckDBPyConnection, entries: Sequence[DatasetKeymapEntry]) -> frozenset[str]:
    """Identities of those of some datasets that have not read all payloads of the ones whose they read; asked once for
    all, for of hundreds few have news.
    """
    there = dict(conn.execute("SELECT dataset_id, count(*) FROM ops.bronze_manifest GROUP BY 1").fetchall())
    rows = conn.execute(
        "SELECT p.silver_table, m.dataset_id, count(DISTINCT p.bronze_file_id) FROM ops.readings AS p "
        f"JOIN ops.bronze_manifest AS m USING (bronze_file_id) WHERE p.status IN {_SETTLED} GROUP BY ALL"
    ).fetchall()
    read = {(table, name): count for table, name, count in rows}
    return frozenset(
        entry.id
        for entry in entries
        if any(read.get((entry.silver_table, name), 0) < there.get(name, 0) for name in entry.payload_ids)
    )
