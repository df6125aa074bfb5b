"""The sessions of a run that asks vendors, each made for one dataset."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.duck.config import DuckDbConfig
from sbf_core.fetching.known import Known
from sbf_core.http.recipe_walk import file_places
from sbf_core.ops.service import OpsService
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.settings.keys import Keys

if TYPE_CHECKING:
    from sbf_core.http.loop import RequestLoop
    from sbf_core.http.vendor_session import VendorSession


class LiveSessions:
    """Connections, keys, limits and what the ledger knows of earlier answers, for the requests of one run.

    Args:
        ops: the facade.
        config: where the home is.
        hooks: say who reads a dataset's payloads.
        datasets: of the run, also those that are not asked now: what they declare of their vendor holds for all.
        due: what will be asked.
        known: the payloads that its series ended with, with their marks.
        ask_anyway: ask vendors who said to come back later.
        logger: told what a user should know.
    """

    #: The limits of each vendor that will be asked.
    limits: dict[str, list[str]]
    #: How many requests each takes at once.
    connections: dict[str, int]

    def __init__(
        self,
        ops: OpsService,
        config: DuckDbConfig,
        hooks: HookCalls,
        datasets: Sequence[OwnedDataset],
        due: Sequence[PlannedRequest],
        *,
        known: Known,
        ask_anyway: bool,
        logger: logging.Logger,
    ) -> None:
        from sbf_core.http.live import (
            LiveSession,
        )  # with the engine below: 100 ms that a run with nothing due need not pay

        keys = Keys(config.home)
        keys.learn(name for planned in due for name in planned.entry.key_names)
        entries = {planned.entry.id: planned.entry for planned in due}

        def validators(request: RunRequest, address: str) -> tuple[str, str]:
            one = known.get((request.key, address))
            is_enough = one is not None and one.stands(entries[request.dataset_id], request)
            return (one.etag, one.last_modified) if one is not None and is_enough else ("", "")

        self._live = LiveSession(
            ops.clock,
            files=config.files,
            keys=keys,
            rates=config.rates,
            ask_anyway=ask_anyway,
            validators=validators,
            logger=logger,
        )
        self.limits, self.connections = {}, {}
        asked = {planned.entry.source for planned in due}
        for owned in datasets:  # before the first request: a dataset without limits keeps those of its vendor's others
            source, recipe = owned.entry.source, owned.entry.recipe
            if recipe is None or isinstance(recipe, FileRecipe) or source not in asked:
                continue
            if isinstance(recipe, RestRecipe):
                self.limits.setdefault(source, []).extend(recipe.limits)
            self.connections[source] = min(self.connections.get(source, recipe.connections), recipe.connections)
        for source, limits in self.limits.items():
            self._live.add_limits(source, tuple(dict.fromkeys(limits)))
        self._series = [(item.entry.id, item.request.ticker) for item in due]
        self._hooks = hooks
        self._owned = {owned.entry.id: owned for owned in datasets}
        self._sessions: dict[str, VendorSession] = {}

    @property
    def loop(self) -> RequestLoop:
        """Where all asking happens."""
        return self._live.loop

    def session_for(self, planned: PlannedRequest) -> VendorSession:
        """The session that answers the requests of a dataset."""
        from sbf_core.http.vendor_session import VendorSession

        entry = planned.entry
        session = self._sessions.get(entry.id)
        if session is None:
            owned = self._owned.get(entry.id)
            fetches, reads = (owned is not None and self._hooks.has(owned, hook) for hook in ("fetch", "promote"))
            session = self._sessions[entry.id] = VendorSession(
                self._live, entry, as_declared=not reads, may_ask_for_changes=not fetches
            )
            if entry.each_file is not None:
                session.files.expect([ticker for one, ticker in self._series if one == entry.id and ticker is not None])
        return session

    def asking_session_for(self, planned: PlannedRequest) -> VendorSession:
        """The same one."""
        return self.session_for(planned)

    def read_in_place(self, planned: PlannedRequest, request: RunRequest) -> RunResult | None:
        """What the recipe of a file means, a large one named and not read; None where the recipe is none of a file."""
        recipe = planned.entry.recipe
        if not isinstance(recipe, FileRecipe):
            return None
        path = file_places(planned.entry, recipe, request)[0]
        return self.session_for(planned).read_in_place(request, path, extension=recipe.extension)

    def close(self) -> None:
        """Close the connections; requests under way give up."""
        for session in self._sessions.values():
            session.files.close()
        self._live.close()
