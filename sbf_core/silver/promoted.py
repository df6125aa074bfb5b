"""What became of each payload of a batch, from which the ledger is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.promoted import Promoted
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.silver.merge import Merged
from sbf_core.silver.told import Told, told_of
from sbf_core.vocabulary import WorkStatus

#: Of a payload of which nothing is in ``stage``.
_NOTHING = Told()


def promoted_of(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    rows: Sequence[BronzeManifestRow],
    *,
    merged: Merged,
    closed: Mapping[str, int],
    failed: Mapping[str, Failure],
    held: Mapping[str, str],
    told: Mapping[str, Told] | None,
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
        told: what is in ``stage`` of them; None: nobody knows.
    """
    staged = told_of(conn, entry) if told is None else told
    promoted = []
    for row in rows:
        file_id = row.bronze_file_id
        rows_of = staged.get(file_id, _NOTHING)
        if merged.written is None:
            inserted, updated = rows_of.live, 0
        else:
            inserted, updated = (merged.written.get((file_id, is_update), 0) for is_update in (False, True))
        counts = RowCounts(
            seen=rows_of.rows, inserted=inserted, updated=updated,
            unchanged=rows_of.rows - rows_of.rejected - inserted - updated, rejected=rows_of.rejected,
            closed=closed.get(file_id, 0),
        )  # fmt: skip
        failure, wait = failed.get(file_id), held.get(file_id)
        status = WorkStatus.FAILED if failure else WorkStatus.OK if wait is None else WorkStatus.HELD
        kind = failure.kind if failure else None if wait is None else FailureKind.HELD
        promoted.append(Promoted(
            bronze_file_id=file_id, run_id=row.run_id, ticker=row.ticker, series_key=entry.key(row.ticker),
            status=status, from_date=row.from_date, to_date=row.to_date, fetched_at=row.fetched_at, parts=row.parts,
            counts=counts, coverage_from=rows_of.first, coverage_to=rows_of.last, asked_since=rows_of.since,
            error=failure.what if failure else wait, error_kind=kind,
        ))  # fmt: skip
    return promoted


def totals(promoted: Sequence[Promoted]) -> RowCounts:
    """The sums over payloads."""
    counts = [row.counts for row in promoted]
    names = attrs.fields_dict(RowCounts)
    return RowCounts(**{name: sum(getattr(one, name) for one in counts) for name in names})
