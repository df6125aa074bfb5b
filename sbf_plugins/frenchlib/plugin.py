"""Kenneth French's data library: factors by day, week, month and year, and portfolios that one names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    Column,
    Csv,
    DatasetKeymapEntry,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    Sections,
    UsageError,
    checked_options,
    hookimpl,
)
from sbf_plugins.frenchlib.portfolios import MISSING, PORTFOLIO_RETURN, parse

if TYPE_CHECKING:
    from sbf_core.api import Offer


_LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french"
_NAME = re.compile(r"[A-Za-z0-9_\-]+")
#: The line behind the last row of a file. Files have it since 2023 at the latest.
_COPYRIGHT = "Copyright*"
_ANNUAL = "Annual Factors*"


def _period(name: str, date_format: str, doc: str) -> Column:
    return Column(name=name, type="DATE", key=True, row_date=True, source="@[0]", date_format=date_format, doc=doc)


#: What the rows of a table are of: the column of that, and where the table stands in its file.
_STEPS = {
    "day": (_period("date", "%Y%m%d", "a trading day"), Sections(ends=(_COPYRIGHT,))),
    "week": (_period("date", "%Y%m%d", "the last trading day of the week"), Sections(ends=(_COPYRIGHT,))),
    "month": (_period("month", "%Y%m", "the first day of the month"), Sections(ends=(_ANNUAL,))),
    "year": (
        _period("year", "%Y", "the first day of the year; returns are from January to December"),
        Sections(title=_ANNUAL, ends=(_COPYRIGHT,)),
    ),
}
#: What the factors are, by the header of the library.
_FACTORS = {
    "Mkt-RF": ("market_excess", "the market less the riskless rate"),
    "SMB": ("smb", "small less big"),
    "HML": ("hml", "high book-to-market less low"),
    "RMW": ("rmw", "robust profitability less weak"),
    "CMA": ("cma", "conservative investment less aggressive"),
    "RF": ("riskless", "the one-month Treasury bill, over the same period"),
    "Mom": ("momentum", "winners less losers of the months -12 to -2"),
    "WML": ("momentum", "winners less losers of the months -12 to -2"),
    "ST_Rev": ("reversal", "losers less winners of the month before"),
    "LT_Rev": ("reversal", "losers less winners of the months -60 to -13"),
}
_THREE = ("Mkt-RF", "SMB", "HML", "RF")
_FIVE = ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "RF")
#: A set that one may choose: the file that holds it, its factors, and what the rows of its tables are of.
_SETS = {
    "factors3_day": ("F-F_Research_Data_Factors_daily", _THREE, ("day",)),
    "factors3_week": ("F-F_Research_Data_Factors_weekly", _THREE, ("week",)),
    "factors3": ("F-F_Research_Data_Factors", _THREE, ("month", "year")),
    "factors5_day": ("F-F_Research_Data_5_Factors_2x3_daily", _FIVE, ("day",)),
    "factors5": ("F-F_Research_Data_5_Factors_2x3", _FIVE, ("month", "year")),
    "momentum_day": ("F-F_Momentum_Factor_daily", ("Mom",), ("day",)),
    "momentum": ("F-F_Momentum_Factor", ("Mom",), ("month", "year")),
    "short_reversal_day": ("F-F_ST_Reversal_Factor_daily", ("ST_Rev",), ("day",)),
    "short_reversal": ("F-F_ST_Reversal_Factor", ("ST_Rev",), ("month", "year")),
    "long_reversal_day": ("F-F_LT_Reversal_Factor_daily", ("LT_Rev",), ("day",)),
    "long_reversal": ("F-F_LT_Reversal_Factor", ("LT_Rev",), ("month", "year")),
}
#: Sets of factors of regions: the middle of the file's name, and the factors.
_REGIONAL = {"factors5": ("5_Factors", _FIVE), "factors3": ("3_Factors", _THREE), "momentum": ("Mom_Factor", ("WML",))}
_KINDS = {"factors5": "regional5", "factors3": "regional3", "momentum": "regional_momentum"}
#: Regions of which the library has five factors; of emerging markets by month and year only.
_REGIONS = (
    "Developed", "Developed_ex_US", "North_America", "Europe", "Japan", "Asia_Pacific_ex_Japan", "Emerging",
)  # fmt: skip
_TITLES = {
    "factors3": "Three factors of Fama and French",
    "factors5": "Five factors of Fama and French",
    "momentum": "Momentum factor",
    "short_reversal": "Factor of short-term reversal",
    "long_reversal": "Factor of long-term reversal",
    "regional5": "Five factors of regions",
    "regional3": "Three factors of regions",
    "regional_momentum": "Momentum factor of regions",
}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The sets of factors that the settings choose, all of the U.S. where they are silent; and the regions and
    portfolios that they name.
    """
    chosen = checked_options(
        options, factors=tuple(_SETS), regions=(), regional=("factors5",), portfolios=(), breakpoints=False
    )
    for option, what, known in (
        ("factors", "set of factors", _SETS), ("regions", "region", _REGIONS), ("regional", "regional set", _REGIONAL),
    ):  # fmt: skip
        unknown = next((name for name in chosen[option] if name not in known), None)
        if unknown is not None:
            raise UsageError(
                f"there is no {what} {unknown!r}",
                where=f"[options.frenchlib] {option}",
                fix=f"use some of {', '.join(known)}",
                code="OPTION",
            )
    return [
        *(entry for name in dict.fromkeys(chosen["factors"]) for entry in _tables(name)),
        *(
            entry
            for kind in dict.fromkeys(chosen["regional"])
            for entry in _regional(kind, tuple(dict.fromkeys(chosen["regions"])))
        ),
        *([_breakpoints()] if chosen["breakpoints"] else []),
        *([_portfolios(chosen["portfolios"])] if chosen["portfolios"] else []),
    ]


_SHARED: dict[str, Any] = {
    "domain": "factors",
    "source": "frenchlib",
    "terms": "Copyright Eugene F. Fama and Kenneth R. French; free for research, with the source named.",
    "cost": "free",
    "source_url": f"{_LIBRARY}/data_library.html",
}


def _asked(file: str) -> dict[str, Any]:
    url = f"{_LIBRARY}/ftp/{file}_CSV.zip"
    return {
        "recipe": RestRecipe(url=url, extension="zip", limits=("1/second",), connections=1),
        "refresh_after_hours": 24 * 7,
        "opt_in": True,
    }


def _tables(name: str) -> list[DatasetKeymapEntry]:
    """The tables of one file: the first one fetches it, the other reads what came."""
    file, factors, steps = _SETS[name]
    kind = name.removesuffix("_day").removesuffix("_week")
    fetching = f"{_SHARED['domain']}/{_SHARED['source']}/{kind}_{steps[0]}"
    return [_table(kind, factors, step, _asked(file) if step == steps[0] else {"reads": fetching}) for step in steps]


def _regional(name: str, regions: tuple[str, ...]) -> list[DatasetKeymapEntry]:
    """Of each region a file of months and years, and one of days. Their last tables end where the file does."""
    middle, factors = _REGIONAL[name]
    if name == "factors3":  # of emerging markets there are five, and momentum
        regions = tuple(region for region in regions if region != "Emerging")
    if not regions:
        return []
    by_day = tuple(region for region in regions if region != "Emerging")
    kind = _KINDS[name]
    month = {**_asked(f"{{ticker}}_{middle}"), "scope": "per_ticker", "members": regions}
    day = {**_asked(f"{{ticker}}_{middle}_Daily"), "scope": "per_ticker", "members": by_day}
    fetching = f"{_SHARED['domain']}/{_SHARED['source']}/{kind}_month"
    region = Column(
        name="region", type="VARCHAR", key=True, source="request.ticker", doc="e.g. Europe, Developed_ex_US"
    )
    more: dict[str, Any] = {"above": (region,)}
    return [
        _table(kind, factors, "month", month, written=Sections(ends=(_ANNUAL,)), **more),
        _table(kind, factors, "year", {"reads": fetching}, written=Sections(title=_ANNUAL), **more),
        *([_table(kind, factors, "day", day, written=Sections(), **more)] if by_day else []),
    ]


#: Every fifth percentile of the sizes of firms at the NYSE. The file names no column.
_PERCENTILES = tuple(range(5, 101, 5))


def _breakpoints() -> DatasetKeymapEntry:
    names = ("month", "firms", *(f"p{percentile}" for percentile in _PERCENTILES))
    sizes = (
        Column(
            name=f"p{percentile}", type="DECIMAL(16,2)", trim=True, unit="million USD", doc=f"percentile {percentile}"
        )
        for percentile in _PERCENTILES
    )
    return DatasetKeymapEntry(
        **_SHARED,
        **_asked("ME_Breakpoints"),
        dataset="size_breakpoints",
        silver_table="frenchlib_size_breakpoint",
        columns=(
            Column(name="month", type="DATE", key=True, row_date=True, date_format="%Y%m", doc="its first day"),
            Column(name="firms", type="BIGINT", trim=True, unit="firms", doc="listed at the NYSE"),
            *sizes,
        ),
        format=Sections(csv=Csv(header=names), title="This file was created*", ends=(_COPYRIGHT,)),
        title="Sizes of firms at the NYSE by percentile",
    )


def _table(
    kind: str,
    factors: tuple[str, ...],
    step: str,
    facts: dict[str, Any],
    *,
    above: tuple[Column, ...] = (),
    written: Sections | None = None,
) -> DatasetKeymapEntry:
    period, usual = _STEPS[step]
    returns = (
        Column(
            name=_FACTORS[each][0],
            type="DECIMAL(9,4)",
            nullable=True,
            source=each,
            missing=MISSING,
            unit="percent",
            doc=_FACTORS[each][1],
        )
        for each in factors
    )
    return DatasetKeymapEntry(
        **_SHARED,
        **facts,
        dataset=f"{kind}_{step}",
        silver_table=f"frenchlib_{kind}_{step}",
        columns=(*above, period, *returns),
        format=written or usual,
        title=f"{_TITLES[kind]}, by {step}",
        region="world" if above else "US",
        frequency=step,
    )


def _portfolios(files: tuple[str, ...]) -> DatasetKeymapEntry:
    wrong = next((name for name in files if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no name of a file of the library",
            where="[options.frenchlib] portfolios",
            fix='write it as the library does, without _CSV.zip, e.g. "5_Industry_Portfolios"',
            code="OPTION",
        )
    return DatasetKeymapEntry(
        **_SHARED,
        **_asked("{ticker}"),
        dataset="portfolios",
        scope="per_ticker",
        members=files,
        silver_table="frenchlib_portfolio",
        columns=PORTFOLIO_RETURN,
        title="Portfolios: returns, numbers of firms and their sizes",
        region=("US", "world"),
        frequency=("day", "week", "month", "year"),
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows | None:
    """A file of portfolios holds as many tables as it likes, each with a column for each portfolio."""
    return ParseRows(parse) if entry.dataset == "portfolios" else None


@hookimpl
def offers() -> Sequence[Offer]:
    """Regions, and files of portfolios."""
    from sbf_core.api import offers_of_table

    return offers_of_table(
        Path(__file__).with_name("offers.tsv"), cost="free", terms=_SHARED["terms"], source_url=_SHARED["source_url"]
    )
