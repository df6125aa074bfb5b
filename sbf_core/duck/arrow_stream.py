"""What an Arrow stream holds, by the C interface (https://arrow.apache.org/docs/format/CDataInterface.html): looked at
before the engine reads it, which makes of some types others without a word.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sbf_core.duck.parquet_writer import Field
from sbf_core.errors import DatasetFailure

_STREAM = b"arrow_array_stream"
#: Formats that are kept exactly, and the engine's type.
_TYPES = {
    "b": "BOOLEAN", "c": "TINYINT", "C": "UTINYINT", "s": "SMALLINT", "S": "USMALLINT", "i": "INTEGER",
    "I": "UINTEGER", "l": "BIGINT", "L": "UBIGINT", "f": "FLOAT", "g": "DOUBLE", "u": "VARCHAR", "U": "VARCHAR",
    "vu": "VARCHAR", "z": "BLOB", "Z": "BLOB", "vz": "BLOB", "tdD": "DATE", "tts": "TIME", "ttm": "TIME",
    "ttu": "TIME", "n": "VARCHAR",
}  # fmt: skip
_TEXTS = frozenset({"u", "U", "vu"})
_DECIMAL = re.compile(r"d:(\d+),(\d+)(?:,128)?")
_BYTES = re.compile(r"w:\d+")
_MOMENT = re.compile(r"ts([smun]):(.*)", re.DOTALL)


class ArrowTable(Protocol):
    """What gives an Arrow stream: a table of pyarrow, a frame of polars or pandas, a relation of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """The stream, as a capsule."""
        ...


class _Schema(ctypes.Structure):
    """``struct ArrowSchema``."""


_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)), ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip


class _Stream(ctypes.Structure):
    """The beginning of ``struct ArrowArrayStream``."""


_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
]


class Capsule:
    """One stream, to be read once: by the engine, after its columns were looked at."""

    def __init__(self, table: ArrowTable) -> None:
        self._capsule = table.__arrow_c_stream__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """See ``ArrowTable``."""
        return self._capsule

    def fields(self) -> list[Field]:
        """The columns. Raises ``DatasetFailure`` for a type that is not kept exactly."""
        with _schema_of(self._capsule) as schema:
            if (schema.format or b"").decode() != "+s":
                raise DatasetFailure("the Arrow stream holds no table", fix="give a table or a frame, not one column")
            children = [schema.children[at].contents for at in range(schema.n_children)]
            return [_field(child) for child in children]


@contextmanager
def _schema_of(capsule: Any) -> Iterator[Any]:
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer_of(capsule, _STREAM), ctypes.POINTER(_Stream))
    schema: Any = _Schema()
    if stream.contents.get_schema(stream, ctypes.byref(schema)):
        raise DatasetFailure("the Arrow stream does not tell its columns")
    try:
        yield schema
    finally:
        schema.release(ctypes.byref(schema))


def _field(schema: Any) -> Field:
    name, form = (schema.name or b"").decode(), (schema.format or b"").decode()
    if schema.dictionary:
        inner = (schema.dictionary.contents.format or b"").decode()
        kind = "VARCHAR" if inner in _TEXTS else None
    else:
        kind = _kind_of(form)
    if kind is None:
        what = f"the column {name!r} has the Arrow type {form!r}, which is not kept exactly"
        raise DatasetFailure(what, fix="cast it: to text, to a decimal of at most 38 digits, or to microseconds")
    return Field(name, kind)


def _kind_of(form: str) -> str | None:
    decimal, moment = _DECIMAL.fullmatch(form), _MOMENT.fullmatch(form)
    if decimal is not None:
        digits, scale = int(decimal[1]), int(decimal[2])
        return f"DECIMAL({digits},{scale})" if scale <= digits <= 38 else None
    if moment is not None:
        if not moment[2]:
            return "TIMESTAMP_NS" if moment[1] == "n" else "TIMESTAMP"
        return None if moment[1] == "n" else "TIMESTAMP WITH TIME ZONE"  # DuckDB 1.5.5 cuts its nanoseconds off
    return "BLOB" if _BYTES.fullmatch(form) else _TYPES.get(form)
