"""Bars of crypto exchanges for the pairs that the settings name; without any it has no datasets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import DatasetKeymapEntry, GoldModel, ParseRows, PromotionBatch, UsageError, checked_options, hookimpl

EXCHANGES = ("kraken", "coinbase", "binance", "binance_us", "hitbtc")
LENGTHS = ("1d", "1h")
_PAIR = r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}"


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each exchange that has pairs, and each length of bars."""
    pairs, lengths, since = _chosen(options)
    if not pairs:
        return ()
    from sbf_plugins.crypto.exchanges import entries  # without pairs nobody has to pay for it

    return entries(pairs, lengths, since)


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """Of Kraken alone: which of its bars is still running stands beside the list, and not in it."""
    if entry.source != "kraken":
        return None
    from sbf_plugins.crypto.kraken import parse

    return ParseRows(parse)


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """One table over all exchanges."""
    pairs, lengths, _ = _chosen(options)
    if not pairs:
        return ()
    from sbf_plugins.crypto.gold import bars

    return (bars(tuple(pairs), lengths),)


def _chosen(options: Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], dt.date]:
    """By exchange its pairs, where there are any; the lengths of bars; and the first day."""
    chosen = checked_options(options, lengths=("1d",), since=dt.date(2015, 1, 1), **dict.fromkeys(EXCHANGES, ()))
    for exchange in EXCHANGES:
        wrong = next((pair for pair in chosen[exchange] if not re.fullmatch(_PAIR, pair)), None)
        if wrong is not None:
            raise UsageError(
                f"{wrong!r} is no pair",
                where=f"[options.crypto] {exchange}",
                fix="write what is priced, and in what, with - between: BTC-USD",
                code="OPTION",
            )
    unknown = next((length for length in chosen["lengths"] if length not in LENGTHS), None)
    if unknown is not None or not chosen["lengths"]:
        raise UsageError(
            f"there are no bars of {unknown!r}" if unknown is not None else "no length of bars is named",
            where="[options.crypto] lengths",
            fix=f"use some of {', '.join(LENGTHS)}",
            code="OPTION",
        )
    pairs = {exchange: tuple(dict.fromkeys(chosen[exchange])) for exchange in EXCHANGES if chosen[exchange]}
    return pairs, tuple(dict.fromkeys(chosen["lengths"])), chosen["since"]
