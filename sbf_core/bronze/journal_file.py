"""The bytes of a journal, read with care: it may have come with a backup, or from another machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sbf_core.errors import DamageFound
from sbf_core.safe_paths import is_link

#: ``RunResult`` refuses what would make a longer one: a letter takes seven bytes at most.
LINE_BYTES_MAX = 8 * 1024**2
_FIX = "restore it from a copy, or run `sbf repair`"


def journal_bytes(path: Path) -> bytes:
    """All of a journal.

    Raises:
        DamageFound: it is a link or no file, or a line of it is absurdly long; then not all of it was read.
        OSError: the system does not let it be read.
    """
    check_journal(path)
    return path.read_bytes()


def check_journal(path: Path) -> int:
    """How many bytes a journal has. Raises as ``journal_bytes`` does."""
    facts = os.lstat(path)
    if is_link(facts) or not stat.S_ISREG(facts.st_mode):
        raise DamageFound(
            "a journal is a link" if is_link(facts) else "a journal is no file", where=str(path), fix=_FIX
        )
    if facts.st_size > LINE_BYTES_MAX:
        _check_lines(path)
    return facts.st_size


def _check_lines(path: Path) -> None:
    """Raise ``DamageFound`` where a line is too long, before more of it than that is kept in memory."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > LINE_BYTES_MAX:
                raise DamageFound(
                    f"the journal is damaged at line {number}: it is longer than {LINE_BYTES_MAX >> 20} MiB",
                    where=str(path),
                    fix=_FIX,
                )


def short_lines(path: Path) -> Iterator[bytes]:
    """The lines of a journal one by one, without those that are absurdly long;
    nothing of a link, or of what is no file.
    """
    facts = os.lstat(path)
    if is_link(facts) or not stat.S_ISREG(facts.st_mode):
        return
    with path.open("rb") as file:
        is_rest = False  # of a line that is too long
        while line := file.readline(LINE_BYTES_MAX + 1):
            if not is_rest and len(line) <= LINE_BYTES_MAX:
                yield line.removesuffix(b"\n")
            is_rest = not line.endswith(b"\n")
