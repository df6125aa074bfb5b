"""A dataset whose payload needs a hook of its own: XML, which SQL does not read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from xml.etree import ElementTree

import attrs

from sbf_core.api import DatasetKeymapEntry, ParseRows, PayloadRefused, RestRecipe, column, hookimpl

_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


@attrs.frozen
class Rate:
    """One currency on one day."""

    day: dt.date = column(key=True, row_date=True)
    currency: str = column(key=True, doc="ISO 4217")
    rate: Decimal = column(precision=18, scale=6, unit="of the currency for one euro")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The rates of the last working day; the history is the affair of the bundled plugin ecb."""
    return [
        DatasetKeymapEntry(
            domain="fx", source="ecb_feed", dataset="daily_rates", silver_table="ecb_daily_rate", columns=Rate,
            recipe=RestRecipe(url="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml", extension="xml"),
            refresh_after_hours=6,
            title="Euro reference rates of the last working day",
            terms="Source: ECB. Free reuse with the source named.",
            source_url="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
            tags=("daily", "fx"),
        )
    ]  # fmt: skip


@hookimpl
def promote() -> ParseRows:
    """Asked once for each batch of payloads; ``parse`` is called with each of them.

    It may not use the clock, the network or the database.
    """
    return ParseRows(parse)


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows as text: sbf casts them as declared, and a value that does not fit is a reject with its reason.

    Raises ``PayloadRefused`` for other XML.
    """
    if b"<!ENTITY" in payload:
        raise PayloadRefused("XML with entities is refused")
    root = ElementTree.fromstring(payload)
    days = [cube for cube in root.iter(_CUBE) if "time" in cube.attrib]
    if not days:
        raise PayloadRefused(f"the XML root is {root.tag!r}, and no Cube has a time")
    for day in days:
        for cube in day.iter(_CUBE):
            if "currency" in cube.attrib:
                yield {"day": day.get("time"), "currency": cube.get("currency"), "rate": cube.get("rate")}
