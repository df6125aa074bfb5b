"""OpenFIGI: the identifiers of Bloomberg's open symbology for the tickers of the universe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, RestRecipe, UsageError, checked_options, hookimpl

_CODE = re.compile(r"[A-Z0-9 ]*")


#: A listing, or what stands for all of them, that goes by a ticker. One ticker may be dozens of them.
INSTRUMENT = (
    Column(name="symbol", type="VARCHAR", key=True, source="@^~", index_of="tickers", doc="the ticker of the universe"),
    Column(name="figi", type="VARCHAR", key=True, doc="of the listing"),
    Column(name="name", type="VARCHAR"),
    Column(name="ticker", type="VARCHAR", doc="as OpenFIGI writes it"),
    Column(
        name="exchange",
        type="VARCHAR",
        nullable=True,
        source="exchCode",
        doc="Bloomberg's code, e.g. US all of the U.S., UN New York",
    ),
    Column(
        name="composite_figi",
        type="VARCHAR",
        nullable=True,
        source="compositeFIGI",
        doc="of all listings in its country",
    ),
    Column(
        name="share_class_figi",
        type="VARCHAR",
        nullable=True,
        source="shareClassFIGI",
        doc="of the class of shares, in all countries",
    ),
    Column(name="market_sector", type="VARCHAR", nullable=True, source="marketSector", doc="e.g. Equity, Index, Corp"),
    Column(
        name="security_type",
        type="VARCHAR",
        nullable=True,
        source="securityType",
        doc="e.g. Common Stock, ETP, Depositary Receipt",
    ),
    Column(
        name="security_type2", type="VARCHAR", nullable=True, source="securityType2", doc="the same in coarser groups"
    ),
    Column(name="description", type="VARCHAR", nullable=True, source="securityDescription"),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Listings of the universe's tickers, asked for in lists, whose answers come in the same order."""
    chosen = checked_options(options, exchange="US", key=False)
    job = {"idType": "TICKER", "idValue": "{ticker}"}
    exchange = chosen["exchange"]
    if not _CODE.fullmatch(exchange):
        raise UsageError(
            f"{exchange!r} is no code of an exchange",
            where="[options.openfigi] exchange",
            fix='write the code that Bloomberg has for it, e.g. "US", or "" for all of them',
            code="OPTION",
        )
    return [
        DatasetKeymapEntry(
            domain="reference",
            source="openfigi",
            dataset="instruments",
            scope="per_ticker",
            silver_table="openfigi_instrument",
            columns=INSTRUMENT,
            rows_at="$[*].data[*]",
            recipe=RestRecipe(
                url="https://api.openfigi.com/v3/mapping",
                json=[{**job, "exchCode": exchange}] if exchange else [job],
                class_mark="/",
                tickers_per_request=100 if chosen["key"] else 10,
                secret_headers={"x-openfigi-apikey": "OPENFIGI_API_KEY"} if chosen["key"] else {},
                limits=("4/second",) if chosen["key"] else ("25/minute",),
            ),
            is_data=DataRules(item_none_fields=("warning",), item_error_fields=("error",)),
            refresh_after_hours=24 * 30,
            opt_in=True,
            title="FIGIs of the universe's tickers",
            region="world",
            frequency="irregular",
            cost="free",
            terms="OpenFIGI, free of charge and of restrictions on use; Bloomberg L.P.",
            source_url="https://www.openfigi.com/api/documentation",
        )
    ]
