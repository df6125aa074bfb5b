"""The plugin that is checked: its declarations, its recording, and warehouses that were filled from it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs

from sbf_core.bronze.archive import BronzeArchive, Vintage
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import DatasetFailure, UsageError
from sbf_core.fetching.replay import RECORDINGS, recording_folder, recording_of
from sbf_core.gold.model import GoldModel
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import DatasetRegistry, OwnedDataset
from sbf_core.runs.context import RunContext
from sbf_core.testing.scratch import ScratchHome, ScratchRecording, answers_of
from sbf_core.testing.watching import WatchedManager
from sbf_core.value import Value

#: Recordings of many fetches are cut into so many runs, where runs one after the other are compared with one.
STEPS_MAX = 6


@attrs.frozen(kw_only=True)
class Filled(Value):
    """A warehouse and the run that filled it last."""

    home: ScratchHome
    context: RunContext


class Subject:
    """A plugin under check.

    Args:
        name: the name of its entry point.
        folder: where its warehouses are made.
        plugin: the plugin itself, where no package brings it.
        recording: a Bronze folder, a home, or the name of a recording; that of the plugin's package when absent.
        options: what ``[options.NAME]`` would say to it.
        is_draft: lines may be marked as unsure.

    Raises:
        UsageError: there is no such plugin, or two plugins declare one dataset.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        plugin: object | None = None,
        recording: str | Path = "",
        options: Mapping[str, Any] | None = None,
        is_draft: bool = False,
    ) -> None:
        self.name = name
        self.is_draft = is_draft
        self._folder = folder
        self.plugin = plugin
        self._recording = recording
        self.options: dict[str, Mapping[str, Any]] = {name: options} if options else {}
        self.manager = WatchedManager(name, plugin, options=self.options)
        if name not in self.manager.records:
            PluginManager.selected(self.manager, [name])  # says what there is
        self.record: PluginRecord = self.manager.records[name]
        #: Warehouses that several checks look at, by what they are for.
        self.shared: dict[str, Filled] = {}
        registry = DatasetRegistry(self.manager)
        self.registry = registry
        self.datasets: tuple[OwnedDataset, ...] = tuple(registry.of([self.record]))
        #: Every dataset of all plugins, by its silver table.
        self.installed = {owned.entry.silver_table: owned.entry for owned in registry.datasets.values()}

    # what it declares

    @property
    def entries(self) -> tuple[DatasetKeymapEntry, ...]:
        """Its datasets."""
        return tuple(owned.entry for owned in self.datasets)

    @property
    def asked(self) -> tuple[DatasetKeymapEntry, ...]:
        """Those of its datasets that are asked for; the others read their payloads, or those of other plugins."""
        return tuple(entry for entry in self.entries if not entry.reads)

    def has(self, hook: str) -> bool:
        """Whether it implements a hook."""
        return self.manager.has(self.record, hook)

    @functools.cached_property
    def models(self) -> tuple[GoldModel, ...]:
        """Its gold models."""
        if not self.record.loaded or not self.has("build_gold"):
            return ()
        return tuple(
            self.manager.call(self.record, "build_gold", doing="its gold models", safe="", options=self.record.options)
        )

    @property
    def module(self) -> Any:
        """The module, or the object, that holds the hooks."""
        return self.plugin if self.plugin is not None or self.record.point is None else self.record.point.load()

    # what was recorded

    @functools.cached_property
    def recording(self) -> Path:
        """The folder of its recording. Raises ``UsageError`` where there is none."""
        if self._recording:
            return recording_folder(str(self._recording))
        name = recording_of(self.record) or (
            self.name if any(point.name == self.name for point in entry_points(group=RECORDINGS)) else ""
        )
        if not name:
            fix = (
                f"make one with `sbf run --home HOME --plugins {self.name}`, and name it with `--recording HOME`; "
                "to ship it, copy its bronze beside the plugin, "
                f'and name the package under [project.entry-points."{RECORDINGS}"]'
            )
            raise UsageError(f"the package of {self.name!r} brings no recording", fix=fix, code="REPLAY")
        return recording_folder(name)

    @functools.cached_property
    def archive(self) -> BronzeArchive:
        """What was recorded."""
        return BronzeArchive(self.recording)

    @functools.cached_property
    def vintages(self) -> tuple[Vintage, ...]:
        """The recorded fetches that its datasets are made of, oldest first."""
        mine = {entry.payload_ids[0] for entry in self.entries}
        return tuple(vintage for vintage in self.archive.vintages if vintage.request.dataset_id in mine)

    def of(self, entry: DatasetKeymapEntry) -> list[Vintage]:
        """The recorded fetches that one dataset is made of."""
        return [vintage for vintage in self.vintages if vintage.request.dataset_id == entry.payload_ids[0]]

    @property
    def recorded(self) -> list[DatasetKeymapEntry]:
        """Its datasets of which something was recorded."""
        return [entry for entry in self.entries if self.of(entry)]

    # warehouses

    def place(self, name: str) -> Path:
        """A folder of its own for something."""
        return self._folder / name

    def fresh(self, name: str) -> ScratchHome:
        """An empty warehouse."""
        return ScratchHome(self.place(name), self.manager)

    def fill(self, home: ScratchHome, recording: Path | None = None, **flags: Any) -> Filled:
        """Replay its recording, or another; a plugin that has only gold gets whatever the recording holds."""
        names = self.plugins if self.datasets else None
        others = [
            record.name
            for record in self.manager.selected(None)
            if names and record.name != self.name and not self.manager.has(record, "datasets")
        ]
        return Filled(
            home=home, context=home.replay(recording or self.recording, plugins=names, exclude=others, **flags)
        )

    @property
    def plugins(self) -> tuple[str, ...]:
        """Itself, and those that fetch what it reads."""
        fetching = (self.registry.get(entry.payload_ids[0]) for entry in self.entries)
        return tuple(dict.fromkeys((self.name, *(owned.plugin.name for owned in fetching if owned is not None))))

    def fill_alike(self, home: ScratchHome, recording: Path | None = None) -> Filled:
        """Fill a warehouse that is to be compared with ``filled``.

        Raises:
            DatasetFailure: a dataset failed that did not fail there: what the two hold would say nothing.
        """
        known = {(failure.kind, failure.dataset) for failure in self.filled.context.failures}
        again = self.fill(home, recording)
        new = next((one for one in again.context.failures if (one.kind, one.dataset) not in known), None)
        if new is not None:
            raise DatasetFailure(f"what did not fail at first, failed when it was replayed again: {new}")
        return again

    @functools.cached_property
    def filled(self) -> Filled:
        """A warehouse that was filled from its recording in one run. It is not changed: ``copy`` it."""
        filled = self.fill(self.fresh("filled"))
        filled.home.settle()
        return filled

    @functools.cached_property
    def filled_backwards(self) -> ScratchHome:
        """A warehouse that was filled in steps, the newest first. It is not changed.

        Raises:
            DatasetFailure: see ``fill_alike``.
        """
        home = self.fresh("backwards")
        for piece in reversed(self.steps):
            self.fill_alike(home, piece)
        return home

    @functools.cached_property
    def steps(self) -> tuple[Path, ...]:
        """Its recording, cut into pieces of which each is newer than the one before;
        one piece if there is one fetch.
        """
        by_moment = sorted(self.vintages, key=lambda vintage: vintage.fetched_at)
        count = min(STEPS_MAX, len(by_moment))
        pieces = [
            by_moment[len(by_moment) * number // count : len(by_moment) * (number + 1) // count]
            for number in range(count)
        ]
        return tuple(self.record_again(f"step{number}", piece) for number, piece in enumerate(pieces))

    def record_again(self, name: str, vintages: list[Vintage]) -> Path:
        """A recording of some of the recorded fetches."""
        target = ScratchRecording(self.place(f"recording-{name}"))
        for vintage in vintages:
            target.add(answers_of(self.archive, vintage))
        return target.close()

    def table_keys(self, tables: Mapping[str, Any]) -> list[str]:
        """Those of some tables that are its own: silver with history, and gold."""
        own = {f"silver.{entry.silver_table}{suffix}" for entry in self.entries for suffix in ("", "_history")} | {
            f"gold.{model.name}" for model in self.models
        }
        return sorted(set(tables) & own)

    def differences(
        self, one: ScratchHome, other: ScratchHome, *, schema: str = "silver.", tables: Sequence[str] = ()
    ) -> list[str]:
        """The tables of the plugin whose rows differ between two warehouses,
        each with one row of each side that the other lacks.

        Args:
            one: a warehouse.
            other: another.
            schema: compare its tables in this schema.
            tables: compare only these.
        """
        here, there = one.digests(schema), other.digests(schema)
        differences = []
        for table in tables or sorted({*self.table_keys(here), *self.table_keys(there)}):
            if table not in here or table not in there:
                differences.append(f"{table} is there only once")
            elif here[table] != there[table]:
                counts = f"{here[table].rows} and {counted(there[table].rows, 'row')}"
                differences.append(f"{table} has {counts}; {_example(one, other, table)}")
        return differences


def _example(one: ScratchHome, other: ScratchHome, table: str) -> str:
    """A row that only one side has, of each."""
    query = (
        f"SELECT CAST(COLUMNS(* EXCLUDE (_run_id)) AS VARCHAR) FROM {table}"
        if table.startswith("silver.")
        else f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {table}"
    )
    here, there = set(one.ask(query)), set(other.ask(query))
    return f"e.g. {min(here - there, default=(), key=repr)} against {min(there - here, default=(), key=repr)}"
