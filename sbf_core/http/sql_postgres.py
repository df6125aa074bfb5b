"""PostgreSQL, by psycopg (the extra ``postgres``): values come as the texts that the server writes.

So nothing is lost on the way: a NUMERIC keeps its digits, NaN and infinity are what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from sbf_core.duck.parquet_writer import Field, not_exact
from sbf_core.errors import UsageError
from sbf_core.failures import FailureKind
from sbf_core.http.sql_query import ROWS_AT_ONCE, QueryFailure, SqlQuery

_CONNECT_SECONDS = 30
#: Ids of types (pg_type.dat of PostgreSQL) and the engine's type. A NUMERIC may have more digits than one of the
#: engine's, or be no number; it stays a text, which the warehouse reads as the dataset declares it.
_TYPES = {
    16: "BOOLEAN", 17: "BLOB", 18: "VARCHAR", 19: "VARCHAR", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER", 25: "VARCHAR",
    26: "UINTEGER", 114: "VARCHAR", 142: "VARCHAR", 700: "FLOAT", 701: "DOUBLE", 1042: "VARCHAR", 1043: "VARCHAR",
    1082: "DATE", 1083: "TIME", 1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE", 1700: "VARCHAR", 2950: "UUID",
    3802: "VARCHAR",
}  # fmt: skip
#: How the server writes what it could write in several ways.
_SETTINGS = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "extra_float_digits": "3", "bytea_output": "hex",
    "default_transaction_read_only": "on", "default_transaction_isolation": "repeatable read",
}  # fmt: skip


def ask(query: SqlQuery, file: Path) -> tuple[list[Field], int]:
    """Write the rows of a query as Parquet; returns its columns, and how many rows there are.

    Raises:
        UsageError: the library is not installed.
        DatasetFailure: the server does not answer, refuses the query, or gives what cannot be kept exactly.
    """
    try:
        psycopg: Any = import_module("psycopg")
    except ImportError as error:
        what, fix = "PostgreSQL needs a library", 'pip install "sbf[postgres]"'
        raise UsageError(what, where=str(error), fix=fix, code="LIBRARY") from None
    text, values = query.bound(lambda _: "%s", text=lambda part: part.replace("%", "%%"))
    try:
        conn = psycopg.connect(
            query.recipe.connection,
            connect_timeout=str(_CONNECT_SECONDS),
            application_name="sbf",
            client_encoding="utf8",
            **{name: secret.reveal() for name, secret in query.secrets.items()},
            context=_texts_only(psycopg),
        )
    except psycopg.Error as error:
        raise QueryFailure(FailureKind.CONNECT, _said(error)) from None
    try:
        settings = {**_SETTINGS, "statement_timeout": f"{query.seconds_left():.0f}s"}
        conn.autocommit = True
        for name, value in settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
        conn.autocommit = False
        with conn.cursor(name="sbf") as cursor:
            cursor.execute(text, values)
            fields = [_field(conn, column) for column in cursor.description]
            hexed = [at for at, field in enumerate(fields) if field.type == "BLOB"]

            def batch() -> Sequence[Sequence[str | None]]:
                rows: list[tuple[str | None, ...]] = cursor.fetchmany(ROWS_AT_ONCE)
                return [_without_mark(row, hexed) for row in rows] if hexed else rows

            return fields, query.kept(fields, batch, file)
    except psycopg.errors.QueryCanceled:
        raise query.too_late() from None
    except psycopg.Error as error:
        raise QueryFailure(FailureKind.QUERY, _said(error)) from None
    finally:
        conn.close()


def _texts_only(psycopg: Any) -> Any:
    """What makes the library give each value as the text that came, and leave the type of each bound text to the
    server.
    """
    texts, numbers = import_module("psycopg.types.string"), import_module("psycopg.types.numeric")
    adapters = import_module("psycopg.adapt").AdaptersMap()
    adapters.register_dumper(str, texts.StrDumperUnknown)
    adapters.register_dumper(int, numbers.IntDumper)  # it writes how many rows it wants
    adapters.register_loader(0, texts.TextLoader)

    class Context:
        connection = None

    context: Any = Context()
    context.adapters = adapters
    return context


def _field(conn: Any, column: Any) -> Field:
    kind = _TYPES.get(column.type_code)
    if kind is None:
        name = conn.execute("SELECT format_type(%s::oid, NULL)", (str(column.type_code),)).fetchone()[0]
        raise not_exact(column.name, name, where="", cast=f"{column.name}::text AS {column.name}")
    return Field(column.name, kind)


def _without_mark(row: Sequence[str | None], hexed: Sequence[int]) -> list[str | None]:
    r"""Bytes are written as ``\x`` and their hex digits."""
    return [text[2:] if at in hexed and text is not None else text for at, text in enumerate(row)]


def _said(error: Exception) -> str:
    return f"PostgreSQL says: {' '.join(str(error).split())}"
