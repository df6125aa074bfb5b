"""What a run asks for: of its datasets, for the tickers of its universe, by what the ledger knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from sbf_core.bronze.archive import BronzeArchive
from sbf_core.clock import Clock
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import UsageError
from sbf_core.fetching.replay import Replay
from sbf_core.ops.asked import LedgerOfAsking
from sbf_core.ops.queries import failed_tickers
from sbf_core.ops.service import OpsService
from sbf_core.plan.fresh import fresh_of
from sbf_core.plan.own_series import OwnSeries, own_series
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plan.planner import RESUME_WITHIN, plan_requests, within_budget
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.options import RunOptions
from sbf_core.runner.run_plan import RunPlan
from sbf_core.runner.run_universe import RunUniverse, counts_on_universe
from sbf_core.settings.settings import Settings
from sbf_core.universe.members import Membership


class Planning:
    """Plans the requests of one run.

    Args:
        settings: of the home.
        options: what was asked for.
        clock: the present moment.
        manager: the plugins, one of which may give the universe.
        datasets, plugins: of the run.
        left_out: what the user should know of those that are not.
        archive: the recording that is replayed; None where vendors are asked.
        bronze: the folder that a replay fills.

    Attributes:
        universe: the tickers of the run.
        replay: answers from the recording, once it was planned.
        again_left: how many series may be fetched again whole in what is left of the run.

    Raises:
        UsageError: the universe is none, see ``RunUniverse``.
    """

    def __init__(
        self,
        settings: Settings,
        options: RunOptions,
        *,
        clock: Clock,
        manager: PluginManager,
        datasets: Sequence[OwnedDataset],
        plugins: Sequence[PluginRecord],
        left_out: Sequence[str],
        archive: BronzeArchive | None,
        bronze: Path,
    ) -> None:
        self._settings = settings
        self._options = options
        self._clock = clock
        self._datasets = [owned for owned in datasets if not owned.entry.reads]
        self._plugins = plugins
        self._left_out = left_out
        self._archive = archive
        self._bronze = bronze
        self.universe = RunUniverse(settings, manager, archive, datasets=[owned.entry for owned in self._datasets])
        self.replay: Replay | None = None
        self.again_left: int = settings["run.restated_max"]

    def check(self) -> None:
        """Refuse an empty universe, where it is known before the database is open and somebody counts on it."""
        named = self.universe.settings
        asks = (
            self._options.fetch and self._per_ticker() and self._archive is None and not (named.query or named.plugin)
        )
        if asks and not self.universe.service(None).tickers():
            self._refuse_empty_universe()

    def plan(
        self,
        ops: OpsService | None,
        bootstrap: DuckDbBootstrap | None,
        tickers: Sequence[str],
        run_id: str,
        *,
        only_due: bool = False,
        wave: Sequence[OwnedDataset] | None = None,
        is_first: bool = True,
    ) -> RunPlan:
        """What is asked for.

        Args:
            ops: the ledger; None where there is none yet.
            bootstrap: the open database, for a universe that is a query.
            tickers: the universe.
            run_id: the run that asks; may be empty for a mere plan.
            only_due: leave out what is not due.
            wave: only these of the run's datasets; None: all.
            is_first: tell what is to be known of the whole run.
        """
        options = self._options
        datasets = list(self._datasets if wave is None else (owned for owned in wave if not owned.entry.reads))
        notes = self._notes_of_run(tickers) if is_first else []
        if not tickers:
            datasets = [owned for owned in datasets if owned not in self._per_ticker()]
        if self._archive is not None:
            self.replay = Replay(self._archive, bronze=self._bronze, recorded=None if ops is None else ops.recorded)
            requests = self.replay.plan(
                datasets, tickers=tickers, run_id=run_id, since=options.since, until=options.until
            )
            return RunPlan(requests=tuple(requests), plugins=tuple(self._plugins), notes=tuple(notes))
        for owned in datasets:
            if options.since is not None and options.since < owned.entry.first_date:
                notes.append(f"{owned.entry.id} starts on {owned.entry.first_date}; --since was clipped")
        entries = [owned.entry for owned in datasets]
        own = self._own_series(ops, entries)
        notes += own.notes
        requests, waiting = self._asked(ops, bootstrap, entries, tickers, run_id, only_due=only_due, own=own.series)
        notes += self.waiting(waiting)
        return RunPlan(
            requests=tuple(requests),
            plugins=tuple(self._plugins),
            notes=tuple(notes),
            faults=own.faults,
            lacking=own.lacking,
        )

    def _notes_of_run(self, tickers: Sequence[str]) -> list[str]:
        """What is to be known of plugins and universe. Raises ``UsageError`` where none can be asked without it."""
        notes = [*self._left_out]
        notes += [f"plugin {record.label}: {text}" for record in self._plugins for text in record.deprecated]
        counting = self._per_ticker()
        if self._settings.resolved["universe.tickers"].origin == "flag" and not counting:
            notes.append("--tickers changes nothing here: no dataset that was asked for takes its tickers from it")
        if not tickers and counting:
            if not (self.universe.settings.query and len(counting) < len(self._datasets)):
                self._refuse_empty_universe()  # else what is fetched now may fill the table that is asked
            skipped = ", ".join(owned.entry.id for owned in counting)
            notes.append(
                f"no tickers: {skipped} left out; set [universe] in {self._settings.file.name} or use --tickers"
            )
        return notes

    def more_rows(self, plan: RunPlan, sources: Mapping[str, frozenset[str]]) -> list[str]:
        """Of which datasets a run may ask for more rows than a plan shows, because it fetches first what they read."""
        due = {item.entry.id for item in plan.due}
        waiting = {name: sorted(read & due) for name, read in sources.items()}
        return [
            f"{name}: asked for each row of a query as it is now; {' and '.join(read)} may bring more"
            for name, read in waiting.items()
            if read
        ]

    def _own_series(self, ops: OpsService | None, entries: Sequence[DatasetKeymapEntry]) -> OwnSeries:
        """The rows of those datasets that are asked for each row of a query, and the files of those that read each."""
        limit, seconds = self._settings["universe.ticker_limit"], self._settings["gold.select_seconds_max"]
        cursor = None if ops is None else ops.cursor
        return own_series(cursor, entries, files=self._settings.config.files, limit=limit, seconds_max=seconds)

    def _asked(
        self,
        ops: OpsService | None,
        bootstrap: DuckDbBootstrap | None,
        entries: Sequence[DatasetKeymapEntry],
        tickers: Sequence[str],
        run_id: str,
        *,
        only_due: bool,
        own: Mapping[str, Membership],
    ) -> tuple[list[PlannedRequest], int]:
        """The requests of some datasets, and how many restated series wait for another run."""
        now, wishes = self._clock.now(), self._options.wishes
        universe = {**self.universe.memberships(bootstrap, limit=self._settings["universe.ticker_limit"]), **own}
        known = LedgerOfAsking(ops.cursor()) if ops is not None else None
        failed = {} if ops is None else _failed(ops, entries)
        if known is not None and only_due and not (wishes.since or wishes.until or wishes.force):
            entries = _not_fresh(entries, known, tickers=tickers, universe=universe, now=now, failed=failed)
        ledger = ops.load_series_states() if ops is not None and entries else {}
        keys = [f"{base}/{ticker}" for base, each in failed.items() for ticker in each]
        if keys:
            ledger = {**ledger, **{key: attrs.evolve(ledger[key], has_failed=True) for key in keys if key in ledger}}
        states, waiting = within_budget(ledger, self.again_left)
        if ops is not None and (wishes.since or wishes.until):
            wishes = attrs.evolve(wishes, done=ops.load_stretches(now - RESUME_WITHIN))
        requests = plan_requests(
            entries,
            tickers=tickers,
            states=states,
            now=now,
            run_id=run_id,
            wishes=wishes,
            only_due=only_due,
            known=known,
            universe=universe,
        )
        return requests, waiting

    def waiting(self, count: int) -> list[str]:
        """What is said of series that wait for another run."""
        most = self._settings["run.restated_max"]
        return [f"{count} restated series wait for the next run; run.restated_max is {most}"] if count else []

    def _per_ticker(self) -> list[OwnedDataset]:
        """The datasets that count on the tickers of the universe."""
        own = self.universe.own
        return [one for one in self._datasets if counts_on_universe(one.entry) and one.entry.source not in own]

    def _refuse_empty_universe(self) -> None:
        """An empty universe is an error where somebody counts on one."""
        origin = self.universe.settings.origin
        named = set(self._options.plugins or ())
        if self._archive is None and (origin or any(owned.plugin.name in named for owned in self._per_ticker())):
            needing = ", ".join(owned.entry.id for owned in self._per_ticker())
            fix = "use --tickers, or set [universe] in sbf.toml"
            raise UsageError(
                "the universe is empty", where=origin or f"needed by {needing}", fix=fix, code="EMPTY_UNIVERSE"
            )


def _failed(ops: OpsService, entries: Sequence[DatasetKeymapEntry]) -> dict[str, list[str]]:
    """The tickers of which the newest payload could not be promoted, of datasets that are asked for once: these were
    not answered.
    """
    return {entry.key(None): failed_tickers(ops.cursor(), entry.ids) for entry in entries if entry.asks_once}


def _not_fresh(
    entries: Sequence[DatasetKeymapEntry],
    known: LedgerOfAsking,
    *,
    tickers: Sequence[str],
    universe: Mapping[str, Membership],
    now: dt.datetime,
    failed: Mapping[str, Sequence[str]],
) -> list[DatasetKeymapEntry]:
    """The datasets of which something may be due; ``failed`` are series that may be due although they were answered."""
    wanted = [fresh_of(entry, tickers=tickers, universe=universe, now=now) for entry in entries]
    fresh = known.fresh([one for one in wanted if one is not None], now)
    return [entry for entry in entries if entry.key(None) not in fresh or failed.get(entry.key(None))]
