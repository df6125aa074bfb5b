"""Who belongs to the universe, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from sbf_core.value import Value
from sbf_core.vocabulary import texts

#: The last moment that there is.
EVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@attrs.frozen(kw_only=True)
class UniverseMember(Value):
    """A ticker and the days on which it belongs to the universe, both included; None is open."""

    ticker: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def holds_on(self, day: dt.date) -> bool:
        """Whether the ticker belongs to the universe on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@attrs.frozen(kw_only=True)
class Membership(Value):
    """The tickers that a source is asked for, and the days of those that do not belong always.

    Attributes:
        tickers: each once, in the order of the universe.
        spans: first and last day on which a ticker belongs, both included, in stretches that neither meet nor overlap,
            oldest first; a ticker that is not there belongs always.
        changed: of rows of a query, when they last changed, aware: those asked before are due again.
    """

    tickers: tuple[str, ...]
    spans: Mapping[str, Sequence[tuple[dt.date, dt.date]]] = attrs.field(factory=dict)
    changed: Mapping[str, dt.datetime] = attrs.field(factory=dict)

    def has_changed(self, ticker: str | None, since: dt.datetime | None, until: dt.datetime) -> bool:
        """Whether the row of a series changed after it was asked for, and not in a time that is still to come."""
        changed = self.changed.get(ticker) if ticker is not None else None
        return changed is not None and since is not None and since < changed <= until


def membership_of(members: Sequence[UniverseMember], *, limit: int = 0) -> Membership:
    """The membership that some members make; of the first ``limit`` tickers if it is not 0."""
    tickers = tuple(dict.fromkeys(member.ticker for member in members))
    tickers = tickers[:limit] if limit else tickers
    bounded = [member for member in members if member.valid_from is not None or member.valid_to is not None]
    if not bounded:
        return Membership(tickers=tickers)
    always = {member.ticker for member in members if member.valid_from is None and member.valid_to is None}
    spans: dict[str, list[tuple[dt.date, dt.date]]] = {}
    for member in sorted(bounded, key=lambda one: one.valid_from or dt.date.min):
        first, last = member.valid_from or dt.date.min, member.valid_to or dt.date.max
        own = spans.setdefault(member.ticker, []) if member.ticker not in always else []
        if member.ticker in always or first > last:
            continue
        if own and (own[-1][1] == dt.date.max or first <= own[-1][1] + dt.timedelta(days=1)):  # they meet or overlap
            first, last = own[-1][0], max(own.pop()[1], last)
        own.append((first, last))
    return Membership(tickers=tickers, spans=spans)


@attrs.frozen(kw_only=True)
class UniverseSettings(Value):
    """Where the tickers come from; exactly one of the four, or none.

    Attributes:
        tickers: written down, e.g. on the command line or in ``sbf.toml``.
        file: a text file with one ticker a line, or a CSV file with the columns ``ticker`` and, if wanted,
            ``valid_from`` and ``valid_to``.
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
