"""Which payloads are promoted together, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.value import Entity
from sbf_core.vocabulary import Semantics

#: A batch is one transaction: large enough that its cost a file is small, small enough for memory.
BATCH_FILES = 2000
BATCH_BYTES = 64 * 1024**2
#: JSON writes the names of its fields with each row. The engine writes each row of a batch that is less than one of its
#: groups (122,880 rows) twice: to its log, and again at the next checkpoint.
_JSON_BYTES_A_BYTE = 2


@attrs.define
class _Batch(Entity):
    rows: list[BronzeManifestRow] = attrs.field(factory=list)
    size: int = 0
    of_ticker: dict[str | None, list[BronzeManifestRow]] = attrs.field(factory=dict)

    def add(self, answer: Sequence[BronzeManifestRow], size: int) -> None:
        """Take payloads of one answer."""
        self.rows += answer
        self.size += size
        self.of_ticker.setdefault(answer[0].ticker, []).append(answer[0])

    def meets(self, row: BronzeManifestRow) -> bool:
        """Whether an answer in it may speak about the same rows."""
        if row.ticker is None:
            return any(_meet(row, other) for other in self.rows)
        return any(_meet(row, other) for ticker in (row.ticker, None) for other in self.of_ticker.get(ticker, ()))


def batches(
    entry: DatasetKeymapEntry, rows: Sequence[BronzeManifestRow], *, accepted: frozenset[str] = frozenset()
) -> Iterator[list[BronzeManifestRow]]:
    """Payloads in their order, cut where the kind changes or a batch is full.

    Where rows are closed, or a cursor moves, the payloads of one answer stay together. Where rows are closed, what
    answers speak about does not overlap within a batch: each closes what those before it left. Snapshots go one by one.

    Args:
        entry: the dataset.
        rows: the payloads.
        accepted: paths of payloads that are read otherwise, so that they go by themselves.
    """
    return cut(entry, answers(entry, rows), accepted=accepted)


def cut(
    entry: DatasetKeymapEntry,
    in_order: Iterable[Sequence[BronzeManifestRow]],
    *,
    accepted: frozenset[str] = frozenset(),
) -> Iterator[list[BronzeManifestRow]]:
    """As ``batches``, of answers that are in their order."""
    batch = _Batch()
    for answer in in_order:
        size = sum(_size(row) for row in answer)
        is_full = len(batch.rows) + len(answer) > BATCH_FILES or batch.size + size > BATCH_BYTES
        is_other = batch.rows and _kind(answer[0], accepted) != _kind(batch.rows[0], accepted)
        is_next = entry.closes_rows and (entry.semantics is Semantics.SNAPSHOT or batch.meets(answer[0]))
        if batch.rows and (is_full or is_other or is_next):
            yield batch.rows
            batch = _Batch()
        batch.add(answer, size)
    if batch.rows:
        yield batch.rows


def _size(row: BronzeManifestRow) -> int:
    """How much of a batch a payload takes, in bytes of delimited text."""
    size = row.content_length_bytes
    return size // _JSON_BYTES_A_BYTE if row.extension in ("json", "ndjson") else size


def is_by_answer(entry: DatasetKeymapEntry) -> bool:
    """Whether the payloads of one answer stay together."""
    return entry.closes_rows or entry.cursor is not None


def answers(entry: DatasetKeymapEntry, rows: Sequence[BronzeManifestRow]) -> Iterable[Sequence[BronzeManifestRow]]:
    """The payloads that stay together, in their order."""
    return _answers(rows) if is_by_answer(entry) else ([row] for row in sorted(rows, key=_order))


def answers_in_order(
    entry: DatasetKeymapEntry, rows: Iterable[BronzeManifestRow]
) -> Iterator[Sequence[BronzeManifestRow]]:
    """As ``answers``, of rows that are in that order, see ``RecordedPayloads.of``: they are not all held in memory."""
    if not is_by_answer(entry):
        return ([row] for row in rows)
    return (list(answer) for _, answer in groupby(rows, key=_answer))


def lacks_parts(rows: Sequence[BronzeManifestRow]) -> list[BronzeManifestRow]:
    """Payloads of an answer of which other payloads are not among ``rows``."""
    return [row for answer in _answers(rows) if len(answer) < answer[0].parts for row in answer]


def _answers(rows: Sequence[BronzeManifestRow]) -> list[list[BronzeManifestRow]]:
    """The payloads by the answer that they are of, in the order in which answers were complete."""
    by_answer = [sorted(answer, key=_order) for _, answer in groupby(sorted(rows, key=_answer), key=_answer)]
    return sorted(by_answer, key=lambda answer: _order(answer[-1]))


def _answer(row: BronzeManifestRow) -> tuple[str, ...]:
    alone = "" if row.parts else row.bronze_file_id
    return (row.run_id, row.ticker or "", str(row.from_date), str(row.to_date), row.cursor, alone)


def _order(row: BronzeManifestRow) -> tuple[dt.datetime, str]:
    return row.fetched_at, row.bronze_file_id


def _kind(row: BronzeManifestRow, accepted: frozenset[str]) -> tuple[str, bool]:
    return row.extension, row.rel_path in accepted


def _meet(one: BronzeManifestRow, other: BronzeManifestRow) -> bool:
    """Whether two answers are about the same days."""
    days = one.from_date, one.to_date, other.from_date, other.to_date
    if None in days:
        return True
    first, last, from_date, to_date = (day for day in days if day is not None)
    return first <= to_date and from_date <= last
