"""Hourly flows of electricity of the U.S. Energy Information Administration, of the balancing authorities that the
settings name; without any it has no datasets.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer


_AUTHORITY = r"[A-Z0-9]{2,5}"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The dataset of the flows between authorities."""
    chosen = checked_options(options, authorities=(), since=dt.date(2019, 1, 1))
    wrong = next((name for name in chosen["authorities"] if not re.fullmatch(_AUTHORITY, name)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no code of a balancing authority",
            where="[options.eia] authorities",
            fix='write authorities = ["FPC", "CISO"]',
            code="OPTION",
        )
    if not chosen["authorities"]:
        return ()
    from sbf_plugins.eia.flows import entry  # without authorities nobody has to pay for it

    return (entry(tuple(dict.fromkeys(chosen["authorities"])), chosen["since"]),)


@hookimpl
def offers() -> Sequence[Offer]:
    """Large balancing authorities."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.eia.flows import TERMS

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"),
        cost="free with key",
        terms=TERMS,
        source_url="https://www.eia.gov/opendata/documentation.php",
    )
