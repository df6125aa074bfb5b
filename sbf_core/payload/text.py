"""Texts of payloads as UTF-8: encodings by their declared name, as a stream, and byte order marks.

No encoding is ever guessed. UTF-8 is read where it stands. Everything else is decoded by Python's codec of the declared
name and written as UTF-8, a chunk at a time.
"""

from __future__ import annotations

import codecs
import contextlib
import mmap
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import attrs

from sbf_core.errors import PayloadRefused
from sbf_core.value import Entity

#: Texts up to this many bytes are held in memory.
IN_MEMORY_BYTES_MAX = 8 << 20
_CHUNK_BYTES = 1 << 20
#: Marks at the beginning of a text, the longer ones first (Unicode Standard, section 23.8).
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK = "\ufeff"
#: As Python names the encodings that are a part of UTF-8.
_UTF8 = ("utf-8", "utf-8-sig", "ascii")


@attrs.frozen(kw_only=True, eq=False)
class Utf8Text(Entity):
    """A text as UTF-8 bytes, from anywhere in it.

    Attributes:
        data: the bytes, in memory or mapped.
        start: where the text begins, behind a byte order mark.
        is_original: whether these are the payload's own bytes.
        copy: the file that holds ``data``, where it is not the payload and was asked for.
    """

    data: bytes | mmap.mmap
    start: int
    is_original: bool
    copy: Path | None = None

    def slices(self, start: int, end: int, byte_count: int) -> Iterator[bytes]:
        """The bytes from ``start`` to ``end`` in pieces. Pages that were read are given back to the system."""
        released = start - start % mmap.ALLOCATIONGRANULARITY
        for at in range(start, end, byte_count):
            yield self.data[at : min(at + byte_count, end)]
            is_due = at - released > IN_MEMORY_BYTES_MAX and hasattr(mmap, "MADV_DONTNEED")
            if is_due and isinstance(self.data, mmap.mmap):
                length = (at - released) // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
                self.data.madvise(mmap.MADV_DONTNEED, released, length)
                released += length


@lru_cache(maxsize=256)
def _letters(text: bytes) -> tuple[bytes, ...]:
    return tuple(bytes((byte,)) for byte in dict.fromkeys(text))


def holds(data: bytes, text: bytes) -> bool:
    """``text in data``. That a letter of it is nowhere is seen ten times as fast, and where all are, at once."""
    return all(letter in data for letter in _letters(text)) and text in data


def is_utf8(encoding: str) -> bool:
    """Whether a text of this encoding is UTF-8 as it stands."""
    return codecs.lookup(encoding).name in _UTF8


def utf8_part(encoding: str) -> str:
    """How the bytes of a text that is UTF-8 as it stands are to be checked: as ``utf-8`` or as ``ascii``."""
    return "ascii" if codecs.lookup(encoding).name == "ascii" else "utf-8"


@contextlib.contextmanager
def utf8_text(
    path: Path, encoding: str, *, payload: bytes | None = None, staging: Path | None = None
) -> Iterator[Utf8Text]:
    """A payload as UTF-8. Its bytes are not yet checked where they are UTF-8 already: see ``check_utf8``.

    Args:
        path: the payload.
        encoding: as declared.
        payload: its bytes, where they were read already.
        staging: takes the copy of a large text of another encoding; without one the copy is gone afterwards.

    Raises:
        PayloadRefused: a byte is none of the encoding, or the text begins with the mark of another one.
    """
    if payload is None and path.stat().st_size <= IN_MEMORY_BYTES_MAX:
        payload = path.read_bytes()
    if payload is not None:
        start = _behind_mark(payload[:4], encoding)
        if is_utf8(encoding):
            yield Utf8Text(data=payload, start=start, is_original=True)
        else:
            yield Utf8Text(data=b"".join(_decoded(iter((payload,)), encoding)), start=0, is_original=False)
        return
    with contextlib.ExitStack() as stack:
        source: BinaryIO = stack.enter_context(path.open("rb"))
        start = _behind_mark(source.read(4), encoding)
        source.seek(0)
        copy: Path | None = None
        if not is_utf8(encoding):
            target = stack.enter_context(
                tempfile.NamedTemporaryFile(dir=staging, suffix=".txt", delete=staging is None)
            )
            for chunk in _decoded(iter(lambda: source.read(_CHUNK_BYTES), b""), encoding):
                target.write(chunk)
            target.flush()
            copy = Path(target.name) if staging is not None else None
            source, start = cast(BinaryIO, target.file), 0
        if source.seek(0, 2) == 0:  # e.g. nothing but a mark; no empty file can be mapped
            yield Utf8Text(data=b"", start=0, is_original=False)
            return
        mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            yield Utf8Text(data=mapped, start=start, is_original=is_utf8(encoding), copy=copy)
        finally:
            with contextlib.suppress(BufferError):  # a match of a pattern still holds it; it goes with the match
                mapped.close()


def check_utf8(text: Utf8Text, encoding: str) -> None:
    """Raise ``PayloadRefused`` for the first byte that is none of the encoding. Decoded texts are right already."""
    if not text.is_original:
        return
    decoder = codecs.getincrementaldecoder(utf8_part(encoding))()
    at, pending = text.start, 0
    for chunk in text.slices(text.start, len(text.data), _CHUNK_BYTES):
        if pending or not chunk.isascii():
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise refused_byte(at - pending + error.start, error, encoding) from None
            pending = len(decoder.getstate()[0])
        at += len(chunk)
    if pending:
        what = f"ends within a character of {encoding}, at byte {at - pending}"
        raise PayloadRefused(what, fix="ask for it again: it is cut")


def refused_byte(position: int, error: UnicodeDecodeError, encoding: str) -> PayloadRefused:
    """The refusal of a payload whose byte at ``position``, counted from 0, is none of its encoding."""
    hex_text = error.object[error.start : error.end][:4].hex(" ").upper()
    question = "; is it cp1252 or latin-1?" if is_utf8(encoding) else "; is it utf-8?"
    what = f"byte {position} ({hex_text}) is no {encoding}"
    return PayloadRefused(what, fix=f"declare encoding=..., as the vendor says it{question}")


def _behind_mark(head: bytes, encoding: str) -> int:
    """Where the text begins.

    A mark of another encoding than the declared one refuses the payload, and so does none where one is needed.
    """
    name = codecs.lookup(encoding).name
    mark, marked = next(((mark, marked) for mark, marked in _MARKS if head.startswith(mark)), (b"", ""))
    family = "utf-8" if name in _UTF8 else name.removesuffix("-le").removesuffix("-be")
    order = name[-3:] if name.endswith(("-le", "-be")) else ""
    is_other = marked != family or (order == "-le" and mark[:1] != b"\xff") or (order == "-be" and mark[:1] == b"\xff")
    if marked and is_other and not (name == "utf-16-le" and marked == "utf-32"):  # a mark of utf-16-le, and a NUL
        what = f"begins with the byte order mark of {marked}, and {encoding} is declared"
        raise PayloadRefused(what, fix=f'declare encoding="{marked}"')
    if name in ("utf-16", "utf-32") and not marked and head:
        fix = f'declare encoding="{name}-le" or "{name}-be"'
        raise PayloadRefused(f"has no byte order mark, so {name} leaves the order of its bytes open", fix=fix)
    return len(mark) if family == "utf-8" else 0


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Chunks of a text as UTF-8, without the mark at its beginning."""
    decoder = codecs.getincrementaldecoder(encoding)()
    given, is_first = 0, True
    while True:
        chunk = next(chunks, b"")
        held = len(decoder.getstate()[0]) if given else 0
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise refused_byte(given - held + error.start, error, encoding) from None
        given += len(chunk)
        if is_first and text:
            text, is_first = text.removeprefix(_MARK), False
        try:
            yield text.encode()
        except UnicodeEncodeError:  # half of a pair in what calls itself utf-16
            what = f"holds half of a pair of surrogates, so it is no {encoding}"
            raise PayloadRefused(what, fix="declare encoding=..., as the vendor says it") from None
        if not chunk:
            return
