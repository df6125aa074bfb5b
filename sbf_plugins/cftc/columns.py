"""Columns of the reports: the fields of the yearly text files, as the CFTC calls them, and what they are called here.

A report has the same measures for each group of traders, side and crop: All, and, where a market has crop years, Old
and Other. So the names are put together here. What the CFTC spells in several ways stands as it is spelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sbf_core.api import Column

#: What is written where there is no value: no change to a week that had no report, too few traders to be told.
_NONE = (".",)
_CROPS = {"All": "", "Old": "_old", "Other": "_other"}
_CONTRACTS, _PERCENT, _TRADERS = "contracts", "percent of open interest", "traders"
_TWO, _THREE = ("Long", "Short"), ("Long", "Short", "Spreading")
#: Of the legacy report: groups of traders, and the sides on which they stand.
_LEGACY = {
    "Noncommercial": _THREE,
    "Commercial": _TWO,
    "Total Reportable": _TWO,
    "Nonreportable": _TWO,
}


def _count(name: str, source: str, unit: str) -> Column:
    return Column(name=name, type="BIGINT", nullable=True, source=source, missing=_NONE, unit=unit)


def _share(name: str, source: str) -> Column:
    return Column(name=name, type="DECIMAL(7,2)", nullable=True, source=source, missing=_NONE, unit=_PERCENT)


def _text(name: str, source: str, *, key: bool = False, nullable: bool = False, doc: str = "") -> Column:
    return Column(name=name, type="VARCHAR", source=source, key=key, nullable=nullable, trim=True, doc=doc)


def _facts(market: str, exchange: str, region: str, commodity: str, day: str) -> tuple[Column, ...]:
    return (
        Column(name="date", type="DATE", key=True, row_date=True, source=day, doc="the Tuesday of the positions"),
        _text("contract", market, key=True, doc="the CFTC's code of the market, e.g. 001602, 13874+"),
        _text("exchange", exchange, doc="the CFTC's code of the exchange, e.g. CBT, CME"),
        _text("region", region, doc="the CFTC's code of its region"),
        _text("commodity", commodity, doc="the CFTC's code of the commodity, e.g. 001"),
    )


def legacy() -> tuple[Column, ...]:
    """Of the legacy reports: commercial, noncommercial and small traders; 125 of the 129 fields.

    The others repeat the codes of the market, and the day.
    """
    return tuple(_legacy())


def _legacy() -> Iterator[Column]:
    yield from _facts(
        "CFTC Contract Market Code", "CFTC Market Code in Initials", "CFTC Region Code", "CFTC Commodity Code",
        "As of Date in Form YYYY-MM-DD",
    )  # fmt: skip
    yield _text("market", "Market and Exchange Names", doc="names may change; the code stays")
    sides = [(group, side) for group, sides in _LEGACY.items() for side in sides]
    for crop, ours in _CROPS.items():
        yield _count(f"open_interest{ours}", f"Open Interest ({crop})", _CONTRACTS)
        for group, side in sides:
            yield _count(f"{_ours(group, side)}{ours}", f"{group} Positions-{side} ({crop})", _CONTRACTS)
    yield _count("change_open_interest", "Change in Open Interest (All)", _CONTRACTS)
    for group, side in sides:
        yield _count(f"change_{_ours(group, side)}", f"Change in {group}-{side} (All)", _CONTRACTS)
    for crop, ours in _CROPS.items():
        gap = "" if crop == "Old" else " "
        yield _share(f"percent_open_interest{ours}", f"% of Open Interest (OI){gap}({crop})")
        for group, side in sides:
            yield _share(f"percent_{_ours(group, side)}{ours}", f"% of OI-{group}-{side} ({crop})")
    for crop, ours in _CROPS.items():
        yield _count(f"traders_total{ours}", f"Traders-Total ({crop})", _TRADERS)
        for group, side in sides[:-2]:
            yield _count(f"traders_{_ours(group, side)}{ours}", f"Traders-{group}-{side} ({crop})", _TRADERS)
    for crop, ours in _CROPS.items():
        for kind in ("Gross", "Net"):
            for most in (4, 8):
                for side in _TWO:
                    yield _share(f"{kind.lower()}_{most}_{side.lower()}{ours}", _concentration(kind, most, side, crop))
    yield _text("contract_units", "Contract Units", nullable=True, doc="e.g. (CONTRACTS OF 5,000 BUSHELS)")


def _concentration(kind: str, most: int, side: str, crop: str) -> str:
    equals = "= " if (kind, most, side, crop) == ("Gross", 4, "Long", "All") else "="
    gap = "" if (kind, side, crop) == ("Gross", "Short", "Other") else " "
    return f"Concentration-{kind} LT {equals}{most} TDR-{side}{gap}({crop})"


def _ours(group: str, side: str) -> str:
    return f"{group} {side}".lower().replace(" ", "_")


#: Of the later reports: groups of traders by the CFTC's short name, ours, and the sides on which they stand.
_Groups = Sequence[tuple[str, str, tuple[str, ...]]]
_FURTHER = ("Long", "Short", "Spread")
_ALL_GROUPS: _Groups = (
    ("Other_Rept", "other_reportable", _FURTHER),
    ("Tot_Rept", "total_reportable", _TWO),
    ("NonRept", "nonreportable", _TWO),
)
DISAGGREGATED: _Groups = (
    ("Prod_Merc", "producer", _TWO),
    ("Swap", "swap_dealer", _FURTHER),
    ("M_Money", "managed_money", _FURTHER),
    *_ALL_GROUPS,
)
FINANCIAL: _Groups = (
    ("Dealer", "dealer", _FURTHER),
    ("Asset_Mgr", "asset_manager", _FURTHER),
    ("Lev_Money", "leveraged_funds", _FURTHER),
    *_ALL_GROUPS,
)


def later(groups: _Groups, crops: Sequence[str]) -> tuple[Column, ...]:
    """Of the reports since 2006, by their groups of traders and the crops that they tell apart."""
    return tuple(_later(groups, {crop: _CROPS[crop] for crop in crops}))


def _later(groups: _Groups, crops: dict[str, str]) -> Iterator[Column]:
    yield from _facts(
        "CFTC_Contract_Market_Code", "CFTC_Market_Code", "CFTC_Region_Code", "CFTC_Commodity_Code",
        "Report_Date_as_YYYY-MM-DD",
    )  # fmt: skip
    yield _text("market", "Market_and_Exchange_Names", doc="names may change; the code stays")
    sides = [(group, side, f"{ours}_{side.lower()}") for group, ours, stand in groups for side in stand]
    sides = [(group, side, name.replace("_spread", "_spreading")) for group, side, name in sides]
    for crop, ours in crops.items():
        yield _count(f"open_interest{ours}", f"Open_Interest_{crop}", _CONTRACTS)
        for group, side, name in sides:
            doubled = "_" if group == "Swap" and side != "Long" else ""
            yield _count(f"{name}{ours}", f"{group}{doubled}_Positions_{side}_{crop}", _CONTRACTS)
    yield _count("change_open_interest", "Change_in_Open_Interest_All", _CONTRACTS)
    for group, side, name in sides:
        yield _count(f"change_{name}", f"Change_in_{group}_{side}_All", _CONTRACTS)
    for crop, ours in crops.items():
        yield _share(f"percent_open_interest{ours}", f"Pct_of_Open_Interest_{crop}")
        for group, side, name in sides:
            yield _share(f"percent_{name}{ours}", f"Pct_of_OI_{group}_{side}_{crop}")
    for crop, ours in crops.items():
        yield _count(f"traders_total{ours}", f"Traders_Tot_{crop}", _TRADERS)
        for group, side, name in sides[:-2]:
            yield _count(f"traders_{name}{ours}", f"Traders_{group}_{side}_{crop}", _TRADERS)
    for crop, ours in crops.items():
        for kind in ("Gross", "Net"):
            for most in (4, 8):
                for side in _TWO:
                    source = f"Conc_{kind}_LE_{most}_TDR_{side}_{crop}"
                    yield _share(f"{kind.lower()}_{most}_{side.lower()}{ours}", source)
    yield _text("contract_units", "Contract_Units", nullable=True, doc="e.g. (CONTRACTS OF 5,000 BUSHELS)")
    yield _text("subgroup", "CFTC_SubGroup_Code", nullable=True, doc="the CFTC's code of its kind, e.g. A10, F10")
    yield _text("coverage", "FutOnly_or_Combined", doc="FutOnly, or Combined: with options")


#: Of the supplemental report: groups by the CFTC's names in positions and elsewhere, ours, and the sides.
_WITHOUT = "_NoCIT"
_SUPPLEMENTAL = (
    ("NComm", "NonComm", _WITHOUT, "noncommercial", ("Long", "Short", "Spread")),
    ("Comm", "Comm", _WITHOUT, "commercial", _TWO),
    ("Tot_Rept", "Tot_Rept", "", "total_reportable", _TWO),
    ("NonRept", "NonRept", "", "nonreportable", _TWO),
    ("CIT", "CIT", "", "index_trader", _TWO),
)


def supplemental() -> tuple[Column, ...]:
    """Of the report on index traders, with options: those apart from the others, who are counted without them."""
    return tuple(_supplemental())


def _supplemental() -> Iterator[Column]:
    yield from _facts(
        "CFTC_Contract_Market_Code", "CFTC_Market_Code", "CFTC_Region_Code", "CFTC_Commodity_Code",
        "As_of_Date_In_Form_YYYY-MM-DD",
    )  # fmt: skip
    yield _text("market", "Market_and_Exchange_Names", doc="names may change; the code stays")
    sides = [(held, told, end, ours, side) for held, told, end, ours, stand in _SUPPLEMENTAL for side in stand]
    yield _count("open_interest", "Open_Interest_All", _CONTRACTS)
    for held, _, end, ours, side in sides:
        # Twice the CFTC lost a letter.
        word = "Postions" if side == "Spread" else "Positions"
        yield _count(_plain(ours, side), f"{held}_{word}_{side}_All{end}", _CONTRACTS)
    yield _count("change_open_interest", "Change_Open_Interest_All", _CONTRACTS)
    for _, told, end, ours, side in sides:
        word = "Spead" if side == "Spread" else side
        yield _count(f"change_{_plain(ours, side)}", f"Change_{told}_{word}_All{end}", _CONTRACTS)
    yield _share("percent_open_interest", "Pct_Open_Interest_All")
    for _, told, _, ours, side in sides:
        end = "" if told == "CIT" else _WITHOUT
        yield _share(f"percent_{_plain(ours, side)}", f"Pct_OI_{told}_{side}_All{end}")
    yield _count("traders_total", "Traders_Tot_All", _TRADERS)
    for _, told, _, ours, side in sides:
        if told != "NonRept":
            end = "" if told == "CIT" else _WITHOUT
            yield _count(f"traders_{_plain(ours, side)}", f"Traders_{told}_{side}_All{end}", _TRADERS)


def _plain(group: str, side: str) -> str:
    return f"{group}_{side}".lower().replace("_spread", "_spreading")
