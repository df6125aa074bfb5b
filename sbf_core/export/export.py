"""Rows written to a file for others, with a manifest of what they are and where they come from."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import duckdb

from sbf_core.atomic_file import file_hash, write_whole
from sbf_core.dataset.about import PassingOn
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.duck.identifiers import quoted, quoted_list
from sbf_core.errors import EnvironmentFault, UsageError, nearest
from sbf_core.export.columns import Column, columns_of
from sbf_core.export.formats import ENDINGS, FORMATS, Wanted
from sbf_core.export.sources import datasets_below
from sbf_core.gold.model import GoldModel
from sbf_core.home.home import Home
from sbf_core.reports.as_of import look_back
from sbf_core.reports.sql_query import check_query, unended
from sbf_core.value import Value

#: Of the manifest; raised where a reader has to know.
MANIFEST_FORMAT = 1
_TABLE = re.compile(r"(silver|gold)\.(\w+)", re.IGNORECASE)
_TABLES = (
    "SELECT schema_name || '.' || name FROM (SELECT schema_name, table_name AS name FROM duckdb_tables() UNION ALL "
    "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal) WHERE schema_name IN ('silver', 'gold') "
    "ORDER BY 1"
)


@attrs.frozen(kw_only=True)
class Export(Value):
    """What was exported.

    Attributes:
        file: the rows.
        manifest: what is said of them, as JSON.
        facts: the same, for a program.
        notes: what whoever takes the file has to know, in words.
    """

    file: Path
    manifest: Path
    facts: Mapping[str, Any]
    notes: tuple[str, ...]


@attrs.frozen(kw_only=True)
class _Rows(Value):
    """What is exported: the SELECT, the order of its rows, and what is known of its columns. A comment may end it."""

    query: str
    order: tuple[str, ...]
    told: Mapping[str, tuple[str, str]]


def export(
    home: Home, what: str, *, kind: str = "parquet", to: Path | None = None, moment: dt.datetime | None = None
) -> Export:
    """Write a table, or what a SELECT gives, to a file; beside it ``FILE.manifest.json``.

    Both are put in their places whole: the file first, so that a manifest never speaks of rows that are not there.

    Args:
        home: the warehouse.
        what: ``silver.NAME`` or ``gold.NAME``, whose rows are in the order of their key; or one SELECT.
        kind: the format.
        to: the file; in the working folder, and called after the table, when absent.
        moment: rows as they were known then; as they are now when absent.

    Raises:
        UsageError: there is no such table, the query fails, or the format does not hold a value as it is.
        EnvironmentFault: the file cannot be written.
    """
    target = _target(what, kind, to)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".sbf-export-", dir=target.parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise EnvironmentFault(f"nothing can be written there: {error.strerror}", where=str(target.parent)) from error
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(folder))
        database = stack.enter_context(home.reading(scratch=scratch))
        conn, entries = database.cursor, home.entries
        models = home.gold_models(conn).models
        rows = _rows(conn, what, entries, models)
        sources, unknown = datasets_below(conn, rows.query, models, entries)
        facts = _facts(home, what, kind, moment, sources, unknown)
        if moment is not None:
            look_back(home, conn, moment)
        fresh = scratch / f"rows{ENDINGS[kind]}"
        facts |= _written(conn, rows, kind, fresh, facts)
        _put(fresh, target, facts)
    return Export(
        file=target, manifest=_manifest(target), facts=facts, notes=(*_notes(sources, unknown), *facts["notes"])
    )


def _target(what: str, kind: str, to: Path | None) -> Path:
    if kind not in FORMATS:
        fix = nearest(kind, FORMATS) or "use " + ", ".join(FORMATS)
        raise UsageError(f"there is no format {kind!r}", fix=fix, code="USAGE")
    table = _TABLE.fullmatch(what.strip())
    if to is None and table is None:
        raise UsageError("a query has no name for its file", fix=f"give one: --to rows{ENDINGS[kind]}", code="EXPORT")
    target = to or Path(f"{what.strip().lower()}{ENDINGS[kind]}")
    if target.suffix != ENDINGS[kind]:
        raise UsageError(
            f"a file of {kind} ends with {ENDINGS[kind]}", where=str(target),
            fix=f"write --to {target.with_suffix(ENDINGS[kind])}, or another --format", code="EXPORT",
        )  # fmt: skip
    return target.expanduser().absolute()


def _rows(
    conn: duckdb.DuckDBPyConnection, what: str, entries: Sequence[DatasetKeymapEntry], models: Sequence[GoldModel]
) -> _Rows:
    table = _TABLE.fullmatch(what.strip())
    if table is None:
        check_query(conn, what)
        return _Rows(query=unended(what), order=(), told={})
    name = what.strip().lower()
    there = [found for (found,) in conn.execute(_TABLES).fetchall()]
    if name not in there:
        fix = nearest(name, there) or "see `sbf datasets`"
        raise UsageError(f"there is no table {name}", fix=fix, code="UNKNOWN_TABLE")
    schema, _, plain = name.partition(".")
    query = f"SELECT * FROM {schema}.{quoted(plain)}"
    entry = next((one for one in entries if plain in (one.silver_table, f"{one.silver_table}_history")), None)
    model = next((one for one in models if one.name == plain), None)
    if schema == "silver" and entry is not None:
        told = {column.name: (column.doc, column.unit) for column in entry.columns}
        since = () if plain == entry.silver_table else ("known_from",)
        return _Rows(query=query, order=(*entry.key_columns, *since), told=told)
    return _Rows(query=query, order=model.key if schema == "gold" and model is not None else (), told={})


def _facts(
    home: Home, what: str, kind: str, moment: dt.datetime | None,
    sources: Sequence[DatasetKeymapEntry], unknown: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """What is known before the rows are."""
    return {
        "format": MANIFEST_FORMAT,
        "kind": kind,
        "of": what.strip(),
        "as_of": None if moment is None else moment.isoformat(),
        "made_at": home.clock.now().isoformat(),
        "sbf": version("sbf"),
        "duckdb": duckdb.__version__,
        "sources": [
            {
                "dataset": entry.id, "title": entry.title, "terms": entry.terms, "source_url": entry.source_url,
                "passing_on": None if entry.passing_on is None else str(entry.passing_on),
            }
            for entry in sources
        ],
        "sources_unknown": list(unknown),
    }  # fmt: skip


def _written(
    conn: duckdb.DuckDBPyConnection, rows: _Rows, kind: str, file: Path, facts: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        columns, select = columns_of(conn.sql(rows.query), rows.told, kind=kind)
        names = {column.name for column in columns}
        order = [column for column in rows.order if column in names]
        by = f" ORDER BY {quoted_list(order)}" if order else ""
        described = [attrs.asdict(column) for column in columns]
        metadata = {"sbf": json.dumps({**facts, "columns": described})}
        wanted = Wanted(select=f"SELECT {select} FROM ({rows.query}\n) AS r{by}", columns=columns, metadata=metadata)
        written = FORMATS[kind](conn, wanted, file)
    except ENGINE_ERRORS as error:
        raise UsageError(f"the rows cannot be had: {first_line(error)}", code="SQL") from error
    except OSError as error:
        raise EnvironmentFault(f"the file cannot be written: {error.strerror}", where=str(file.parent)) from error
    return {"columns": described, "rows": written.rows, "notes": list(written.notes)}


def _put(fresh: Path, target: Path, facts: dict[str, Any]) -> None:
    try:
        facts |= {"file": target.name, "bytes": fresh.stat().st_size, "sha256": file_hash(fresh)}
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        _manifest(target).unlink(missing_ok=True)  # it speaks of the file that was there
        fresh.replace(target)
        write_whole(_manifest(target), json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise EnvironmentFault(f"the file cannot be written: {error.strerror}", where=str(target)) from error


def _manifest(target: Path) -> Path:
    return target.with_name(f"{target.name}.manifest.json")


def _notes(sources: Sequence[DatasetKeymapEntry], unknown: Sequence[str]) -> list[str]:
    notes = [
        f"rows of {entry.id} may not be passed on: {entry.terms}"
        for entry in sources
        if entry.passing_on is PassingOn.NO
    ]
    notes += [
        f"whoever passes on rows of {entry.id} names the source: {entry.terms}"
        for entry in sources
        if entry.passing_on is PassingOn.NAMED
    ]
    return [*notes, *(f"no loaded plugin says where {table} comes from" for table in unknown)]


__all__ = ["Column", "Export", "export"]
