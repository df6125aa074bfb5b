"""Where a payload lies: ``<domain>/<source>/<dataset>/<ticker>/<utc time>-<hash>.<ext>``.

Names of datasets are safe by their own rule. A ticker or discriminator is any text, so it is encoded:

* ``A-Z 0-9 - .`` and inner ``_`` stand for themselves;
* a small letter is ``~`` and the same letter, so that ``aapl`` (``~a~a~p~l``) and ``AAPL`` stay apart on disks
  that ignore case;
* every other character, a leading ``_``, a leading or trailing ``.`` and the first letter of a name that Windows
  keeps for devices (``CON``, ``NUL.TXT``) are ``%XX``, the hex digits of its UTF-8 bytes.

``decoded(encoded(text)) == text``, hence no two texts share a name.

The folder of a request for several tickers is the first of them, ``+``, the number of the others, and twelve digits of
the SHA-256 of the whole list.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from sbf_core.errors import UsageError
from sbf_core.ops.rows import JOURNAL_FOLDER as JOURNAL_FOLDER
from sbf_core.runs.request import RunRequest

_PLAIN = re.compile(r"[A-Z0-9\-._]")
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)")
_ESCAPE = re.compile(r"(?:%[0-9A-F]{2})+|~[a-z]|[A-Z0-9\-._]")
#: Most file systems allow 255 bytes for a name.
NAME_BYTES_MAX = 200
#: The folder of a dataset that has no tickers. No ticker is encoded like this.
GLOBAL_FOLDER = "_global"


def _hexed(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8"))


def encoded(text: str) -> str:
    """``text`` as a file name that is safe on Linux, macOS and Windows.

    Raises:
        UsageError: the name would be longer than 200 bytes, or the text is empty.
    """
    if text.isalnum() and text.isascii() and text.isupper() and len(text) <= 20 and not _DEVICE.match(text):
        return text
    parts = []
    last = len(text) - 1
    for position, char in enumerate(text):
        edge_dot = char == "." and position in (0, last)
        edge_underscore = char == "_" and position == 0
        if _PLAIN.fullmatch(char) and not edge_dot and not edge_underscore:
            parts.append(char)
        elif "a" <= char <= "z":
            parts.append("~" + char)
        else:
            parts.append(_hexed(char))
    name = "".join(parts)
    if _DEVICE.match(name):
        name = _hexed(name[0]) + name[1:]
    if not name or len(name) > NAME_BYTES_MAX:
        raise UsageError(
            f"{text[:40]!r} cannot be a file name: {len(name)} bytes, 1 to {NAME_BYTES_MAX} are allowed", code="NAME"
        )
    return name


def decoded(name: str) -> str:
    """The text that ``encoded`` made ``name`` from. Raises ``ValueError`` for a name it never makes."""
    parts, position = [], 0
    while position < len(name):
        match = _ESCAPE.match(name, position)
        if match is None:
            raise ValueError(f"{name!r} is no encoded name at character {position}")
        piece = match[0]
        if piece[0] == "%":
            parts.append(bytes.fromhex(piece.replace("%", "")).decode("utf-8"))
        else:
            parts.append(piece[1] if piece[0] == "~" else piece)
        position = match.end()
    text = "".join(parts)
    if encoded(text) != name:
        raise ValueError(f"{name!r} is no encoded name")
    return text


def dataset_folder(request: RunRequest) -> str:
    """The folder of a dataset, relative to Bronze."""
    suffix = f"@{encoded(request.discriminator)}" if request.discriminator else ""
    return f"{request.domain}/{request.source}/{request.dataset}{suffix}"


def _ticker_folder(request: RunRequest) -> str:
    if request.ticker is None:
        return GLOBAL_FOLDER
    first, *others = request.tickers
    if not others:
        return encoded(request.ticker)
    return f"{encoded(first)}+{len(others)}-{hashlib.sha256(request.ticker.encode()).hexdigest()[:12]}"


def payload_path(request: RunRequest, *, fetched_at: dt.datetime, payload_hash: str, extension: str) -> str:
    """The place of a payload, relative to Bronze, with ``/``."""
    stamp = fetched_at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return f"{dataset_folder(request)}/{_ticker_folder(request)}/{stamp}-{payload_hash[:12]}.{extension}"


def evidence_path(request: RunRequest, *, payload_hash: str, extension: str) -> str:
    """The name in quarantine of what came instead of a payload, with ``/``.

    It holds no time: the same page every night is one file.
    """
    return f"{dataset_folder(request)}/{_ticker_folder(request)}/{payload_hash[:12]}.{extension}"
