"""ISO 4217: the currencies of the world, as the maintenance agency publishes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from sbf_core.api import DatasetKeymapEntry, ParseRows, PayloadRefused, RestRecipe, column, hookimpl


@attrs.frozen
class CountryCurrency:
    """A currency in use in a country."""

    country: str = column(key=True)
    entry: int = column(
        key=True, doc="place among the entries of the country, from 1: a country may list two currencies of one name"
    )
    currency_name: str = column()
    currency: str | None = column(doc="three letters; NULL where a country has no currency of its own")
    numeric_code: str | None = column(doc="three digits, zeros kept")
    minor_units: int | None = column(missing=("N.A.",), unit="decimal places", doc="NULL for funds and metals")
    is_fund: bool = column(doc="a unit of account, not money one can spend")


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """The table in force: each publication is the whole truth."""
    return [
        DatasetKeymapEntry(
            domain="reference",
            source="iso4217",
            dataset="currencies",
            silver_table="iso4217_currency",
            columns=CountryCurrency,
            semantics="snapshot",
            recipe=RestRecipe(
                url=(
                    "https://www.six-group.com/dam/download/financial-information/data-center/iso-currrency/"
                    "lists/list-one.xml"
                ),
                extension="xml",
            ),
            refresh_after_hours=24 * 30,
            title="Currency codes by country (ISO 4217, list one)",
            region="world",
            frequency="irregular",
            cost="free",
            terms="Published by SIX on behalf of ISO; facts in the public domain.",
            source_url="https://www.iso.org/iso-4217-currency-codes.html",
        )
    ]


@hookimpl
def promote() -> ParseRows:
    """XML has no reader in SQL."""
    return ParseRows(parse)


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of one table. Raises ``PayloadRefused`` for XML that is no ISO 4217 list, or declares entities."""
    if b"<!ENTITY" in payload:
        raise PayloadRefused("XML with entities is refused")
    from xml.etree import ElementTree  # most runs parse none

    root = ElementTree.fromstring(payload)  # noqa: S314 - entities are refused above
    if root.tag != "ISO_4217":
        raise PayloadRefused(f"the XML root is {root.tag!r}, expected ISO_4217")
    entries: Counter[str] = Counter()
    for entry in root.iter("CcyNtry"):
        name = entry.find("CcyNm")
        country = entry.findtext("CtryNm") or ""
        entries[country] += 1
        yield {
            "country": country or None,
            "entry": entries[country],
            "currency_name": None if name is None else name.text,
            "currency": entry.findtext("Ccy"),
            "numeric_code": entry.findtext("CcyNbr"),
            "minor_units": entry.findtext("CcyMnrUnts"),
            "is_fund": name is not None and name.get("IsFund", "").strip().lower() == "true",
        }
