"""Nasdaq Trader's symbol directory: what is listed on Nasdaq, and on the other U.S. exchanges, today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sbf_core.api import Column, Csv, DatasetKeymapEntry, RestRecipe, Sections, hookimpl

_DIRECTORY = "https://www.nasdaqtrader.com/dynamic/SymDir/"
#: Names hold quotes that are letters. The last line says when the file was made; without it the list is cut.
_WRITTEN = Sections(csv=Csv(delimiter="|", quote="", escape=""), ends=("File Creation Time*",))


#: A security that is listed on Nasdaq.
NASDAQ_LISTED = (
    Column(
        name="symbol", type="VARCHAR", key=True, source="Symbol", doc="as Nasdaq writes it; TRUE and NA are symbols"
    ),
    Column(name="name", type="VARCHAR", source="Security Name", trim=True),
    Column(
        name="category", type="VARCHAR", source="Market Category", doc="Q Global Select, G Global, S Capital Market"
    ),
    Column(name="is_test", type="BOOLEAN", source="Test Issue", doc="true: no security, but there to try systems out"),
    Column(
        name="financial_status",
        type="VARCHAR",
        nullable=True,
        source="Financial Status",
        doc="N normal, D deficient, E delinquent, Q bankrupt, and G, H, J, K for several",
    ),
    Column(name="round_lot", type="BIGINT", source="Round Lot Size", unit="shares"),
    Column(name="is_etf", type="BOOLEAN", nullable=True, source="ETF", doc="NULL: of some test issues nothing is said"),
    Column(name="is_nextshares", type="BOOLEAN", nullable=True, source="NextShares"),
)


#: A security that is listed on another exchange of the U.S.
OTHER_LISTED = (
    Column(
        name="symbol",
        type="VARCHAR",
        key=True,
        source="ACT Symbol",
        doc="ABR$D is a preferred share, BRK.B a class of shares",
    ),
    Column(name="name", type="VARCHAR", source="Security Name", trim=True),
    Column(
        name="exchange",
        type="VARCHAR",
        source="Exchange",
        doc="A NYSE American, N NYSE, P NYSE Arca, Z Cboe BZX, V IEX",
    ),
    Column(
        name="cqs_symbol",
        type="VARCHAR",
        source="CQS Symbol",
        doc="as the consolidated quotation system writes it, e.g. ABRpD",
    ),
    Column(
        name="nasdaq_symbol",
        type="VARCHAR",
        source="NASDAQ Symbol",
        doc="as Nasdaq's integrated platform writes it, e.g. ABR-D",
    ),
    Column(name="is_test", type="BOOLEAN", source="Test Issue", doc="true: no security, but there to try systems out"),
    Column(name="round_lot", type="BIGINT", source="Round Lot Size", unit="shares"),
    Column(name="is_etf", type="BOOLEAN", nullable=True, source="ETF"),
)


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """Two lists of today, each the whole truth: what was delisted is closed, and stays in the history."""
    return [
        _entry("nasdaq_listed", "nasdaqlisted.txt", NASDAQ_LISTED, "Securities listed on Nasdaq"),
        _entry("other_listed", "otherlisted.txt", OTHER_LISTED, "Securities listed on other U.S. exchanges"),
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
        region="US",
        frequency="irregular",
        cost="free",
        terms="Nasdaq Trader's symbol directory, public; Nasdaq's terms.",
        source_url="https://www.nasdaqtrader.com/Trader.aspx?id=SymbolDirDefs",
    )
