"""A first look at each payload, before the engine reads it: is it what it should be, and how must it be read?

One cheap look a file, never a look at each row. What is found here costs only the file itself.
"""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from pathlib import Path

import attrs

from sbf_core.bronze.file_reader import read_payload
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.disk import is_disk_fault
from sbf_core.errors import PayloadRefused, SbfError, environment_fault, printable
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.silver.reading import BatchFile

#: Smaller JSON payloads are joined into one file before the engine reads them: a file costs it more than its rows.
SMALL_BYTES = 65_536
_HEAD_BYTES = 65_536
#: A zip member may not be larger, nor this many times larger than its archive.
MEMBER_BYTES_MAX = 2 * 1024**3
MEMBER_RATIO_MAX = 200
#: From 16 digits on a JSON number may be more than a double can hold.
_LONG_NUMBER = re.compile(rb"(?<![\w\".])-?(?=[0-9.]{17,})[0-9]+(?:\.[0-9]+)?")
_BLANK = b" \t\r\n"


@attrs.frozen(kw_only=True)
class Inspected:
    """What the look at a payload found.

    Attributes:
        file: the payload, with the path to read.
        extension: how it is read, e.g. ``csv`` for the member of a zip.
        payload: the bytes, if they had to be read and are small.
        layout: for delimited text the header line; files of one layout are read together.
        fields: the field names of the first row.
        careful: JSON whose numbers must be read as text.
        exact: JSON with decimals that a double cannot hold.
    """

    file: BatchFile
    extension: str
    payload: bytes | None = None
    layout: str = ""
    fields: tuple[str, ...] = ()
    careful: bool = False
    exact: bool = False


def inspect(
    entry: DatasetKeymapEntry, row: BronzeManifestRow, *, bronze: Path, staging: Path, fresh: bool, is_context: bool = False, as_declared: bool = True
) -> Inspected:
    """Look at one payload.

    Args:
        entry: its dataset.
        row: its manifest row.
        bronze: where the payloads are.
        staging: where unpacked members may be written.
        fresh: this process has just written it, so that its hash need not be checked again.
        is_context: see ``BatchFile``.
        as_declared: the payload is read as the declaration says, not by the plugin's own hook.

    Raises:
        DamageFound: the file is not what was recorded.
        PayloadRefused: it is no data of the declared kind.
    """
    path = str(bronze / row.rel_path)
    payload = None
    if not fresh or row.content_length_bytes < SMALL_BYTES:
        payload = read_payload(bronze, row) if not fresh else Path(path).read_bytes()
    file = BatchFile(row=row, path=path, is_context=is_context)
    if row.extension == "zip":
        return _inspect_zip(entry, file, staging)
    if row.extension == "json":
        return _inspect_json(entry, file, payload) if as_declared else Inspected(file=file, extension="json")
    if row.extension in ("csv", "csv.gz", "tsv"):
        return _inspect_delimited(file, row.extension.removesuffix(".gz"))
    return Inspected(file=file, extension=row.extension)


def _inspect_zip(entry: DatasetKeymapEntry, file: BatchFile, staging: Path) -> Inspected:
    try:
        with zipfile.ZipFile(file.path) as archive:
            names = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [info for info in names if not entry.member or info.filename == entry.member]
            if len(wanted) != 1:
                raise PayloadRefused(f"the zip holds {len(names)} files, none of them or several are {entry.member or 'the one'!r}", fix="declare member=")
            info = wanted[0]
            if info.file_size > MEMBER_BYTES_MAX or info.file_size > MEMBER_RATIO_MAX * max(1, file.row.content_length_bytes):
                raise PayloadRefused(f"the zip unpacks to {info.file_size} bytes, which is refused")
            extension = info.filename.rpartition(".")[2].lower()
            target = staging / f"{file.row.bronze_file_id}.{extension}"
            with archive.open(info) as packed, target.open("wb") as unpacked:
                left = info.file_size + 1
                while chunk := packed.read(min(left, 1 << 20)):
                    unpacked.write(chunk)
                    left -= len(chunk)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        if is_disk_fault(error):  # the payload may be fine: it stays to be promoted
            raise environment_fault(error, doing="a zip cannot be unpacked", where=str(staging)) from error
        raise PayloadRefused(f"no readable zip: {error}") from error
    member = attrs.evolve(file, path=str(target))
    if extension in ("csv", "tsv"):
        return _inspect_delimited(member, extension)
    return Inspected(file=member, extension=extension)


def _inspect_delimited(file: BatchFile, extension: str) -> Inspected:
    try:
        opener = gzip.open if file.path.endswith(".gz") else open
        with opener(file.path, "rb") as stream:
            line = stream.readline(_HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise PayloadRefused(f"cannot be read: {error}") from error
    if not line.strip():
        raise PayloadRefused("is empty")
    if line.lstrip().startswith((b"<", b"{")):
        raise PayloadRefused(f"is no delimited text but starts with {line[:40].decode('utf-8', 'replace')!r}")
    return Inspected(file=file, extension=extension, layout=line.decode("utf-8", "replace").strip())


def _inspect_json(entry: DatasetKeymapEntry, file: BatchFile, payload: bytes | None) -> Inspected:
    if payload is None:
        with open(file.path, "rb") as stream:
            payload = stream.read()
    start = payload.lstrip(_BLANK)[:1] if payload[:1] in (b" ", b"\t", b"\r", b"\n") else payload[:1]
    wanted = b"{" if entry.rows_at else b"["
    if start != wanted:
        shown = payload[:60].decode("utf-8", "replace")
        raise PayloadRefused(f"is no JSON {'object' if entry.rows_at else 'list'} but starts with {shown!r}" if payload else "is empty")
    types = set(entry.column_types.values())
    careful = "DOUBLE" in types and (b"true" in payload or b"false" in payload)
    exact = any(name.startswith("DECIMAL") for name in types) and _LONG_NUMBER.search(payload) is not None
    small = payload if len(payload) < SMALL_BYTES else None
    return Inspected(file=file, extension="json", payload=small, fields=_first_fields(entry, payload), careful=careful, exact=exact)


def _first_fields(entry: DatasetKeymapEntry, payload: bytes) -> tuple[str, ...]:
    """Field names of the first row, for drift; none where the row is not found in the head."""
    head = payload[:_HEAD_BYTES].decode("utf-8", "replace")
    position = 0
    for step in entry.rows_at.split(".") if entry.rows_at else []:
        position = head.find(f'"{step}"', position)
        if position < 0:
            return ()
    position = head.find("{", head.find("[", position))
    if position < 0:
        return ()
    try:
        first, _ = json.JSONDecoder().raw_decode(head, position)
    except ValueError:
        return ()
    return tuple(first)


def rows_are_there(entry: DatasetKeymapEntry, path: str) -> bool:
    """Whether a JSON payload that gave no rows holds an empty list where its rows should be."""
    with open(path, "rb") as stream:
        found = json.load(stream)
    for step in entry.rows_at.split(".") if entry.rows_at else []:
        found = found.get(step) if isinstance(found, dict) else None
    return isinstance(found, list)


def exact_copy(item: Inspected, staging: Path) -> Inspected:
    """A copy of a JSON payload in which every number is text, digit for digit, for decimals that a double would round."""
    with open(item.file.path, "rb") as stream:
        content = json.load(stream, parse_float=str, parse_int=str, parse_constant=str)
    target = staging / f"{item.file.row.bronze_file_id}.json"
    target.write_text(json.dumps(content), encoding="utf-8")
    return attrs.evolve(item, file=attrs.evolve(item.file, path=str(target)), payload=None, careful=True, exact=False)


def refusal(error: Exception) -> str:
    """One line that says why a payload was refused."""
    return str(error) if isinstance(error, SbfError) else printable(f"{type(error).__name__}: {error}")
