"""SQL of ops.bronze_manifest: rows in, many at once, and rows out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import duckdb

from sbf_core.clock import from_naive_utc, to_naive_utc
from sbf_core.ops.bulk import insert_columns, merge_sql
from sbf_core.ops.rows import BronzeManifestRow, checked_row
from sbf_core.vocabulary import IngestionKind, WorkStatus

MANIFEST_TYPES = {
    "bronze_file_id": "VARCHAR", "run_id": "VARCHAR", "domain": "VARCHAR", "source": "VARCHAR", "dataset": "VARCHAR",
    "discriminator": "VARCHAR", "ticker": "VARCHAR", "from_date": "DATE", "to_date": "DATE", "address": "VARCHAR",
    "rel_path": "VARCHAR", "payload_hash": "VARCHAR", "content_length_bytes": "BIGINT", "extension": "VARCHAR",
    "status_code": "INTEGER", "fetched_at": "TIMESTAMP", "elapsed_seconds": "DOUBLE", "part": "INTEGER", "parts": "INTEGER", "etag": "VARCHAR", "last_modified": "VARCHAR",
    "cursor": "VARCHAR",
}  # fmt: skip
_NAMES = tuple(MANIFEST_TYPES)
_COLUMNS = ", ".join(_NAMES)
_ROWS_AT_ONCE = 2000
#: What ops.file_ingestions says of a payload that came, and is still to be promoted: each column, and what stands in it.
_INGESTION = {
    "run_id": "run_id", "kind": f"'{IngestionKind.FILE}'", "subject": "bronze_file_id", "started_at": "$now", "finished_at": "$now",
    "status": f"'{WorkStatus.FETCHED}'", "domain": "domain", "source": "source", "dataset": "dataset",
    "discriminator": "discriminator", "ticker": "ticker", "bronze_file_id": "bronze_file_id", "rel_path": "rel_path",
    "payload_hash": "payload_hash", "content_length_bytes": "content_length_bytes", "bronze_rows": "0", "from_date": "from_date",
    "to_date": "to_date",
}  # fmt: skip


def take_in(
    conn: duckdb.DuckDBPyConnection, rows: Sequence[BronzeManifestRow], *, now: dt.datetime | None, keys: Sequence[str]
) -> None:
    """Record payloads. Writes ops.bronze_manifest and ops.file_ingestions. Idempotent: a known file is not recorded twice.

    Args:
        conn: inside a transaction.
        rows: the payloads.
        now: when they came; None to leave ops.file_ingestions as it is.
        keys: what tells rows of ops.file_ingestions apart.
    """
    columns = {name: list(map(attrgetter(name), rows)) for name in _NAMES}
    columns["fetched_at"] = [to_naive_utc(moment).isoformat() for moment in columns["fetched_at"]]
    conn.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {_COLUMNS} FROM ops.bronze_manifest LIMIT 0")
    insert_columns(conn, "incoming", MANIFEST_TYPES, columns)
    conn.execute(
        f"INSERT INTO ops.bronze_manifest ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming "
        "ANTI JOIN ops.bronze_manifest USING (bronze_file_id)"
    )
    if now is not None:
        named = ", ".join(f"{value} AS {name}" for name, value in _INGESTION.items())
        source = f"(SELECT {named} FROM incoming)"
        conn.execute(
            merge_sql("ops.file_ingestions", source, tuple(_INGESTION), keys), {"now": to_naive_utc(now)}
        )


def each_row(
    conn: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[Any] = (), *, order: str = "fetched_at, bronze_file_id"
) -> Iterator[BronzeManifestRow]:
    """Rows of the manifest, oldest first, read some at a time: meanwhile ``conn`` must not be asked anything else.

    Args:
        conn: on the ledger.
        condition: what follows ``FROM ops.bronze_manifest``.
        parameters: of the condition.
        order: another order.

    Raises:
        DamageFound: sbf did not write a row.
    """
    found = conn.execute(f"SELECT {_COLUMNS} FROM ops.bronze_manifest {condition} ORDER BY {order}", list(parameters))
    while some := found.fetchmany(_ROWS_AT_ONCE):
        for values in some:
            facts = dict(zip(_NAMES, values, strict=True))
            facts["fetched_at"] = from_naive_utc(facts["fetched_at"])
            yield checked_row(BronzeManifestRow(**facts))
