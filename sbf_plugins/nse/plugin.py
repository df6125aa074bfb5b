"""National Stock Exchange of India: daily files of shares, indices and derivatives, and the list of what is listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Cadence,
    Column,
    Csv,
    DataRules,
    DatasetKeymapEntry,
    GoldModel,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    hookimpl,
)
from sbf_plugins.nse import columns as c

_ARCHIVE = "https://nsearchives.nseindia.com/"
#: What is fetched where the settings choose nothing.
USUAL = ("equities", "bhavcopy", "indices")
#: Of each daily file: its address, how the day is written in it, its extension, its first day, columns and title.
_DAILY: dict[str, tuple[str, str, str, dt.date, tuple[Column, ...], str]] = {
    "bhavcopy": (
        "content/cm/BhavCopy_NSE_CM_0_0_0_{from_date}_F_0000.csv.zip", "%Y%m%d", "zip", dt.date(2024, 7, 8),
        c.EQUITY, "Shares, day by day (bhavcopy in the layout of 2024)",
    ),
    "derivatives": (
        "content/fo/BhavCopy_NSE_FO_0_0_0_{from_date}_F_0000.csv.zip", "%Y%m%d", "zip", dt.date(2024, 7, 8),
        c.DERIVATIVE, "Futures and options, day by day (bhavcopy in the layout of 2024)",
    ),
    "deliveries": (
        "products/content/sec_bhavdata_full_{from_date}.csv", "%d%m%Y", "csv", dt.date(2020, 1, 1),
        c.DELIVERY, "Shares with what was delivered, day by day",
    ),
    "indices": (
        "content/indices/ind_close_all_{from_date}.csv", "%d%m%Y", "csv", dt.date(2013, 1, 1),
        c.INDEX, "Indices, day by day",
    ),
    "price_list": (
        "archives/equities/bhavcopy/pr/PR{from_date}.zip", "%d%m%y", "zip", dt.date(2013, 1, 1),
        c.PRICE, "Prices of indices and securities, day by day (the file PR)",
    ),
}  # fmt: skip
NAMES = ("equities", *_DAILY, "corporate_actions")


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The files that the settings choose, a request a day."""
    chosen = checked_options(options, datasets=USUAL, since=dt.date(2024, 7, 8))
    names = tuple(dict.fromkeys(chosen["datasets"]))
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None or ("corporate_actions" in names and "price_list" not in names):
        raise UsageError(
            f"there is no dataset {unknown!r}"
            if unknown is not None
            else "corporate actions are read out of the file of price_list",
            where="[options.nse] datasets",
            fix=f"use some of {', '.join(NAMES)}" if unknown is not None else "name price_list, too",
            code="OPTION",
        )
    found = [_EQUITIES] if "equities" in names else []
    found += [_daily(name, chosen["since"]) for name in names if name in _DAILY]
    return [*found, *([_ACTIONS] if "corporate_actions" in names else [])]


_SHARED: dict[str, Any] = {
    "source": "nse",
    "region": "IN",
    "cost": "free",
    "terms": "NSE's terms of use: for one's own use, not to be passed on.",
    "source_url": "https://www.nseindia.com/all-reports",
}
_EQUITIES = DatasetKeymapEntry(
    **_SHARED,
    domain="reference",
    dataset="equities",
    silver_table="nse_equity",
    columns=c.LISTED,
    semantics="snapshot",
    recipe=RestRecipe(
        url=_ARCHIVE + "content/equities/EQUITY_L.csv", extension="csv", limits=("1/second",), connections=1
    ),
    opt_in=True,
    shrink_share_max=0.1,
    frequency="irregular",
    title="Shares that are listed",
)


def _daily(name: str, since: dt.date) -> DatasetKeymapEntry:
    address, written, extension, first, columns, title = _DAILY[name]
    facts: dict[str, Any] = {"member": "[Pp][Dd]*.csv"} if name == "price_list" else {}
    return DatasetKeymapEntry(
        **_SHARED,
        **facts,
        domain="prices",
        dataset=name,
        silver_table=f"nse_{name}",
        columns=columns,
        format=Csv(),
        recipe=RestRecipe(
            url=_ARCHIVE + address,
            extension=extension,
            date_format=written,
            chunk_days=1,
            limits=("1/second",),
            connections=1,
        ),
        # A day without a session has no file.
        is_data=DataRules(none_status=(404,)),
        first_date=max(since, first),
        horizon=0,
        cadence=Cadence(calendar="weekdays"),
        opt_in=True,
        tags=("daily", "prices"),
        frequency="day",
        title=title,
    )


_ACTIONS = DatasetKeymapEntry(
    **_SHARED,
    domain="prices",
    dataset="corporate_actions",
    reads="prices/nse/price_list",
    member="[Bb][Cc]*.csv",
    silver_table="nse_corporate_action",
    columns=c.ACTION,
    is_data=DataRules(may_be_empty=True),
    horizon="any",
    frequency="irregular",
    title="Dividends, splits, bonuses and meetings that were announced (the file PR)",
)


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows | None:
    """The price list has lines between its groups, which hold a name or nothing: they are no rows."""
    if entry.dataset != "price_list":
        return None
    told = [column.source_name for column in entry.columns if not column.from_request]
    if not set(told) <= set(batch.fields):
        return None  # what it lacks, the core says
    # An index has blanks for series and symbol, and a key wants something; names are not unique.
    written = {
        "SERIES": "coalesce(nullif(trim(\"SERIES\"), ''), '-') AS \"SERIES\"",
        "SYMBOL": 'coalesce(nullif(trim("SYMBOL"), \'\'), trim("SECURITY")) AS "SYMBOL"',
    }
    picked = ", ".join(written.get(name, f'"{name}"') for name in told)
    return SelectRows(f"SELECT _file, {picked} FROM batch WHERE trim(\"CLOSE_PRICE\") <> ''")


@hookimpl
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel]:
    """Shares of both layouts in one table; only where one of them is chosen."""
    chosen = checked_options(options, datasets=USUAL, since=dt.date(2024, 7, 8))["datasets"]
    picked = [name for name in ("bhavcopy", "deliveries") if name in chosen]
    if not picked:
        return []
    parts = {
        "bhavcopy": (
            "SELECT symbol, series, date, isin, open, high, low, close, previous_close, volume, value, trades, "
            "CAST(NULL AS BIGINT) AS delivered, 1 AS rank FROM silver.nse_bhavcopy"
        ),
        "deliveries": (
            "SELECT symbol, series, date, CAST(NULL AS VARCHAR) AS isin, open, high, low, close, previous_close, "
            "volume, CAST(value_lakh * 100000 AS DECIMAL(24, 4)) AS value, trades, delivered, 2 AS rank "
            "FROM silver.nse_deliveries"
        ),
    }
    sql = f"""
WITH told AS ({" UNION ALL ".join(parts[name] for name in picked)})
SELECT symbol, series, date, arg_min(isin, rank) AS isin, arg_min(open, rank) AS open, arg_min(high, rank) AS high,
    arg_min(low, rank) AS low, arg_min(close, rank) AS close, arg_min(previous_close, rank) AS previous_close,
    arg_min(volume, rank) AS volume, arg_min(value, rank) AS value, arg_min(trades, rank) AS trades,
    max(delivered) AS delivered
FROM told GROUP BY symbol, series, date
"""
    return [
        GoldModel(
            name="fact_nse_share_day",
            key=("symbol", "series", "date"),
            date_column="date",
            sql=sql,
            doc="One row a share, series and day, in rupees as traded; the layout of 2024 goes before the older one.",
        )
    ]
