"""Who belongs to the universe, and when."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import attrs

from sbf_core.vocabulary import texts


@attrs.frozen(kw_only=True)
class UniverseMember:
    """A ticker and the days on which it belongs to the universe, both included; None is open."""

    ticker: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def holds_on(self, day: dt.date) -> bool:
        """Whether the ticker belongs to the universe on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@attrs.frozen(kw_only=True)
class UniverseSettings:
    """Where the tickers come from; exactly one of the four, or none.

    Attributes:
        tickers: written down, e.g. on the command line or in ``sbf.toml``.
        file: a text file with one ticker a line, or a CSV file with the columns ``ticker`` and, if wanted, ``valid_from`` and ``valid_to``.
        plugin: a plugin with the hook ``universe_members``.
        query: a SELECT over silver that gives ``ticker`` and, if wanted, ``valid_from`` and ``valid_to``.
    """

    tickers: tuple[str, ...] = attrs.field(default=(), converter=texts)
    file: Path | None = None
    plugin: str = ""
    query: str = ""

    @property
    def origin(self) -> str:
        """Which of the four is used, for messages; empty when none is."""
        if self.tickers:
            return "a list of tickers"
        if self.file is not None:
            return f"file {self.file}"
        if self.plugin:
            return f"plugin {self.plugin}"
        return "a query over silver" if self.query else ""
