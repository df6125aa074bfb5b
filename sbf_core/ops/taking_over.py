"""The ledger's part of a silver table that was made again in another database, and takes the place of the old one."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage_index import forget_coverage
from sbf_core.ops.promoted import READING
from sbf_core.ops.promotions import tables_of


def take_over(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, *, other: str) -> None:
    """Take what the ledger in the database ``other`` says of the promotions of a dataset in the place of what stands
    here. Writes ops.promotion_manifest, ops.readings, ops.rejects, ops.schema_drift, ops.watermarks, ops.cursors,
    ops.coverage, ops.file_ingestions and ops.data_dates in the caller's transaction. Idempotent.

    Payloads whose rows were in the table, and that are not the dataset's any more, are still to be promoted then: by
    whoever declares them.
    """
    former = [name for name in entry.ids if name != entry.id]
    names = tables_of(entry)
    if entry.payloads_of:
        conn.execute("CREATE OR REPLACE TEMP TABLE taken (bronze_file_id VARCHAR)")  # none is its own
    else:
        conn.execute(
            f"CREATE OR REPLACE TEMP TABLE taken AS SELECT m.bronze_file_id FROM {other}.ops.bronze_manifest AS m"
        )
    conn.execute(
        "DELETE FROM ops.rejects USING taken AS t WHERE rejects.bronze_file_id = t.bronze_file_id AND NOT "
        "list_contains((SELECT coalesce(list(DISTINCT r.silver_table), []) FROM ops.readings AS r), silver_table)"
    )
    conn.execute(
        "DELETE FROM ops.promotion_manifest USING taken AS t WHERE promotion_manifest.bronze_file_id = t.bronze_file_id"
    )
    _let_go(conn, names)
    _take_readings(conn, entry, names, other)
    for table in ("promotion_manifest", "rejects"):
        conn.execute(f"INSERT INTO ops.{table} FROM {other}.ops.{table}")
    for table in ("schema_drift", "watermarks"):
        conn.execute(f"DELETE FROM ops.{table} WHERE list_contains(?, silver_table)", [names])
    conn.execute("DELETE FROM ops.watermarks WHERE list_contains(?, dataset_id)", [list(entry.ids)])
    for table in ("schema_drift", "watermarks"):
        conn.execute(f"INSERT INTO ops.{table} FROM {other}.ops.{table}")
    conn.execute("DELETE FROM ops.cursors WHERE list_contains(?, dataset)", [list(entry.ids)])
    conn.execute(f"INSERT INTO ops.cursors FROM {other}.ops.cursors")
    forget_coverage(conn)
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET status = p.status, table_name = p.silver_table, bronze_rows = "
        "p.rows_seen, rows_inserted = p.rows_inserted, rows_updated = p.rows_updated, rows_unchanged = "
        "p.rows_unchanged, rows_rejected = p.rows_rejected, error = p.error FROM "
        f"{other}.ops.promotion_manifest AS p WHERE f.kind = 'file' AND f.bronze_file_id = p.bronze_file_id"
    )
    for name in former:  # what was asked for under a former name was asked for
        conn.execute(
            "UPDATE ops.data_dates SET key = concat(?, substr(key, ?)), dataset_id = ? "
            "WHERE (key = ? OR starts_with(key, ?)) AND NOT EXISTS (FROM ops.data_dates AS d WHERE "
            "d.key = concat(?, substr(data_dates.key, ?)))",
            [entry.id, len(name) + 1, entry.id, name, f"{name}/", entry.id, len(name) + 1],
        )


def _take_readings(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, names: Sequence[str], other: str
) -> None:
    """The same of payloads that others fetched. There may be some although the dataset reads none any more."""
    for table in ("readings", "rejects"):
        conn.execute(f"DELETE FROM ops.{table} WHERE list_contains(?, silver_table)", [list(names)])
    conn.execute(
        "DELETE FROM ops.file_ingestions WHERE kind = 'reading' AND (list_contains(?, dataset_id) OR "
        "list_contains(?, table_name))",
        [list(entry.ids), list(names)],
    )
    conn.execute(f"INSERT INTO ops.readings FROM {other}.ops.readings")
    columns = ", ".join(READING)
    conn.execute(
        f"INSERT INTO ops.file_ingestions ({columns}) SELECT {columns} FROM {other}.ops.file_ingestions "
        "WHERE kind = 'reading'"
    )


def _let_go(conn: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Forget the promotions into some tables of payloads that are not in the temporary table ``taken``."""
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE let_go AS SELECT p.bronze_file_id FROM ops.promotion_manifest AS p ANTI JOIN "
        "taken AS t USING (bronze_file_id) WHERE list_contains(?, p.silver_table)",
        [list(tables)],
    )
    conn.execute(
        "DELETE FROM ops.promotion_manifest USING let_go AS g "
        "WHERE promotion_manifest.bronze_file_id = g.bronze_file_id"
    )
    conn.execute(  # those of tables that read the same payloads stay
        "DELETE FROM ops.rejects USING let_go AS g WHERE rejects.bronze_file_id = g.bronze_file_id AND "
        "list_contains(?, rejects.silver_table)",
        [list(tables)],
    )
    conn.execute(
        "UPDATE ops.file_ingestions AS f SET status = 'fetched', table_name = NULL, bronze_rows = 0, rows_inserted = "
        "NULL, rows_updated = NULL, rows_unchanged = NULL, rows_rejected = NULL, error = NULL FROM let_go AS g WHERE "
        "f.kind = 'file' AND f.bronze_file_id = g.bronze_file_id"
    )
