"""One payload: what the ledger says of it, its first bytes as text, and how it differs from the one before."""

from __future__ import annotations

import difflib
import gzip
import zlib
from pathlib import Path

import attrs
import duckdb

from sbf_core.bronze.file_reader import why_other_bytes
from sbf_core.bronze.stored import Stored, as_file
from sbf_core.errors import UsageError, printable
from sbf_core.reports.table import FactTable, table_of
from sbf_core.secret import redacted_bytes
from sbf_core.value import Value

SHOWN_BYTES = 64 * 1024
_DIFFERENCE_LINES_MAX = 400
#: So much more is read, so that no key is cut in half before it is taken out.
_KEY_BYTES_MAX = 4096
_FACTS = """
SELECT m.bronze_file_id, m.dataset_id AS dataset,
    m.ticker, m.run_id, m.fetched_at, m.from_date, m.to_date, m.address, m.status_code AS http,
    m.elapsed_seconds AS seconds, m.content_length_bytes AS bytes, m.extension,
    m.payload_hash AS sha256, m.rel_path AS payload, p.silver_table, p.status,
    p.rows_seen AS seen, p.rows_inserted AS inserted, p.rows_updated AS updated,
    p.rows_unchanged AS unchanged, p.rows_rejected AS rejected, p.error
FROM ops.bronze_manifest AS m LEFT JOIN ops.promotion_manifest AS p USING (bronze_file_id) WHERE m.bronze_file_id = ?
"""
_BEFORE = """
SELECT o.bronze_file_id, o.rel_path FROM ops.bronze_manifest AS o
JOIN ops.bronze_manifest AS m ON m.bronze_file_id = ? AND o.domain = m.domain AND o.source = m.source
    AND o.dataset = m.dataset AND o.discriminator = m.discriminator
    AND o.ticker IS NOT DISTINCT FROM m.ticker AND o.fetched_at < m.fetched_at
ORDER BY o.fetched_at DESC, o.rel_path DESC LIMIT 1
"""
_STORED = (
    "SELECT payload_hash, content_length_bytes, pack, pack_offset FROM ops.bronze_manifest WHERE bronze_file_id = ?"
)
_REJECTS = (
    "SELECT silver_table AS table_name, reason, column_name, row_json FROM ops.rejects WHERE bronze_file_id = ? "
    "ORDER BY ALL LIMIT 100"
)
_READINGS = """
SELECT f.dataset_id AS dataset, p.silver_table AS table_name, p.status, p.rows_seen AS seen,
    p.rows_inserted AS inserted, p.rows_updated AS updated, p.rows_unchanged AS unchanged, p.rows_rejected AS rejected,
    p.error FROM ops.readings AS p JOIN ops.file_ingestions AS f
    ON f.kind = 'reading' AND f.bronze_file_id = p.bronze_file_id AND f.table_name = p.silver_table
WHERE p.bronze_file_id = ? ORDER BY 1
"""


@attrs.frozen(kw_only=True)
class PayloadFacts(Value):
    """One payload.

    Attributes:
        facts: one row of the ledger.
        readings: what further datasets made of it, which did not fetch it.
        rejects: rows of it that were rejected.
        before: id of the payload before it; empty for none.
        text: its first bytes, control characters shown as escapes; empty where it is no text.
        note: what a reader should know of the text.
        difference: lines of a unified difference to the payload before, with a sign in front.
    """

    facts: FactTable
    readings: FactTable
    rejects: FactTable
    before: str
    text: str
    note: str
    difference: tuple[str, ...] = ()


def payload_facts(cursor: duckdb.DuckDBPyConnection, bronze: Path, file_id: str, *, compared: bool) -> PayloadFacts:
    """What is known of one payload.

    Args:
        cursor: reads.
        bronze: the folder of the payloads.
        file_id: the payload.
        compared: also compare it with the payload before.

    Raises:
        UsageError: there is no such payload.
        DamageFound: its path leads out of Bronze.
    """
    facts = table_of(cursor, _FACTS, [file_id])
    if not facts.rows:
        raise UsageError(f"there is no payload {file_id!r}", fix="see `sbf runs last`", code="UNKNOWN_PAYLOAD")
    row = facts.records[0]
    before = cursor.execute(_BEFORE, [file_id]).fetchone()
    stored = _stored(cursor, file_id)
    with as_file(bronze, row["payload"], stored) as place:
        text, note = _head(place)
        changed = why_other_bytes(place, row["sha256"], row["bytes"])
    if stored.pack:
        note += f"; in {stored.pack}, from byte {stored.offset:,}"
    difference: tuple[str, ...] = ()
    if compared and before is not None:
        with as_file(bronze, before[1], _stored(cursor, before[0])) as place_before:
            old, _ = _head(place_before)
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "before", "this", lineterm="", n=2)
        difference = tuple(line for line, _ in zip(lines, range(_DIFFERENCE_LINES_MAX), strict=False))
    return PayloadFacts(
        facts=facts,
        readings=table_of(cursor, _READINGS, [file_id]),
        rejects=table_of(cursor, _REJECTS, [file_id]),
        before=before[0] if before else "",
        text=text,
        note=f"{changed} ({note})" if changed else note,
        difference=difference,
    )


def _stored(cursor: duckdb.DuckDBPyConnection, file_id: str) -> Stored:
    facts = cursor.execute(_STORED, [file_id]).fetchone()
    assert facts is not None
    return Stored(*facts)


def _head(path: Path) -> tuple[str, str]:
    """The first bytes as text. A payload is never changed; what cannot be shown is shown as an escape."""
    try:
        with path.open("rb") as file:
            raw = redacted_bytes(file.read(SHOWN_BYTES + _KEY_BYTES_MAX))[:SHOWN_BYTES]
            size = path.stat().st_size
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                raw = redacted_bytes(unpacked.read(SHOWN_BYTES + _KEY_BYTES_MAX))[:SHOWN_BYTES]
            return _shown(raw), f"unpacked; the first {len(raw):,} bytes"
    except (OSError, EOFError, zlib.error) as error:
        return (
            "",
            (
                "the payload cannot be read: "
                f"{error.strerror if isinstance(error, OSError) and error.strerror else error}; see `sbf verify`"
            ),
        )
    if b"\0" in raw:
        return "", f"{size:,} bytes that are no text"
    return _shown(raw), f"the first {len(raw):,} of {size:,} bytes" if len(raw) < size else f"all {size:,} bytes"


def _shown(raw: bytes) -> str:
    lines = raw.decode("utf-8", errors="replace").splitlines()
    return "\n".join(printable(line) for line in lines)
