"""What python-calamine does not tell of an ``.xlsx`` (ECMA-376 part 1): errors, formulas without a result, false dates.

A cell with an error, or with a formula that was never calculated, is an empty cell to the library; and a number whose
format holds a unit with a letter of a date (``0.00 CHF``, ``#,##0 GWh``) is a date to it. Both stand in the XML.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from sbf_core.errors import PayloadRefused
from sbf_core.payload.unpack import check_unpacked_size
from sbf_core.payload.xml_prolog import refuse_document_type

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_BOOK, _STYLES = "xl/workbook.xml", "xl/styles.xml"
_FORMAT = re.compile(rb"""<(?:\w+:)?numFmt\b[^>]*?\bformatCode\s*=\s*(?:"([^"]*)"|'([^']*)')""")
#: Texts, escaped letters, padding, fillers, and brackets of a number format; none of them shows a part of a date.
_NO_CODE = re.compile(r'"[^"]*"|&quot;.*?&quot;|\\.|_.|\*.|\[[^\]]*\]')
_DATE_LETTERS = re.compile(r"[dmyhs]", flags=re.IGNORECASE)
#: A fraction of a second is the one digit that a date may hold.
_SECONDS = re.compile(r"s[.,]0+", flags=re.IGNORECASE)
_NUMBER = re.compile(r"[0#?]|general", flags=re.IGNORECASE)
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
#: Cells that the library shows as empty, by row and column from 0.
Unseen = dict[int, dict[int, str]]


class _NotCalculated(str):
    """The content of a formula that has no stored result."""

    __slots__ = ()


NOT_CALCULATED = _NotCalculated("(not calculated)")


def is_number_format(code: str) -> bool:
    """Whether a number format (18.8.30) shows a number, whatever unit stands beside its digits."""
    bare = _SECONDS.sub("s", _NO_CODE.sub("", code))
    return _NUMBER.search(bare) is not None


def without_false_dates(path: Path) -> io.BytesIO | None:
    """The workbook with formats of numbers that the library takes for dates made plain; None where there are none."""
    archive = _archive(path)
    if archive is None:
        return None
    with archive:
        styles = archive.read(_STYLES) if _STYLES in archive.namelist() else b""
        plain = _FORMAT.sub(_plain, styles)
        if plain == styles:
            return None
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w") as target:
            for name in archive.namelist():
                target.writestr(name, plain if name == _STYLES else archive.read(name))
        copy.seek(0)
        return copy


def _plain(match: re.Match[bytes]) -> bytes:
    code = (match[1] or match[2] or b"").decode("utf-8", errors="replace")
    bare = _NO_CODE.sub("", code)
    if not is_number_format(code) or not _DATE_LETTERS.search(bare.lower().replace("general", "")):
        return match[0]
    return match[0].replace(match[1] or match[2], b"0")


def look_into(path: Path, sheet: str) -> Unseen:
    """The errors of a sheet, by their texts, and its formulas without a result. Nothing of the other forms."""
    archive = _archive(path)
    if archive is None:
        return {}
    with archive:
        part = _part(archive, sheet)
        if part is None:
            raise PayloadRefused(f"is no workbook that can be read: sheet {sheet!r} has no part of its own")
        content = archive.read(part)
        if not any(mark in content for mark in (b'"e"', b"'e'", b"<f", b":f>", b":f ")):
            return {}
        return _unseen(io.BytesIO(content))


def _archive(path: Path) -> zipfile.ZipFile | None:
    """The parts of an ``.xlsx``; None for another form."""
    if not zipfile.is_zipfile(path):
        return None
    archive = zipfile.ZipFile(path)
    if _BOOK in archive.namelist():
        check_unpacked_size(archive, path)
        return archive
    archive.close()
    return None


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part of a sheet: by the relation that the workbook names (part 2, 9.3)."""
    relations = _parsed(archive, "xl/_rels/workbook.xml.rels")
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for each in _parsed(archive, _BOOK).iter():
        if each.tag in (f"{_MAIN}sheet", f"{_STRICT}sheet") and each.get("name") == sheet:
            relation = next((value for name, value in each.attrib.items() if name.endswith("}id")), None)
            target = targets.get(relation, "")
            part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
            return part if part in archive.namelist() else None
    return None


def _parsed(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    content = archive.read(part)
    refuse_document_type(io.BytesIO(content))
    return ElementTree.fromstring(content)  # noqa: S314 - no entities, see above


def _unseen(stream: io.BytesIO) -> Unseen:
    unseen: Unseen = {}
    refuse_document_type(stream)
    for _, element in ElementTree.iterparse(stream):  # noqa: S314 - no entities, see above
        kind = element.tag.rpartition("}")[2]
        if kind == "c":
            at = _CELL.fullmatch(element.get("r", ""))
            parts = {part.tag.rpartition("}")[2]: part.text for part in element}
            text: str | None = parts.get("v") if element.get("t") == "e" else None
            if "f" in parts and not parts.get("v") and element.get("t") != "str":
                text = NOT_CALCULATED
            if at and text:
                unseen.setdefault(int(at[2]) - 1, {})[_column(at[1])] = text
        elif kind == "row":
            element.clear()
    return unseen


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
