"""What all pages share: the settings, the plugins, the door to the warehouse and the templates."""

from __future__ import annotations

import threading

from starlette.requests import Request

from sbf_core.clock import Clock
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.drawing.studio import Studio
from sbf_core.errors import SbfError, UsageError
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.keys import Keys
from sbf_core.settings.settings import Settings
from sbf_core.web.door import Door
from sbf_core.web.questions import Questions, bare_environment
from sbf_core.web.rendering import Rendering

_PAGES_MAX = 1_000_000


class Site:
    """What all pages share.

    Args:
        settings: of the home.
        clock: the present moment.
        manager: the plugins; those installed when absent. They are loaded when a page first needs them.
    """

    def __init__(self, settings: Settings, *, clock: Clock, manager: PluginManager | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.door = Door(settings.config)
        self.questions = Questions(settings.home)
        self.studio = Studio(bare_environment())
        #: Rows of one chart at a time: a gallery asks for all of its pictures at once.
        self.one_chart = threading.Lock()
        self.rendering = Rendering(settings.home)
        self._manager = manager
        self._registry: DatasetRegistry | None = None
        self._lock = threading.Lock()
        #: Why the datasets are not known, if they are not.
        self.problem = ""

    def close(self) -> None:
        """End the processes of the pages, and leave the warehouse."""
        self.questions.close()
        self.studio.close()
        self.door.close()

    @property
    def manager(self) -> PluginManager:
        """The plugins."""
        with self._lock:
            if self._manager is None:
                self._manager = installed_plugins(self.settings)
            return self._manager

    @property
    def entries(self) -> list[DatasetKeymapEntry]:
        """The datasets of the plugins, whose keys no page shows from then on;
        none where two plugins contradict each other, and then ``problem`` says why.
        """
        manager = self.manager
        with self._lock:
            if self._registry is None and not self.problem:
                try:
                    self._registry = DatasetRegistry(manager)
                    entries = [owned.entry for owned in self._registry.datasets.values()]
                    Keys(self.settings.home).learn(sorted({name for entry in entries for name in entry.key_names}))
                except SbfError as error:
                    self.problem = str(error)
            return [] if self._registry is None else [owned.entry for owned in self._registry.datasets.values()]

    def entry_of(self, table: str) -> DatasetKeymapEntry:
        """The dataset of a silver table, be it by a former name. Raises ``UsageError`` if there is none."""
        former = (entry for entry in self.entries if table in entry.former_tables)
        found = next((entry for entry in self.entries if entry.silver_table == table), None) or next(former, None)
        if found is None:
            raise UsageError(
                f"no installed plugin declares a dataset with the table {table!r}",
                fix="see the list of datasets",
                code="UNKNOWN_DATASET",
            )
        return found


def number_asked(request: Request, name: str, *, usual: int = 1) -> int:
    """A whole number of the query, 1 or more. Raises ``UsageError`` if it is none."""
    text = request.query_params.get(name, "") or str(usual)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _PAGES_MAX):
        raise UsageError(f"{name} {text[:50]!r} is no number from 1 on", code="NUMBER")
    return int(text)
