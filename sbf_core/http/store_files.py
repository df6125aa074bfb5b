"""Files of an object store as answers: what a ``FileRecipe`` asks for where its folder is not on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.http.content import EVIDENCE_BYTES_MAX, why_no_data
from sbf_core.http.live import LiveSession
from sbf_core.http.local_files import Moments
from sbf_core.http.stores import Store, StoredFile
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

_BYTES_MAX = 512 * 1024**2
#: So many files are on their way while one is looked at; they are answered in their order all the same.
_AHEAD = 8


class StoreFiles:
    """Reads the files of one dataset.

    Args:
        entry: the dataset.
        recipe: its recipe.
        live: keys and clock.
        as_declared: payloads are read as the declaration says.
    """

    def __init__(self, entry: DatasetKeymapEntry, recipe: FileRecipe, live: LiveSession, *, as_declared: bool) -> None:
        self._entry = entry
        self._recipe = recipe
        self._keys = live.keys
        self._as_declared = as_declared
        self._moments = Moments(live.clock)
        self._store: Store | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[str, Future[tuple[bytes, StoredFile]]] = {}
        self._expected: list[str] = []

    def expect(self, series: Sequence[str]) -> None:
        """These will be asked for, in this order: some are fetched ahead."""
        self._expected = list(reversed([self._recipe.place(one) for one in series]))

    def close(self) -> None:
        """No more is asked for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """See ``LocalFiles.read``; nothing is read in place."""
        del in_place
        began = time.monotonic()
        result = RunResult(request=request, address=path, extension=extension, fetched_at=self._moments.next())
        try:
            payload, read = self._fetched(path)
        except DatasetFailure as error:
            return attrs.evolve(result, error=f"{path}: {error.what}", kind=FailureKind.FILE)
        result = attrs.evolve(
            result,
            fetched_at=self._moments.next(),
            elapsed_seconds=time.monotonic() - began,
            headers={"etag": read.mark},
        )
        why = why_no_data(self._entry, payload, extension, as_declared=self._as_declared)
        if why is not None:
            evidence = payload[:EVIDENCE_BYTES_MAX]
            return attrs.evolve(result, error=f"{path}: {why[1]}", kind=why[0], evidence=evidence)
        return attrs.evolve(result, payload=payload)

    def _fetched(self, path: str) -> tuple[bytes, StoredFile]:
        if self._pool is None:
            self._store = Store(self._recipe, self._keys)
            self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="sbf-store")
        wanted = [] if path in self._coming else [path]
        while self._expected and len(self._coming) + len(wanted) < _AHEAD:
            one = self._expected.pop()
            wanted += [one] if one not in wanted and one not in self._coming else []
        for one in wanted:
            self._coming[one] = self._pool.submit(self._read, one)
        return self._coming.pop(path).result()

    def _read(self, path: str) -> tuple[bytes, StoredFile]:
        assert self._store is not None
        name = path.removeprefix(self._recipe.place("").removesuffix("/")).removeprefix("/")
        return self._store.read(name, bytes_max=_BYTES_MAX)
