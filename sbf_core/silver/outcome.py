"""A batch as values: what was said of its payloads before any was taken in, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs

from sbf_core.failures import Failure
from sbf_core.ops.rows import BronzeManifestRow, RowCounts
from sbf_core.silver.drift import Gone
from sbf_core.silver.inspection import Inspected
from sbf_core.silver.restatement import Restatement
from sbf_core.silver.staging import Staged
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class BatchOutcome(Value):
    """What became of a batch.

    Attributes:
        counts: rows of all its payloads together.
        failures: what happened to the payloads that failed.
        held: per relative path why a payload waits for its user.
        restated: series whose vendor restated their past; they are marked to be fetched again.
        notes: what a user should know of the payloads, e.g. that a field is gone from them.
    """

    counts: RowCounts
    failures: Sequence[Failure]
    held: Mapping[str, str] = attrs.field(factory=dict)
    restated: tuple[Restatement, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Batch(Value):
    """Payloads, and what was said of them before any was taken in.

    Attributes:
        rows, items, staged: the payloads, what the look found, what staging gave.
        is_as_staged: their rows are as staging left them: none was rejected, or settled, since.
        started_at: when the work on them began.
        failed, held, refused: why payloads are not taken in, by id.
        told: payloads that are taken in although a field is gone from them.
        without: ids of all that are not taken in.
    """

    rows: Sequence[BronzeManifestRow]
    items: Sequence[Inspected]
    staged: Staged
    started_at: dt.datetime
    is_as_staged: bool = False
    failed: Mapping[str, Failure] = attrs.field(factory=dict)
    held: Mapping[str, str] = attrs.field(factory=dict)
    refused: Mapping[str, Failure] = attrs.field(factory=dict)
    told: Mapping[str, Gone] = attrs.field(factory=dict)
    without: frozenset[str] = frozenset()
