"""JSON read from a file part by part, so that a list of any length needs little memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Self

from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_text import BLANKS, EXACT, FLAT, HEAD_BYTES, TOO_DEEP, check_start, mended, no_json, not_utf8
from sbf_core.payload.model import PayloadFile

#: Text that is read at a time. A list of any length needs room for a few of these and for its longest element.
CHUNK_BYTES = 1 << 20
#: Behind a comma: a blank, the end of the list, or the end of what was read so far.
NEEDS_A_LOOK = frozenset((*BLANKS, "]", ""))
_NO_BLANK = re.compile(r"[^ \t\n\r]")
#: An error farther from the end of what was read so far is not healed by reading on: no token but a text is that long.
_TOKEN_MAX = 24
#: A number may seem to end this many letters before the end of what was read so far: ``1e+``.
_NUMBER_ENDS = 2


class Window:
    """A part of a payload's text, moved along it: so much as the value that is read now needs."""

    def __init__(self, source: PayloadFile) -> None:
        self.text = ""
        self.at = 0
        self._source = source
        self._stream: BinaryIO | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._bytes_read = 0
        self._before = 0
        self._is_mended = False
        self._start = 0
        self.ended = False

    def __enter__(self) -> Self:
        self._stream = self._source.opened()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stream is not None
        self._stream.close()

    def more(self, byte_count: int = CHUNK_BYTES) -> None:
        """Read on, and forget what stands before ``at``."""
        assert self._stream is not None
        chunk = self._stream.read(byte_count)
        if self._bytes_read == 0:
            check_start(chunk[:HEAD_BYTES])
            kept = chunk.removeprefix(codecs.BOM_UTF8)
        else:
            kept = chunk
        self.ended = not chunk
        held = len(self._decoder.getstate()[0])
        try:
            grown = self._decoder.decode(kept, final=self.ended)
        except UnicodeDecodeError as error:
            raise not_utf8(self._bytes_read - held + error.start + (len(chunk) - len(kept))) from None
        self._bytes_read += len(chunk)
        self._before += self.at
        self.text = self.text[self.at :] + grown
        self.at = 0
        self._is_mended = False

    def next(self) -> str:
        """The next letter that is no blank, where ``at`` then is; empty at the end."""
        while True:
            match = _NO_BLANK.search(self.text, self.at)
            if match is not None:
                self.at = match.start()
                return match[0]
            self.at = len(self.text)
            if self.ended:
                return ""
            self.more()

    def expect(self, marks: str) -> str:
        """The next letter, which must be one of ``marks``, and go behind it."""
        letter = self.next()
        if not letter or letter not in marks:
            raise self.refusal()
        self.at += 1
        return letter

    def refusal(self) -> PayloadRefused:
        """What stands at ``at`` is not what must stand there."""
        return no_json(json.JSONDecodeError("", self.text, self.at), self.text, self._before)

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The value at ``at``, and go behind it."""
        self.next()
        size = CHUNK_BYTES
        while True:
            try:
                value, end = decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                is_open = error.msg.startswith("Unterminated string") or error.pos > len(self.text) - _TOKEN_MAX
                if self.ended or not is_open:
                    self._mend_once(error)
                    continue
            except RecursionError:
                raise PayloadRefused(TOO_DEEP) from None
            else:
                if end < len(self.text) - _NUMBER_ENDS or self.ended:  # else a number may go on
                    self._start, self.at = self.at, end
                    return value
            self.more(size)
            size *= 2  # a long value is begun anew a few times only

    def _mend_once(self, error: json.JSONDecodeError) -> None:
        if self._is_mended:
            raise no_json(error, self.text, self._before) from None
        self.text = mended(self.text, self.at)
        self._is_mended = True

    def document(self) -> Any:
        """The one value that the payload is, read whole."""
        value = self.value(EXACT)
        self.finish()
        return value

    def finish(self) -> None:
        """Raise ``PayloadRefused`` unless nothing more stands there."""
        if self.next():
            raise PayloadRefused(f"has more behind its end: {self.text[self.at : self.at + 40]!r}")

    def members(self) -> Iterator[str]:
        """The names of the object that begins at ``at``; whoever asks for the next one has read the value before."""
        self.expect("{")
        if self.next() == "}":
            self.at += 1
            return
        while True:
            if self.next() != '"':
                raise self.refusal()
            name = self.value(FLAT)
            self.expect(":")
            yield name
            if self.expect(",}") == "}":
                return
            if self.next() == "}":
                self.at += 1
                return

    def elements(self, decoder: json.JSONDecoder) -> Iterator[tuple[Any, str, int]]:
        """The elements of the list that begins at ``at``, each with a text that holds it and where it begins there."""
        self.expect("[")
        if self.next() == "]":
            self.at += 1
            return
        decode, blank = decoder.raw_decode, _NO_BLANK.search
        while True:
            text, start = self.text, self.at
            try:  # the usual case, without a call more than it needs
                value, end = decode(text, start)
                match = blank(text, end)
            except (json.JSONDecodeError, RecursionError):
                match = None
            if match is None or match[0] not in ",]":  # it is not all here yet, or is no JSON
                value = self.value(decoder)
                text, start = self.text, self._start
                letter = self.next()
            else:
                self.at = match.start()
                letter = match[0]
            if letter != "," and letter != "]":
                raise self.refusal()
            self.at += 1
            yield value, text, start
            if letter == "]":
                return
            if self.text[self.at : self.at + 1] in NEEDS_A_LOOK and self.next() == "]":  # a comma before the end
                self.at += 1
                return
