"""Paths that were read somewhere, and must stay inside a folder: of a journal, a ledger, a backup, a recording.

A path that sbf has made is relative, has ``/`` between its parts, and parts of letters, digits and a few marks alone,
see ``bronze/paths.py``. Whatever else stands where such a path is expected was not written by sbf, and is refused
before anything is joined, opened or written. A link inside the folder would lead out of it all the same, so none is
followed.
"""

from __future__ import annotations

import os
import re
import stat
from functools import lru_cache
from pathlib import Path

from sbf_core.errors import DamageFound

#: What the encoding of names gives: no drive, no ``..``, no blank or dot at an edge, nothing that a system takes for a
#: mark.
_PART = re.compile(r"(?![.])(?:[A-Za-z0-9._@+\-]|~[a-z]|%[0-9A-F]{2})+(?<![.])", re.ASCII)
#: Names that Windows keeps for devices, with any ending.
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9]|CONIN\$|CONOUT\$)(?:\.|$)", re.IGNORECASE | re.ASCII)
_PART_CHARACTERS_MAX = 255
_CHARACTERS_MAX = 1024
#: Windows: what lies elsewhere although it has a name here. Other reparse points, such as files of a cloud disk, are in
#: place.
_LINK_TAGS = frozenset(
    {getattr(stat, "IO_REPARSE_TAG_SYMLINK", 0xA000000C), getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003)}
)


@lru_cache(maxsize=4096)  # a warehouse has few folders and many files
def why_no_name(name: object) -> str:
    """Why a text is no name of one file or folder that sbf has made; empty where it is one."""
    return _why_no_name(name)


def _why_no_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        return "it is no text" if not isinstance(name, str) else "a name in it is empty"
    if len(name) > _PART_CHARACTERS_MAX:
        return f"a name in it is longer than {_PART_CHARACTERS_MAX} characters"
    if name in (".", ".."):
        return f"it holds {name!r}"
    if not _PART.fullmatch(name):
        return f"{name[:40]!r} is no name that sbf gives"
    return f"{name[:40]!r} is a device on Windows" if _DEVICE.match(name) else ""


def why_outside(path: object) -> str:
    """Why a path is none that sbf has made, so that it could lead out of its folder;
    empty where it is safe on every system.
    """
    if not isinstance(path, str) or not path:
        return "it is no text" if not isinstance(path, str) else "it is empty"
    if len(path) > _CHARACTERS_MAX:
        return f"it is longer than {_CHARACTERS_MAX} characters"
    if path.startswith("/"):
        return "it is absolute"
    folder, within, name = path.rpartition("/")
    return (_why_no_folder(folder) if within else "") or _why_no_name(name)


@lru_cache(maxsize=4096)
def _why_no_folder(path: str) -> str:
    return next((why for part in path.split("/") if (why := why_no_name(part))), "")


def is_link(facts: os.stat_result) -> bool:
    """Whether what ``lstat`` tells of is a link, or a junction of Windows."""
    return stat.S_ISLNK(facts.st_mode) or getattr(facts, "st_reparse_tag", 0) in _LINK_TAGS


def inside(folder: Path, path: str) -> Path:
    """The place of ``path`` below ``folder``. The folder itself may be a link of the user's; nothing below it may.

    Raises:
        DamageFound: the path leads out of the folder, by what it says or by a link on the way.
    """
    return Path(place_inside(folder, path)[0])


def place_inside(folder: Path, path: str, known: set[str] | None = None) -> tuple[str, os.stat_result | None]:
    """As ``inside``, for many: the place as a text, and what ``lstat`` says of it; None where it says nothing.

    Args:
        folder: the folder.
        path: below it, with ``/``.
        known: folders that were no links when the caller's work began; those on the way are added.
    """
    why = why_outside(path)
    if why:
        raise DamageFound(
            f"a path leads out of its folder: {why}",
            where=f"{folder}: {path!r:.200}",
            fix="it was not written by sbf: take another copy, or run `sbf rebuild`",
        )
    here = os.fspath(folder)
    facts: os.stat_result | None = None
    way, _, name = path.rpartition("/")
    parts = path.split("/")
    if known is not None and way in known:
        here, parts = f"{here}{os.sep}{way.replace('/', os.sep)}", [name]
    for number, part in enumerate(parts):
        here = f"{here}{os.sep}{part}"
        try:
            facts = os.lstat(here)
        except (
            OSError
        ) as error:  # what is not there leads nowhere; of a file in the place of a folder says whoever opens it
            if isinstance(error, PermissionError):
                raise
            return "".join((here, *(f"{os.sep}{further}" for further in parts[number + 1 :]))), None
        if is_link(facts):
            raise DamageFound(
                "a link stands on the way to a file",
                where=here,
                fix="put the file or folder itself in its place; sbf follows no links there",
            )
    if known is not None:
        known.add(way)
    return here, facts
