"""Undoing the compression of an answer under caps, and seeing where it was cut.

An answer may be compressed with gzip only, once: that is all that is asked for. Zeros shrink a thousandfold, so a cap
on the bytes that arrive says little about the bytes that come out.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import attrs

from sbf_core.errors import SbfError
from sbf_core.failures import FailureKind
from sbf_core.value import Value

#: What may come out before the ratio counts: short repetitive answers shrink a lot.
FREE_BYTES = 8 * 1024**2
RATIO_MAX = 100
_STEP_BYTES = 64 * 1024


class AnswerRefused(SbfError):
    """The body of an answer cannot be taken.

    Args:
        kind: ``TRUNCATED``, ``TOO_LARGE``, ``CODING`` or ``EXTRA_BYTES``.
        what: for readers.
    """

    exit_code = 1

    def __init__(self, kind: FailureKind, what: str) -> None:
        super().__init__(what, code=kind.upper())
        self.kind = kind


@attrs.frozen(kw_only=True)
class SizeCaps(Value):
    """The most that an answer may have.

    Attributes:
        wire_bytes: as it arrives.
        decoded_bytes: after the compression is undone.
    """

    wire_bytes: int = 512 * 1024**2
    decoded_bytes: int = 512 * 1024**2


class BodyReader:
    """Takes an answer piece by piece.

    Args:
        headers: of the answer, names in small letters.
        caps: the most that it may have.

    Raises:
        AnswerRefused: a coding that nobody asked for.
    """

    def __init__(self, headers: Mapping[str, str], caps: SizeCaps) -> None:
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise AnswerRefused(FailureKind.CODING, f"the answer is coded as {coding!r}, which was not asked for")
        self._gzip = zlib.decompressobj(wbits=31) if coding.endswith("gzip") else None
        self._caps = caps
        self._pieces: list[bytes] = []
        self._raw: list[bytes] = []
        self.wire_bytes = 0
        self.decoded_bytes = 0

    @property
    def evidence(self) -> bytes:
        """What arrived so far, as it arrived."""
        return b"".join(self._raw)

    def add(self, piece: bytes) -> None:
        """The next bytes that arrived. Raises ``AnswerRefused`` when a cap is passed."""
        self.wire_bytes += len(piece)
        self._raw.append(piece)
        if self.wire_bytes > self._caps.wire_bytes:
            raise AnswerRefused(FailureKind.TOO_LARGE, f"more than {self._caps.wire_bytes:,} bytes arrived")
        if self._gzip is None:
            return
        if self._gzip.eof:
            raise AnswerRefused(FailureKind.EXTRA_BYTES, "bytes follow the end of the compressed answer")
        out = b""
        while (
            piece or len(out) == _STEP_BYTES
        ) and not self._gzip.eof:  # a full step: zlib may hold more, though it took all input
            try:
                out = self._gzip.decompress(piece, _STEP_BYTES)
            except zlib.error:
                raise AnswerRefused(FailureKind.CODING, "the answer says that it is gzip, and is not") from None
            self._keep(out)
            piece = self._gzip.unconsumed_tail
        if self._gzip.unused_data:
            raise AnswerRefused(FailureKind.EXTRA_BYTES, "bytes follow the end of the compressed answer")

    def _keep(self, out: bytes) -> None:
        self._pieces.append(out)
        self.decoded_bytes += len(out)
        if self.decoded_bytes > self._caps.decoded_bytes:
            raise AnswerRefused(FailureKind.TOO_LARGE, f"the answer is more than {self._caps.decoded_bytes:,} bytes")
        if self.decoded_bytes > FREE_BYTES and self.decoded_bytes > RATIO_MAX * self.wire_bytes:
            raise AnswerRefused(
                FailureKind.TOO_LARGE,
                f"{self.wire_bytes:,} compressed bytes became more than {self.decoded_bytes:,}: a bomb",
            )

    def finish(self) -> bytes:
        """The whole body. Raises ``AnswerRefused`` where the compressed answer was cut."""
        if self._gzip is None:
            return self.evidence
        if self.wire_bytes and not self._gzip.eof:
            raise AnswerRefused(FailureKind.TRUNCATED, "the compressed answer was cut")
        return b"".join(self._pieces)
