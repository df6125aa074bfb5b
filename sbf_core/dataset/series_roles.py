"""What the series of a dataset are, where they are its own: names, rows of a query, or files of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sbf_core.dataset.columns import Column
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.file_recipe import FileRecipe

if TYPE_CHECKING:
    from sbf_core.dataset.for_each import ForEach
    from sbf_core.dataset.recipe_list import Recipe


class SeriesRoles:
    """What follows from how the series of a dataset are declared."""

    __slots__ = ()

    columns: tuple[Column, ...]
    is_data: DataRules
    members: tuple[str, ...]
    for_each: ForEach | None
    recipe: Recipe | None

    @property
    def has_own_series(self) -> bool:
        """Whether it has series of its own, in the place of the universe's tickers."""
        return bool(self.members or self.parts)

    @property
    def reads_items(self) -> bool:
        """Whether an answer has an item for each ticker, in their order."""
        rules = self.is_data
        is_said = bool(rules.item_none_fields or rules.item_error_fields)
        return is_said or any(column.index_of for column in self.columns)

    @property
    def each_file(self) -> FileRecipe | None:
        """Its recipe, where that reads each file of a folder."""
        return self.recipe if isinstance(self.recipe, FileRecipe) and self.recipe.each else None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of its series: of a row, or of a file's name; none of others."""
        if self.for_each is not None:
            return self.for_each.key
        return () if self.each_file is None else self.each_file.part_names

    @property
    def asks_once(self) -> bool:
        """Whether a series that was answered is not due again by itself."""
        return self.each_file is not None or (self.for_each is not None and self.for_each.once)

    def each(self, ticker: str | None) -> Mapping[str, str]:
        """The parts of the row, or of the file's name, that a request is for, by their name; empty where it is for
        none.

        Raises:
            UsageError: the series has other parts, as one that another declaration named.
        """
        named_by = self.for_each or self.each_file
        return {} if named_by is None or ticker is None else named_by.values(ticker)
