"""How a run tells what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shows that work goes on. Called from the thread that runs."""

    def start(self, stage: str, total: int) -> None:
        """A stage with ``total`` steps begins."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""
        ...

    def note(self, text: str) -> None:
        """Something that the user should read, now."""
        ...

    def finish(self) -> None:
        """The stage is over."""
        ...


class Silence:
    """Shows nothing; for tests and libraries."""

    def start(self, stage: str, total: int) -> None:
        """Does nothing."""

    def advance(self, steps: int = 1) -> None:
        """Does nothing."""

    def note(self, text: str) -> None:
        """Does nothing."""

    def finish(self) -> None:
        """Does nothing."""
