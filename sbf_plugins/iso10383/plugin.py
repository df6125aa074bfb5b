"""ISO 10383: market identifier codes (MIC), as the registration authority publishes them."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import Column, Csv, DatasetKeymapEntry, RestRecipe, hookimpl

#: A market, or a segment of one.
MARKET = (
    Column(name="mic", type="VARCHAR", key=True, source="MIC"),
    Column(
        name="operating_mic", type="VARCHAR", source="OPERATING MIC", doc="who operates it; of an operator its own code"
    ),
    Column(name="kind", type="VARCHAR", source="OPRT/SGMT", doc="OPRT: an operator; SGMT: a segment of one"),
    Column(name="name", type="VARCHAR", source="MARKET NAME-INSTITUTION DESCRIPTION"),
    Column(name="legal_entity", type="VARCHAR", nullable=True, source="LEGAL ENTITY NAME"),
    Column(name="lei", type="VARCHAR", nullable=True, source="LEI"),
    Column(
        name="category",
        type="VARCHAR",
        source="MARKET CATEGORY CODE",
        doc="e.g. RMKT regulated, MLTF multilateral, SINT internaliser, NSPD not told",
    ),
    Column(name="acronym", type="VARCHAR", nullable=True, source="ACRONYM"),
    Column(
        name="country",
        type="VARCHAR",
        source="ISO COUNTRY CODE (ISO 3166)",
        doc="two letters; NA is Namibia; ZZ: the list names no country",
    ),
    Column(name="city", type="VARCHAR", source="CITY"),
    Column(name="website", type="VARCHAR", nullable=True, source="WEBSITE"),
    Column(name="status", type="VARCHAR", source="STATUS", doc="ACTIVE, UPDATED or EXPIRED"),
    Column(name="created", type="DATE", source="CREATION DATE", date_format="%Y%m%d"),
    Column(name="updated", type="DATE", source="LAST UPDATE DATE", date_format="%Y%m%d"),
    Column(name="validated", type="DATE", nullable=True, source="LAST VALIDATION DATE", date_format="%Y%m%d"),
    Column(name="expires", type="DATE", nullable=True, source="EXPIRY DATE", date_format="%Y%m%d"),
    Column(name="comments", type="VARCHAR", nullable=True, source="COMMENTS"),
)


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The list in force, with the codes that expired: each publication is the whole truth."""
    return [
        DatasetKeymapEntry(
            domain="reference",
            source="iso10383",
            dataset="markets",
            silver_table="iso10383_market",
            columns=MARKET,
            semantics="snapshot",
            format=Csv(encoding="cp1252"),
            recipe=RestRecipe(
                url="https://www.iso20022.org/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv", extension="csv"
            ),
            refresh_after_hours=24 * 14,
            shrink_share_max=0.1,
            opt_in=True,
            title="Market identifier codes (ISO 10383)",
            region="world",
            frequency="irregular",
            cost="free",
            terms="Published by SWIFT as registration authority of ISO, for free use.",
            source_url="https://www.iso20022.org/market-identifier-codes",
        )
    ]
