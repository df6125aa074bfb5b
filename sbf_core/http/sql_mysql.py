"""MySQL and MariaDB, by PyMySQL (the extra ``mysql``): values come as the texts that the server writes.

Values are bound by the server's own PREPARE and EXECUTE: PyMySQL itself would paste them into the text.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from sbf_core.dataset.mysql_address import MySqlAddress
from sbf_core.duck.parquet_writer import Field, not_exact
from sbf_core.errors import UsageError, printable
from sbf_core.failures import FailureKind
from sbf_core.http.sql_query import ROWS_AT_ONCE, QueryFailure, SqlQuery

_CONNECT_SECONDS = 30
#: Types of the protocol (include/field_types.h of MySQL) and the engine's type. A DECIMAL may have more digits than one
#: of the engine's; it stays a text, which the warehouse reads as the dataset declares it.
_TYPES = {
    0: "VARCHAR", 5: "DOUBLE", 6: "VARCHAR", 7: "TIMESTAMP WITH TIME ZONE", 10: "DATE", 11: "TIME", 12: "TIMESTAMP",
    13: "SMALLINT", 14: "DATE", 245: "VARCHAR", 246: "VARCHAR",
}  # fmt: skip
_WHOLE = {1: "TINYINT", 2: "SMALLINT", 3: "INTEGER", 8: "BIGINT", 9: "INTEGER"}
_TEXTS = frozenset({15, 247, 248, 249, 250, 251, 252, 253, 254})
_FLOAT, _MOMENT, _BIT, _JSON = 4, 7, 16, 245
#: What is refused: its name, and what to write instead.
_REFUSED = {
    _FLOAT: ("a FLOAT, which the server writes with six digits alone", "CAST({0} AS DOUBLE) AS {0}"),
    _BIT: ("a BIT", "{0} + 0 AS {0}"),
    255: ("a GEOMETRY", "ST_AsText({0}) AS {0}"),
}
_UNSIGNED, _BINARY = 32, 63
#: What the server would do otherwise in silence: times of its own zone, results that are cut.
_SETTINGS = (
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_select_limit = 18446744073709551615",
    "SET SESSION group_concat_max_len = 1073741824",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)
#: The statement may not take longer; each of the two families knows one of them.
_BOUNDS = ("SET SESSION max_execution_time = {milliseconds}", "SET SESSION max_statement_time = {seconds}")
_UNKNOWN_VARIABLE = 1193
#: A query was stopped: by MySQL, by MariaDB.
_STOPPED = (3024, 1969)
_COMMENT = re.compile(r"\A(?:\s+|--[ \t][^\n]*|\#[^\n]*|/\*(?!!|M!).*?\*/|\()*", re.DOTALL)
_READS = re.compile(r"(?:SELECT|WITH|VALUES|TABLE)\b", re.IGNORECASE)


def ask(query: SqlQuery, file: Path) -> tuple[list[Field], int]:
    """Write the rows of a query as Parquet; returns its columns, and how many rows there are.

    Raises:
        UsageError: the library is not installed.
        DatasetFailure: the server does not answer, refuses the query, or gives what cannot be kept exactly.
    """
    try:
        pymysql: Any = import_module("pymysql")
    except ImportError as error:
        what, fix = "MySQL needs a library", 'pip install "sbf[mysql]"'
        raise UsageError(what, where=str(error), fix=fix, code="LIBRARY") from None
    text, values = query.bound(lambda _: "?")
    if not _READS.match(_COMMENT.sub("", text, count=1)):
        raise QueryFailure(FailureKind.QUERY, "the query is no SELECT", fix='query="SELECT ..."')
    faults = (pymysql.err.Error, RuntimeError, OSError, ValueError)
    try:
        conn = _connected(pymysql, query)
    except faults as error:
        raise QueryFailure(FailureKind.CONNECT, _said(error)) from None
    cursor = None
    try:
        _prepare(pymysql, conn, query, text, values)
        cursor = conn.cursor(import_module("pymysql.cursors").SSCursor)
        given = ", ".join(f"@sbf_{number}" for number in range(len(values)))
        cursor.execute(f"EXECUTE sbf USING {given}" if given else "EXECUTE sbf")
        if cursor.description is None:
            raise QueryFailure(FailureKind.QUERY, "the query is no SELECT", fix='query="SELECT ..."')
        fields = [_field(one) for one in cursor._result.fields]
        return fields, query.kept(fields, lambda: _batch(cursor, fields), file, cast="CHAR")
    except faults as error:
        if query.is_late or (error.args and error.args[0] in _STOPPED):
            raise query.too_late() from None
        raise QueryFailure(FailureKind.QUERY, _said(error)) from None
    finally:
        if cursor is not None and cursor._result is not None:
            cursor._result.unbuffered_active = False  # else it would wait for the rows that nobody wants
        conn.close()


def _connected(pymysql: Any, query: SqlQuery) -> Any:
    address = MySqlAddress.of(query.recipe.connection)
    hidden = {name: secret.reveal() for name, secret in query.secrets.items()}
    socket = address.options.get("socket")
    return pymysql.connect(
        host=hidden.get("host") or address.host or None,
        port=int(hidden.get("port") or address.port),
        user=hidden.get("user") or address.user or None,
        password=hidden.get("password", "").encode(),
        database=hidden.get("database") or address.database or None,
        unix_socket=socket or None,
        charset="utf8mb4",
        conv={},  # texts as they come
        connect_timeout=min(_CONNECT_SECONDS, query.seconds_left()),
        read_timeout=query.seconds_left(),
        program_name="sbf",
        autocommit=True,
        **_encrypted(address),
    )


def _encrypted(address: MySqlAddress) -> dict[str, Any]:
    """How the connection is encrypted, and how sure it must be who answers."""
    mode, options = address.mode, address.options
    if not mode:
        return {}
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    context = ssl.create_default_context(cafile=options.get("ssl-ca"))
    context.check_hostname = mode == "VERIFY_IDENTITY"
    if options.get("ssl-cert"):
        context.load_cert_chain(options["ssl-cert"], options.get("ssl-key"))
    return {"ssl": context}


def _prepare(pymysql: Any, conn: Any, query: SqlQuery, text: str, values: Sequence[str | int]) -> None:
    """All that goes before the query; texts go as hex digits, which need no quotes."""
    cursor = conn.cursor()
    for setting in _SETTINGS:
        cursor.execute(setting)
    seconds = query.seconds_left()
    for bound in _BOUNDS:
        try:
            cursor.execute(bound.format(milliseconds=max(1, round(seconds * 1000)), seconds=max(1, round(seconds))))
        except pymysql.err.Error as error:
            if error.args[0] != _UNKNOWN_VARIABLE:
                raise
    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    cursor.execute(f"SET @sbf_query = {_as_hex(text)}")
    cursor.execute("PREPARE sbf FROM @sbf_query")
    for number, value in enumerate(values):
        cursor.execute(f"SET @sbf_{number} = {value if isinstance(value, int) else _as_hex(value)}")


def _as_hex(text: str) -> str:
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def _field(column: Any) -> Field:
    name, code = column.name, column.type_code
    if code in _REFUSED:
        kind, cast = _REFUSED[code]
        raise not_exact(name, kind, where="", cast=cast.format(name))
    if code in _WHOLE:
        return Field(name, f"{'U' if column.flags & _UNSIGNED else ''}{_WHOLE[code]}")
    if code in _TEXTS:
        return Field(name, "BLOB" if column.charsetnr == _BINARY else "VARCHAR")
    if code not in _TYPES:
        raise not_exact(name, f"of the type {code}", where="", cast=f"CAST({name} AS CHAR) AS {name}")
    return Field(name, _TYPES[code])


def _batch(cursor: Any, fields: Sequence[Field]) -> Sequence[Sequence[str | None]]:
    """The next rows; bytes as hex digits, and moments with the zone that they are in."""
    rows: Sequence[Sequence[Any]] = cursor.fetchmany(ROWS_AT_ONCE)
    hexed = {at for at, field in enumerate(fields) if field.type == "BLOB"}
    zoned = {at for at, field in enumerate(fields) if field.type == "TIMESTAMP WITH TIME ZONE"}
    if not hexed and not zoned:
        return rows
    return [
        [
            value if value is None else value.hex() if at in hexed else f"{value}+00" if at in zoned else value
            for at, value in enumerate(row)
        ]
        for row in rows
    ]


def _said(error: BaseException) -> str:
    said = str(error.args[1] if len(error.args) > 1 else error)
    with suppress(IndexError, TypeError):
        said = f"{said} ({error.args[0]})" if isinstance(error.args[0], int) else said
    return f"MySQL says: {printable(' '.join(said.split()))}"
