"""sbf without a command line, for notebooks and programs:
``sbf_core.open`` reads a warehouse, ``sbf_core.run`` fills it.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from sbf_core.duck.reading import open_for_reading
from sbf_core.errors import UsageError, nearest
from sbf_core.fetching.progress import Progress
from sbf_core.home.home import Home
from sbf_core.reports.as_of import look_back, moment_given
from sbf_core.runner.options import RunOptions
from sbf_core.runner.options import layer as layer_of
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.setting import SETTINGS


def open_warehouse(
    home: str | Path | None = None, *, wait_seconds: float = 0.0, as_of: dt.datetime | dt.date | str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a warehouse for reading, with its macros: ``FROM silver.TABLE_as_of(TIMESTAMP '2024-01-31')`` gives what was
    known then.

    It reads the copy that the last run left, so a notebook that stays open does not keep the next run out. Runs that
    found nothing to do leave no copy: tables of ``ops`` may lack them. Where there is no copy (``run.publish = "no"``)
    it reads the database itself, and no run can begin until you close it. Every write is refused, and so are files,
    extensions and variables of yours: give a data frame to DuckDB with ``register``.

    Args:
        home: folder of the warehouse; ``SBF_HOME``, else ``./sbf-data``, when absent.
        wait_seconds: how long to wait for a run where nothing can be read meanwhile.
        as_of: silver and gold as they were known at this moment: an aware datetime, or a day, which means its end in
            UTC. Gold is what its SQL gives over silver of then, each time that it is asked; ``CREATE TABLE`` keeps it,
            in memory.

    Returns:
        A connection of DuckDB's own, to close when done; ``with`` does it.

    Raises:
        UsageError: there is no warehouse, or nothing in it yet; or ``as_of`` is no moment.
        HomeLocked: a run is at work, and there is no copy for readers.
        VersionRefused: a newer sbf made it.

    Warns:
        UserWarning: a run is at work; what is read is the state of the last one.
    """
    moment = None if as_of is None else moment_given(as_of)
    opened = Home.at(home)
    bootstrap, copy = open_for_reading(opened.config, wait_seconds=wait_seconds, only_rows=True)
    if copy is not None:
        warnings.warn(
            f"a run is at work; this is the state of run {copy.run_id}, published {copy.published_at}", stacklevel=2
        )
    connection = bootstrap.handed_over()
    if moment is not None:
        try:
            look_back(opened, connection, moment)
        except BaseException:
            connection.close()
            raise
    return connection


def panel(
    warehouse: duckdb.DuckDBPyConnection,
    table: str,
    moments: Iterable[dt.datetime | dt.date | str],
    *,
    columns: Sequence[str] | None = None,
) -> duckdb.DuckDBPyRelation:
    """What was known of each series on each of many days, in one query: of each the newest row whose day had come, as
    it was known then. Nothing of it was known later, so a model that is tested on it does not look ahead.

    A table without a column ``row_date`` gives all its rows as they were known.

    Args:
        warehouse: what ``sbf_core.open`` gave, without ``as_of``.
        table: a silver table, e.g. ``"silver.eod_bar"``.
        moments: aware datetimes, or days, which mean their end in UTC.
        columns: those wanted beside the key; all when absent.

    Returns:
        A relation of DuckDB's own: ``as_of`` (TIMESTAMP, UTC; ``_as_of`` where the table has a column of that name),
            the key, the columns, in the order of all of them. ``.pl()``, ``.df()`` and ``.arrow()`` fetch it.

    Raises:
        UsageError: there is no such table or column, or a moment is none.
    """
    from sbf_core.reports.panel import panel_of

    return panel_of(warehouse, table, [moment_given(one) for one in moments], columns=columns)


def run(
    home: str | Path | None = None,
    *,
    plugins: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    select: Sequence[str] = (),
    tickers: Sequence[str] | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    only: str | None = None,
    force: bool = False,
    remake: bool = True,
    replay: str | Path = "",
    replay_until: dt.datetime | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> RunContext:
    """Fetch what is due, promote it to Silver, build Gold: what ``sbf run`` does, without a word on the screen.

    Args:
        home: folder of the warehouse; ``SBF_HOME``, else ``./sbf-data``, when absent.
        plugins: names, packages or patterns such as ``"f*"``; None for all that are configured.
        exclude: the same, of plugins to leave out.
        select: datasets, e.g. ``["fmp:eod*", "tag:daily"]``.
        tickers: the universe of this run, in the place of the configured one.
        since: fetch from this day on, whatever the watermark says.
        until: fetch up to this day.
        only: ``"bronze"``, ``"silver"`` or ``"gold"``.
        force: fetch, promote and build although nothing is due.
        remake: make tables again whose declaration has changed; else they wait, and nothing is promoted into them.
        replay: a Bronze folder, a home, or the name of a recording such as ``"sample"``.
        replay_until: only what was recorded up to this moment; aware.
        settings: others, by their names in docs/reference/settings.md, e.g. ``{"run.workers": 4}``.
        progress: told what goes on.

    Returns:
        What the run counted. Datasets that failed did not stop it: its ``status`` is ``partial`` then, and ``errors``
            names them.

    Raises:
        UsageError: something was asked for that makes no sense; nothing was written.
        SbfError: the home is locked, damaged or of a newer sbf, or the disk failed; the class says which.
    """
    options = RunOptions(
        plugins=None if plugins is None else tuple(plugins),
        exclude=tuple(exclude),
        select=tuple(select),
        since=since,
        until=until,
        only=None if only is None else layer_of(only),
        remake=remake,
        force=force,
        replay=str(replay),
        replay_until=replay_until,
    )
    stray = next((name for name in settings or {} if name not in {setting.name for setting in SETTINGS}), None)
    if stray is not None:
        fix = nearest(stray, (setting.name for setting in SETTINGS)) or "see docs/reference/settings.md"
        raise UsageError(f"there is no setting {stray!r}", where="sbf_core.run", fix=fix, code="SETTING")
    flags = {**(settings or {}), **({} if tickers is None else {"universe.tickers": tuple(tickers)})}
    return Runner(Home.at(home, flags=flags), options, progress=progress).run()
