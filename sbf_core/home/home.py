"""``Home``: one warehouse, opened once, and handed to whatever works on it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.clock import Clock, clock_of_process
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.disk import machine_faults
from sbf_core.duck.holder import HomeLock
from sbf_core.duck.publish import Publication
from sbf_core.duck.reading import open_for_reading
from sbf_core.home.gold_models import KnownModels, known_models
from sbf_core.plugin.hook_call import HookCalls
from sbf_core.plugin.installed import installed_plugins, isolation_of
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.recovery.damaged_database import open_replacing
from sbf_core.settings.keys import Keys
from sbf_core.settings.settings import Settings
from sbf_core.value import Entity, Value


@attrs.frozen(kw_only=True)
class ReadDatabase(Value):
    """What ``Home.reading`` gives.

    Attributes:
        cursor: reads; every write is refused.
        older: the copy that is read where a run is at work, so that what it says is older than the database; else None.
    """

    cursor: duckdb.DuckDBPyConnection
    older: Publication | None


@attrs.define(kw_only=True)
class WrittenDatabase(Entity):
    """What ``Home.writing`` gives.

    Attributes:
        bootstrap: the open database.
        replaced: how a damaged database was replaced, in one line; empty: it was whole.
        publish_as: the run under whose id a copy for readers is left at the end; empty: none is.
        rows_changed: whether silver or gold changed, so that the copy before this one lacks rows.
    """

    bootstrap: DuckDbBootstrap
    replaced: str = ""
    publish_as: str = ""
    rows_changed: bool = True


class Home:
    """A warehouse: its settings, and what follows from them.

    Nothing is read, loaded or opened before it is asked for; plugins and datasets are loaded once, by whichever thread
    is first.

    Args:
        settings: of the home.
        clock: the present moment; that of the process when absent.
        plugins: those installed, and not blocked, when absent.
        logger: told what is done to the database; a silent one when absent.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        plugins: PluginManager | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or clock_of_process()
        self.logger = logger or logging.getLogger("sbf")
        self._plugins = plugins
        self._has_own_plugins = plugins is not None
        self._registry: DatasetRegistry | None = None
        self._has_learnt = False
        self._lock = threading.RLock()

    @classmethod
    def at(cls, folder: str | Path | None, *, flags: Mapping[str, Any] | None = None, **parts: Any) -> Home:
        """The home in a folder, ``SBF_HOME`` or ``./sbf-data`` when absent, with settings from the command line.

        Raises:
            UsageError: see ``Settings``.
        """
        return cls(Settings(folder, flags=flags), **parts)

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.settings.home

    @property
    def config(self) -> DuckDbConfig:
        """Where its files are, and how its database is opened."""
        return self.settings.config

    @property
    def keys(self) -> Keys:
        """The keys that its plugins need."""
        return Keys(self.folder)

    @property
    def plugins(self) -> PluginManager:
        """Its plugins. Raises ``UsageError`` as ``PluginManager`` does."""
        with self._lock:
            if self._plugins is None:
                self._plugins = installed_plugins(self.settings)
            return self._plugins

    @property
    def registry(self) -> DatasetRegistry:
        """Who declares which dataset. Raises ``UsageError`` as ``DatasetRegistry`` does."""
        with self._lock:
            if self._registry is None:
                self._registry = DatasetRegistry(self.plugins)
            return self._registry

    @property
    def entries(self) -> list[DatasetKeymapEntry]:
        """Its datasets. Raises as ``registry``."""
        return [owned.entry for owned in self.registry.datasets.values()]

    def wake(self, named: Iterable[str]) -> None:
        """Load plugins that are loaded only when they are named, by names or patterns, before anybody asks for them."""
        with self._lock:
            if self.plugins.wake(named):
                self._registry, self._has_learnt = None, False

    def awake(self) -> Home:
        """The same home with all plugins loaded that are installed, be they named or not; one that was given its
        plugins is that itself.
        """
        if self._has_own_plugins:
            return self
        plugins = installed_plugins(self.settings, everything=True)
        return Home(self.settings, clock=self.clock, plugins=plugins, logger=self.logger)

    def learn_keys(self) -> None:
        """Know the keys of all datasets by their values, so that none is shown or logged: whatever is read of payloads,
        be it long after they were fetched, may repeat one. Raises as ``registry``.
        """
        with self._lock:
            if not self._has_learnt:
                self.keys.learn(sorted({name for entry in self.entries for name in entry.key_names}))
                self._has_learnt = True

    def hooks(self) -> HookCalls:
        """Calls hooks of the plugins, where the settings say so each in a process of its own; whoever asks closes it.

        The keys of all datasets are known by their values from then on.
        """
        self.learn_keys()
        return HookCalls(self.plugins, isolation_of(self.settings, self.registry))

    def gold_models(self, cursor: duckdb.DuckDBPyConnection) -> KnownModels:
        """The gold models of the plugins, over the sources that ``cursor`` sees."""
        return known_models(cursor, self.plugins)

    @contextmanager
    def reading(self, *, scratch: Path | None = None, newest: bool = False) -> Iterator[ReadDatabase]:
        """The newest state that can be read, also while a run is at work.

        Args:
            scratch: a folder that the cursor may write.
            newest: refuse an older copy.

        Raises:
            HomeLocked: a run is at work, and there is no copy for readers, or an older one does not do.
            UsageError: there is no database. VersionRefused, DamageFound: see ``DuckDbBootstrap.open``.
        """
        wait = self.settings["run.wait_seconds"]
        bootstrap, older = open_for_reading(self.config, wait_seconds=wait, newest=newest, scratch=scratch)
        try:
            yield ReadDatabase(cursor=bootstrap.cursor(), older=older)
        finally:
            bootstrap.close()

    @contextmanager
    def writing(
        self, *, config: DuckDbConfig | None = None, lock: HomeLock | None = None, wait_seconds: float = 0.0
    ) -> Iterator[WrittenDatabase]:
        """The database, for one run; one that a crash has damaged is replaced first.

        Args:
            config: of a database in another place.
            lock: the caller's, who holds the home.
            wait_seconds: how long to wait for other processes, where the settings do not say.

        Raises:
            HomeLocked, VersionRefused, DamageFound, UsageError: see ``open_replacing``.
            EnvironmentFault, OutOfMemory: what the machine lacked, also within the block.
        """
        config = config or self.config
        wait = self.settings["run.wait_seconds"] or wait_seconds
        bootstrap = DuckDbBootstrap(config, clock=self.clock, logger=self.logger, lock=lock)
        with machine_faults(config.database):
            opened = WrittenDatabase(bootstrap=bootstrap)
            opened.replaced = open_replacing(bootstrap, wait_seconds=wait, logger=self.logger)
            try:
                yield opened
            finally:
                bootstrap.close(publish_as=opened.publish_as, rows_changed=opened.rows_changed)
