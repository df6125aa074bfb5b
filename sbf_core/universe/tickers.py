"""What a ticker may look like. Tickers are opaque: sbf never guesses a meaning from one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from sbf_core.errors import UsageError, printable

LENGTH_MAX = 64
#: Cells that start like this are formulas to a spreadsheet; no vendor's ticker does.
_FORMULA_START = ("=", "+", "@")


def fault_of(ticker: str) -> str:
    """Why ``ticker`` cannot be one, or an empty text."""
    if not ticker:
        return "is empty"
    if len(ticker) > LENGTH_MAX:
        return f"has {len(ticker)} characters, {LENGTH_MAX} are allowed"
    if ticker.startswith(_FORMULA_START):
        return f"starts with {ticker[0]!r} like a spreadsheet formula"
    if "," in ticker:
        return "holds a comma, which stands between tickers"
    return step_or_sign_in(ticker)


def step_or_sign_in(name: str) -> str:
    """Why a name can be nothing that is asked for: it holds what nobody sees, or leads to another place; or an empty
    text.
    """
    for char in "" if name.isascii() and name.isprintable() else name:
        category = unicodedata.category(char)
        if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return f"holds the invisible character U+{ord(char):04X}"
    if ".." in name.replace("\\", "/").split("/"):
        return "holds the path step '..'"
    return ""


def tidied(text: str) -> str:
    """A ticker as it is used everywhere: trimmed, and in Unicode form NFC."""
    return unicodedata.normalize("NFC", text.strip())


def checked_tickers(
    raw: Iterable[str], *, where: str, days: Sequence[object] | None = None
) -> tuple[tuple[str, ...], list[str]]:
    """Tickers in their order, each once, and notes on what was tidied.

    With the ``days`` on which each belongs, a ticker that stands there once more with others is no repetition.

    Tickers are trimmed and brought to Unicode form NFC; case is kept, so ``AAPL`` and ``aapl`` are two.

    Raises:
        UsageError: one or more cannot be tickers; all of them are named.
    """
    kept: dict[str, None] = {}
    told: set[tuple[str, object]] = set()
    notes: list[str] = []
    faults: list[str] = []
    for number, text in enumerate(raw, start=1):
        ticker = tidied(text)
        fault = fault_of(ticker)
        if fault:
            shown = printable(ticker[:40]) + ("..." if len(ticker) > 40 else "")
            faults.append(f"{number}: '{shown}' {fault}")
            continue
        if ticker != text:
            notes.append(f"ticker {number} was tidied to {ticker!r}")
        one = ticker, None if days is None else days[number - 1]
        if one in told:
            notes.append(f"ticker {ticker!r} is there twice; it is used once")
        kept[ticker] = None
        told.add(one)
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise UsageError(
            "no tickers: " + "; ".join(faults[:5]) + more, where=where, fix="correct or remove them", code="TICKER"
        )
    folded: dict[str, str] = {}
    for ticker in kept:
        other = folded.setdefault(ticker.casefold(), ticker)
        if other != ticker:
            notes.append(f"tickers {other!r} and {ticker!r} differ in case only; both are used")
    return tuple(kept), notes
