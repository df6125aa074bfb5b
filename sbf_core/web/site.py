"""What all pages share: the settings, the plugins, what reads the warehouse and the templates."""

from __future__ import annotations

import threading

from starlette.requests import Request

from sbf_core.charts.renderer import ChartRenderer
from sbf_core.child.environment import bare_environment
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError, UsageError
from sbf_core.home.home import Home
from sbf_core.web.readers import Readers
from sbf_core.web.rendering import Rendering
from sbf_core.web.sql_queries import SqlQueries

_PAGES_MAX = 1_000_000


class Site:
    """What all pages share.

    Args:
        home: the home; its plugins are loaded when a page first needs them.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.settings = home.settings
        self.clock = home.clock
        self.readers = Readers(home.config)
        self.queries = SqlQueries(home.folder)
        self.renderer = ChartRenderer(bare_environment())
        #: Rows of one chart at a time: a gallery asks for all of its pictures at once.
        self.one_chart = threading.Lock()
        self.rendering = Rendering(home.folder)
        self._lock = threading.Lock()
        self._entries: list[DatasetKeymapEntry] | None = None
        #: Why the datasets are not known, if they are not.
        self.problem = ""

    def close(self) -> None:
        """End the processes of the pages, and leave the warehouse."""
        self.queries.close()
        self.renderer.close()
        self.readers.close()

    @property
    def entries(self) -> list[DatasetKeymapEntry]:
        """The datasets of the plugins, whose keys no page shows from then on;
        none where two plugins contradict each other, and then ``problem`` says why.
        """
        with self._lock:
            if self._entries is None:
                try:
                    self._entries = self.home.entries
                    self.home.learn_keys()
                except SbfError as error:
                    self._entries, self.problem = [], str(error)
            return self._entries

    def entry_of(self, table: str) -> DatasetKeymapEntry:
        """The dataset of a silver table, be it by a former name. Raises ``UsageError`` if there is none."""
        former = (entry for entry in self.entries if table in entry.former_tables)
        wanted = next((entry for entry in self.entries if entry.silver_table == table), None) or next(former, None)
        if wanted is None:
            raise UsageError(
                f"no installed plugin declares a dataset with the table {table!r}",
                fix="see the list of datasets",
                code="UNKNOWN_DATASET",
            )
        return wanted


def number_asked(request: Request, name: str, *, usual: int = 1) -> int:
    """A whole number of the query, 1 or more. Raises ``UsageError`` if it is none."""
    text = request.query_params.get(name, "") or str(usual)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _PAGES_MAX):
        raise UsageError(f"{name} {text[:50]!r} is no number from 1 on", code="NUMBER")
    return int(text)
