"""Where the next request goes on, by the answers of a batch that were promoted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path

import duckdb

from sbf_core.clock import from_naive_utc
from sbf_core.dataset.cursor import CursorBy, moment_text
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.duck.identifiers import quoted
from sbf_core.ops.cursors import Move
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.payload.token import token_of
from sbf_core.silver.inspection import Inspected


def moves_of(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    rows: Sequence[BronzeManifestRow],
    items: Sequence[Inspected],
    *,
    without: Collection[str],
) -> list[Move]:
    """How the answers of a batch move the cursors of their series; those that are not wholly there move nothing.

    Args:
        conn: with the batch in ``stage``.
        entry: the dataset; it has a cursor.
        rows: the payloads of the batch, those of one answer among them.
        items: what the look at them found.
        without: ids of payloads that were not promoted.
    """
    assert entry.cursor is not None
    is_number = entry.cursor.by is CursorBy.NUMBER
    highest = _highest(conn, entry) if is_number else {}
    newest = _newest(conn, entry) if entry.cursor.column and not is_number else {}
    files = {item.file_id: item.payload_file for item in items} if entry.cursor.by is CursorBy.TOKEN else {}
    moves = []
    for _, each in groupby(sorted(rows, key=_answer), key=_answer):
        answer = sorted(each, key=lambda row: row.part)
        last = answer[-1]
        if len(answer) < last.parts or any(row.bronze_file_id in without for row in answer):
            continue
        if entry.cursor.by is CursorBy.TOKEN:
            cursor = _token(files[last.bronze_file_id].path, entry)
        elif is_number:
            numbers = [highest[row.bronze_file_id] for row in answer if row.bronze_file_id in highest]
            cursor = str(max(numbers)) if numbers else ""
        else:
            cursor = _moment(
                answer, [newest[row.bronze_file_id] for row in answer if row.bronze_file_id in newest], entry
            )
        if cursor:
            fetched_at = max(row.fetched_at for row in answer)
            move = Move(
                ticker=last.ticker,
                asked_from=last.cursor,
                cursor=cursor,
                bronze_file_id=last.bronze_file_id,
                fetched_at=fetched_at,
            )
            moves.append(move)
    return moves


def _token(path: Path, entry: DatasetKeymapEntry) -> str:
    """What an answer says to come back with."""
    assert entry.cursor is not None
    if isinstance(entry.recipe, (RestRecipe, FileRecipe)):
        as_json = isinstance(entry.recipe, RestRecipe) and entry.recipe.keeps_json
        return token_of(path.read_bytes(), entry.cursor.at, as_json=as_json)
    from sbf_core.payload.singer import state_of  # few datasets have a tap

    return state_of(path)


def _answer(row: BronzeManifestRow) -> tuple[str, ...]:
    return (row.run_id, row.ticker or "", row.cursor, "" if row.parts else row.bronze_file_id)


def _moment(answer: Sequence[BronzeManifestRow], newest: Sequence[dt.datetime], entry: DatasetKeymapEntry) -> str:
    """When the answer was asked for, or what changed last in it if that is earlier; empty where nothing changed."""
    assert entry.cursor is not None
    asked_at = min(row.fetched_at - dt.timedelta(seconds=row.elapsed_seconds) for row in answer)
    if not entry.cursor.column:
        return moment_text(asked_at)
    return moment_text(min(asked_at, max(newest))) if newest else ""


def _newest(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, dt.datetime]:
    """By payload the newest moment in the column that says when a row changed."""
    assert entry.cursor is not None
    moment = f"max(CAST(s.{quoted(entry.cursor.column)} AS TIMESTAMP))"
    rows = conn.execute(
        f"SELECT CAST(s._bronze_file_id AS VARCHAR), {moment} FROM stage AS s WHERE s._reason IS NULL "
        f"AND NOT s._context GROUP BY 1 HAVING {moment} IS NOT NULL"
    ).fetchall()
    return {file_id: from_naive_utc(value) for file_id, value in rows}


def _highest(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, int]:
    """By payload the highest number in the column that counts the rows."""
    assert entry.cursor is not None
    number = f"max(s.{quoted(entry.cursor.column)})"
    rows = conn.execute(
        f"SELECT CAST(s._bronze_file_id AS VARCHAR), CAST({number} AS VARCHAR) FROM stage AS s WHERE s._reason IS NULL "
        f"AND NOT s._context GROUP BY 1 HAVING {number} IS NOT NULL"
    ).fetchall()
    return {file_id: int(value) for file_id, value in rows}
