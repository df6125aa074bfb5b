"""Columns of a sample beside what a schema says of their fields: a type, whether it may lack, what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.openapi_schema import Field

_WIDER = {("int", "float"), ("int", "Decimal"), ("float", "Decimal")}


def described(column: GuessedColumn, fields: Sequence[Field]) -> GuessedColumn:
    """A column of the sample with what the description says of its field."""
    field = next((one for one in fields if one.source == column.source), None)
    if field is None:
        if column.source.startswith(("request.", "$", "@^", "@~")):
            return column
        return attrs.evolve(column, doubts=(*column.doubts, "the description does not name it"))
    doubts = list(field.doubts)
    python, fits = _type(column, field)
    if python == "Decimal" and field.python == "float":
        told = f"the description says number: more than {column.scale} decimals would be rejected; a float takes all"
        doubts = [one for one in doubts if not one.startswith("the description says number")] + [told]
    if not fits:
        doubts.append(f"the description says {field.python}, and the sample has {column.example!r}")
        doubts += column.doubts
    is_open = field.nullable or field.optional
    keeps = python == column.python
    more: dict[str, Any] = (
        {} if keeps else {"date_format": "", "zone": "", "epoch": "", "resolution": "", "missing": (), "trim": False}
    )
    if python == "Decimal" and not column.precision:
        more |= {"precision": 18, "scale": 6}
        doubts.append("at most 6 decimals; more would be rejected")
    roles = [one for one in column.doubts if one.startswith(("the key is", "part of the key", "the date of"))]
    return attrs.evolve(
        column,
        python=python,
        nullable=not column.key and (is_open or (column.nullable and not fits)),
        is_optional=field.optional and not column.key,
        doc=field.doc,
        doubts=tuple(dict.fromkeys([*doubts, *roles])),
        **more,
    )


def _type(column: GuessedColumn, field: Field) -> tuple[str, bool]:
    """The type, and whether description and sample agree."""
    if not column.example or column.python == field.python:
        return field.python, True
    if (column.python, field.python) in _WIDER or field.python == "str":  # 1 is a number, and 2024 a text, too
        is_time = field.python == "str" and column.is_time
        return (column.python, True) if is_time else (field.python, True)
    if field.python == "float" and column.python == "Decimal":
        return "Decimal", True
    return column.python, False


def lacking(columns: Sequence[GuessedColumn], fields: Sequence[Field]) -> list[GuessedColumn]:
    """Fields of the description that the sample has not, as comments."""
    known = {column.source for column in columns}
    taken = {column.name for column in columns}
    found = []
    for field in fields:
        if field.source not in known:
            name = as_name("_".join(field.words), taken=taken)
            taken.add(name)
            found.append(
                GuessedColumn(
                    name=name, source=field.source, python=field.python, nullable=True, is_optional=True,
                    precision=18 if field.python == "Decimal" else 0, scale=6 if field.python == "Decimal" else 0,
                    doc=field.doc, doubts=("the description has it, and the sample has not",),
                )
            )  # fmt: skip
    return found
