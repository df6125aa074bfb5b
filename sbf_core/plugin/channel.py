"""Messages between sbf and a plugin's own process: pickled values of a few known classes, each with its length in
front.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO, Any

from sbf_core.errors import PluginFault

_LENGTH = struct.Struct(">Q")
_PIECE_BYTES = 1 << 20
#: A plugin's process may send values, not code: nothing else is made from what it sends.
_ALLOWED = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "range", "slice"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "sbf_core.runs.request": {"RunRequest"},
    "sbf_core.runs.result": {"RunResult"},
    "sbf_core.ops.rows": {"BronzeManifestRow"},
    "sbf_core.failures": {"FailureKind"},
    "sbf_core.gold.model": {"AcceptedRange", "ForeignKey", "GoldModel", "GoldSource", "NotNull", "Unique"},
    "sbf_core.silver.reading": {"BatchFile", "PromotionBatch", "SelectRows"},
    "pathlib": {"PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath"},
    "attr._make": {"__ne__"},
}


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        raise PluginFault(f"its process sent {module}.{name}, which is no value")


def packed(message: object) -> bytes:
    """One message as it is written."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


def send(stream: IO[bytes], message: object) -> None:
    """Write one message. Raises ``OSError`` where the other side is gone."""
    stream.write(packed(message))
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message.

    Raises:
        EOFError: the other side is gone.
        PluginFault: the message holds something that is no value.
    """
    head = _exactly(stream, _LENGTH.size)
    return _Values(io.BytesIO(_exactly(stream, _LENGTH.unpack(head)[0]))).load()


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
