"""SQL of ops.bronze_manifest: rows in, many at once, and rows out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import duckdb

from sbf_core.clock import from_naive_utc, to_naive_utc
from sbf_core.ops.bulk import insert_columns, merge_sql
from sbf_core.ops.pack_place import why_no_place
from sbf_core.ops.rows import BronzeManifestRow, checked_row, damaged_ledger, why_unsafe
from sbf_core.vocabulary import IngestionKind, WorkStatus

MANIFEST_TYPES = {
    "bronze_file_id": "VARCHAR", "run_id": "VARCHAR", "domain": "VARCHAR", "source": "VARCHAR", "dataset": "VARCHAR",
    "discriminator": "VARCHAR", "ticker": "VARCHAR", "from_date": "DATE", "to_date": "DATE", "address": "VARCHAR",
    "rel_path": "VARCHAR", "payload_hash": "VARCHAR", "content_length_bytes": "BIGINT", "extension": "VARCHAR",
    "status_code": "INTEGER", "fetched_at": "TIMESTAMP", "elapsed_seconds": "DOUBLE", "part": "INTEGER",
    "parts": "INTEGER", "etag": "VARCHAR", "last_modified": "VARCHAR", "cursor": "VARCHAR",
    "pack": "VARCHAR", "pack_offset": "BIGINT",
}  # fmt: skip
_NAMES = tuple(MANIFEST_TYPES)
_COLUMNS = ", ".join(_NAMES)
#: Kept beside them, from which they follow; no journal has them.
IDENTITY_TYPES = {"dataset_id": "VARCHAR", "series_key": "VARCHAR"}
_STORED_TYPES = MANIFEST_TYPES | IDENTITY_TYPES
_STORED = ", ".join(_STORED_TYPES)
_ROWS_AT_ONCE = 2000
#: Oldest first.
BY_TIME = "fetched_at, bronze_file_id"
#: A relation of paths, from one bound text, see ``listed``.
PATHS = "(SELECT unnest(from_json(CAST(? AS JSON), '[\"VARCHAR\"]')) AS rel_path)"
#: What ops.file_ingestions says of a payload that came, and is still to be promoted: each column, and what stands in
#: it.
_INGESTION = {
    "run_id": "run_id", "kind": f"'{IngestionKind.FILE}'", "subject": "bronze_file_id", "started_at": "$now",
    "finished_at": "$now", "status": f"'{WorkStatus.FETCHED}'", "domain": "domain", "source": "source",
    "dataset": "dataset", "discriminator": "discriminator", "ticker": "ticker", "dataset_id": "dataset_id",
    "series_key": "series_key", "bronze_file_id": "bronze_file_id",
    "rel_path": "rel_path", "payload_hash": "payload_hash", "content_length_bytes": "content_length_bytes",
    "bronze_rows": "0", "from_date": "from_date", "to_date": "to_date",
}  # fmt: skip


def take_in(
    conn: duckdb.DuckDBPyConnection, rows: Sequence[BronzeManifestRow], *, now: dt.datetime | None, keys: Sequence[str]
) -> None:
    """Record payloads.

    Writes ops.bronze_manifest and ops.file_ingestions. Idempotent: a known file is not recorded twice.

    Args:
        conn: inside a transaction.
        rows: the payloads.
        now: when they came; None to leave ops.file_ingestions as it is.
        keys: what tells rows of ops.file_ingestions apart.
    """
    columns = {name: list(map(attrgetter(name), rows)) for name in _NAMES}
    columns["fetched_at"] = [to_naive_utc(moment).isoformat() for moment in columns["fetched_at"]]
    columns["dataset_id"] = [row.dataset_id for row in rows]
    columns["series_key"] = [row.key for row in rows]
    conn.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {_STORED} FROM ops.bronze_manifest LIMIT 0")
    insert_columns(conn, "incoming", _STORED_TYPES, columns)
    conn.execute(
        f"INSERT INTO ops.bronze_manifest ({_STORED}) SELECT {_STORED} FROM incoming "
        "ANTI JOIN ops.bronze_manifest USING (bronze_file_id)"
    )
    if now is not None:
        named = ", ".join(f"{value} AS {name}" for name, value in _INGESTION.items())
        source = f"(SELECT {named} FROM incoming)"
        conn.execute(merge_sql("ops.file_ingestions", source, tuple(_INGESTION), keys), {"now": to_naive_utc(now)})


def each_row(
    conn: duckdb.DuckDBPyConnection,
    condition: str,
    parameters: Sequence[Any] = (),
    *,
    order: str = BY_TIME,
    is_ours: bool = False,
) -> Iterator[BronzeManifestRow]:
    """Rows of the manifest, oldest first, read some at a time: meanwhile ``conn`` must not be asked anything else.

    Args:
        conn: on the ledger.
        condition: what follows ``FROM ops.bronze_manifest``.
        parameters: of the condition.
        order: another order.
        is_ours: this process has written the ledger, so that its rows need not be looked at.

    Raises:
        DamageFound: sbf did not write a row.
    """
    result = conn.execute(f"SELECT {_COLUMNS} FROM ops.bronze_manifest {condition} ORDER BY {order}", list(parameters))
    while some := result.fetchmany(_ROWS_AT_ONCE):
        for values in some:
            facts = dict(zip(_NAMES, values, strict=True))
            facts["fetched_at"] = from_naive_utc(facts["fetched_at"])
            row = BronzeManifestRow(**facts)
            yield row if is_ours else checked_row(row)


def promoted_beyond(
    conn: duckdb.DuckDBPyConnection, ids: Sequence[str], *, promotions: str, any_ticker: bool
) -> list[BronzeManifestRow]:
    """Payloads that were promoted, and asked for since later than the temporary table ``bound`` (ticker, since) has for
    their series, or any; without those of the temporary table ``batch_file``.

    Args:
        conn: on the ledger.
        ids: all identities that the dataset of the payloads had.
        promotions: a relation of what became of them.
        any_ticker: of all its series.
    """
    condition = (
        f"SEMI JOIN (SELECT m.bronze_file_id FROM {promotions} AS p JOIN ops.bronze_manifest AS m USING "
        "(bronze_file_id) JOIN bound AS b ON p.asked_since > b.since AND "
        "(? OR b.ticker IS NOT DISTINCT FROM m.ticker) WHERE p.status = 'ok' AND list_contains(?, m.dataset_id)) "
        "USING (bronze_file_id) ANTI JOIN batch_file USING (bronze_file_id)"
    )
    return list(each_row(conn, condition, [any_ticker, list(ids)]))


def copy(conn: duckdb.DuckDBPyConnection, source: str, parameters: Sequence[Any]) -> None:
    """Take rows from another ledger. Writes ops.bronze_manifest; ``source`` is what follows the columns of a SELECT."""
    conn.execute(f"INSERT INTO ops.bronze_manifest ({_STORED}) SELECT {_STORED} {source}", list(parameters))


def listed(texts: Sequence[str]) -> str:
    """Texts as one bound parameter."""
    return json.dumps(list(texts))


def each_size(conn: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, int, str, int]]:
    """Path, hash, size, pack and offset of every payload, oldest first: as ``each_row``, for less."""
    result = conn.execute(
        "SELECT rel_path, payload_hash, content_length_bytes, pack, pack_offset, bronze_file_id, run_id, domain, "
        f"source, dataset, extension FROM ops.bronze_manifest ORDER BY {BY_TIME}"
    )
    while some := result.fetchmany(_ROWS_AT_ONCE):
        for path, payload_hash, byte_count, pack, offset, file_id, *names in some:
            why = why_unsafe(path, file_id, tuple(names), payload_hash, byte_count)
            why = why or why_no_place(pack, offset, path, byte_count)
            if why:
                raise damaged_ledger(why, file_id)
            yield path, payload_hash, byte_count, pack, offset


def journal_texts(conn: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The lines that journals have of payloads, by path: what stands before their headers, and after them.

    It is the text that ``journal_line.as_text`` writes. A payload is left out where that would write a text of it with
    escapes; then only its row can be compared. Of one that is recorded twice the younger row counts.
    """
    rows = conn.execute(
        f"SELECT rel_path, {_JOURNAL_HEAD}, {_JOURNAL_TAIL} FROM ops.bronze_manifest "
        f"SEMI JOIN {PATHS} USING (rel_path) ORDER BY {BY_TIME}",
        [listed(paths)],
    ).fetchall()
    last = {path: (head, tail) for path, head, tail in rows}
    return {path: texts for path, texts in last.items() if texts[0] is not None}


#: Never NULL in a row that sbf wrote, see ``rows.why_unsafe``.
_GIVEN = {"bronze_file_id", "run_id", "domain", "source", "dataset", "rel_path", "payload_hash", "extension"}


def _journal_value(name: str) -> str:
    """SQL of one value as JSON, as one or more arguments of ``concat``, which is quicker than ``||``."""
    kind = MANIFEST_TYPES[name]
    if name in _GIVEN:
        return f"'\"', {name}, '\"'"
    if kind in ("VARCHAR", "DATE"):
        text = f"concat('\"', {name}, '\"')"
    elif kind == "TIMESTAMP":
        formats = [f"strftime({name}, '\"%Y-%m-%dT%H:%M:%S{fraction}+00:00\"')" for fraction in ("", ".%f")]
        text = f"CASE WHEN microsecond({name}) % 1000000 = 0 THEN {formats[0]} ELSE {formats[1]} END"
    else:
        text = f"CAST({name} AS VARCHAR)"
    return f"CASE WHEN {name} IS NULL THEN 'null' ELSE {text} END"


def _journal_field(name: str) -> str:
    field = f"'\"{name}\":', {_journal_value(name)}"
    return f"CASE WHEN {name} = '' THEN '' ELSE concat({field}, ',') END" if name == "cursor" else field


def _tail_field(name: str) -> str:
    if name in ("pack", "pack_offset"):
        return f"CASE WHEN pack = '' THEN '' ELSE concat(',', {_journal_field(name)}) END"
    return f"',', {_journal_field(name)}"


_SORTED = sorted(_NAMES)
_TEXTS = ", ".join(name for name in _NAMES if MANIFEST_TYPES[name] == "VARCHAR")
_HEAD = ", ".join(_journal_field(name) + ("" if name == "cursor" else ", ','") for name in _SORTED if name < "headers")
_TAIL = ", ".join(_tail_field(name) for name in _SORTED if name > "headers")
#: NULL where a text of the row has a letter that JSON escapes, or that is none of ASCII.
_JOURNAL_HEAD = (
    f"CASE WHEN regexp_full_match(concat({_TEXTS}), '[ !#-\\[\\]-~]*') THEN concat('{{', {_HEAD}, '\"headers\":') END"
)
_JOURNAL_TAIL = f"concat({_TAIL}, '}}')"
