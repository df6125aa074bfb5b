"""Daily reference rates of central banks, one table each, and one gold table over all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    DatasetKeymapEntry,
    GoldModel,
    ParseRows,
    PromotionBatch,
    SelectRows,
    checked_options,
    checked_words,
    hookimpl,
)

if TYPE_CHECKING:
    from sbf_plugins.centralbanks.bank import Bank

#: Rates are asked for since this day where the settings name none: a Tuesday that is no holiday of any of the banks,
#: for some of which Mondays and holidays repeat the day before.
SINCE = dt.date(2026, 2, 3)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each table of each bank."""
    banks, since = _chosen(options)
    return [bank.entry(since) for bank in banks]


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | SelectRows | None:
    """Of banks that write XML, or a column for each currency. All others are read as they declare."""
    from sbf_plugins.centralbanks import wide_rows
    from sbf_plugins.centralbanks.xml_rows import PARSERS

    if entry.dataset in PARSERS:
        return ParseRows(PARSERS[entry.dataset])
    if entry.dataset == "bob":
        return SelectRows(wide_rows.botswana(batch.fields))
    wide = {"hkma": wide_rows.hong_kong, "bom": wide_rows.mongolia}.get(entry.dataset)
    return None if wide is None else SelectRows(wide())


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """The rates of all banks for one unit."""
    from sbf_plugins.centralbanks.gold import reference_rates

    return (reference_rates(_chosen(options)[0]),)


def _chosen(options: Mapping[str, Any]) -> tuple[tuple[Bank, ...], dt.date]:
    """The banks that the settings choose, all without a choice; and the first day."""
    from sbf_plugins.centralbanks import asia, europe, further

    known = {bank.word: bank for bank in sorted((*europe.BANKS, *asia.BANKS, *further.BANKS), key=lambda one: one.word)}
    chosen = checked_options(options, banks=tuple(known), since=SINCE)
    words = checked_words(chosen["banks"], known, what="bank", where="[options.centralbanks] banks")
    return tuple(known[word] for word in words), chosen["since"]
