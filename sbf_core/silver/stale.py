"""Which silver tables another declaration made than the one that holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.bronze.stored import Stored, seems_there
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import changes, columns_as_made, declaration_text, fingerprint_of
from sbf_core.errors import DamageFound
from sbf_core.failures import Failure, FailureKind
from sbf_core.ops.made_tables import HeldPayloads, HeldTable, MadeTable, held_tables, made_tables
from sbf_core.ops.promotions import promotions_of, tables_of
from sbf_core.shell_words import typed
from sbf_core.value import Value

#: The ways on where a payload is lost.
PUT_BACK = "put it back with `sbf repair --from BACKUP`, or go on without it: `sbf rebuild --accept`"
_BYTES_TOLD_IN_KB = 100_000
_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'silver'"
_PAYLOADS = (
    "SELECT rel_path, payload_hash, content_length_bytes, pack, pack_offset FROM ops.bronze_manifest "
    "SEMI JOIN {promotions} USING (bronze_file_id) WHERE list_contains(?, dataset_id) ORDER BY fetched_at, rel_path"
)
_PROMOTED = (
    "SELECT {whose}, count(*), sum(m.content_length_bytes), sum(p.rows_seen), "
    "sum(epoch(p.finished_at - p.started_at) / n.files) FROM ops.bronze_manifest AS m JOIN ops.{ledger} AS "
    "p USING (bronze_file_id) JOIN (SELECT started_at, finished_at, count(*) AS files FROM ops.{ledger} "
    "GROUP BY ALL) AS n ON n.started_at = p.started_at AND n.finished_at IS NOT DISTINCT FROM p.finished_at GROUP BY 1"
)


@attrs.frozen(kw_only=True)
class StaleTable(Value):
    """A table that is to be made again.

    Attributes:
        entry: the dataset, as it is declared now.
        why: what differs, in words.
        fingerprint: of the declaration that holds now.
        payloads: how many payloads were promoted of it, which are read again.
        byte_count: their size.
        rows: how many rows they had.
        seconds: about how long it takes, from how long their promotion took.
        hold: why it is not made again by itself; None where it is.
        lost: one of its payloads whose file is not there, or is longer or shorter than it was, so that the table cannot
            be made again; empty where none is, or nobody looked.
    """

    entry: DatasetKeymapEntry
    why: tuple[str, ...]
    fingerprint: str
    payloads: int
    byte_count: int
    rows: int
    seconds: float
    hold: HeldTable | None = None
    lost: str = ""


def stale_tables(
    conn: duckdb.DuckDBPyConnection, entries: Iterable[DatasetKeymapEntry], *, bronze: Path | None = None
) -> list[StaleTable]:
    """The stale tables of some datasets, in the order of these.

    Args:
        conn: on the database.
        entries: the datasets.
        bronze: look there for the payloads from which the tables would be made again.
    """
    made = made_tables(conn)
    suspects = []
    for entry in entries:
        text = declaration_text(entry)
        known = _known(entry, made)
        if known is None or known.table != entry.silver_table or not known.is_made_by(text):
            suspects.append((entry, text, known))
    if not suspects:
        return []
    there = {name for (name,) in conn.execute(_TABLES).fetchall()}
    promoted = _promoted(conn, any(entry.payloads_of for entry, _, _ in suspects))
    waiting = {(held.table, held.fingerprint): held for held in held_tables(conn)}
    stale = []
    for entry, text, known in suspects:
        parts = [promoted[name] for name in _names(entry) if name in promoted]
        why = _why(entry, text, known, is_there=entry.silver_table in there, has_payloads=bool(parts))
        if why:
            files, size, rows, seconds = (sum(part[place] or 0 for part in parts) for place in range(4))
            print_of = fingerprint_of(text)
            stale.append(StaleTable(
                entry=entry, why=why, fingerprint=print_of, payloads=files, byte_count=int(size), rows=int(rows),
                seconds=float(seconds), hold=waiting.get((entry.silver_table, print_of)),
                lost="" if bronze is None else _lost(conn, entry, bronze),
            ))  # fmt: skip
    return stale


def _promoted(conn: duckdb.DuckDBPyConnection, has_readers: bool) -> dict[str, list[Any]]:
    """How many payloads were promoted, their bytes, rows and seconds: by dataset where it fetched them, and by table
    where that reads what others fetched.
    """
    asked = [_PROMOTED.format(whose="m.dataset_id", ledger="promotion_manifest")]
    asked += [_PROMOTED.format(whose="p.silver_table", ledger="readings")] if has_readers else []
    return {name: facts for sql in asked for name, *facts in conn.execute(sql).fetchall()}


def _names(entry: DatasetKeymapEntry) -> Sequence[str]:
    """Under which names ``_promoted`` has its payloads."""
    return tables_of(entry) if entry.payloads_of else entry.ids


def _lost(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, bronze: Path) -> str:
    """The oldest payload of a table whose file is not as long as it was; what is in it, only a hash would tell."""
    known: set[str] = set()
    sql = _PAYLOADS.format(promotions=promotions_of(entry))
    for path, *facts in conn.execute(sql, [list(entry.payload_ids)]).fetchall():
        try:
            if not seems_there(bronze, path, Stored(*facts), known=known):
                return str(path)
        except (FileNotFoundError, NotADirectoryError, DamageFound):
            return str(path)
        except OSError:
            continue  # the run will say what the matter is
    return ""


def what_becomes(stale: StaleTable) -> str:
    """What the next run does about a stale table that is not held, or what keeps it from that."""
    if stale.lost:
        return f"the next run cannot make it again: payload {stale.lost} is gone, or was changed; {PUT_BACK}"
    return f"the next run makes it again ({cost_of(stale)})"


def payloads_wait(held: HeldPayloads) -> str:
    """How many payloads wait, since when, and why."""
    files = counted(held.number, "payload waits", "payloads wait")
    return f"{files} since {held.since:%Y-%m-%d %H:%M}Z: {held.reason}"


def payloads_failure(dataset: str, held: HeldPayloads) -> Failure:
    """What a dataset waits for whose payloads are held, and the way on."""
    fix = f"or accept that with `sbf promote {typed(dataset)} --accept`"
    return Failure(kind=FailureKind.HELD, what=f"it is held: {payloads_wait(held)}", dataset=dataset, fix=fix)


def cost_of(stale: StaleTable) -> str:
    """What making a table again costs, in words."""
    files = counted(stale.payloads, "payload")
    size = (
        f"{stale.byte_count / 1e6:,.1f} MB"
        if stale.byte_count >= _BYTES_TOLD_IN_KB
        else f"{stale.byte_count / 1e3:.1f} kB"
    )
    return f"{files}, {size}, about {max(stale.seconds, 0.1):,.1f} s"


def held_failure(hold: HeldTable) -> Failure:
    """What a dataset waits for, and the ways on."""
    what = f"it is held, and its table is as it was: {hold.reason}"
    fix = f"accept that with `sbf rebuild {typed(hold.dataset)} --accept`, or put the declaration back"
    return Failure(kind=FailureKind.HELD, what=what, dataset=hold.dataset, fix=fix)


def _why(
    entry: DatasetKeymapEntry, text: str, known: MadeTable | None, *, is_there: bool, has_payloads: bool
) -> tuple[str, ...]:
    if known is not None:
        renamed = (f"it was silver.{known.table}",) if known.table != entry.silver_table else ()
        return (*renamed, *changes(known.declaration, text))
    if is_there:
        return ("it was made by a version of sbf that did not keep what made it",)
    if has_payloads:
        return (f"payloads of {entry.id} were promoted, but not into this table",)
    return ()


def as_made(entry: DatasetKeymapEntry, made: Mapping[str, MadeTable]) -> DatasetKeymapEntry:
    """A dataset as its table really is, for readers of a table that may be stale: with the columns that it has, and
    under its former name until it is made again under the new one.

    Args:
        entry: the dataset as it is declared now.
        made: what made each table that is there.
    """
    known = _known(entry, made)
    if known is None:
        return entry
    if known.table == entry.silver_table and known.is_made_by(declaration_text(entry)):
        return entry
    columns = columns_as_made(known.declaration)
    now = {column.name: column for column in entry.columns}
    told = tuple(
        attrs.evolve(column, unit=now[column.name].unit, doc=now[column.name].doc) if column.name in now else column
        for column in columns
    )
    former = tuple(name for name in entry.renamed_from if name != f"silver.{known.table}")
    return attrs.evolve(
        entry,
        columns=told,
        answers=None,
        restated=None,
        restated_column="",
        charts=(),
        silver_table=known.table,
        renamed_from=former,
    )


def _known(entry: DatasetKeymapEntry, made: Mapping[str, MadeTable]) -> MadeTable | None:
    """What made the table of a dataset, be it under a former name."""
    return next((made[name] for name in (entry.silver_table, *entry.former_tables) if name in made), None)
