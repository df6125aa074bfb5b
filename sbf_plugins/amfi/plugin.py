"""AMFI: the net asset value of every mutual fund scheme of India, and what the schemes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sbf_core.api import Column, Csv, DatasetKeymapEntry, RestRecipe, Sections, hookimpl

#: Lines of the category and of the fund house stand between the rows. A fund house is not repeated under a new
#: category, so each holds until the next of its kind.
_WRITTEN = Sections(
    csv=Csv(delimiter=";", quote="", escape=""),
    section_fields={
        "category": ("Open Ended Schemes*", "Close Ended Schemes*", "Interval Fund Schemes*"),
        "fund_house": "*Mutual Fund*",
    },
    nested=False,
)


#: The value of a unit of a scheme on a day. The file gives the last one, which may be years old.
NET_ASSET_VALUE = (
    Column(name="scheme", type="BIGINT", key=True, source="Scheme Code", doc="AMFI's code"),
    Column(
        name="date", type="DATE", key=True, row_date=True, source="Date", date_format="%d-%b-%Y", doc="day of the value"
    ),
    Column(
        name="value",
        type="DECIMAL(18,8)",
        nullable=True,
        source="Net Asset Value",
        missing=("N.A.",),
        unit="INR",
        doc="0 as AMFI writes it",
    ),
)


#: A scheme, or one plan and option of it, as it is called today.
SCHEME = (
    Column(name="scheme", type="BIGINT", key=True, source="Scheme Code", doc="AMFI's code"),
    Column(name="name", type="VARCHAR", source="Scheme Name", trim=True, doc="until 2025 with plan and option in it"),
    Column(
        name="plan",
        type="VARCHAR",
        nullable=True,
        source="Plan",
        optional=True,
        trim=True,
        doc="Direct Plan, Regular Plan or nothing",
    ),
    Column(
        name="option",
        type="VARCHAR",
        nullable=True,
        source="Option",
        optional=True,
        trim=True,
        doc="e.g. Growth, IDCW Option",
    ),
    Column(
        name="isin",
        type="VARCHAR",
        nullable=True,
        source="ISIN Div Payout/ ISIN Growth",
        missing=("-",),
        trim=True,
        doc="of growth or payout, as AMFI writes it: a few are shared, and some texts are no ISIN",
    ),
    Column(
        name="isin_reinvestment",
        type="VARCHAR",
        nullable=True,
        source="ISIN Div Reinvestment",
        missing=("-",),
        trim=True,
        doc="of reinvestment, as AMFI writes it",
    ),
    Column(name="category", type="VARCHAR", doc="the heading above, e.g. Open Ended Schemes(Equity Scheme - ELSS)"),
    Column(name="fund_house", type="VARCHAR", doc="the heading above, e.g. SBI Mutual Fund"),
)


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """Values by day, which never change their names; and the list of schemes of today, which is whole."""
    shared: dict[str, Any] = {
        "domain": "funds",
        "source": "amfi",
        "format": _WRITTEN,
        "tags": ("daily",),
        "terms": "Association of Mutual Funds in India; its terms of use, with the source named.",
        "region": "IN",
        "cost": "free",
        "source_url": "https://www.amfiindia.com/net-asset-value/nav-history",
    }
    return [
        DatasetKeymapEntry(
            **shared,
            dataset="net_asset_values",
            silver_table="amfi_net_asset_value",
            columns=NET_ASSET_VALUE,
            recipe=RestRecipe(url="https://portal.amfiindia.com/spages/NAVAll.txt", extension="txt"),
            opt_in=True,
            title="Net asset values of Indian mutual funds",
            frequency="day",
        ),
        DatasetKeymapEntry(
            **shared,
            dataset="schemes",
            silver_table="amfi_scheme",
            columns=SCHEME,
            reads="funds/amfi/net_asset_values",
            semantics="snapshot",
            shrink_share_max=0.1,
            title="Schemes of Indian mutual funds, with their ISINs",
            frequency="irregular",
        ),
    ]
