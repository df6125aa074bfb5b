"""Which types a format holds exactly, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import duckdb
from duckdb.sqltypes import DuckDBPyType

from sbf_core.duck.identifiers import quoted
from sbf_core.duck.parquet_writer import EXACT_TYPES
from sbf_core.errors import UsageError
from sbf_core.value import Value

_HUGE = ("HUGEINT", "UHUGEINT")
#: All digits that a DECIMAL has; a HUGEINT may have one more, and that fails in words.
_WIDEST = "DECIMAL(38,0)"
#: Types with types within, as the engine calls them.
_NESTED = frozenset({"list", "array", "struct", "map"})
#: Text may be anything in CSV, and what is no text has one spelling there.
_IN_CSV = EXACT_TYPES - {"BLOB"}


@attrs.frozen(kw_only=True)
class Column(Value):
    """A column of an export.

    Attributes:
        name: its name.
        type: as the engine calls it.
        doc: what it means, from its declaration; empty where nobody says.
        unit: of its values; empty where nobody says.
    """

    name: str
    type: str
    doc: str = ""
    unit: str = ""


def columns_of(
    relation: duckdb.DuckDBPyRelation, told: Mapping[str, tuple[str, str]], *, kind: str
) -> tuple[list[Column], str]:
    """The columns of a relation, and the SELECT list that writes each of them exactly.

    Args:
        relation: the rows.
        told: doc and unit by the name of the column.
        kind: the format.

    Raises:
        UsageError: the format holds a type otherwise than it is, or two columns have one name.
    """
    names = [name.lower() for name in relation.columns]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise UsageError(f"two columns are called {twice!r}", fix="name them apart with AS", code="EXPORT")
    columns, select = [], []
    for name, of_engine in zip(relation.columns, relation.types, strict=True):
        type_ = str(of_engine)
        is_huge = type_ in _HUGE
        if not is_huge and not _is_exact(of_engine, kind):
            raise UsageError(
                f"the column {name!r} is {type_}, which {kind} does not hold as it is",
                fix=f"give a SELECT with CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}",
                code="EXPORT",
            )
        written = _WIDEST if is_huge else "VARCHAR" if of_engine.id == "enum" else type_
        doc, unit = told.get(name, ("", ""))
        columns.append(Column(name=name, type=written, doc=doc, unit=unit))
        select.append(quoted(name) if written == type_ else f"CAST({quoted(name)} AS {written}) AS {quoted(name)}")
    return columns, ", ".join(select)


def _is_exact(type_: DuckDBPyType, kind: str) -> bool:
    name = str(type_)
    if kind == "csv":
        return name in _IN_CSV or type_.id in ("decimal", "enum") or name == "JSON"
    if type_.id in _NESTED:
        inner = [(field, each) for field, each in type_.children if isinstance(each, DuckDBPyType)]
        return all(field and each.id != "enum" and _is_exact(each, kind) for field, each in inner)
    return name in EXACT_TYPES or type_.id in ("decimal", "enum") or name == "JSON"
