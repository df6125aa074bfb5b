"""One query as a database is asked, and why there is no answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from sbf_core.dataset.sql_recipe import SqlRecipe
from sbf_core.dataset.sql_text import bound
from sbf_core.duck.parquet_writer import Field, TextRows, check_fields
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.secret import Secret
from sbf_core.value import Value

#: As many rows are taken at once.
ROWS_AT_ONCE = 5_000


class QueryFailure(DatasetFailure):
    """A query has no answer that can be kept.

    Args:
        kind: what sort of thing went wrong.
        what, where, fix: as in ``SbfError``.
    """

    def __init__(self, kind: FailureKind, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.kind = kind


@attrs.frozen(kw_only=True)
class SqlQuery(Value):
    """A query, and all that is to be known to ask it.

    Attributes:
        recipe: says where, and what.
        values: what stands for each placeholder.
        secrets: what is secret of the connection.
        files: where relative paths start.
        folder: for what is on its way; gone afterwards.
        deadline: moment of ``time.monotonic()`` at which all rows must be there.
        first: names of columns by which the rows are sorted first.
        sort: False: the rows stay in the query's order.
        counted: names, in small letters, of the column with the numbers that a cursor goes by; none of other cursors.
    """

    recipe: SqlRecipe
    values: Mapping[str, str | int]
    secrets: Mapping[str, Secret]
    files: Path
    folder: Path
    deadline: float
    first: Sequence[str] = ()
    sort: bool = True
    counted: frozenset[str] = frozenset()

    @property
    def bytes_max(self) -> int:
        """The most that an answer may have."""
        return self.recipe.mebibytes_max * 1024**2

    def bound(self, mark: Callable[[int], str], *, text: Callable[[str], str] = str) -> tuple[str, list[str | int]]:
        """The query as a database takes it, see ``sql_text.bound``."""
        return bound(self.recipe.query, self.values, mark, text=text)

    @property
    def is_late(self) -> bool:
        """Whether the deadline is over."""
        return time.monotonic() >= self.deadline

    def seconds_left(self) -> float:
        """Until the deadline. Raises ``QueryFailure`` behind it."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.too_late()
        return left

    def too_late(self) -> QueryFailure:
        """The failure where not all rows came in time."""
        what = f"not all rows came within {self.recipe.deadline_seconds:g} s"
        return QueryFailure(FailureKind.DEADLINE, what, fix="ask for fewer rows, or raise deadline_seconds")

    def kept(
        self, fields: Sequence[Field], batches: Callable[[], Sequence[Sequence[str | None]]], file: Path, *,
        cast: str = "VARCHAR",
    ) -> int:  # fmt: skip
        """Write rows of texts as Parquet; returns how many there are.

        Args:
            fields: the columns.
            batches: gives the next rows; none behind the last.
            file: the file.
            cast: the type of texts in a CAST of this database, for messages.
        """
        check_fields(fields, where="")
        rows = TextRows(self.folder, fields, bytes_max=self.bytes_max, where="", cast=cast)
        try:
            while batch := batches():
                rows.add(batch)
                self.seconds_left()
            return rows.write(file, first=self.first, sort=self.sort)
        finally:
            rows.close()
