"""``sbf coverage --days``: which days were asked for, answered, and are final."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.clock import clock_of_process
from sbf_core.errors import UsageError, nearest
from sbf_core.facts.coverage import Covered, coverage_of, coverage_table, day_counts
from sbf_core.facts.datasets import dataset_named
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.settings import Settings
from sbf_core.typed import typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sbf_core.dataset.entry import DatasetKeymapEntry
    from sbf_core.facts.coverage import CoveredStretch

_SHOWN = 40


def days_report(home: str | None, *, name: str, ticker: str | None, as_json: bool) -> None:
    """The days of each series of a dataset by how they stand; without a name, how many of each dataset.

    Raises:
        UsageError: there is no such dataset, or its address names no days.
    """
    settings = Settings(home)
    registry = DatasetRegistry(installed_plugins(settings))
    every = [owned.entry for owned in registry.datasets.values()]
    entries = [dataset_named(name, every)] if name else every
    asked = [entry for entry in entries if entry.is_asked_by_days]
    if name and not asked:
        what = f"the address of {entries[0].id} names no days: each answer is all of it"
        if entries[0].cursor is not None:
            what = f"{entries[0].id} is asked for what changed, and not for days"
            raise UsageError(what, fix='sbf sql "FROM ops.cursors" says where it goes on', code="COVERAGE")
        raise UsageError(what, fix=f"sbf coverage {typed(name)}, without --days, counts its rows", code="COVERAGE")
    if ticker and not name:
        raise UsageError(
            "--ticker needs a dataset", fix=f"sbf coverage DATASET --days --ticker {typed(ticker)}", code="COVERAGE"
        )
    today, tickers = clock_of_process().now().date(), [ticker] if ticker else settings["universe.tickers"]
    with reading(settings) as cursor:
        found = [(entry, coverage_of(cursor, entry, tickers=tickers, today=today)) for entry in asked]
    if ticker:
        ((entry, stretches),) = found
        known = {each.ticker: each for each in stretches if each.ticker is not None}
        if ticker not in known:
            hint = nearest(ticker, known) or f"sbf coverage {typed(name)} --days, without --ticker, lists them"
            raise UsageError(f"{entry.id} has no series {ticker!r}", fix=hint, code="UNKNOWN_TICKER")
        found = [(entry, [each for each in stretches if each.ticker == ticker])]
    if as_json:
        _print_json(found)
    elif name:
        _print_one(*found[0])
    else:
        _print_all(found)


def _print_json(found: Sequence[tuple[DatasetKeymapEntry, Sequence[CoveredStretch]]]) -> None:
    listed = [
        {
            "dataset": entry.id,
            "stretches": [
                {"ticker": each.ticker, "first": each.first, "last": each.last, "days": each.days, "state": each.state}
                for each in stretches
            ],
        }
        for entry, stretches in found
    ]
    print_json("coverage_days", datasets=listed)


def _print_one(entry: DatasetKeymapEntry, stretches: Sequence[CoveredStretch]) -> None:
    table = coverage_table(stretches[:_SHOWN])
    print_table(table.headers, table.rows)
    if len(stretches) > _SHOWN:
        tell(f"sbf: note: {len(stretches) - _SHOWN} more stretches of {entry.id}: use --ticker, or --json for all")


def _print_all(found: Sequence[tuple[DatasetKeymapEntry, Sequence[CoveredStretch]]]) -> None:
    rows = []
    for entry, stretches in found:
        counts = day_counts(stretches)
        rows.append((entry.id, len({each.ticker for each in stretches}), *(counts[state] for state in Covered)))
    print_table(("dataset", "series", *(f"days {state}" for state in Covered)), rows)
