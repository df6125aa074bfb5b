"""The copy of the database for readers, whatever the system can copy by itself."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from sbf_core.duck.publish import copy_database

CONTENT = os.urandom(3_000_000)


def copied(folder: Path) -> bytes:
    source, target = folder / "sbf.duckdb", folder / "published" / "copy.duckdb"
    source.write_bytes(CONTENT)
    with source.open("rb") as file:
        copy_database(file, target, durable=False)
    assert target.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    return target.read_bytes()


def test_the_system_copies_it(tmp_path: Path) -> None:
    assert copied(tmp_path) == CONTENT


@pytest.mark.skipif(sys.platform != "linux", reason="no such call")
@pytest.mark.parametrize("before", [0, 1_000_000])
def test_what_the_system_does_not_copy_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    """Between two disks it copies nothing; after some of it, the rest."""
    copy, calls = os.copy_file_range, []

    def some(source: int, out: int, count: int) -> int:
        calls.append(count)
        if len(calls) > 1 or not before:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return copy(source, out, before)

    monkeypatch.setattr(os, "copy_file_range", some)
    assert copied(tmp_path) == CONTENT
    assert len(calls) == 1 + (before > 0)


@pytest.mark.skipif(sys.platform != "linux", reason="no such call")
def test_a_call_that_copies_nothing_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "copy_file_range", lambda *_: 0)
    assert copied(tmp_path) == CONTENT
