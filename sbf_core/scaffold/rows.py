"""The rows of one payload, found without being told where they are."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.errors import UsageError, printable
from sbf_core.http.pages import at

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ROWS_MAX = 20_000
_HTML = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_CUSTOM = "write the hook promote for it: --kind custom"
_DEPTH_MAX = 6


@attrs.frozen(kw_only=True)
class FoundRows:
    """Rows and how they are reached.

    Attributes:
        extension: ``json``, ``csv``, ``tsv`` or ``xml``.
        rows: as mappings from the vendor's names to values; texts from CSV and XML.
        rows_at: the path of the list in a JSON payload.
        tag: of XML, the tag of the elements that are rows.
        doubts: what was decided without being sure.
    """

    extension: str
    rows: tuple[Mapping[str, Any], ...]
    rows_at: str = ""
    tag: str = ""
    doubts: tuple[str, ...] = ()


def find_rows(payload: bytes, *, where: str, rows_at: str | None = None) -> FoundRows:
    """The rows of a payload.

    Args:
        payload: its bytes.
        where: the address or file it came from.
        rows_at: the path of the list in a JSON payload, or the tag of the elements that are rows in XML, where it is known.

    Raises:
        UsageError: it is empty, a page, of no known form, or holds no rows, or rows within rows.
    """
    body = payload.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise UsageError("the payload is empty", where=where, fix="look at the address with a browser", code="NO_DATA")
    if _HTML.match(body[:4096]):
        raise UsageError("this is an HTML page, no data", where=where, fix="find the address that gives JSON, CSV or XML; does it want a key?", code="NO_DATA")
    if body[:4] == b"PAR1" or body[:2] in (b"PK", b"\x1f\x8b"):
        raise UsageError("packed payloads are not looked into", where=where, fix="unpack one and give it with --from-file, then declare member= or extension=", code="NO_DATA")
    if body[:1] in b"[{":
        return _json_rows(body, where, rows_at)
    if body[:1] == b"<":
        return _xml_rows(body, where, rows_at)
    return _delimited_rows(body, where)


def _json_rows(body: bytes, where: str, rows_at: str | None) -> FoundRows:
    try:
        document = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is no JSON: {error}", where=where, fix="look at the payload", code="NO_DATA") from error
    doubts: list[str] = []
    if rows_at is not None:
        found = at(document, rows_at) if rows_at else document
        if not isinstance(found, list):
            raise UsageError(f"there is no list at {rows_at!r}", where=where, fix=f"lists are at {_listed(document)}", code="NO_ROWS")
        path = rows_at
    else:
        lists = sorted(_lists(document), key=lambda pair: -len(pair[1]))
        if not lists:
            raise UsageError(f"the payload holds no list of rows: {_shape(document)}", where=where, fix=_CUSTOM, code="NO_ROWS")
        path, found = lists[0]
        doubts += [f"rows_at: {other or 'the payload itself'} is a list, too" for other, items in lists[1:] if items]
    rows = [item for item in found[:ROWS_MAX] if isinstance(item, dict)]
    if not rows:
        raise UsageError(f"the list {'at ' + repr(path) if path else ''} holds no rows".replace("  ", " "), where=where, fix="ask for a stretch that has some", code="NO_ROWS")
    nested = Counter(name for row in rows for name, value in row.items() if isinstance(value, (dict, list)))
    plain = Counter(name for row in rows for name, value in row.items() if not isinstance(value, (dict, list)))
    inner = next((name for name in nested if sum(len(row[name]) for row in rows if isinstance(row.get(name), list) and _objects(row[name])) > len(rows)), None)
    if inner is not None or len(nested) > len(plain):
        name = inner or next(iter(nested))
        what = "a list of rows" if inner else "an object"
        raise UsageError(f"the rows are nested: {name!r} of each holds {what}", where=where, fix=_CUSTOM, code="NESTED")
    first: dict[str, str] = {}
    for name in (name for row in rows for name in row):
        first.setdefault(name.lower(), name)
    kept = [{name: value for name, value in row.items() if name not in nested and first[name.lower()] == name} for row in rows]
    doubts += [f"{name}: left out, it holds lists or objects" for name in nested]
    twins = sorted({name for row in rows for name in row if first[name.lower()] != name})
    doubts += [f"{name}: left out, DuckDB takes it and {first[name.lower()]} for one name" for name in twins]
    return FoundRows(extension="json", rows=tuple(kept), rows_at=path, doubts=tuple(doubts))


def _objects(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)


def _lists(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """Lists of objects that a path of names leads to; empty lists, too."""
    if isinstance(node, list) and (not node or _objects(node)):
        yield path, node
    elif isinstance(node, dict) and depth < _DEPTH_MAX:
        for name, value in node.items():
            yield from _lists(value, f"{path}.{name}" if path else str(name), depth + 1)


def _listed(document: Any) -> str:
    return ", ".join(repr(path) for path, _ in _lists(document)) or "no path"


def _shape(document: Any) -> str:
    names = ", ".join(f"{name!r}: {type(value).__name__}" for name, value in list(document.items())[:4]) if isinstance(document, dict) else "a list of values"
    return printable(names)[:160]


def _delimited_rows(body: bytes, where: str) -> FoundRows:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("the text is not UTF-8", where=where, fix=_CUSTOM, code="NO_DATA") from error
    header = text.partition("\n")[0]
    delimiter = max("\t,;", key=header.count)
    if not header.count(delimiter):
        shown = printable(header[:80])
        raise UsageError(f"this is no JSON, XML or CSV, it begins with {shown!r}", where=where, fix="look at the payload; " + _CUSTOM, code="NO_DATA")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    lower = [name.lower() for name in names]
    twice = next((name for name in names if lower.count(name.lower()) > 1 or not name), None)
    if twice is not None:
        raise UsageError(f"the header has {'a field without name' if not twice else repr(twice) + ' twice'}", where=where, fix=_CUSTOM, code="NO_ROWS")
    rows: list[dict[str, str]] = []
    for number, cells in enumerate(reader, start=2):
        if not cells or len(rows) == ROWS_MAX:
            continue
        if len(cells) != len(names):
            raise UsageError(f"line {number} has {len(cells)} fields, the header has {len(names)}", where=where, fix=_CUSTOM, code="NO_ROWS")
        rows.append(dict(zip(names, (cell.strip() for cell in cells), strict=True)))
    if not rows:
        raise UsageError("there is a header and no row", where=where, fix="ask for a stretch that has some", code="NO_ROWS")
    return FoundRows(extension="tsv" if delimiter == "\t" else "csv", rows=tuple(rows))


def _xml_rows(body: bytes, where: str, wanted: str | None) -> FoundRows:
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
        raise UsageError(f"no elements of this XML look like rows; its root is {root.tag!r}", where=where, fix=_CUSTOM, code="NO_ROWS")
    tag = max(counted, key=lambda each: (counted[each], fields[each]))
    if wanted is not None:
        named = [each for each in counted if wanted in (each, each.rpartition("}")[2])]
        if not named:
            known = ", ".join(each.rpartition("}")[2] for each in counted)
            raise UsageError(f"no elements {wanted!r} look like rows", where=where, fix=f"those that do: {known}", code="NO_ROWS")
        tag = named[0]
    rows = [xml_row(parent, element) for parent in root.iter() for element in parent if element.tag == tag]
    others = [other for other in counted if other != tag and counted[other] > 1 and wanted is None]
    doubts = tuple(f"rows: the elements {printable(other)} look like rows, too" for other in others)
    return FoundRows(extension="xml", rows=tuple(rows[:ROWS_MAX]), tag=tag, doubts=doubts)


def xml_row(parent: Element, element: Element) -> dict[str, str | None]:
    """The texts of the elements in an element that have none inside, its own text as ``value``, its attributes, and those of the element around it.

    Of names that differ only in case the first counts: DuckDB takes them for one. The hook ``parse`` of a new plugin does the same.
    """
    row: dict[str, str | None] = {child.tag.rpartition("}")[2]: (child.text or "").strip() or None for child in element if not len(child)}
    text = (element.text or "").strip()
    for name, value in (*([("value", text)] if text else []), *element.attrib.items(), *parent.attrib.items()):
        if name.lower() not in {known.lower() for known in row}:
            row[name] = value
    return row
