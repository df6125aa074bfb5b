"""A silver table that was made again beside the database takes the place of the one that is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs
import duckdb

from sbf_core.counted import counted
from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import changes, columns_as_made, declaration_text, told_shortly
from sbf_core.duck.beside import BESIDE
from sbf_core.duck.identifiers import literal_list, quoted, quoted_list
from sbf_core.duck.transaction import transaction
from sbf_core.faults import fault_point
from sbf_core.ops.made_tables import MadeTable
from sbf_core.ops.promotions import ledger_of, promotions_of
from sbf_core.ops.service import OpsService
from sbf_core.silver.tables import create_tables, drop_tables, row_columns, tables_there
from sbf_core.value import Value
from sbf_core.vocabulary import IngestionKind


@attrs.frozen(kw_only=True)
class Taken(Value):
    """What a declaration took of some payloads.

    Attributes:
        rows: rows that were neither rejected nor in a payload that failed.
        rejected: rows that were rejected, each with its reason on record.
        current: rows that hold now.
        reason: why most rows are not taken; empty where all are.
        gone: current rows of the table that is there whose key the new one lacks; 0 where their keys share no column.
        changed: what was declared otherwise before; empty where nothing was.
    """

    rows: int
    rejected: int
    current: int
    reason: str = ""
    gone: int = 0
    changed: str = ""


def compared(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, made: Mapping[str, MadeTable]
) -> tuple[Taken, Taken] | None:
    """What the table that is there took, under its name of now or a former one, and the one that was made beside it, of
    the same payloads.

    Args:
        conn: on the first database, with the second one attached.
        entry: the dataset as it is declared now.
        made: what made each table that is there.

    Returns:
        None where there is nothing to compare with.
    """
    names = (entry.silver_table, *entry.former_tables)
    table = next((name for name in names if name in made and tables_there(conn, name)), None)
    if table is None:
        return None
    before, after = f"silver.{quoted(table)}", f"{BESIDE}.silver.{quoted(entry.silver_table)}"
    rows = conn.execute(
        "SELECT sum(p.rows_seen - p.rows_rejected), sum(n.rows_seen - n.rows_rejected) FILTER (n.status = 'ok'), "
        f"sum(p.rows_rejected), sum(n.rows_rejected) FROM ops.{ledger_of(entry)} AS p LEFT JOIN "
        f"{promotions_of(entry, f'{BESIDE}.')} AS n USING (bronze_file_id) "
        "WHERE p.silver_table = ? AND p.status = 'ok'",
        [table],
    ).fetchone()
    counts = conn.execute(f"SELECT (SELECT count(*) FROM {before}), (SELECT count(*) FROM {after})").fetchone()
    assert rows is not None
    assert counts is not None
    gone = _gone(conn, before, after, _shared_key(columns_as_made(made[table].declaration), entry.columns))
    taken, taken_now, rejected, rejected_now = (int(number or 0) for number in rows)
    after_it = Taken(
        rows=taken_now,
        rejected=rejected_now,
        current=counts[1],
        reason=_why_not_taken(conn, entry),
        gone=gone,
        changed=told_shortly(changes(made[table].declaration, declaration_text(entry))),
    )
    return Taken(rows=taken, rejected=rejected, current=counts[0]), after_it


def why_held(entry: DatasetKeymapEntry, before: Taken, after: Taken) -> str:
    """Why a table must not take the place of the other by itself; empty where it may. Rows that go because they are
    rejected are on record, and bounded by ``reject_share_max``; that others go, nobody would be told.
    """
    gone = max(after.gone, before.current - after.current)
    if before.rows - after.rows > entry.reject_share_max * before.rows:
        what = f"the declaration takes {after.rows:,} of the {counted(before.rows, 'row')} that the old one took"
        what += f", {after.reason}" if after.reason else ""
    elif gone > max(after.rejected - before.rejected, 0):
        what = f"{gone} of {before.current} current rows would go"
    else:
        return ""
    return "; ".join(part for part in (after.changed, what) if part)


def _why_not_taken(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> str:
    """Why the second database has most of the rows not that the first one took: what payloads failed for, or rows."""
    why = conn.execute(
        "WITH refused AS (SELECT n.error, count(*) AS files, sum(coalesce(p.rows_seen - p.rows_rejected, 0)) AS rows "
        f"FROM {promotions_of(entry, f'{BESIDE}.')} AS n JOIN {BESIDE}.ops.file_ingestions AS f USING (bronze_file_id) "
        f"LEFT JOIN {promotions_of(entry)} AS p USING (bronze_file_id) WHERE n.status IN ('held', 'failed') AND "
        "f.kind = ? AND f.error_kind IS DISTINCT FROM 'rejects' GROUP BY 1), "
        "rejected AS (SELECT r.reason || coalesce(' of ' || r.column_name, '') AS reason, count(*) AS rows "
        f"FROM {BESIDE}.ops.rejects AS r WHERE r.reason <> 'file_refused' GROUP BY 1) "
        "SELECT error, files, rows FROM refused UNION ALL SELECT reason, 0, rows FROM rejected "
        "ORDER BY rows DESC, files, error LIMIT 1",
        [IngestionKind.READING if entry.payloads_of else IngestionKind.FILE],
    ).fetchone()
    if why is None:
        return ""
    reason, files, _ = why
    if not files:
        return f"mostly {reason}"
    return f"as {counted(files, 'payload is', 'payloads are')} refused: {reason}"


def _shared_key(old: tuple[Column, ...], new: tuple[Column, ...]) -> list[tuple[str, str]]:
    """The columns of both keys, each as it was and as it is called; none whose type is another."""
    former = {name: column.name for column in new for name in (*column.renamed_from, column.name)}
    types = {column.name: column.type for column in new}
    return [
        (column.name, former[column.name])
        for column in old
        if column.key and column.name in former and types[former[column.name]] == column.type
    ]


def _gone(conn: duckdb.DuckDBPyConnection, before: str, after: str, key: list[tuple[str, str]]) -> int:
    """How many current rows have no row with their key. Sums of hashes say it at a tenth of the cost of a join, where
    the keys are the same.
    """
    if not key:
        return 0
    sums = [
        conn.execute(
            "SELECT count(*), sum(h), bit_xor(h) FROM "
            f"(SELECT hash({quoted_list(names, prefix='t.')}) AS h FROM {table} AS t)"
        ).fetchone()
        for table, names in ((before, [was for was, _ in key]), (after, [now for _, now in key]))
    ]
    if sums[0] == sums[1]:
        return 0
    on = " AND ".join(f"t.{quoted(was)} = n.{quoted(now)}" for was, now in key)
    row = conn.execute(
        f"SELECT count(*) FROM {before} AS t WHERE NOT EXISTS (SELECT 1 FROM {after} AS n WHERE {on})"
    ).fetchone()
    assert row is not None
    return int(row[0])


def swap(ops: OpsService, entry: DatasetKeymapEntry, *, restated: Collection[str] = ()) -> None:
    """Put the table that was made beside in the place of the one that is there, with its part of the ledger, in one
    transaction: a crash leaves the old table or the new one, whole. Series that turned out to be ``restated`` are
    marked to be fetched again.

    Writes silver.<t>, silver.<t>_history, ops.promotion_manifest or ops.readings, ops.rejects, ops.schema_drift,
    ops.watermarks, ops.file_ingestions, ops.data_dates, ops.table_declarations and ops.held.
    """
    conn = ops.cursor()
    with transaction(conn):
        for table in (entry.silver_table, *entry.former_tables):
            _drop_view(conn, table)
            drop_tables(conn, table)
            ops.tables.forget(conn, table)
        create_tables(conn, entry)
        fault_point("remake.swapping")
        columns = row_columns(entry)
        for name, names in (
            (entry.silver_table, columns),
            (f"{entry.silver_table}_history", (*columns, "known_to", "_deleted")),
        ):
            conn.execute(
                f"INSERT INTO silver.{quoted(name)} ({quoted_list(names)}) SELECT {quoted_list(names, prefix='n.')} "
                f"FROM {BESIDE}.silver.{quoted(name)} AS n"
            )
        ops.tables.take_over(conn, entry, other=BESIDE)
        ops.tables.record(conn, entry)
        ops.restated.mark(conn, restated, again_from=entry.first_date)
        fault_point("remake.swapped")
    conn.execute("CHECKPOINT")


def _drop_view(conn: duckdb.DuckDBPyConnection, name: str) -> None:
    row = conn.execute(
        "SELECT 1 FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'silver' AND "
        f"list_contains({literal_list([name])}, view_name)"
    ).fetchone()
    if row is not None:
        conn.execute(f"DROP VIEW silver.{quoted(name)}")
