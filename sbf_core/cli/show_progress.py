"""Progress for people: a bar on a terminal, plain lines in a pipe. Always on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from sbf_core.cli.render import tell
from sbf_core.fetching.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_SECONDS_BETWEEN_LINES = 5.0


class Lines:
    """A line when a stage begins and ends, and every few seconds between."""

    def __init__(self) -> None:
        self._stage, self._total, self._done = "", 0, 0
        self._told = 0.0

    def start(self, stage: str, total: int) -> None:
        """A line for a stage of some length; short stages say nothing."""
        self._stage, self._total, self._done, self._told = stage, total, 0, time.monotonic()

    def advance(self, steps: int = 1) -> None:
        """A line, if the last one is a while ago."""
        self._done += steps
        if time.monotonic() - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            print(f"sbf: {self._stage} {self._done}/{self._total}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """The text, on a line of its own."""
        tell(f"sbf: note: {text}")

    def finish(self) -> None:
        """Nothing: the summary follows."""


class Bar:
    """A bar for each stage."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None

    def start(self, stage: str, total: int) -> None:
        """Draw a bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self.finish()
        columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(stage, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.advance(self._task, steps)

    def note(self, text: str) -> None:
        """The text, above the bar."""
        tell(f"sbf: note: {text}")

    def finish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def progress() -> Progress:
    """What fits stderr."""
    return Bar() if sys.stderr.isatty() else Lines()
