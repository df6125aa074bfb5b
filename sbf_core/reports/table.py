"""Facts as tables: for the terminal, for programs, for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.value import Value


@attrs.frozen
class FactTable(Value):
    """Rows with the names of their columns.

    Attributes:
        headers: names, in order.
        rows: values in that order.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """Rows as mappings."""
        return [dict(zip(self.headers, row, strict=True)) for row in self.rows]


def table_of(cursor: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> FactTable:
    """What a query gives."""
    result = cursor.execute(query, list(parameters))
    return FactTable(tuple(column[0] for column in result.description), tuple(result.fetchall()))
