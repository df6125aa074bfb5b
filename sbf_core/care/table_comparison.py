"""Tables against what they must hold: silver against a second promotion of Bronze, gold against its SELECT."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from sbf_core.care.findings import Finding, FindingKind
from sbf_core.duck.identifiers import literal_list, quoted, quoted_list

_BUCKETS = 4096
#: Rows that a report names of one table; the rest is counted.
ROWS_NAMED_MAX = 100


def _place(table: str) -> str:
    schema, _, name = table.partition(".")
    return f"{quoted(schema)}.{quoted(name)}"


def _buckets(conn: duckdb.DuckDBPyConnection, source: str, keys: str, columns: str) -> dict[int, tuple[int, int, int]]:
    rows = conn.execute(
        f"SELECT hash({keys}) % {_BUCKETS}, count(*), bit_xor(hash({columns})), sum(hash({columns}) % 1000003) "
        f"FROM {source} AS t GROUP BY ALL"
    ).fetchall()
    return {bucket: (number, mixed, total) for bucket, number, mixed, total in rows}


def _rows(
    conn: duckdb.DuckDBPyConnection, source: str, keys: str, columns: str, buckets: Sequence[int]
) -> dict[tuple[str, str], int]:
    """The rows of some buckets, as (key, whole row) texts, with how often each is there."""
    chosen = ", ".join(str(bucket) for bucket in buckets)
    rows = conn.execute(
        f"SELECT CAST(row({keys}) AS VARCHAR), CAST(row({columns}) AS VARCHAR), count(*) FROM {source} AS t "
        f"WHERE hash({keys}) % {_BUCKETS} IN ({chosen}) GROUP BY ALL"
    ).fetchall()
    return {(key, text): number for key, text, number in rows}


def compare_tables(
    kind: FindingKind,
    table: str,
    actual: tuple[duckdb.DuckDBPyConnection, str],
    wanted: tuple[duckdb.DuckDBPyConnection, str],
    *,
    keys: Sequence[str],
) -> list[Finding]:
    """One finding for each key whose rows differ.

    Args:
        kind: what a difference is.
        table: the name to report.
        actual: a connection and what to read there: a table or a subquery.
        wanted: the same for what should be there; both give the same columns.
        keys: columns that tell rows apart.
    """
    names = [row[0] for row in wanted[0].execute(f"DESCRIBE SELECT * FROM {wanted[1]} AS t").fetchall()]
    columns, key_list = quoted_list(names, prefix="t."), quoted_list(keys, prefix="t.")
    there, due = _buckets(*actual, key_list, columns), _buckets(*wanted, key_list, columns)
    different = sorted(bucket for bucket in there.keys() | due.keys() if there.get(bucket) != due.get(bucket))
    if not different:
        return []
    have, want = _rows(*actual, key_list, columns, different), _rows(*wanted, key_list, columns, different)
    per_key: dict[str, list[str]] = {}
    for (key, text), number in have.items():
        if want.get((key, text)) != number:
            per_key.setdefault(key, []).append("there: " + text)
    for (key, text), number in want.items():
        if have.get((key, text)) != number:
            per_key.setdefault(key, []).append("should be: " + text)
    return [
        Finding(kind=kind, subject=f"{table} {key}", detail="; ".join(sorted(texts))[:500])
        for key, texts in sorted(per_key.items())
    ]


def silver_source(table: str, *, without_files: Sequence[str]) -> str:
    """A silver table without the rows that some payloads brought."""
    if not without_files:
        return _place(table)
    return f"(FROM {_place(table)} AS t WHERE NOT list_contains({literal_list(without_files)}, t._bronze_file_id))"
