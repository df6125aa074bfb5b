"""Workbooks for tests, written by hand: each part of the XML is what the test says, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(
    sheets: Mapping[str, str], *, formats: Sequence[str | int] = (), is_1904: bool = False, after: str = ""
) -> bytes:
    """A workbook of sheets, each the XML of its rows; style ``s="1"`` has the first of the number formats."""
    own = [code for code in formats if isinstance(code, str)]
    codes = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode={quoteattr(code)}/>' for place, code in enumerate(own)
    )
    ids = [0, *(164 + own.index(code) if isinstance(code, str) else code for code in formats)]
    styles = "".join(
        f'<xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' for number in ids
    )
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{place}" r:id="r{place}"/>' for place, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="r{place}" Type="{_REL}/worksheet" Target="worksheets/sheet{place}.xml"/>'
        for place in range(1, len(sheets) + 1)
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for place in range(1, len(sheets) + 1)
    )
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{related}<Relationship Id="rs" '
            f'Type="{_REL}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><workbookPr date1904="{int(is_1904)}"/>'
            f'<sheets>{listed}</sheets></workbook>'
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(own)}">{codes}</numFmts>'
            '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
            '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
            f'<cellXfs count="{len(ids)}">{styles}</cellXfs></styleSheet>'
        ),
    }  # fmt: skip
    for place, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{place}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'
        )
    return _zip({name: f'<?xml version="1.0" encoding="UTF-8"?>{text}' for name, text in parts.items()})


def row(number: int, *cells: object, style: int = 0, first: str = "A") -> str:
    """A row: texts, numbers with their own digits (as ``1.5`` or ``"=1.50"``), None for no cell, and XML as it is."""
    found = ""
    for place, cell in enumerate(cells):
        at = f"{chr(ord(first) + place)}{number}"
        if isinstance(cell, str) and cell.startswith("<"):
            found += cell.replace("<c", f'<c r="{at}"', 1)
        elif isinstance(cell, str) and not cell.startswith("="):
            found += f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{cell}</t></is></c>'
        elif cell is not None:
            found += f'<c r="{at}" s="{style}"><v>{str(cell).removeprefix("=")}</v></c>'
    return f'<row r="{number}">{found}</row>'


def ods(cells: Sequence[Sequence[str]]) -> bytes:
    """An OpenDocument sheet of cells, each the XML of its attributes."""
    rows = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell {cell}" if cell else "<table:table-cell/>" for cell in line)
        + "</table:table-row>"
        for line in cells
    )
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{_ODF}:office:1.0" '
        f'xmlns:table="{_ODF}:table:1.0" xmlns:text="{_ODF}:text:1.0" office:version="1.3">'
        f'<office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/" '
        'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
    )
    return _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
        }
    )


def _zip(parts: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return stream.getvalue()
