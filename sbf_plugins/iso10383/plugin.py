"""ISO 10383: market identifier codes (MIC), as the registration authority publishes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs

from sbf_core.api import Csv, DatasetKeymapEntry, RestRecipe, column, hookimpl


@attrs.frozen
class Market:
    """A market, or a segment of one."""

    mic: str = column(key=True, source="MIC")
    operating_mic: str = column(source="OPERATING MIC", doc="who operates it; of an operator its own code")
    kind: str = column(source="OPRT/SGMT", doc="OPRT: an operator; SGMT: a segment of one")
    name: str = column(source="MARKET NAME-INSTITUTION DESCRIPTION")
    legal_entity: str | None = column(source="LEGAL ENTITY NAME")
    lei: str | None = column(source="LEI")
    category: str = column(
        source="MARKET CATEGORY CODE", doc="e.g. RMKT regulated, MLTF multilateral, SINT internaliser, NSPD not told"
    )
    acronym: str | None = column(source="ACRONYM")
    country: str = column(
        source="ISO COUNTRY CODE (ISO 3166)", doc="two letters; NA is Namibia; ZZ: the list names no country"
    )
    city: str = column(source="CITY")
    website: str | None = column(source="WEBSITE")
    status: str = column(source="STATUS", doc="ACTIVE, UPDATED or EXPIRED")
    created: dt.date = column(source="CREATION DATE", date_format="%Y%m%d")
    updated: dt.date = column(source="LAST UPDATE DATE", date_format="%Y%m%d")
    validated: dt.date | None = column(source="LAST VALIDATION DATE", date_format="%Y%m%d")
    expires: dt.date | None = column(source="EXPIRY DATE", date_format="%Y%m%d")
    comments: str | None = column(source="COMMENTS")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The list in force, with the codes that expired: each publication is the whole truth."""
    return [
        DatasetKeymapEntry(
            domain="reference",
            source="iso10383",
            dataset="markets",
            silver_table="iso10383_market",
            columns=Market,
            semantics="snapshot",
            format=Csv(encoding="cp1252"),
            recipe=RestRecipe(
                url="https://www.iso20022.org/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv", extension="csv"
            ),
            refresh_after_hours=24 * 14,
            shrink_share_max=0.1,
            opt_in=True,
            title="Market identifier codes (ISO 10383)",
            terms="Published by SWIFT as registration authority of ISO, for free use.",
            source_url="https://www.iso20022.org/market-identifier-codes",
        )
    ]
