"""How a run tells what it is doing: to whoever shows progress, and to ``<home>/live.json``, which pages read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sbf_core.clock import Clock
from sbf_core.fetching.progress import Progress, Silence
from sbf_core.http.rate_use import RateUse, rate_use
from sbf_core.runs.context import RunContext
from sbf_core.runs.live import LiveDataset, LiveLimit, LiveRun, write_live

_SECONDS_BETWEEN = 1.0
_ERRORS_MAX = 20


class RunProgress:
    """Passes progress on, and keeps ``live.json`` up to date while a run works.

    A thread of its own writes once a second, so that a long query does not look like a dead run.

    Args:
        shown: shows progress to the user.
    """

    def __init__(self, shown: Progress | None = None) -> None:
        self._shown = shown or Silence()
        self._live: LiveRun | None = None
        self._datasets: dict[str, LiveDataset] = {}
        self._limits: Mapping[str, Sequence[str]] = {}
        self._stage_began = 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    # while a run works

    def begin(self, context: RunContext, place: Path, clock: Clock) -> None:
        """A run begins: from now on its file tells of it."""
        self._context, self._place, self._clock = context, place, clock
        self._live = LiveRun(
            run_id=context.run_id, pid=os.getpid(), started_at=context.started_at.isoformat(timespec="seconds")
        )
        self._write()
        thread = threading.Thread(target=self._keep_writing, name="sbf-live", daemon=True)
        thread.start()
        self._thread = thread

    def end(self) -> None:
        """The run is over: its file says how it ended. Calling it again does nothing."""
        if self._live is None or self._thread is None:
            return
        self._over.set()
        self._thread.join()
        self._thread = None
        self._live.stage, self._live.done, self._live.total = "", 0, 0
        self._write()

    def _keep_writing(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN):
            self._write()

    def _write(self) -> None:
        live, context = self._live, self._context
        assert live is not None
        live.updated_at = self._clock.now().isoformat(timespec="seconds")
        live.status = str(context.status)
        live.files, live.rows, live.rejected, live.gold_tables = (
            context.files,
            context.rows_seen,
            context.rows_rejected,
            context.gold_tables,
        )
        live.errors = [str(failure) for failure in context.failures[-_ERRORS_MAX:]]
        live.datasets = list(self._datasets.values())
        live.limits = [
            LiveLimit(source=source, limit=use.limit, used=use.used, allowed=use.allowed)
            for source in self._limits
            for use in self._uses(source)
        ]
        live.seconds_left = self._seconds_left(live)
        with suppress(OSError):  # a page that knows less is no reason to stop a run
            write_live(self._place, live)

    def _uses(self, source: str) -> list[RateUse]:
        return rate_use(self._rates, source, self._limits[source])

    def _seconds_left(self, live: LiveRun) -> float | None:
        if not live.done or live.done >= live.total:
            return None
        return round((time.monotonic() - self._stage_began) / live.done * (live.total - live.done), 1)

    # what the stages say

    def start(self, stage: str, total: int) -> None:
        """A stage with ``total`` steps begins."""
        self._stage_began = time.monotonic()
        if self._live is not None:
            self._live.stage, self._live.done, self._live.total = stage, 0, total
        self._shown.start(stage, total)

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""
        if self._live is not None:
            self._live.done += steps
        self._shown.advance(steps)

    def note(self, text: str) -> None:
        """Something that the user should read, now."""
        self._shown.note(text)

    def finish(self) -> None:
        """The stage is over."""
        self._shown.finish()

    def asks(self, dataset_ids: Iterable[str]) -> None:
        """A request of each of these datasets is due."""
        for dataset_id in dataset_ids:
            self._of(dataset_id).requests += 1

    def limited(self, limits: Mapping[str, Sequence[str]], rates: Path) -> None:
        """These vendors are asked under these limits; ``rates`` is the file that counts requests."""
        self._rates, self._limits = rates, {source: declared for source, declared in limits.items() if declared}

    def answered(self, dataset_id: str, *, failed: bool) -> None:
        """An answer came."""
        live = self._of(dataset_id)
        live.answered += 1
        live.failed += failed

    def promoted(self, dataset_id: str, *, files: int, rows: int, rejected: int) -> None:
        """Payloads were promoted; it is committed."""
        live = self._of(dataset_id)
        live.files += files
        live.rows += rows
        live.rejected += rejected

    def _of(self, dataset_id: str) -> LiveDataset:
        live = self._datasets.get(dataset_id)
        if live is None:
            live = self._datasets[dataset_id] = LiveDataset(dataset=dataset_id)
        return live
