"""Messages through a pipe: bytes, with their number in front."""

from __future__ import annotations

import struct
from typing import IO

_LENGTH = struct.Struct(">Q")
_PIECE_BYTES = 1 << 20


def framed(content: bytes) -> bytes:
    """One message as it is written."""
    return _LENGTH.pack(len(content)) + content


def send(stream: IO[bytes], content: bytes) -> None:
    """Write one message. Raises ``OSError`` where the other side is gone."""
    stream.write(framed(content))
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Read one message. Raises ``EOFError`` where the other side is gone."""
    return _exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0])


def _exactly(stream: IO[bytes], number: int) -> bytes:
    """So many bytes, also of a stream without a buffer. A length that is a lie costs time, and no memory."""
    pieces = []
    while number:
        piece = stream.read(min(number, _PIECE_BYTES))
        if not piece:
            raise EOFError
        pieces.append(piece)
        number -= len(piece)
    return b"".join(pieces)
