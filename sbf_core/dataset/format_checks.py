"""Whether the format, the recipe and the paths of a dataset go together;
what cannot work is refused when it is declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv, Json
from sbf_core.dataset.json_path import check_paths
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError

if TYPE_CHECKING:
    from sbf_core.dataset.format_list import Format
    from sbf_core.dataset.recipe_list import Recipe

#: Extensions that mean a format whose rows can be counted, where none is declared.
_COUNTED = ("json", "csv", "tsv")
#: Extensions that mean no JSON, where no format is declared.
_NO_JSON = ("csv", "tsv", "parquet")


def check_formats(
    form: Format | None,
    recipe: Recipe | None,
    rows_at: str,
    columns: Sequence[Column],
    *,
    where: str,
) -> None:
    """Raise ``UsageError`` unless the parts of a declaration go together.

    Args:
        form: the declared format; None: that of the extension.
        recipe: how payloads are fetched.
        rows_at: where the rows are in JSON.
        columns: whose sources are fields, or paths in JSON.
        where: the dataset, for the message.
    """
    _check_paths(form, "json" if recipe is None else recipe.extension, rows_at, columns, where)
    if isinstance(recipe, RestRecipe) and recipe.counts_rows:
        _check_counted(form, recipe.extension, where)


def _check_paths(form: Format | None, extension: str, rows_at: str, columns: Sequence[Column], where: str) -> None:
    """Paths belong to JSON, where ``rows_at`` and the sources lead; in other formats a source is a name, whatever it
    looks like.
    """
    is_json = isinstance(form, Json) or (form is None and extension.removesuffix(".gz") not in _NO_JSON)
    if form is not None and not is_json and rows_at:
        what = f"rows_at belongs to JSON, and the format is {form.kind}"
        raise UsageError(what, where=where, fix="leave it out", code="DATASET")
    if is_json:
        sources = [source for column in columns if not column.from_request for source in column.source_names]
        check_paths(rows_at, sources, where=where)


def _check_counted(form: Format | None, extension: str, where: str) -> None:
    """Only the rows of a format that is read here can be counted before they are promoted."""
    if isinstance(form, (Json, Csv)) or (form is None and extension in _COUNTED):
        return
    raise UsageError(
        "numbered pages, totals and rows_max count rows, which is done in JSON and in delimited text",
        where=where,
        fix='format=Csv(...) or Json(...), or Pages(by="cursor"), by="link", by="next_url" without a total',
        code="RECIPE",
    )
