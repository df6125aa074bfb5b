"""The short way of a batch into silver: each row is written once, into the table where it is to stand.

On the way over ``stage`` every row is written twice, because it is judged before the table is touched. Where an empty
table is filled there is nearly never anything to judge: then the rows go into the table at once, within the
transaction, and only what they are must be seen afterwards. ``stage`` is a view of them meanwhile. Anything that would
have to be judged (a row that is not plain, a key that is there twice, or known) ends the transaction, nothing is kept,
and the batch takes the long way: both give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted, quoted_list
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.silver.cast import is_ordered
from sbf_core.silver.inspection import Inspected
from sbf_core.silver.judging import keys_twice, number_of
from sbf_core.silver.merge import is_empty
from sbf_core.silver.outside import may_be_outside
from sbf_core.silver.tables import current_table, history_table, row_columns
from sbf_core.value import Entity
from sbf_core.vocabulary import Answers, Semantics

#: Of less there is nothing to save.
BYTES_MIN = 4 << 20
_NO_TEXT = "CAST(NULL AS VARCHAR)"


class NotStraight(Exception):
    """Something in a batch must be judged: it takes the long way."""


@attrs.define(kw_only=True)
class StraightHabit(Entity):
    """Whether the batches of a dataset may be tried on the short way. It saves time, and changes no row.

    Payloads of one series from two runs nearly always state the same keys, which is seen only once they are read.

    Attributes:
        is_on: None: nobody has looked yet; the first batch must find the table empty.
        seen: of each series the run whose payloads went in.
    """

    is_on: bool | None = None
    seen: dict[tuple[str | None, str], str] = attrs.field(factory=dict)

    def allows(
        self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, rows: Sequence[BronzeManifestRow]
    ) -> bool:
        """Whether to try a batch."""
        if sum(row.content_length_bytes for row in rows) < BYTES_MIN:
            return False
        if self.is_on is None:
            self.is_on = _is_simple(entry) and is_empty(conn, entry)
        if not self.is_on or (entry.semantics is Semantics.SNAPSHOT and self.seen):
            return False  # the first of some snapshots closes nothing, each other may
        seen = dict(self.seen)
        if any(seen.setdefault((row.ticker, row.discriminator), row.run_id) != row.run_id for row in rows):
            return False
        self.seen = seen
        return True


def _is_simple(entry: DatasetKeymapEntry) -> bool:
    """Whether nothing but the rows themselves decides what becomes of them."""
    return (
        not is_ordered(entry)
        and entry.answers is not Answers.WHOLE
        and entry.cut_column is None
        and "rowid" not in entry.column_types
    )


def take_straight(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, rows: str, items: Sequence[Inspected]
) -> None:
    """Rows of payloads into silver.<t>, with ``stage`` as a view of them.

    Args:
        conn: inside a transaction, which is to be rolled back if this fails.
        entry: the dataset.
        rows: SQL of the rows as ``stage`` has them, plain ones, see ``plain_select``.
        items: all their payloads.

    Raises:
        NotStraight, duckdb.Error: there is something to judge.
    """
    table, columns = current_table(entry), row_columns(entry)
    last = number_of(conn, f"SELECT coalesce(max(t.rowid), -1) FROM {table} AS t")
    taken = {name: f"s.{quoted(name)}" for name in columns}
    # in the place of a value that the table must have: so the engine cannot leave it out
    taken["_bronze_file_id"] = "CASE WHEN s._reason IS NULL THEN s._bronze_file_id ELSE error('not plain') END"
    inserted = number_of(
        conn, f"INSERT INTO {table} ({quoted_list(columns)}) SELECT {', '.join(taken.values())} FROM ({rows}) AS s"
    )
    conn.execute("DROP TABLE IF EXISTS temp.main.stage")
    conn.execute(
        f"CREATE TEMP VIEW stage AS SELECT {quoted_list(columns, prefix='t.')}, t.rowid AS rowid, false AS _context, "
        f"{_NO_TEXT} AS _reason, {_NO_TEXT} AS _row, {_NO_TEXT} AS _outcome FROM {table} AS t WHERE t.rowid > {last}"
    )
    counts = dict(conn.execute("SELECT s._bronze_file_id, count(*) FROM stage AS s GROUP BY 1").fetchall())
    expected = {item.file_id: None if item.look is None else item.look.record_count for item in items}
    if sum(counts.values()) != inserted or counts.keys() != expected.keys():
        raise NotStraight
    if any(count is not None and count != counts[file_id] for file_id, count in expected.items()):
        raise NotStraight
    is_odd = may_be_outside(conn, entry) or keys_twice(conn, entry, rows=inserted)
    if is_odd or (last >= 0 and _is_known(conn, entry, last)):
        raise NotStraight


def leave_straight(conn: duckdb.DuckDBPyConnection) -> None:
    """The view goes before the transaction ends: the next batch may make a table of its name."""
    conn.execute("DROP VIEW temp.main.stage")


def _is_known(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, last: int) -> bool:
    """Whether a key stood in the table before the row behind ``last``, or was deleted."""
    keys = entry.key_columns
    names = [name for name in keys if name != entry.row_date_column]
    # where payloads have a ticker each, what is in the key beside the day says it, and that is little
    return (not names or _are_known(conn, entry, names, last, "DISTINCT ")) and _are_known(conn, entry, keys, last, "")


def _are_known(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, names: Sequence[str], last: int, distinct: str
) -> bool:
    of_stage, of_current, of_history = (quoted_list(names, prefix=prefix) for prefix in ("s.", "t.", "h."))
    known = (
        f"SELECT {distinct}{of_current} FROM {current_table(entry)} AS t WHERE t.rowid <= {last} UNION ALL "
        f"SELECT {of_history} FROM {history_table(entry)} AS h WHERE h._deleted"
    )
    batch = f"SELECT {distinct}{of_stage} FROM stage AS s"
    return bool(
        number_of(conn, f"SELECT count(*) FROM ({batch}) AS b SEMI JOIN ({known}) AS k USING ({quoted_list(names)})")
    )
