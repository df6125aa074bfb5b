"""Which tickers a run is about: those that were named,
those of a recording, or those that a plugin or a query gives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import duckdb

from sbf_core.bronze.archive import BronzeArchive
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.watch import watched
from sbf_core.settings.settings import Settings
from sbf_core.universe.members import Membership, UniverseMember, UniverseSettings, membership_of
from sbf_core.universe.service import UniverseService
from sbf_core.vocabulary import Scope

_Cursors = Callable[[], duckdb.DuckDBPyConnection]


def counts_on_universe(entry: DatasetKeymapEntry) -> bool:
    """Whether a dataset is asked for each ticker of a universe."""
    return entry.scope is Scope.PER_TICKER and not entry.has_own_series and not entry.reads


class RunUniverse:
    """The universe of one run, and those that ``[universe.SOURCE]`` gives to some sources.

    Args:
        settings: of the home.
        manager: the plugins, one of which may give the members.
        archive: the recording that is replayed; None where vendors are asked.
        datasets: of the run.

    Attributes:
        own: the sources with a universe of their own. None where tickers were named for the whole run.

    Raises:
        UsageError: the settings name no plugin that there is, a file that cannot be read, or wrong tickers.
    """

    def __init__(
        self,
        settings: Settings,
        manager: PluginManager,
        archive: BronzeArchive | None,
        *,
        datasets: Collection[DatasetKeymapEntry] = (),
    ) -> None:
        self.settings = settings.universe
        self._manager = manager
        self._archive = archive
        self._is_named = settings.resolved["universe.tickers"].origin == "flag"
        is_of_all = archive is not None or self._is_named
        sources = {entry.source for entry in datasets}
        self._counting = {name for entry in datasets if counts_on_universe(entry) for name in entry.ids}
        own = {} if is_of_all else {name: one for name, one in settings.universes.items() if name in sources}
        self.own: frozenset[str] = frozenset(own)
        self._own = own
        self._opened: dict[str, UniverseService] = {}
        for one in (self.settings, *own.values()):
            if one.plugin and archive is None:
                manager.selected([one.plugin])
        self._named = {"": UniverseService(self.settings), **{name: UniverseService(one) for name, one in own.items()}}
        for service in self._named.values():
            if service.settings.tickers or service.settings.file is not None:
                service.tickers()

    def memberships(self, bootstrap: DuckDbBootstrap | None, *, limit: int) -> dict[str, Membership]:
        """By source who belongs, and when; under an empty name that of all other sources.

        Args:
            bootstrap: the open database, for a query; None where there is none yet.
            limit: only so many tickers each; 0 for all.
        """
        if self._archive is not None:
            return {}
        memberships = {"": membership_of(self.service(bootstrap).members(), limit=limit)}
        for name, settings in self._own.items():
            memberships[name] = membership_of(self._service(name, settings, _cursors(bootstrap)).members(), limit=limit)
        return memberships

    def settings_of(self, source: str) -> UniverseSettings:
        """Where the tickers of a source come from."""
        return self._own.get(source, self.settings)

    def membership(self, source: str, cursor: duckdb.DuckDBPyConnection, *, limit: int) -> Membership | None:
        """Who belongs, and when, for one source, where vendors are asked; None: no universe is set.

        Args:
            source: of the datasets.
            cursor: for a query.
            limit: as for ``memberships``.
        """
        settings = self.settings_of(source)
        if not settings.origin:
            return None
        service = self._service(source if source in self._own else "", settings, lambda: cursor)
        return membership_of(service.members(), limit=limit)

    def service(self, bootstrap: DuckDbBootstrap | None) -> UniverseService:
        """What gives the tickers.

        Args:
            bootstrap: the open database, for a query; None where there is none yet.
        """
        if self._archive is not None and not self._is_named:
            return UniverseService(UniverseSettings(tickers=self._archive.tickers(self._counting)))
        return self._service("", self.settings, _cursors(bootstrap))

    def _service(self, name: str, settings: UniverseSettings, cursor: _Cursors | None) -> UniverseService:
        if settings.tickers or settings.file is not None:
            return self._named[name]  # read and checked once
        if cursor is None:
            return UniverseService(settings, members_hook=lambda: self._ask_members(settings.plugin))
        if name not in self._opened:  # asked once a run
            self._opened[name] = UniverseService(
                settings,
                cursor=cursor,
                members_hook=lambda: self._ask_members_watched(settings.plugin, cursor),
            )
        return self._opened[name]

    def _ask_members(self, plugin: str) -> list[UniverseMember]:
        record = self._manager.selected([plugin])[0]
        return list(self._manager.call(record, "universe_members", doing="the universe", safe="nothing was written"))

    def _ask_members_watched(self, plugin: str, cursor: _Cursors) -> list[UniverseMember]:
        with watched(cursor, where=f"plugin {plugin}, hook universe_members"):
            return self._ask_members(plugin)


def _cursors(bootstrap: DuckDbBootstrap | None) -> _Cursors | None:
    return None if bootstrap is None else bootstrap.cursor
