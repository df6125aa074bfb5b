"""What became of each payload of a batch, from which the ledger is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.promoted import Promoted
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.silver.cut import asked_since
from sbf_core.silver.merge import Merged, live
from sbf_core.vocabulary import WorkStatus

#: Of a payload of which nothing is in ``stage``.
_NOTHING = (0, 0, 0, None, None, None)


def promoted_of(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    rows: Sequence[BronzeManifestRow],
    *,
    merged: Merged,
    closed: Mapping[str, int],
    failed: Mapping[str, Failure],
    held: Mapping[str, str],
) -> list[Promoted]:
    """What became of each payload, with its request.

    Args:
        conn: with the temporary table ``stage`` of the batch.
        entry: the dataset.
        rows: the payloads.
        merged: what taking them in came to.
        closed: how many rows some closed, by id.
        failed: why some failed, by id.
        held: why some wait, by id.
    """
    staged = _staged(conn, entry)
    promoted = []
    for row in rows:
        file_id = row.bronze_file_id
        seen, rejected, alive, first, last, since = staged.get(file_id, _NOTHING)
        if merged.written is None:
            inserted, updated = alive, 0
        else:
            inserted, updated = (merged.written.get((file_id, is_update), 0) for is_update in (False, True))
        counts = RowCounts(
            seen=seen, inserted=inserted, updated=updated, unchanged=seen - rejected - inserted - updated,
            rejected=rejected, closed=closed.get(file_id, 0),
        )  # fmt: skip
        failure, wait = failed.get(file_id), held.get(file_id)
        status = WorkStatus.FAILED if failure else WorkStatus.OK if wait is None else WorkStatus.HELD
        kind = failure.kind if failure else None if wait is None else FailureKind.HELD
        promoted.append(Promoted(
            bronze_file_id=file_id, run_id=row.run_id, ticker=row.ticker, series_key=entry.key(row.ticker),
            status=status, from_date=row.from_date, to_date=row.to_date, fetched_at=row.fetched_at, parts=row.parts,
            counts=counts, coverage_from=first, coverage_to=last, asked_since=since,
            error=failure.what if failure else wait, error_kind=kind,
        ))  # fmt: skip
    return promoted


def _staged(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, Sequence[Any]]:
    """By payload: how many rows there are, rejected ones, live ones, and the days of those that were not rejected."""
    day, whole = _row_date(entry), "FILTER (s._reason IS NULL)"
    rows = conn.execute(
        f"SELECT s._bronze_file_id, count(*), count(s._reason), count(*) FILTER ({live('s')}), CAST(min({day}) {whole} "
        f"AS VARCHAR), CAST(max({day}) {whole} AS VARCHAR), CAST(max({asked_since(entry)}) {whole} AS VARCHAR) FROM "
        "stage AS s WHERE NOT s._context GROUP BY 1"
    ).fetchall()
    return {file_id: facts for file_id, *facts in rows}


def _row_date(entry: DatasetKeymapEntry) -> str:
    name = entry.row_date_column
    return f"CAST(s.{quoted(name)} AS DATE)" if name else "CAST(NULL AS DATE)"


def totals(promoted: Sequence[Promoted]) -> RowCounts:
    """The sums over payloads."""
    counts = [row.counts for row in promoted]
    names = attrs.fields_dict(RowCounts)
    return RowCounts(**{name: sum(getattr(one, name) for one in counts) for name in names})
