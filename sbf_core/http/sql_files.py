"""A DuckDB database, or Parquet files, asked by a connection of their own; the types are the engine's."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import duckdb

from sbf_core.duck.engine_errors import first_line, is_inputs_fault
from sbf_core.duck.identifiers import literal
from sbf_core.duck.parquet_writer import Field, check_fields, shut, write_sorted, writing_connection
from sbf_core.failures import FailureKind
from sbf_core.http.sql_query import QueryFailure, SqlQuery


def ask(query: SqlQuery, file: Path) -> tuple[list[Field], int]:
    """Write the rows of a query as Parquet; returns its columns, and how many rows there are.

    Raises ``DatasetFailure``.
    """
    path = (query.files / query.recipe.path).absolute()
    place = path if query.recipe.kind == "duckdb" else _folder(path)
    if not place.exists():
        raise QueryFailure(FailureKind.FILE, f"there is no {place}", fix="put it there, or mend the connection")
    reads = () if query.recipe.kind == "duckdb" else (place,)
    with writing_connection(query.folder, reads=reads) as conn:
        try:
            if query.recipe.kind == "duckdb":
                conn.execute(f"ATTACH {literal(str(path))} AS source (READ_ONLY); USE source")
            else:
                conn.execute(
                    f"CREATE VIEW files AS SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning=true, "
                    f"hive_types_autocast=false)"
                )
            shut(conn)
        except duckdb.Error as error:
            if not is_inputs_fault(error):
                raise
            raise QueryFailure(FailureKind.FILE, first_line(error)) from None
        timer = threading.Timer(query.seconds_left(), conn.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return _asked(conn, query, file)
        except duckdb.InterruptException:
            raise query.too_late() from None
        except duckdb.Error as error:
            if not is_inputs_fault(error):
                raise
            raise QueryFailure(FailureKind.QUERY, first_line(error)) from None
        finally:
            timer.cancel()


def _asked(conn: duckdb.DuckDBPyConnection, query: SqlQuery, file: Path) -> tuple[list[Field], int]:
    text, values = query.bound(lambda number: f"${number}")
    with suppress(duckdb.Error):  # what cannot be read is told below
        statements = conn.extract_statements(text)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise QueryFailure(FailureKind.QUERY, "the query is no SELECT", fix='query="SELECT ..."')
    told = conn.execute(f"DESCRIBE SELECT * FROM ({text}\n) AS r", values).fetchall()
    fields = [Field(name, "VARCHAR" if kind.startswith("ENUM(") else kind) for name, kind, *_ in told]
    check_fields(fields, where="")
    return fields, write_sorted(conn, text, fields, file, values=values, first=query.first, sort=query.sort)


def _folder(pattern: Path) -> Path:
    """The folder in which a pattern of files begins."""
    for place in reversed(pattern.parents):
        if any(mark in place.name for mark in "*?["):
            return place.parent
    return pattern.parent
