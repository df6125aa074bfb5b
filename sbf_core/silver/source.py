"""SQL that reads a batch of payloads: the temporary table ``batch_file``, and what was asked for beside each row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.columns import MEMBER_SOURCE
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.series_name import EACH, unescaped
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.ops.bulk import few_or_many
from sbf_core.runs.request import TICKER_SEPARATOR
from sbf_core.silver.inspection import Inspected, payload_of

_FILE_TYPES = {
    "bronze_file_id": "VARCHAR", "path": "VARCHAR", "run_id": "VARCHAR", "ticker": "VARCHAR",
    "discriminator": "VARCHAR", "from_date": "DATE", "to_date": "DATE", "fetched_at": "TIMESTAMP",
    "is_context": "BOOLEAN", "part": "INTEGER", "parts": "INTEGER",
}  # fmt: skip
_OF_ROW = [name for name in _FILE_TYPES if name not in ("path", "is_context")]


def make_batch_file(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected]) -> None:
    """The temporary table ``batch_file``: one row a payload, with the path that the engine is to read, and, as
    ``each.NAME``, the parts of what it was asked for that columns take.

    ``file_code`` and ``run_code`` are the ids once more, as a number in the table and a text to whoever reads it: so
    they stand beside each row in ``stage``.
    """
    rows = [item.file.row for item in items]
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in _OF_ROW}
    columns["fetched_at"] = [to_naive_utc(moment).isoformat() for moment in columns["fetched_at"]]
    columns["path"] = [item.file.path if item.look is None else item.look.file.place for item in items]
    types = dict(_FILE_TYPES)
    columns["is_context"] = [item.file.is_context for item in items]
    payloads = [payload_of(file_id) for file_id in columns["bronze_file_id"]]
    has_members = payloads != columns["bronze_file_id"]
    own_id = "split_part(r.bronze_file_id, '.', 1)" if has_members else "bronze_file_id"
    codes = ", ".join(
        f"{coded(text, known, is_column=True)} AS {code}"
        for code, text, known in (("file_code", own_id, payloads), ("run_code", "run_id", columns["run_id"]))
    )
    for name in _member_parts(entry):
        columns[f"{MEMBER_SOURCE}{name}"] = [item.parts.get(name) for item in items]
        types[f"{MEMBER_SOURCE}{name}"] = "VARCHAR"
    for name in _parts_taken(entry):
        columns[f"{EACH}{name}"] = [entry.each(row.ticker)[name] for row in rows]
        types[f"{EACH}{name}"] = "VARCHAR"
    for name in sorted({column.index_of for column in entry.columns if column.index_of}):
        columns[_list_of(name)] = [json.dumps(_asked_of(entry, name, row.ticker)) for row in rows]
        types[_list_of(name)] = "VARCHAR"
    relation, values = few_or_many(types, columns)
    conn.execute(f"CREATE OR REPLACE TEMP TABLE batch_file AS SELECT r.*, {codes} FROM {relation} AS r", values)


def _list_of(name: str) -> str:
    """The column of ``batch_file`` with what was asked for one after the other, as JSON."""
    return f"list of {name}"


def _asked_of(entry: DatasetKeymapEntry, name: str, asked: str | None) -> list[str]:
    """The tickers that a payload was asked for, in their order, or a part of each, as they are called elsewhere."""
    tickers = (asked or "").split(TICKER_SEPARATOR)
    if name.startswith(EACH):
        return [entry.each(ticker)[name.removeprefix(EACH)] for ticker in tickers]
    return [unescaped(ticker) for ticker in tickers] if entry.parts else tickers


def coded(text: str, known: Sequence[str], *, is_column: bool = False) -> str:
    """SQL of a text, or of a column of texts, as a number that the engine takes for one of the ``known`` texts."""
    kind = f"ENUM({', '.join(literal(each) for each in dict.fromkeys(known))})" if known else "VARCHAR"
    return f"CAST({text if is_column else literal(text)} AS {kind})"


def with_request(entry: DatasetKeymapEntry, source: str) -> tuple[str, dict[str, str]]:
    """A relation with what was asked for beside each row, if the dataset declares columns of it; and the types of
    these.
    """
    source, picked = _with_tickers(entry, source)
    wanted = sorted({column.source for column in entry.columns if column.from_request})
    if not wanted:
        return source, picked
    names = ", ".join(f"b.{quoted(_place(entry, name))} AS {quoted(name)}" for name in wanted)
    joined = (
        f"SELECT given.*, {names} FROM ({source}) AS given LEFT JOIN batch_file AS b ON given._file = b.bronze_file_id"
    )
    return joined, picked | {name: _FILE_TYPES.get(name.removeprefix("request."), "VARCHAR") for name in wanted}


def _with_tickers(entry: DatasetKeymapEntry, source: str) -> tuple[str, dict[str, str]]:
    """A relation in which the index of a ticker is that ticker, for columns that say so; what is none becomes NULL."""
    read = [column for column in entry.columns if not column.from_request]
    slots = {f"f{place}": column.index_of for place, column in enumerate(read) if column.index_of}
    if not slots:
        return source, {}
    replaced = ", ".join(
        f"CASE WHEN regexp_full_match(CAST(given.{slot} AS VARCHAR), '[0-9]{{1,9}}') "
        f"THEN from_json(b.{quoted(_list_of(name))}, '[\"VARCHAR\"]')[CAST(given.{slot} AS BIGINT) + 1] END AS {slot}"
        for slot, name in slots.items()
    )
    joined = (
        f"SELECT given.* REPLACE ({replaced}) FROM ({source}) AS given "
        "LEFT JOIN batch_file AS b ON given._file = b.bronze_file_id"
    )
    return joined, dict.fromkeys(slots, "VARCHAR")


def _parts_taken(entry: DatasetKeymapEntry) -> list[str]:
    """The parts of a row, or of a file's name, that columns take."""
    places = {_place(entry, column.source) for column in entry.columns if column.from_request}
    return sorted(place.removeprefix(EACH) for place in places if place.startswith(EACH))


def _member_parts(entry: DatasetKeymapEntry) -> list[str]:
    """The parts of a member's name that columns take."""
    sources = {column.source for column in entry.columns if column.source.startswith(MEMBER_SOURCE)}
    return sorted(source.removeprefix(MEMBER_SOURCE) for source in sources)


def _place(entry: DatasetKeymapEntry, source: str) -> str:
    """The column of ``batch_file`` that holds what was asked for; a ticker that stands for one part is that part."""
    if source == "request.ticker" and (len(entry.parts) == 1 or entry.each_file is not None):
        return f"{EACH}{entry.parts[0]}"
    return source.removeprefix("request.")
