"""Nasdaq Trader's symbol directory: what is listed on Nasdaq, and on the other U.S. exchanges, today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from sbf_core.api import Csv, DatasetKeymapEntry, RestRecipe, Sections, column, hookimpl

_DIRECTORY = "https://www.nasdaqtrader.com/dynamic/SymDir/"
#: Names hold quotes that are letters. The last line says when the file was made; without it the list is cut.
_WRITTEN = Sections(csv=Csv(delimiter="|", quote="", escape=""), ends=("File Creation Time*",))


@attrs.frozen
class NasdaqListed:
    """A security that is listed on Nasdaq."""

    symbol: str = column(key=True, source="Symbol", doc="as Nasdaq writes it; TRUE and NA are symbols")
    name: str = column(source="Security Name", trim=True)
    category: str = column(source="Market Category", doc="Q Global Select, G Global, S Capital Market")
    is_test: bool = column(source="Test Issue", doc="true: no security, but there to try systems out")
    financial_status: str | None = column(
        source="Financial Status", doc="N normal, D deficient, E delinquent, Q bankrupt, and G, H, J, K for several"
    )
    round_lot: int = column(source="Round Lot Size", unit="shares")
    is_etf: bool | None = column(source="ETF", doc="NULL: of some test issues nothing is said")
    is_nextshares: bool | None = column(source="NextShares")


@attrs.frozen
class OtherListed:
    """A security that is listed on another exchange of the U.S."""

    symbol: str = column(key=True, source="ACT Symbol", doc="ABR$D is a preferred share, BRK.B a class of shares")
    name: str = column(source="Security Name", trim=True)
    exchange: str = column(source="Exchange", doc="A NYSE American, N NYSE, P NYSE Arca, Z Cboe BZX, V IEX")
    cqs_symbol: str = column(source="CQS Symbol", doc="as the consolidated quotation system writes it, e.g. ABRpD")
    nasdaq_symbol: str = column(source="NASDAQ Symbol", doc="as Nasdaq's integrated platform writes it, e.g. ABR-D")
    is_test: bool = column(source="Test Issue", doc="true: no security, but there to try systems out")
    round_lot: int = column(source="Round Lot Size", unit="shares")
    is_etf: bool | None = column(source="ETF")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """Two lists of today, each the whole truth: what was delisted is closed, and stays in the history."""
    return [
        _entry("nasdaq_listed", "nasdaqlisted.txt", NasdaqListed, "Securities listed on Nasdaq"),
        _entry("other_listed", "otherlisted.txt", OtherListed, "Securities listed on other U.S. exchanges"),
    ]


def _entry(name: str, file: str, columns: Any, title: str) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="reference",
        source="nasdaqtrader",
        dataset=name,
        silver_table=f"nasdaqtrader_{name}",
        columns=columns,
        semantics="snapshot",
        format=_WRITTEN,
        recipe=RestRecipe(url=_DIRECTORY + file, extension="txt"),
        shrink_share_max=0.1,
        opt_in=True,
        tags=("daily",),
        title=title,
        terms="Nasdaq Trader's symbol directory, public; Nasdaq's terms.",
        source_url="https://www.nasdaqtrader.com/Trader.aspx?id=SymbolDirDefs",
    )
