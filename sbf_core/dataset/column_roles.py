"""What the columns of a dataset are for."""

from __future__ import annotations

from sbf_core.dataset.columns import Column


class ColumnRoles:
    """Which of some columns is the key, and which say when."""

    __slots__ = ()

    columns: tuple[Column, ...]

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Names of the columns that make a row unique."""
        return tuple(col.name for col in self.columns if col.key)

    @property
    def key_sources(self) -> tuple[str, ...]:
        """Every name that a field of the key may have in a payload."""
        return tuple(name for col in self.columns if col.key for name in col.source_names)

    @property
    def row_date_column(self) -> str | None:
        """Name of the column that watermarks are made of."""
        return next((col.name for col in self.columns if col.row_date), None)

    @property
    def known_from_column(self) -> str | None:
        """Name of the column in which the vendor says when a row became known."""
        return next((col.name for col in self.columns if col.known_from), None)

    @property
    def cut_column(self) -> Column | None:
        """The column ``known_from`` of a vendor that cuts it to what was asked for; NULL where it was cut."""
        return next((col for col in self.columns if col.cut_at), None)

    @property
    def column_types(self) -> dict[str, str]:
        """DuckDB type of each column."""
        return {col.name: col.type for col in self.columns}

    @property
    def day_zone(self) -> str:
        """The zone whose days its rows are of: that of the column ``row_date``."""
        return next((column.zone for column in self.columns if column.row_date and column.zone), "UTC")
