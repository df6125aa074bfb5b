"""How a home is, for whoever asks for no more than that."""

from __future__ import annotations

from sbf_core.home.home import Home
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.health import Health
from sbf_core.reports.health_checks import health_of, watched_of
from sbf_core.reports.overview import dataset_states


def health_here(home: Home) -> Health:
    """Look at a home, at the newest state that can be read.

    Raises:
        SbfError: it cannot be read, its plugins contradict each other, or its settings do not fit them.
    """
    now = home.clock.now()
    entries = home.entries
    with home.reading() as database:
        states = dataset_states(database.cursor, entries, bronze=home.config.bronze, now=now)
        gold = gold_states(database.cursor, home.gold_models(database.cursor)).table
        return health_of(database.cursor, watched_of(home, entries, states, gold), now=now)
