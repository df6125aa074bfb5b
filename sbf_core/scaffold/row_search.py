"""The rows of one payload, found without being told where they are."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sbf_core.dataset.formats import Csv, Json
from sbf_core.dataset.formats_of_statistics import SdmxCsv, SdmxJson, SdmxMl
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.unpack import GZIP, ZIP, unpacked
from sbf_core.scaffold.dialect import find_table, read_table
from sbf_core.scaffold.json_rows import ROWS_MAX, json_rows
from sbf_core.scaffold.xml_rows import xml_rows
from sbf_core.value import Value

_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_GZIP_MAGIC, _ZIP_MAGIC, _PARQUET_MAGIC = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
#: Files of a zip that may be data.
_DATA_ENDINGS = ("csv", "json", "tsv", "txt", "xml")
_TAB = Csv(delimiter="\t")


@attrs.frozen(kw_only=True)
class FoundRows(Value):
    """Rows and how they are reached.

    Attributes:
        extension: what payloads are stored as, e.g. ``json``, ``csv.gz`` or ``zip``.
        rows: as mappings from the vendor's names, or from paths, to values; texts from CSV and XML.
        format: as it is declared; None where the extension says enough.
        member: of a zip, the file in it.
        rows_at: the path of the rows in a JSON payload.
        tag: of XML, the tag of the elements that are rows.
        names: words for sources that are paths.
        doubts: what was decided without being sure.
    """

    extension: str
    rows: tuple[Mapping[str, Any], ...]
    format: Csv | Json | SdmxCsv | SdmxJson | SdmxMl | None = None
    member: str = ""
    rows_at: str = ""
    tag: str = ""
    names: Mapping[str, str] = attrs.field(factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether an empty field is no value, as in CSV and XML."""
        return isinstance(self.format, Csv) or bool(self.tag) or not self._is_json

    @property
    def is_delimited(self) -> bool:
        """Whether its fields stand in columns with a header."""
        return not self._is_json and not self.tag

    @property
    def _is_json(self) -> bool:
        return self.extension.removesuffix(GZIP) == "json" or isinstance(self.format, Json)


def find_rows(payload: bytes, *, where: str, rows_at: str | None = None) -> FoundRows:
    """The rows of a payload.

    Args:
        payload: its bytes.
        where: the address or file it came from.
        rows_at: the path of the rows in a JSON payload, or the tag of the elements that are rows in XML, where it
            is known.

    Raises:
        UsageError: it is empty, a page, of no known form, or holds no rows, or rows that no declaration can reach.
    """
    packed, member, content, doubts = _unpacked(payload, where)
    body = content.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise UsageError("the payload is empty", where=where, fix="look at the address with a browser", code="NO_DATA")
    if _HTML.match(body[:4096]):
        raise UsageError(
            "this is an HTML page, no data",
            where=where,
            fix="find the address that gives JSON, CSV or XML; does it want a key?",
            code="NO_DATA",
        )
    if body[:4] == _PARQUET_MAGIC:
        raise UsageError(
            "Parquet is not looked into",
            where=where,
            fix="begin with --kind rest or csv and declare format=Parquet()",
            code="NO_DATA",
        )
    if body[:1] in b"[{":
        json = json_rows(content, where, rows_at)
        found_rows = FoundRows(
            extension="json", rows=json.rows[:ROWS_MAX], rows_at=json.rows_at, names=json.names, doubts=json.doubts
        )
    elif body[:1] == b"<":
        tag, rows, more = xml_rows(body, where, rows_at)
        found_rows = FoundRows(extension="xml", rows=tuple(rows[:ROWS_MAX]), tag=tag, doubts=more)
    else:
        found_rows = _delimited_rows(content, where)
    return _as_packed(attrs.evolve(found_rows, doubts=(*doubts, *found_rows.doubts)), packed, member)


def _delimited_rows(payload: bytes, where: str) -> FoundRows:
    table = find_table(payload, where=where)
    rows = _as_mappings(table.names, table.records)
    extension = "tsv" if table.csv == _TAB else "csv"
    return FoundRows(extension=extension, rows=rows, format=table.csv, doubts=table.doubts)


def _as_mappings(names: Sequence[str], records: Sequence[Sequence[str | None]]) -> tuple[Mapping[str, str | None], ...]:
    return tuple(
        {name: value for name, value in zip(names, record, strict=True) if name} for record in records[:ROWS_MAX]
    )


def declared_again(found_rows: FoundRows, declared: Csv | Json, payload: bytes, *, where: str) -> FoundRows:
    """The rows of a payload under a format that says more than the one by which they were found, e.g. of words for "no
    value".
    """
    if not isinstance(declared, Csv):
        return attrs.evolve(found_rows, format=declared)
    _, _, content, _ = _unpacked(payload, where)
    names, records = read_table(content, declared, where=where)
    return attrs.evolve(found_rows, format=declared, rows=_as_mappings(names, records))


def _as_packed(found_rows: FoundRows, packed: str, member: str) -> FoundRows:
    if packed == GZIP:
        return attrs.evolve(found_rows, extension=found_rows.extension + GZIP)
    if packed != ZIP:
        return found_rows
    ending = member.rpartition(".")[2].lower()
    declared = (
        found_rows.format
        if found_rows.format is not None
        else Json()
        if found_rows.extension == "json" and ending != "json"
        else None
    )
    return attrs.evolve(found_rows, extension=ZIP, member=member, format=declared)


def usual_format(found_rows: FoundRows) -> Csv | Json | None:
    """What the extension of the bytes says where no format is declared."""
    inner = (
        found_rows.extension.removesuffix(GZIP)
        if found_rows.extension != ZIP
        else found_rows.member.rpartition(".")[2].lower()
    )
    usual: dict[str, Csv | Json] = {"csv": Csv(), "tsv": _TAB, "json": Json()}
    return usual.get(inner)


def _unpacked(payload: bytes, where: str) -> tuple[str, str, bytes, list[str]]:
    """How a payload is packed, which file of a zip it is, its bytes, and doubts."""
    packed = GZIP if payload.startswith(_GZIP_MAGIC) else ZIP if payload.startswith(_ZIP_MAGIC) else ""
    if not packed:
        return "", "", payload, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload"
        path.write_bytes(payload)
        try:
            member, doubts = _member(path, where) if packed == ZIP else ("", [])
            plain, _ = unpacked(path, packed, member=member, target=Path(folder) / "plain")
            return packed, member, plain.read_bytes(), doubts
        except (PayloadRefused, zipfile.BadZipFile) as error:
            what = error.what if isinstance(error, PayloadRefused) else f"is no zip: {error}"
            raise UsageError(
                f"the payload {what}", where=where, fix="look at it; nothing was written", code="NO_DATA"
            ) from error


def _member(path: Path, where: str) -> tuple[str, list[str]]:
    """A pattern for the file of a zip that holds the data, as it is declared."""
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename == "[Content_Types].xml" for info in files):
        raise UsageError(
            "an Excel workbook is not looked into",
            where=where,
            fix="begin with --kind rest or csv and declare format=",
            code="NO_DATA",
        )
    able = [info for info in files if info.filename.rpartition(".")[2].lower() in _DATA_ENDINGS]
    if not able:
        names = ", ".join(info.filename for info in files[:8]) or "nothing"
        raise UsageError(
            f"the zip holds no CSV, JSON or XML: {names}",
            where=where,
            fix="begin with --kind rest or csv and declare format=",
            code="NO_DATA",
        )
    chosen = max(able, key=lambda info: info.file_size)
    ending = chosen.filename.rpartition(".")[2]
    alike = [info for info in files if info.filename.endswith(f".{ending}")]
    if len(alike) == 1:
        return f"*.{ending}", []
    return chosen.filename, [
        f"member: {chosen.filename} is the largest of {len(able)} files of the zip that may be data"
    ]
