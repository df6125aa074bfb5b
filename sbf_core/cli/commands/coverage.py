"""``sbf coverage``: rows by period, or which days were asked for, answered, and are final."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NoReturn

import duckdb
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.of_dataset import of_dataset, refuse_empty, show
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, nearest
from sbf_core.home.home import Home
from sbf_core.reports import datasets as facts
from sbf_core.reports.coverage import Covered, CoveredStretch, coverage_of, coverage_table, day_counts
from sbf_core.reports.datasets import dataset_named
from sbf_core.reports.table import FactTable
from sbf_core.runner.run_universe import RunUniverse, counts_on_universe
from sbf_core.shell_words import typed

_SHOWN = 40
#: A wider table is shown from its end: the last periods are what one looks for.
_PERIODS_SHOWN = 15


def coverage(
    name: Annotated[
        str, typer.Argument(metavar="[DATASET]", help="Its id, its table or its name.", show_default=False)
    ] = "",
    home_folder: opt.HomeFolder = None,
    by: Annotated[str, typer.Option("--by", metavar="PERIOD", help="year, quarter or month.")] = "year",
    ticker: Annotated[
        str | None, typer.Option("--ticker", metavar="TICKER", help="Only this one.", show_default=False)
    ] = None,
    days: Annotated[
        bool, typer.Option("--days", help="The days that were asked for, in place of rows.", show_default=False)
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """What is there and what is missing: rows by ticker and period, or days by how they stand.

    A day is final (answered after it had settled), empty (so, but without a row), not final (answered too early, and
    asked for again), failed, or never asked for. Without DATASET: how many days of each dataset that is asked by days.

    Examples: sbf coverage eod_bar --by quarter | sbf coverage fmp_eod --days --ticker AAPL | sbf coverage
    """
    home = Home.at(home_folder)
    if days or not name:
        _days(home, name=name, ticker=ticker, as_json=as_json)
    else:
        _rows(home, name=name, by=by, ticker=ticker, as_json=as_json)


def _rows(home: Home, *, name: str, by: str, ticker: str | None, as_json: bool) -> None:
    """How many rows there are by ticker and period; a zero is a hole."""
    if by not in facts.PERIODS:
        raise UsageError(
            f"--by {by!r} is no period", fix=nearest(by, facts.PERIODS) or "use year, quarter or month", code="USAGE"
        )

    def ask(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> FactTable:
        refuse_empty(cursor, entry)
        return facts.coverage(cursor, entry, by=by, ticker_column=facts.ticker_column(entry))

    entry, table, _ = of_dataset(home, name, ask)
    rows = tuple(row for row in table.rows if ticker is None or row[0] == ticker)
    if ticker is not None and not rows:
        names = [str(row[0]) for row in table.rows]
        raise UsageError(
            f"{entry.id} has no row of {ticker!r}",
            fix=nearest(ticker, names) or "see `sbf coverage` without --ticker",
            code="UNKNOWN_TICKER",
        )
    if as_json:
        print_json(
            "coverage", dataset=entry.id, by=by, rows=[dict(zip(table.headers, row, strict=True)) for row in rows]
        )
        return
    first = max(1, len(table.headers) - _PERIODS_SHOWN)
    show(FactTable((table.headers[0], *table.headers[first:]), tuple((row[0], *row[first:]) for row in rows)))
    if first > 1:
        print(
            f"\nThe last {_PERIODS_SHOWN} of {len(table.headers) - 1} periods, "
            f"since {table.headers[1]}; --json has all."
        )


def _days(home: Home, *, name: str, ticker: str | None, as_json: bool) -> None:
    """The days of each series of a dataset by how they stand; without a name, how many of each dataset.

    Raises:
        UsageError: there is no such dataset, or its address names no days.
    """
    entries = [dataset_named(name, home.entries)] if name else home.entries
    asked = [entry for entry in entries if entry.is_asked_by_days]
    if name and not asked:
        what = f"the address of {entries[0].id} names no days: each answer is all of it"
        if entries[0].cursor is not None:
            what = f"{entries[0].id} is asked for what changed, and not for days"
            raise UsageError(what, fix='`sbf sql "FROM ops.cursors"` says where it goes on', code="COVERAGE")
        raise UsageError(what, fix=f"`sbf coverage {typed(name)}`, without --days, counts its rows", code="COVERAGE")
    if ticker and not name:
        raise UsageError(
            "--ticker needs a dataset",
            fix=f"say which: `sbf coverage DATASET --days --ticker {typed(ticker)}`",
            code="COVERAGE",
        )
    coverages = _coverages(home, asked, ticker)
    if ticker and not coverages[0][1]:
        _refuse_ticker(home, coverages[0][0], name, ticker)
    if as_json:
        _print_json(coverages)
    elif name:
        _print_one(*coverages[0])
    else:
        _print_all(coverages)


_Coverages = Sequence[tuple[DatasetKeymapEntry, Sequence[CoveredStretch]]]


def _coverages(home: Home, entries: Sequence[DatasetKeymapEntry], ticker: str | None) -> _Coverages:
    """The days of some datasets, with the universe as a run knows it, where one of them counts on it."""
    today, limit = home.clock.now().date(), home.settings["universe.ticker_limit"]
    counting = [entry for entry in entries if counts_on_universe(entry)]
    universe = RunUniverse(home.settings, home.plugins, None, datasets=counting) if counting else None
    with reading(home) as cursor:
        sources = {entry.source for entry in counting}
        belonging = {one: universe.membership(one, cursor, limit=limit) for one in sources} if universe else {}
        found = [
            coverage_of(
                cursor,
                entry,
                belonging=belonging.get(entry.source) if counts_on_universe(entry) else None,
                today=today,
                ticker=ticker,
            )
            for entry in entries
        ]
    return list(zip(entries, found, strict=True))


def _refuse_ticker(home: Home, entry: DatasetKeymapEntry, name: str, ticker: str) -> NoReturn:
    if counts_on_universe(entry) or ticker in entry.members:
        of = f" --source {typed(entry.source)}" if entry.source in home.settings.universes else ""
        fix = f"it starts on {entry.first_date}" + (
            "" if entry.members else f"; `sbf universe{of}` lists who belongs, and when"
        )
        raise UsageError(f"no day of {ticker!r} is wanted of {entry.id}", fix=fix, code="UNKNOWN_TICKER")
    hint = nearest(ticker, entry.members) or f"`sbf coverage {typed(name)} --days`, without --ticker, lists them"
    raise UsageError(f"{entry.id} has no series {ticker!r}", fix=hint, code="UNKNOWN_TICKER")


def _print_json(coverages: _Coverages) -> None:
    listed = [
        {
            "dataset": entry.id,
            "stretches": [
                {"ticker": each.ticker, "first": each.first, "last": each.last, "days": each.days, "state": each.state}
                for each in stretches
            ],
        }
        for entry, stretches in coverages
    ]
    print_json("coverage_days", datasets=listed)


def _print_one(entry: DatasetKeymapEntry, stretches: Sequence[CoveredStretch]) -> None:
    table = coverage_table(stretches[:_SHOWN])
    print_table(table.headers, table.rows)
    if len(stretches) > _SHOWN:
        more = counted(len(stretches) - _SHOWN, "more stretch", "more stretches")
        tell(f"sbf: note: {more} of {entry.id}: use --ticker, or --json for all")


def _print_all(coverages: _Coverages) -> None:
    rows = []
    for entry, stretches in coverages:
        counts = day_counts(stretches)
        rows.append((entry.id, len({each.ticker for each in stretches}), *(counts[state] for state in Covered)))
    print_table(("dataset", "series", *(f"days {state}" for state in Covered)), rows)
