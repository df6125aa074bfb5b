"""Rows from elsewhere as Parquet: each value exactly as it was, and equal rows as equal bytes.

Written by a connection of its own, in memory: it sees no warehouse, no other file, and loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import duckdb

from sbf_core.duck.identifiers import literal, literal_list, quoted
from sbf_core.errors import DatasetFailure, shortened
from sbf_core.value import Value

#: Types that Parquet and the warehouse hold exactly, as the engine calls them.
EXACT_TYPES = frozenset(
    {
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
        "DOUBLE", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "UUID",
    }
)  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")
_MEMORY = "512MB"
_ROWS_AT_ONCE = 5_000
_OF_TIME = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})
#: A row is at most as long as is said; what 1.5.5 sets aside for one is sixteen times that, where nothing else is said.
_ROW_BYTES = 1024**2


class TooLarge(DatasetFailure):
    """The rows are more than what is taken."""


@attrs.frozen
class Field(Value):
    """A column: its name, and its type as the engine calls it."""

    name: str
    type: str


@contextmanager
def writing_connection(folder: Path, *, reads: Sequence[Path] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory whose zone is UTC; it works in a folder, on one thread, so that rows keep their order.

    Args:
        folder: where it may read and write, once it is shut.
        reads: further folders in which it may read.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": "1",
        "memory_limit": _MEMORY,
        "temp_directory": str(folder / "spill"),
    }
    conn = duckdb.connect(":memory:", config=config)
    try:
        conn.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        conn.execute("SET autoload_known_extensions = false; SET preserve_insertion_order = true")
        conn.execute(f"SET allowed_directories = {literal_list([f'{place}/' for place in (folder, *reads)])}")
        yield conn
    finally:
        conn.close()


def shut(conn: duckdb.DuckDBPyConnection) -> None:
    """From now on it reads and writes nothing but in its folders, and no setting changes."""
    conn.execute("SET enable_external_access = false; SET lock_configuration = true")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone when the block ends."""
    with TemporaryDirectory(prefix="sbf-rows-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def check_fields(fields: Sequence[Field], *, where: str) -> None:
    """Raise ``DatasetFailure`` for a type that would not arrive exactly, and for a name that came twice."""
    for at, field in enumerate(fields):
        if field.name.lower() in {other.name.lower() for other in fields[:at]}:
            what = f"two columns of the answer are called {field.name!r}"
            raise DatasetFailure(what, where=where, fix=f"name one otherwise: ... AS {field.name}_2")
        if not field.name or not (field.type in EXACT_TYPES or _DECIMAL.fullmatch(field.type)):
            raise not_exact(field.name, field.type, where=where)


def not_exact(name: str, kind: str, *, where: str, cast: str = "") -> DatasetFailure:
    """The refusal of a column whose type no payload holds exactly."""
    cast = cast or f"CAST({name} AS VARCHAR) AS {name}"
    return DatasetFailure(f"the column {name!r} is {kind}, which is not kept exactly", where=where, fix=cast)


def write_sorted(
    conn: duckdb.DuckDBPyConnection, rows: str, fields: Sequence[Field], file: Path, *,
    values: Sequence[str | int] = (), first: Sequence[str] = (), sort: bool = True,
) -> int:  # fmt: skip
    """Write rows as Parquet; returns how many there are.

    Args:
        conn: the connection.
        rows: a SELECT.
        fields: its columns.
        file: the file.
        values: what is bound in ``rows``.
        first: names of columns, in any case, by which rows are sorted first; then by all others, so that rows of any
            order give the same bytes.
        sort: False: they stay in the order in which they come.
    """
    names = {field.name.lower(): field.name for field in fields}
    leading = [names[name.lower()] for name in first if name.lower() in names]
    order = [quoted(name) for name in dict.fromkeys((*leading, *names.values()))] if sort else []
    by = f" ORDER BY {', '.join(order)}" if order else ""
    told = conn.execute(
        f"COPY (SELECT * FROM ({rows}\n) AS r{by}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)",
        list(values),
    ).fetchone()
    assert told is not None
    return int(told[0])


def texts_of(file: Path, name: str) -> Iterator[str]:
    """The different texts in a column of a Parquet file, in order; of no value none."""
    with writing_connection(file.parent) as conn:
        shut(conn)
        column = quoted(name)
        found = conn.execute(
            f"SELECT DISTINCT {column} FROM read_parquet({literal(str(file))}) WHERE {column} IS NOT NULL ORDER BY 1"
        )
        while rows := found.fetchmany(_ROWS_AT_ONCE):
            yield from (str(row[0]) for row in rows)


@contextmanager
def rows_as_texts(file: Path) -> Iterator[tuple[list[str], Iterator[tuple[str | None, ...]]]]:
    """The names of the columns of a Parquet file, and its rows in their order, each value as a text.

    Raises:
        DatasetFailure: the engine cannot read it.
    """
    with scratch() as folder, writing_connection(folder, reads=(file.parent.absolute(),)) as conn:
        shut(conn)
        source = f"read_parquet({literal(str(file.absolute()))}, hive_partitioning=false)"
        try:
            names = [row[0] for row in conn.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
            rows = conn.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {source}")
        except duckdb.Error as error:
            raise DatasetFailure(shortened(str(error).splitlines()[0])) from None
        yield names, (row for batch in iter(lambda: rows.fetchmany(_ROWS_AT_ONCE), []) for row in batch)


class TextRows:
    """Rows whose values are texts, each of a declared type, on their way to Parquet.

    Args:
        folder: for what is not written yet.
        fields: the columns, whose types are exact ones.
        bytes_max: more is refused.
        where: for messages.
        cast: the type of texts where they come from, for messages.
    """

    def __init__(
        self, folder: Path, fields: Sequence[Field], *, bytes_max: int, where: str, cast: str = "VARCHAR"
    ) -> None:
        self._fields = fields
        self._folder = folder
        self._where = where
        self._cast = cast
        self._left = bytes_max
        self._longest = _ROW_BYTES
        self._bytes_max = bytes_max
        self._texts = folder / "rows.csv"
        self._stream = self._texts.open("wb")
        self._dated = [at for at, field in enumerate(fields) if field.type in _OF_TIME]
        self._end = "\n" if len(fields) > 1 else ',""\n'  # a NULL alone would be an empty line, which is no row

    def add(self, rows: Sequence[Sequence[str | None]]) -> None:
        """Take rows in. Raises ``DatasetFailure`` where all of them are too large."""
        for at in self._dated:
            for row in rows:
                text = row[at]
                if text is not None and text.endswith("BC"):  # older engines read 44 BC as 44
                    raise self._unread(self._fields[at], text)
        lines = [",".join(map(_quoted, row)) + self._end for row in rows]
        written = "".join(lines).encode()
        if len(written) > _ROW_BYTES:
            self._longest = max(self._longest, 4 * max(map(len, lines)))  # no letter has more bytes
        self._left -= len(written)
        if self._left < 0:
            what = f"the answer is larger than {self._bytes_max // 1024**2} MiB of texts"
            raise TooLarge(what, where=self._where, fix="ask for fewer rows, or raise mebibytes_max")
        self._stream.write(written)

    def write(self, file: Path, *, first: Sequence[str], sort: bool) -> int:
        """Write all of them as Parquet; returns how many there are. Raises ``DatasetFailure`` for what is none of its
        column's type.
        """
        self._stream.close()
        with writing_connection(self._folder) as conn:
            shut(conn)
            names = [quoted(field.name) for field in self._fields]
            read_names = [field.name for field in self._fields] + ["_end"] * (len(self._fields) == 1)
            texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in read_names)
            read = (
                f"read_csv({literal(str(self._texts))}, auto_detect=false, header=false, delim=',', quote='\"', "
                f"escape='\"', nullstr='', allow_quoted_nulls=false, new_line='\\n', parallel=false, "
                f"strict_mode=true, max_line_size={self._longest}, buffer_size={2 * self._longest}, "
                f"columns={{{texts}}})"
            )
            typed = ", ".join(
                f"{_as_type(name, field.type)} AS {name}" for name, field in zip(names, self._fields, strict=True)
            )
            try:
                return write_sorted(conn, f"SELECT {typed} FROM {read}", self._fields, file, first=first, sort=sort)
            except duckdb.ConversionException:
                raise self._found_unread(conn, read) from None
            except duckdb.InvalidInputException as error:
                what = f"the rows cannot be written: {shortened(str(error).splitlines()[0])}"
                raise DatasetFailure(what, where=self._where) from None

    def close(self) -> None:
        """Write no more."""
        self._stream.close()

    def _found_unread(self, conn: duckdb.DuckDBPyConnection, read: str) -> DatasetFailure:
        for field in self._fields:
            name = quoted(field.name)
            is_wrong = f"{name} IS NOT NULL AND TRY_CAST({name} AS {field.type}) IS NULL"
            found = conn.execute(f"SELECT {name} FROM {read} WHERE {is_wrong} LIMIT 1").fetchone()
            if found is not None:
                return self._unread(field, str(found[0]))
        return DatasetFailure("a value is none of its column's type", where=self._where)

    def _unread(self, field: Field, text: str) -> DatasetFailure:
        what = f"the column {field.name!r} is {field.type} and holds {shortened(text)!r}, which is not kept exactly"
        return DatasetFailure(what, where=self._where, fix=f"CAST({field.name} AS {self._cast}) AS {field.name}")


def _as_type(name: str, kind: str) -> str:
    if kind == "VARCHAR":
        return name
    return f"unhex({name})" if kind == "BLOB" else f"CAST({name} AS {kind})"


def _quoted(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'
