"""The rows of an XML document, found without being told where they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sbf_core.errors import UsageError, printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CUSTOM = "write the hook promote for it: --kind custom"


def xml_rows(body: bytes, where: str, wanted: str | None) -> tuple[str, list[dict[str, str | None]], tuple[str, ...]]:
    """The tag of the elements that are rows, the rows, and doubts.

    Raises:
        UsageError: it is no XML, or no elements look like rows.
    """
    from xml.etree import ElementTree  # most new plugins need none

    if b"<!ENTITY" in body:
        raise UsageError("XML with entities is refused", where=where, code="NO_DATA")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise UsageError(f"this is no XML: {error}", where=where, fix="look at the payload", code="NO_DATA") from error
    counted: Counter[str] = Counter()
    fields: dict[str, int] = {}
    for parent in root.iter():
        for element in parent:
            row = xml_row(parent, element)
            if len(row) > 1 and (element.attrib or len(element)):
                counted[element.tag] += 1
                fields[element.tag] = max(fields.get(element.tag, 0), len(row))
    if not counted:
        raise UsageError(
            f"no elements of this XML look like rows; its root is {root.tag!r}",
            where=where,
            fix=_CUSTOM,
            code="NO_ROWS",
        )
    tag = max(counted, key=lambda each: (counted[each], fields[each]))
    if wanted is not None:
        named = [each for each in counted if wanted in (each, each.rpartition("}")[2])]
        if not named:
            known = ", ".join(each.rpartition("}")[2] for each in counted)
            raise UsageError(
                f"no elements {wanted!r} look like rows", where=where, fix=f"those that do: {known}", code="NO_ROWS"
            )
        tag = named[0]
    rows = [xml_row(parent, element) for parent in root.iter() for element in parent if element.tag == tag]
    others = [other for other in counted if other != tag and counted[other] > 1 and wanted is None]
    doubts = tuple(f"rows: the elements {printable(other)} look like rows, too" for other in others)
    return tag, rows, doubts


def xml_row(parent: Element, element: Element) -> dict[str, str | None]:
    """The texts of the elements in an element that have none inside, its own text as ``value``, its attributes, and
    those of the element around it.

    Of names that differ only in case the first counts: DuckDB takes them for one. The hook ``parse`` of a new
        plugin does the same.
    """
    row: dict[str, str | None] = {
        child.tag.rpartition("}")[2]: (child.text or "").strip() or None for child in element if not len(child)
    }
    text = (element.text or "").strip()
    for name, value in (*([("value", text)] if text else []), *element.attrib.items(), *parent.attrib.items()):
        if name.lower() not in {known.lower() for known in row}:
            row[name] = value
    return row
