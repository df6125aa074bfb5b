"""Tables of statistical offices that answer in JSON-stat, by PX-Web and its kin, as the settings name them; without
any it has no datasets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import DatasetKeymapEntry, checked_options, hookimpl


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each table."""
    tables = checked_options(options, tables=())["tables"]
    if not tables:
        return ()
    from sbf_plugins.pxweb.tables import entry, table_of  # without tables nobody has to pay for it

    return [entry(table_of(text)) for text in dict.fromkeys(tables)]
