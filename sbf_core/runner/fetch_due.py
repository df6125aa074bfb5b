"""What is due is fetched: from vendors, or from a recording."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.fetching.fetch_stage import FetchStage
from sbf_core.fetching.known import known_payloads
from sbf_core.fetching.replay import Replay
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.fetching.sessions import LiveSessions
from sbf_core.home.home import Home
from sbf_core.ops.service import OpsService
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runs.context import RunContext


class FetchDue:
    """Fetches what is due in a run, each time that something is.

    Args:
        home: the home.
        config: where its files are.
        datasets: of the run.
        progress: told what goes on.
        ask_anyway: ask vendors who said to come back later.
    """

    def __init__(
        self,
        home: Home,
        config: DuckDbConfig,
        datasets: Sequence[OwnedDataset],
        *,
        progress: RunProgress,
        ask_anyway: bool,
    ) -> None:
        self._home = home
        self._config = config
        self._datasets = datasets
        self._progress = progress
        self._ask_anyway = ask_anyway
        # one for the whole run: it tells answers apart that come at one moment with the same bytes
        self._writer = BronzeFileWriter(config, logger=home.logger)

    def run(
        self,
        ops: OpsService,
        hooks: HookCalls,
        context: RunContext,
        due: Sequence[PlannedRequest],
        *,
        replay: Replay | None,
    ) -> None:
        """Fetch, write and record.

        Args:
            ops: the facade.
            hooks: for the hook ``fetch``.
            context: the run.
            due: the requests.
            replay: answers in the place of the vendors.
        """
        hooked = {one.entry.id for one in self._datasets if hooks.has(one, "fetch")}
        known = known_payloads(ops, self._config, due, documents=hooked) if replay is None else None
        live = None
        if known is not None:
            live = LiveSessions(
                ops, self._config, hooks, self._datasets, due, known=known, ask_anyway=self._ask_anyway,
                logger=self._home.logger,
            )  # fmt: skip
            self._progress.limited(live.limits, self._config.rates)
        sessions = live if live is not None else replay
        assert sessions is not None
        stage = FetchStage(
            ops, self._writer, hooks, self._home.registry, config=self._config, sessions=sessions,
            workers=self._home.settings["run.workers"], progress=self._progress,
        )  # fmt: skip
        try:
            stage.run(context, due, known=known)
            ops.cover_without_payload(list({id(item.entry): item.entry for item in due}.values()), context.run_id)
            ops.restated.clear({item.request.key for item in due if item.again} & stage.whole)
        finally:
            self._writer.close()
            if live is not None:
                live.close()
