"""Tables of Statistics Canada, by the numbers that the settings name; without any it has no datasets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    DatasetKeymapEntry,
    GoldModel,
    PromotionBatch,
    SelectRows,
    UsageError,
    checked_options,
    hookimpl,
)

if TYPE_CHECKING:
    from sbf_core.api import Offer


_TABLE = r"[0-9]{8}"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each table."""
    tables = _chosen(options)
    if not tables:
        return ()
    from sbf_plugins.statcan.tables import entry  # without tables nobody has to pay for it

    return [entry(table) for table in tables]


@hookimpl
def promote(batch: PromotionBatch) -> SelectRows:
    """Each table has dimensions of its own: their members go together into one column."""
    from sbf_plugins.statcan.tables import selected

    return SelectRows(selected(batch.fields))


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The values of all tables in their units."""
    tables = _chosen(options)
    if not tables:
        return ()
    from sbf_plugins.statcan.tables import fact

    return (fact(tables),)


def _chosen(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Numbers of tables."""
    tables = checked_options(options, tables=())["tables"]
    wrong = next((table for table in tables if not re.fullmatch(_TABLE, table)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no number of a table",
            where="[options.statcan] tables",
            fix="write its first eight digits without marks: 18100204 for table 18-10-0204-01",
            code="OPTION",
        )
    return tuple(dict.fromkeys(tables))


@hookimpl
def offers() -> Sequence[Offer]:
    """Tables that most want."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.statcan.tables import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        cost="free",
        terms=TERMS,
        source_url="https://www150.statcan.gc.ca/n1/en/type/data",
    )
