"""Values of a series from the bank's XML (GESMES-TS), with what it says of the series."""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.api import PayloadRefused


def parse(payload: bytes) -> Iterator[dict[str, object]]:
    """Rows of one answer.

    Raises:
        PayloadRefused: it declares a document type, or is no envelope of series.
    """
    if b"<!DOCTYPE" in payload or b"<!ENTITY" in payload or b"\0" in payload:
        raise PayloadRefused("XML with a document type, or in UTF-16, is refused")
    from xml.etree import ElementTree  # most runs parse none

    root = ElementTree.fromstring(payload)  # noqa: S314 - entities are refused above
    if root.tag.rpartition("}")[2] != "Envelope":
        raise PayloadRefused(f"the XML root is {root.tag!r}, expected Envelope")
    for series in root:
        inner = list(series)
        frequency = next((each.get("FREQ_NAME") for each in inner if each.get("FREQ_NAME")), None)
        for each in inner:
            if each.get("TIME") is not None:  # all others are notes
                yield {
                    "series": series.get("SCODE"),
                    "title": series.get("DESC"),
                    "frequency": frequency,
                    "date": each.get("TIME"),
                    "value": each.get("OBS_VALUE"),
                    "confidentiality": each.get("OBS_CONF"),
                    "updated": each.get("LAST_UPDATED"),
                }
