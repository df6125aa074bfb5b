"""Where the next request of a series goes on, of datasets that are asked for what changed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.cursor import CursorBy, goes_before
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.bulk import insert_rows
from sbf_core.value import Value

_TYPES = {
    "dataset": "VARCHAR", "ticker": "VARCHAR", "cursor": "VARCHAR", "former": "VARCHAR", "bronze_file_id": "VARCHAR",
    "fetched_at": "TIMESTAMP",
}  # fmt: skip
#: Places before the one of now that an answer may have been asked for from. From an older one it is asked once more.
_FORMER_MAX = 10


@attrs.frozen(kw_only=True)
class Move(Value):
    """What a wholly promoted answer says of the next one.

    Attributes:
        ticker: whose; None for a dataset without tickers.
        asked_from: the cursor that it was asked for with.
        cursor: where the next request goes on.
        bronze_file_id: its last payload.
        fetched_at: when that was complete; aware.
    """

    ticker: str | None
    asked_from: str
    cursor: str
    bronze_file_id: str
    fetched_at: dt.datetime


def load_cursors(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Mapping[str | None, str]:
    """Per ticker where the next request of a dataset goes on."""
    rows = conn.execute(
        "SELECT ticker, arg_max(cursor, fetched_at) FROM ops.cursors WHERE list_contains(?, dataset) GROUP BY ticker",
        [list(entry.ids)],
    ).fetchall()
    return dict(rows)


def move_cursors(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, moves: Sequence[Move]) -> None:
    """Take moves in. Writes ops.cursors in the caller's transaction. Idempotent.

    An answer moves the cursor only if nothing can lie between: it came after the one that moved it last, and was asked
    for from the very start, or from a place where the cursor is or was. So where an answer is lost, or could not be
    promoted, those that were asked for behind it move nothing, and the next request goes on before it.
    """
    places = _Places(conn, entry)
    for move in sorted(moves, key=lambda one: (one.fetched_at, one.bronze_file_id)):
        places.take(move)
    places.write()


class _Places:
    """The rows of one dataset, while moves are taken in."""

    def __init__(self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> None:
        self._conn = conn
        self._entry = entry
        names = ", ".join(_TYPES)
        rows = conn.execute(
            f"SELECT {names} FROM ops.cursors WHERE list_contains(?, dataset) ORDER BY fetched_at", [list(entry.ids)]
        ).fetchall()
        self._rows = {row[1]: dict(zip(_TYPES, row, strict=True)) for row in rows}
        self._moved: set[str | None] = set()

    def take(self, move: Move) -> None:
        """Move the cursor of a series, if the answer goes on from where it is or was."""
        assert self._entry.cursor is not None
        declared = self._entry.cursor
        has_order = declared.by is not CursorBy.TOKEN
        row = self._rows.get(move.ticker)
        fetched_at = to_naive_utc(move.fetched_at)
        former: list[str] = []
        cursor = move.cursor
        if row is not None:
            if fetched_at <= row["fetched_at"]:
                return
            former = [*json.loads(row["former"]), row["cursor"]]
            goes_on = move.asked_from in ("", *former)
            if has_order:
                goes_on = goes_before(declared, move.asked_from, row["cursor"])
            if not goes_on:
                return
            cursor = row["cursor"] if has_order and goes_before(declared, cursor, row["cursor"]) else cursor
        elif move.asked_from and declared.by is not CursorBy.MOMENT:
            return
        self._rows[move.ticker] = {
            "dataset": self._entry.id, "ticker": move.ticker, "cursor": cursor,
            "former": json.dumps([] if has_order else former[-_FORMER_MAX:]),
            "bronze_file_id": move.bronze_file_id, "fetched_at": fetched_at,
        }  # fmt: skip
        self._moved.add(move.ticker)

    def write(self) -> None:
        """Write the series that moved."""
        for ticker in self._moved:
            self._conn.execute(
                "DELETE FROM ops.cursors WHERE list_contains(?, dataset) AND ticker IS NOT DISTINCT FROM ?",
                [list(self._entry.ids), ticker],
            )
        insert_rows(self._conn, "ops.cursors", _TYPES, [self._rows[ticker] for ticker in self._moved])
