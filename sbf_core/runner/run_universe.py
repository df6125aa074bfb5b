"""Which tickers a run is about: those that were named, those of a recording, or those that a plugin or a query gives."""

from __future__ import annotations

from sbf_core.bronze.archive import BronzeArchive
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.watch import watched
from sbf_core.settings.settings import Settings
from sbf_core.universe.members import UniverseMember, UniverseSettings
from sbf_core.universe.service import UniverseService


class RunUniverse:
    """The universe of one run.

    Args:
        settings: of the home.
        manager: the plugins, one of which may give the members.
        archive: the recording that is replayed; None where vendors are asked.

    Raises:
        UsageError: the settings name no plugin that there is, a file that cannot be read, or wrong tickers.
    """

    def __init__(self, settings: Settings, manager: PluginManager, archive: BronzeArchive | None) -> None:
        self.settings = settings.universe
        self._manager = manager
        self._archive = archive
        self._is_named = settings.resolved["universe.tickers"].origin == "flag"
        if self.settings.plugin and archive is None:
            manager.selected([self.settings.plugin])
        self._named = UniverseService(self.settings)
        if self.settings.tickers or self.settings.file is not None:
            self._named.tickers()

    def service(self, bootstrap: DuckDbBootstrap | None) -> UniverseService:
        """What gives the tickers.

        Args:
            bootstrap: the open database, for a query; None where there is none yet.
        """
        settings = self.settings
        if self._archive is not None and not self._is_named:
            settings = UniverseSettings(tickers=self._archive.tickers)
        elif settings.tickers or settings.file is not None:
            return self._named  # read and checked once
        if bootstrap is None:
            return UniverseService(settings, members_hook=self._ask_members)
        return UniverseService(
            settings, cursor=bootstrap.cursor, members_hook=lambda: self._ask_members_watched(bootstrap)
        )

    def _ask_members(self) -> list[UniverseMember]:
        record = self._manager.selected([self.settings.plugin])[0]
        return list(self._manager.call(record, "universe_members", doing="the universe", safe="nothing was written"))

    def _ask_members_watched(self, bootstrap: DuckDbBootstrap) -> list[UniverseMember]:
        with watched(bootstrap.cursor, where=f"plugin {self.settings.plugin}, hook universe_members"):
            return self._ask_members()
