"""A SQLite file. A column of it has no type, each value has one: so all come as texts, with all of their digits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sbf_core.duck.parquet_writer import Field, not_exact
from sbf_core.failures import FailureKind
from sbf_core.http.sql_cursor import no_number
from sbf_core.http.sql_query import ROWS_AT_ONCE, QueryFailure, SqlQuery

#: What a query may do; all else, such as to attach another file, is refused (https://sqlite.org/c3ref/c_alter_table.html).
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_LOCKED_SECONDS = 30.0
_STEPS_BETWEEN_LOOKS = 100_000


def ask(query: SqlQuery, file: Path) -> tuple[list[Field], int]:
    """Write the rows of a query as Parquet; returns its columns, and how many rows there are.

    Raises ``DatasetFailure``.
    """
    path = (query.files / query.recipe.path).absolute()
    if not path.is_file():
        raise QueryFailure(FailureKind.FILE, f"there is no {path}", fix="put it there, or mend the connection")
    text, values = query.bound(lambda number: f"?{number}")
    try:
        address = f"file:{quote(path.as_posix())}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_LOCKED_SECONDS, isolation_level=None)) as conn:
            conn.set_authorizer(_authorized)
            conn.set_progress_handler(lambda: query.is_late, _STEPS_BETWEEN_LOOKS)
            cursor = conn.execute(text, values)
            if cursor.description is None:
                raise QueryFailure(FailureKind.QUERY, "the query is no SELECT", fix='query="SELECT ..."')
            fields = [Field(column[0], "VARCHAR") for column in cursor.description]
            counted = [at for at, field in enumerate(fields) if field.name.lower() in query.counted]

            def batch() -> Sequence[Sequence[str | None]]:
                rows = cursor.fetchmany(ROWS_AT_ONCE)
                for at in counted:
                    _check_numbers(rows, at, fields[at].name)
                return [_texts(row, fields) for row in rows]

            return fields, query.kept(fields, batch, file)
    except OverflowError:
        what = "a value that is bound is beyond the whole numbers of SQLite, which end with 2^63"
        raise QueryFailure(FailureKind.QUERY, what, fix="see `first` and `overlap` of the cursor") from None
    except sqlite3.Error as error:
        if query.is_late:
            raise query.too_late() from None
        raise QueryFailure(FailureKind.QUERY, f"SQLite says: {error}") from None


def _check_numbers(rows: Sequence[Sequence[object]], at: int, name: str) -> None:
    odd = next((row[at] for row in rows if not isinstance(row[at], int) and row[at] is not None), None)
    if odd is not None:
        raise no_number(name, f"holds {odd!r:.60}, which SQLite keeps as no whole number")


def _authorized(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _texts(row: Sequence[object], fields: Sequence[Field]) -> list[str | None]:
    return [None if value is None else _text(value, field) for value, field in zip(row, fields, strict=True)]


def _text(value: object, field: Field) -> str:
    if isinstance(value, bytes):
        raise not_exact(field.name, "bytes", where="", cast=f"hex({field.name}) AS {field.name}")
    return repr(value) if isinstance(value, float) else str(value)  # the fewest digits that give the same number
