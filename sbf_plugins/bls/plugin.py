"""U.S. consumer price index, seasonally adjusted, of the Bureau of Labor Statistics."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from sbf_core.api import DatasetKeymapEntry, RestRecipe, column, hookimpl


@attrs.frozen
class IndexValue:
    """One index value."""

    series_id: str = column(
        key=True, trim=True, doc="e.g. CUSR0000SA0: all items, U.S. city average, seasonally adjusted"
    )
    year: int = column(key=True)
    period: str = column(key=True, trim=True, doc="M01 to M12; M13 is the year, S01 and S02 are halves")
    value: Decimal | None = column(precision=12, scale=3, missing=("-",), unit="index, 1982-84 = 100 for most series")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The whole file; each February the seasonal factors, and with them five years of values, are restated."""
    return [
        DatasetKeymapEntry(
            domain="macro",
            source="bls",
            dataset="cpi",
            silver_table="bls_cpi",
            columns=IndexValue,
            recipe=RestRecipe(
                url="https://download.bls.gov/pub/time.series/cu/cu.data.0.Current",
                extension="tsv",
                secret_headers={"user-agent": "BLS_USER_AGENT"},
                mirrors=("package:cpi/cpi/cpi.db?table=indexes&series=CUSR0000SA*",),
            ),
            refresh_after_hours=24 * 7,
            tags=("monthly", "macro"),
            title="U.S. consumer price index (CPI-U)",
            region="US",
            frequency=("month", "half-year", "year"),
            cost="free",
            terms="U.S. government work, public domain. The BLS wants a User-Agent with a contact: BLS_USER_AGENT.",
            source_url="https://www.bls.gov/cpi/",
        )
    ]
