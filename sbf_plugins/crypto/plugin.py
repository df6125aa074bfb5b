"""Bars of crypto exchanges for the pairs that the settings name, and what else they tell; without any no datasets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, GoldModel, ParseRows, PromotionBatch, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer

#: Those whose bars are on record, and those whose documentation was all that there was.
EXCHANGES = (
    "kraken", "coinbase", "binance", "binance_us", "hitbtc",
    "bitfinex", "bitstamp", "bybit", "gateio", "kucoin", "upbit", "dydx", "bitmex", "kraken_futures",
)  # fmt: skip
LENGTHS = ("1d", "1h")
#: Further options: exchanges whose list of instruments is wanted, contracts whose funding is, pairs whose trades are.
_FUNDING = ("bitmex", "binance_futures", "bybit", "kraken_futures")
_INSTRUMENTS = ("bitmex", "kraken_futures", "upbit", "bitflyer", "bitfinex")
_PAIR = r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}"
_CONTRACT = r"[A-Za-z0-9_]{1,40}"
_CONTRACT_EXCHANGES = ("bitmex", "kraken_futures")


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """A dataset for each exchange that has pairs, and each length of bars; and what else the settings name."""
    chosen = _checked(options)
    pairs, lengths, since = _bars(chosen)
    found: list[DatasetKeymapEntry] = []
    if pairs:
        from sbf_plugins.crypto.exchanges import entries  # without pairs nobody has to pay for it

        found += entries(pairs, lengths, since)
    if any(chosen[name] for name in _FURTHER):
        from sbf_plugins.crypto import instruments
        from sbf_plugins.crypto.exchanges import TERMS

        found += instruments.instrument_lists(chosen["instruments"], TERMS)
        found += [instruments.gemini_details(chosen["gemini"], TERMS)] if chosen["gemini"] else []
        found += [
            instruments.funding(exchange, contracts, since, TERMS) for exchange, contracts in _funding(chosen).items()
        ]
        found += [instruments.bitstamp_trades(chosen["bitstamp_trades"], TERMS)] if chosen["bitstamp_trades"] else []
    return found


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """Of Kraken alone: which of its bars is still running stands beside the list, and not in it."""
    if entry.source != "kraken" or not entry.dataset.startswith("bars"):
        return None
    from sbf_plugins.crypto.kraken import parse

    return ParseRows(parse)


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """One table over all exchanges, and one over what funding cost."""
    chosen = _checked(options)
    pairs, lengths, _ = _bars(chosen)
    paid = tuple(_funding(chosen))
    if not pairs and not paid:
        return ()
    from sbf_plugins.crypto import gold

    return (*([gold.bars(tuple(pairs), lengths)] if pairs else ()), *([gold.funding(paid)] if paid else ()))


_FURTHER = ("instruments", "gemini", "funding", "bitstamp_trades")


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """What is chosen, each once.

    Raises:
        UsageError: a pair, a contract, an exchange or a length that is none.
    """
    chosen = checked_options(
        options, lengths=("1d",), since=dt.date(2015, 1, 1), **dict.fromkeys((*EXCHANGES, *_FURTHER), ())
    )
    for name in (*EXCHANGES, "gemini", "bitstamp_trades"):
        _check_names(chosen[name], name, is_contract=name in _CONTRACT_EXCHANGES)
    for text in chosen["funding"]:
        exchange, _, contract = text.partition(":")
        if exchange not in _FUNDING or not re.fullmatch(_CONTRACT, contract):
            raise UsageError(
                f"{text!r} is no contract of an exchange",
                where="[options.crypto] funding",
                fix=f"write one of {', '.join(_FUNDING)}, a colon and the contract: bitmex:XBTUSD",
                code="OPTION",
            )
    _check_words(chosen["instruments"], "instruments", _INSTRUMENTS)
    _check_words(chosen["lengths"], "lengths", LENGTHS)
    if not chosen["lengths"]:
        raise UsageError(
            "no length of bars is named",
            where="[options.crypto] lengths",
            fix=f"use some of {', '.join(LENGTHS)}",
            code="OPTION",
        )
    return {name: tuple(dict.fromkeys(value)) if isinstance(value, tuple) else value for name, value in chosen.items()}


def _check_names(names: Sequence[str], option: str, *, is_contract: bool) -> None:
    wrong = next((name for name in names if not re.fullmatch(_CONTRACT if is_contract else _PAIR, name)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no {'contract' if is_contract else 'pair'}",
            where=f"[options.crypto] {option}",
            fix=(
                "write it as the exchange does, e.g. XBTUSD or PF_XBTUSD"
                if is_contract
                else "write what is priced, and in what, with - between: BTC-USD"
            ),
            code="OPTION",
        )


def _check_words(chosen: Sequence[str], option: str, known: Sequence[str]) -> None:
    unknown = next((word for word in chosen if word not in known), None)
    if unknown is not None:
        raise UsageError(
            f"there are no bars of {unknown!r}" if option == "lengths" else f"there is no list of {unknown!r}",
            where=f"[options.crypto] {option}",
            fix=f"use some of {', '.join(known)}",
            code="OPTION",
        )


def _bars(chosen: Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], dt.date]:
    """By exchange its pairs, where there are any; the lengths of bars; and the first day."""
    return {name: chosen[name] for name in EXCHANGES if chosen[name]}, chosen["lengths"], chosen["since"]


def _funding(chosen: Mapping[str, Any]) -> dict[str, list[str]]:
    """By exchange the contracts whose funding is wanted."""
    found: dict[str, list[str]] = {}
    for text in chosen["funding"]:
        exchange, _, contract = text.partition(":")
        found.setdefault(exchange, []).append(contract)
    return found


@hookimpl
def offers() -> Sequence[Offer]:
    """The largest coins at each exchange."""
    from sbf_core.api import offers_of_table
    from sbf_plugins.crypto.exchanges import TERMS

    return offers_of_table(Path(__file__).with_name("offers.tsv"), cost="free", terms=TERMS)
