"""Files of the user's as answers: what a ``FileRecipe`` asks for."""

from __future__ import annotations

import datetime as dt
import errno
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.clock import Clock
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.failures import FailureKind
from sbf_core.http.content import EVIDENCE_BYTES_MAX, why_no_data
from sbf_core.http.file_mark import file_mark
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value

#: Larger files need not be in memory to be kept.
_READ_BYTES_MAX = 32 * 1024**2
#: As much of a large file is looked at; what ``why_no_data`` overlooks in a beginning it overlooks in the whole, too.
_HEAD_BYTES = 1024**2
#: What is said of a file that somebody writes.
CHANGED = "it changed while it was read; run again when nothing writes it"


class Moments:
    """Moments that follow each other, however coarse the clock is: of two files the one that was read later is newer.

    Args:
        clock: the present moment. One thread asks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dt.datetime | None = None

    def next(self) -> dt.datetime:
        """The present moment, or the first one after the last that was given."""
        now = self._clock.now()
        if self._last is not None and now <= self._last:
            now = self._last + dt.timedelta(microseconds=1)
        self._last = now
        return now


@attrs.frozen
class LocalFiles(Value):
    """Reads the files of one dataset.

    Args:
        entry: the dataset.
        root: where relative paths start.
        clock: for the fetch times.
        as_declared: payloads are read as the declaration says.
    """

    entry: DatasetKeymapEntry
    root: Path
    clock: Clock
    as_declared: bool = attrs.field(kw_only=True)
    moments: Moments = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: Moments(self.clock), takes_self=True)
    )

    def expect(self, series: Sequence[str]) -> None:
        """Nothing: what is on this machine need not be fetched ahead."""

    def close(self) -> None:
        """Nothing: see ``expect``."""

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """What a file holds, or why there is no payload.

        Args:
            request: what is asked.
            path: of the file, from ``root``.
            extension: what it is to be stored as.
            in_place: of a large file the result names it, see ``RunResult.payload_file``.
        """
        began, target, mark = time.monotonic(), (self.root / path).absolute(), ""
        is_dropped = self.entry.each_file is not None
        try:
            mark = _mark_of(target) if is_dropped else ""
            payload, is_whole = _head(target) if in_place else (target.read_bytes(), True)
            why = self._why_no_data(payload, extension)
            if why is not None and not is_whole:
                payload, is_whole = target.read_bytes(), True
                why = self._why_no_data(payload, extension)
            if is_dropped and mark != _mark_of(target):
                why = FailureKind.FILE, CHANGED
        except OSError as error:
            why, payload, is_whole = (FailureKind.FILE, error.strerror or str(error)), b"", True
        result = RunResult(
            request=request,
            address=path,
            extension=extension,
            fetched_at=self.moments.next() if is_dropped else self.clock.now(),
            elapsed_seconds=time.monotonic() - began,
            headers={"etag": mark} if mark else {},
        )
        if why is not None:
            evidence = payload[:EVIDENCE_BYTES_MAX]
            return attrs.evolve(result, error=f"file {target}: {why[1]}", kind=why[0], evidence=evidence)
        return attrs.evolve(result, payload=payload) if is_whole else attrs.evolve(result, payload_file=target)

    def _why_no_data(self, payload: bytes, extension: str) -> tuple[FailureKind, str] | None:
        return why_no_data(self.entry, payload, extension, as_declared=self.as_declared)


def _mark_of(path: Path) -> str:
    """The mark of a file. Raises ``OSError``, too, for what has become a pipe, whose reader would wait for ever."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return file_mark(facts)


def mark_now(path: Path) -> str:
    """The mark of a file; empty where there is none any more."""
    try:
        return _mark_of(path)
    except OSError:
        return ""


def _head(path: Path) -> tuple[bytes, bool]:
    """The beginning of a large file, all of another; whether it is all."""
    with path.open("rb") as file:
        facts = path.stat()
        is_large = stat.S_ISREG(facts.st_mode) and facts.st_size > _READ_BYTES_MAX
        return (file.read(_HEAD_BYTES), False) if is_large else (file.read(), True)
