"""Checks of the rows that a plugin makes of its recording."""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal_list, quoted
from sbf_core.silver.inspection import record_by_record
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject
from sbf_core.testing.unsaid import is_unsaid


def columns_are_filled(subject: Subject) -> Iterator[Problem | Note]:
    """Every declared column gets values out of the recorded payloads.

    A column that is empty in all rows usually has another name at the vendor: ``source``. One whose field is there and
    holds nothing but its ``missing`` is right.
    """
    home = subject.filled.home
    for failure in subject.filled.context.failures:
        if not failure.table:  # told by gold_builds
            yield Problem(str(failure))
    for entry in subject.recorded:
        if f"silver.{entry.silver_table}" not in home.digests("silver."):
            yield Problem("no payload became rows", entry.id)
            continue
        table = f"silver.{quoted(entry.silver_table)}"
        counts = ", ".join(f"count({quoted(column.name)})" for column in entry.columns)
        all_rows = (
            f"FROM {table} UNION ALL BY NAME "
            f"SELECT * EXCLUDE (known_to, _deleted) FROM {_history(entry)} WHERE NOT _deleted"
        )
        total, *filled = home.ask(f"SELECT count(*), {counts} FROM ({all_rows})")[0]
        if not total:
            yield Problem("the recorded payloads hold no row", entry.id)
        for column, count in zip(entry.columns, filled, strict=True):
            if not total or count or column.cut_at:  # NULL in the last says that it was cut
                continue
            if not is_unsaid(subject, entry, column):
                yield Problem(
                    f"column {column.name!r} is empty in all {total} rows: "
                    f"is its source {column.source_name!r} the vendor's name?",
                    entry.id,
                )


def _history(entry: DatasetKeymapEntry) -> str:
    return f"silver.{quoted(entry.silver_table + '_history')}"


def rows_are_taken(subject: Subject) -> Iterator[Problem | Note]:
    """No recorded row is rejected.

    A value that does not fit its column is shown with its row: another type, more decimals, ``missing`` or
    ``date_format``.
    """
    yield from _rejects(subject, "reason <> 'duplicate_key'")


def keys_are_unique(subject: Subject) -> Iterator[Problem | Note]:
    """No two rows of a payload share a key, and none of silver do.

    A key that is too short rejects rows of which both are true.
    """
    yield from _rejects(subject, "reason = 'duplicate_key'")
    for entry in subject.recorded:
        keys = ", ".join(quoted(name) for name in entry.key_columns)
        query = (
            f"SELECT count(*) FROM (SELECT {keys} FROM silver.{quoted(entry.silver_table)} "
            "GROUP BY ALL HAVING count(*) > 1)"
        )
        if f"silver.{entry.silver_table}" in subject.filled.home.digests("silver.") and (
            twice := subject.filled.home.ask(query)[0][0]
        ):
            yield Problem(f"{twice} keys are in silver twice", entry.id)


def _rejects(subject: Subject, condition: str) -> Iterator[Problem]:
    of_table = {entry.silver_table: entry.id for entry in subject.entries}
    query = (
        "SELECT silver_table, reason, column_name, count(*), min(row_json) FROM ops.rejects "
        f"WHERE {condition} AND list_contains({literal_list(list(of_table))}, silver_table) GROUP BY ALL ORDER BY ALL"
    )
    for table, reason, column, count, row in subject.filled.home.ask(query):
        place = f" in {column}" if column else ""
        rows = counted(count, "recorded row is", "recorded rows are")
        yield Problem(f"{rows} rejected: {reason}{place}, e.g. {str(row)[:200]}", of_table[table])


def promote_twice(subject: Subject) -> Iterator[Problem | Note]:
    """The same payloads give the same silver again.

    Two warehouses are filled from the recording and compared row by row: counters, clocks and the order of sets are
    found.
    """
    other = subject.fill_alike(subject.fresh("twice"))
    for text in subject.differences(subject.filled.home, other.home):
        yield Problem(f"promoted a second time, {text}")


def read_without_the_engine(subject: Subject) -> Iterator[Problem | Note]:
    """Read record by record, payloads give the same silver.

    The engine reads many payloads at once; a second reader, which shares no code with it, reads each record alone.
    Rows, values and rejects must be the same.
    """
    with record_by_record():
        other = subject.fill_alike(subject.fresh("recordwise"))
    for text in subject.differences(subject.filled.home, other.home):
        yield Problem(f"read record by record, {text}")


def promote_in_any_order(subject: Subject) -> Iterator[Problem | Note]:
    """Payloads that come in another order give the same silver.

    Newest first and oldest first must end alike, history included. A parser that remembers the payload before does not.
    """
    if len(subject.steps) < 2:
        yield Note("only one fetch was recorded; revision_is_kept looks at a second one")
        return
    for text in subject.differences(subject.filled.home, subject.filled_backwards):
        yield Problem(f"promoted newest first, {text}")


def rebuild_is_equal(subject: Subject) -> Iterator[Problem | Note]:
    """Filled run by run, and rebuilt from Bronze at once, silver is the same.

    A rebuild reads many payloads in one batch. A SELECT that counts, ranks or joins over the batch must do so within
    ``_file``.
    """
    home = subject.fresh("stepwise")
    for piece in subject.steps or (subject.recording,):
        subject.fill_alike(home, piece)
    rebuilt = home.rebuilt(subject.place("rebuilt"))
    for text in subject.differences(home, rebuilt):
        yield Problem(f"rebuilt, {text}")
