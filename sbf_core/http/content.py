"""A status of 200 is not a success: whether what came back is data at all.

One cheap look a payload. Notes of a vendor are short, so only short payloads are parsed; what is wrong further down is
found when the rows are read. A payload that may have been cut without a sign is parsed whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv, Json
from sbf_core.dataset.json_path import rows_path
from sbf_core.dataset.json_steps import Name, Wildcard
from sbf_core.errors import PayloadRefused, printable
from sbf_core.failures import FailureKind
from sbf_core.payload.formats import format_of
from sbf_core.payload.json_walk import value_at, walk
from sbf_core.payload.listing import is_listing
from sbf_core.unicode_text import escaped

if TYPE_CHECKING:
    from sbf_core.dataset.cells import Cells

#: So much of what is no data is kept.
EVIDENCE_BYTES_MAX = 16 * 1024**2
_NOTE_BYTES_MAX = 16_384
_SHOWN = 80
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_MAGIC = {"zip": b"PK", "xlsx": b"PK", "xlsb": b"PK", "ods": b"PK", "parquet": b"PAR1"}
_INK = re.compile(rb"\S")
_GZIP_MAGIC = b"\x1f\x8b"
_DELIMITED = ("csv", "tsv")
_BOM = b"\xef\xbb\xbf"


def why_no_data(
    entry: DatasetKeymapEntry, payload: bytes, extension: str, *, as_declared: bool = True, may_be_cut: bool = False
) -> tuple[FailureKind, str] | None:
    """Why a payload is no data, as a short stable word and a text for readers; None where nothing speaks against it.

    Args:
        entry: its dataset, with its ``is_data`` rules.
        payload: what came with a status of 200.
        extension: what it is to be stored as.
        as_declared: it is read as the declaration says, not by the plugin's own hook.
        may_be_cut: the vendor said neither its length nor where it ends.
    """
    body = payload.removeprefix(_BOM).strip() if len(payload) <= _NOTE_BYTES_MAX else payload.removeprefix(_BOM)
    if not body:
        return _empty(entry, "0 bytes")
    magic = _GZIP_MAGIC if extension.endswith(".gz") else _MAGIC.get(extension)
    if magic is not None:
        return None if payload.startswith(magic) else (FailureKind.NOT_DATA, f"no {extension} but {_shown(body)}")
    if extension not in ("html", "txt") and _HTML.match(body[:2048]):
        return FailureKind.NOT_DATA, f"an HTML page: {_title(body)}"
    noted = _error_text(entry, body)
    if noted is not None:
        return noted
    if extension == "json":
        return _why_no_json(entry, body, as_declared=as_declared, may_be_cut=may_be_cut)
    if extension in _DELIMITED:
        return _why_no_delimited(entry, body, extension, as_declared=as_declared, may_be_cut=may_be_cut)
    if extension == "xml":
        return _why_no_xml(body, may_be_cut=may_be_cut)
    return None


def _shown(body: bytes) -> str:
    text = printable(body[:_NOTE_BYTES_MAX].decode("utf-8", "replace"))  # keys go first: half of one would be none
    return repr(text[:_SHOWN] + ("..." if len(text) > _SHOWN or len(body) > _NOTE_BYTES_MAX else ""))


def short_note(body: bytes) -> str:
    """What a short answer that is no page says, quoted and without keys; empty for another."""
    text = body.strip()
    return "" if not text or len(text) > _NOTE_BYTES_MAX or text.startswith(b"<") else _shown(text)


def _title(body: bytes) -> str:
    match = re.search(rb"<title[^>]*>(.*?)</title>", body[:65536], re.IGNORECASE | re.DOTALL)
    return _shown(match[1].strip()) if match else _shown(body)


def _empty(entry: DatasetKeymapEntry, what: str) -> tuple[FailureKind, str] | None:
    return None if entry.is_data.may_be_empty else (FailureKind.EMPTY, f"the answer is empty ({what})")


def _error_text(entry: DatasetKeymapEntry, body: bytes) -> tuple[FailureKind, str] | None:
    rules = entry.is_data
    if len(body) > _NOTE_BYTES_MAX or not (rules.error_texts or rules.plan_texts):
        return None
    if speaks_of_plan(entry, body):
        return FailureKind.PLAN, f"the plan does not cover it; the vendor says {_shown(body)}"
    low = body.decode("utf-8", "replace").lower()
    return (
        (FailureKind.ERROR_NOTE, f"the vendor says {_shown(body)}")
        if any(text.lower() in low for text in rules.error_texts)
        else None
    )


def speaks_of_plan(entry: DatasetKeymapEntry, body: bytes) -> bool:
    """Whether a short answer says that the plan does not cover the dataset."""
    low = body[:_NOTE_BYTES_MAX].decode("utf-8", "replace").lower()
    return any(text.lower() in low for text in entry.is_data.plan_texts)


def _why_no_json(
    entry: DatasetKeymapEntry, body: bytes, *, as_declared: bool, may_be_cut: bool
) -> tuple[FailureKind, str] | None:
    if body[:1] not in b"[{" and as_declared:
        if body in (b"null", b'""'):
            return _empty(entry, body.decode())
        return FailureKind.NOT_DATA, f"no JSON list or object but {_shown(body)}"
    if len(body) > _NOTE_BYTES_MAX and not may_be_cut:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return (
            (FailureKind.TRUNCATED, "the JSON is cut")
            if may_be_cut
            else (FailureKind.NOT_DATA, f"no JSON: {_shown(body)}")
        )
    note = _note(entry, document)
    if note:
        return FailureKind.ERROR_NOTE, f"the vendor says {_shown(escaped(note).encode())}"
    if is_listing(document, entry.is_data.listing_fields):
        return None
    return _why_no_rows(entry, document, body) if as_declared and isinstance(format_of(entry, "json"), Json) else None


def _note(entry: DatasetKeymapEntry, document: Any) -> str:
    """What a field that the dataset declares as an error note says."""
    for path in entry.is_data.error_fields:
        value = value_at(document[0] if isinstance(document, list) and document else document, path)
        if value not in (None, "", False, [], {}):
            return value if isinstance(value, str) else json.dumps(value)
    return ""


def _why_no_rows(entry: DatasetKeymapEntry, document: Any, body: bytes) -> tuple[FailureKind, str] | None:
    if entry.reads_items and isinstance(document, list) and document:
        return None  # whoever looks at the items says which have none
    if document == {} or is_null_there(document, entry.rows_at):
        return _empty(entry, "no rows")
    try:
        return _empty(entry, "no rows") if next(walk(document, entry.rows_at), None) is None else None
    except PayloadRefused as error:
        return FailureKind.NOT_DATA, f"{error.what}: {_shown(body)}"


def is_null_there(value: Any, rows_at: str) -> bool:
    """Whether the list of rows alone is null: a vendor's way to say that there are none."""
    steps = [segment for segment in rows_path(rows_at).segments if not isinstance(segment, Wildcard)]
    if not steps or not all(isinstance(step, Name) for step in steps):
        return False
    names = [step.name for step in steps if isinstance(step, Name)]
    for name in names[:-1]:
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, dict) and names[-1] in value and value[names[-1]] is None


def _why_no_delimited(
    entry: DatasetKeymapEntry, body: bytes, extension: str, *, as_declared: bool, may_be_cut: bool
) -> tuple[FailureKind, str] | None:
    dialect = format_of(entry, extension)
    if not isinstance(dialect, Csv) or dialect.encoding.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
        return None
    start, end = _line_at(body, dialect.skip_rows if dialect.header is True else 0)
    header = body[start:end]
    mark = dialect.delimiter.encode()
    if as_declared and dialect.header is True:
        known = {name.casefold() for column in entry.columns for name in column.source_names}
        named = {name.strip(b'" \r\t').decode(dialect.encoding, "replace").casefold() for name in header.split(mark)}
        if not known & named:
            return (
                FailureKind.NOT_DATA,
                (
                    f"its first line names no declared column, with {dialect.delimiter!r} between the fields: "
                    f"{_shown(header)}"
                ),
            )
    if dialect.header is True and not _INK.search(body, end):
        return _empty(entry, "a header and no rows")
    if may_be_cut and b'"' not in (last := _last_line(body)) and last.count(mark) < header.count(mark):
        return FailureKind.TRUNCATED, "the last line is cut"
    return None


def _line_at(body: bytes, number: int) -> tuple[int, int]:
    """Where a line begins and ends, counted from 0. Nothing of the body is copied: it may be a gigabyte."""
    start = 0
    for _ in range(number):
        newline = body.find(b"\n", start)
        start = len(body) if newline < 0 else newline + 1
    newline = body.find(b"\n", start)
    return start, len(body) if newline < 0 else newline


def _last_line(body: bytes) -> bytes:
    end = len(body)
    while end and body[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return body[body.rfind(b"\n", 0, end) + 1 : end]


def _why_no_xml(body: bytes, *, may_be_cut: bool) -> tuple[FailureKind, str] | None:
    if not body.startswith(b"<") and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return FailureKind.NOT_DATA, f"no XML but {_shown(body)}"
    if may_be_cut:
        try:
            expat.ParserCreate().Parse(body, True)
        except expat.ExpatError:
            return FailureKind.TRUNCATED, "the XML is cut, or none"
    return None


def too_large(entry: DatasetKeymapEntry, cells: Cells, status: int, body: bytes) -> str:
    """What a vendor says where a request asked for too many cells, for readers; empty where it says no such thing."""
    is_said = status in cells.too_large_status
    short = body[: _NOTE_BYTES_MAX + 1]
    if not is_said and len(short) <= _NOTE_BYTES_MAX:
        low = short.decode("utf-8", "replace").lower() if cells.too_large_texts else ""
        is_said = any(text.lower() in low for text in cells.too_large_texts)
        is_said = is_said or bool(cells.too_large_fields and _holds(cells.too_large_fields, short))
    if not is_said or (status != 200 and speaks_of_plan(entry, body)):
        return ""
    said = short_note(body)
    return f"HTTP {status}: the request asks for too much" + (f"; the vendor says {said}" if said else "")


def _holds(paths: Sequence[str], body: bytes) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    found = (value_at(document, path) for path in paths)
    return any(value not in (None, "", False, [], {}) for value in found)
