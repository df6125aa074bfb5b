"""What lies in a Bronze folder, whatever the ledger says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sbf_core.bronze.paths import JOURNAL_FOLDER

_PAYLOAD = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{12}\.[A-Za-z0-9.]+")
_TEMPORARY = re.compile(rf"\.(?:{_PAYLOAD.pattern})\.tmp")


def payload_files(bronze: Path) -> Iterator[os.DirEntry[str]]:
    """Every entry below Bronze that is no folder, but the journals; links are not followed.

    Order: folder by folder, by name.
    """
    root = str(bronze)  # a folder a payload: paths as objects cost more than the files
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != JOURNAL_FOLDER or folder != root:
                    waiting.append(entry.path)
            else:
                yield entry


def relative(bronze: Path, entry: os.DirEntry[str]) -> str:
    """The path of an entry below Bronze, with ``/``."""
    root = f"{bronze}{os.sep}"
    if not entry.path.startswith(root):
        return Path(entry.path).relative_to(bronze).as_posix()
    return entry.path[len(root) :].replace(os.sep, "/")


def is_temporary(name: str) -> bool:
    """Whether a file is the temporary one of a payload."""
    return _TEMPORARY.fullmatch(name) is not None


def is_payload(name: str) -> bool:
    """Whether a file is named as payloads are."""
    return _PAYLOAD.fullmatch(name) is not None
