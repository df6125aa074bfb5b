"""A recording in the place of the vendors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import attrs

from sbf_core.bronze.archive import BronzeArchive, Vintage
from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.paths import payload_path
from sbf_core.bronze.stored import is_there
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError, nearest
from sbf_core.http.replay import ReplaySession
from sbf_core.ops.recorded import RecordedPayloads
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.patterns import chosen_by
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

#: Packages that ship a recording name it here; the entry point is a package whose folder holds ``bronze``.
RECORDINGS = "sbf.recordings"
#: The recording that comes with sbf; with plugins of another package, that of the package.
SAMPLE = "sample"


def recording_folder(name: str) -> Path:
    """The folder of a recording: a path, or the name of one that a package ships.

    Raises:
        UsageError: there is neither.
    """
    shipped = {point.name: point for point in entry_points(group=RECORDINGS)}
    if name in shipped:
        module = import_module(shipped[name].module)
        assert module.__file__ is not None
        return Path(module.__file__).parent
    folder = Path(name).expanduser()
    if not folder.is_dir():
        hint = nearest(name, shipped) or f"name a folder, or one of: {', '.join(shipped) or 'none'}"
        raise UsageError(f"there is no recording {name!r}", fix=hint, code="REPLAY")
    return folder


def archive_of(
    name: str, manager: PluginManager, *, plugins: Sequence[str] | None, until: dt.datetime | None
) -> BronzeArchive | None:
    """The recording that answers in the vendors' place; None where ``name`` is empty, and a run asks them.

    Args:
        name: of a recording, or a folder.
        manager: the plugins.
        plugins: those that were named, or patterns: of one package alone, ``sample`` is the package's own recording.
        until: only what was recorded up to this moment.

    Raises:
        UsageError: there is no such recording.
    """
    if not name:
        return None
    if name == SAMPLE and plugins:
        records = manager.records
        chosen = (chosen_by(word, records.values(), what="--plugins") for word in plugins)
        name = sample_of([records[one] for names in chosen for one in names])
    return BronzeArchive(recording_folder(name), until=until)


def recording_of(plugin: PluginRecord) -> str:
    """The name of the recording that the package of a plugin ships: the one of the plugin's name, else the only one; an
    empty text for none.
    """
    ours = [
        point.name
        for point in entry_points(group=RECORDINGS)
        if point.dist is not None and point.dist.name == plugin.distribution
    ]
    return plugin.name if plugin.name in ours else ours[0] if len(ours) == 1 else ""


def sample_of(plugins: Sequence[PluginRecord]) -> str:
    """The recording that ``sample`` means: that of the package of the plugins that were named, else the bundled one.

    Raises:
        UsageError: they are of several packages, each with a recording of its own.
    """
    recordings = {
        plugin.distribution: recording_of(plugin) for plugin in plugins if plugin.distribution and recording_of(plugin)
    }
    if len(recordings) > 1:
        what = f"`sample` would be a recording of each of {', '.join(sorted(recordings))}"
        raise UsageError(
            what, where="--replay", fix="run their plugins one after the other, or name a recording", code="REPLAY"
        )
    return next(iter(recordings.values()), SAMPLE)


def _paths(request: RunRequest, vintage: Vintage) -> list[str]:
    """Where the answers of a recorded fetch are kept."""
    rows = [line.row for line in vintage.lines]
    return [
        payload_path(request, fetched_at=row.fetched_at, payload_hash=row.payload_hash, extension=row.extension)
        for row in rows
    ]


class Replay:
    """Plans requests from what was recorded, and answers them.

    Args:
        archive: the recording.
        bronze: the Bronze folder that is filled; what it holds already is not due.
        recorded: the payloads on record, which may be packed there; None where there is no ledger yet.
    """

    def __init__(self, archive: BronzeArchive, *, bronze: Path, recorded: RecordedPayloads | None = None) -> None:
        self._archive = archive
        self._bronze = bronze
        self._recorded = recorded
        self._vintages: dict[int, Vintage] = {}

    def plan(
        self,
        datasets: Sequence[OwnedDataset],
        *,
        tickers: Sequence[str] | None,
        run_id: str,
        since: dt.date | None,
        until: dt.date | None,
    ) -> list[PlannedRequest]:
        """One request for each recorded fetch of the datasets, oldest first; due unless Bronze holds its answers.

        Args:
            datasets: whose fetches.
            tickers: only these; None for all that were recorded.
            run_id: the run that asks.
            since: only what was fetched on this day or later.
            until: only what was fetched on this day or before.
        """
        entries = {owned.entry.id: owned.entry for owned in datasets}
        wanted = None if tickers is None else {None, *tickers}
        chosen: list[tuple[DatasetKeymapEntry, RunRequest, Vintage]] = []
        for vintage in self._archive.vintages:
            entry = entries.get(vintage.request.dataset_id)
            day = vintage.fetched_at.date()
            if entry is None or (
                wanted is not None
                and not entry.has_own_series
                and wanted.isdisjoint(vintage.request.tickers or (None,))
            ):
                continue
            if (since is not None and day < since) or (until is not None and day > until):
                continue
            chosen.append((entry, attrs.evolve(vintage.request, run_id=run_id), vintage))
        paths = [_paths(request, vintage) for _, request, vintage in chosen]
        here = self._here([path for each in paths for path in each])
        planned = []
        for (entry, request, vintage), each in zip(chosen, paths, strict=True):
            due = not here.issuperset(each)
            why = f"recorded at {vintage.fetched_at:%Y-%m-%d %H:%M}Z" + ("" if due else ", in Bronze already")
            item = PlannedRequest(entry=entry, request=request, due=due, why=why)
            self._vintages[id(item)] = vintage
            planned.append(item)
        return planned

    def _here(self, paths: Sequence[str]) -> set[str]:
        """Those payloads that Bronze holds, each in a file of its own or in a pack."""
        here = {path for path in paths if (self._bronze / path).exists()}
        if self._recorded is None:
            return here
        rows = self._recorded.rows([path for path in paths if path not in here])
        packed = [row for row in rows if row.pack]
        return here | {row.rel_path for row in packed if is_there(self._bronze, row.rel_path, stored_of(row))}

    #: A recording answers at once: nobody has to wait in a loop.
    loop = None
    #: It takes any number of requests at once.
    connections: Mapping[str, int] = {}

    def asking_session_for(self, planned: PlannedRequest) -> None:
        """None: see ``loop``."""

    def read_in_place(self, planned: PlannedRequest, request: RunRequest) -> None:
        """None: a recording answers by address."""

    def session_for(self, planned: PlannedRequest) -> ReplaySession:
        """A session that answers one planned request."""
        vintage = self._vintages[id(planned)]

        def recorded(request: RunRequest, address: str) -> RunResult | None:
            line = next((line for line in vintage.lines if line.row.address == address), None)
            return None if line is None else self._archive.result(line, request)

        return ReplaySession(recorded, fetched_at=vintage.fetched_at)
