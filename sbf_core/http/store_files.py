"""Files of an object store, of FTP and of SFTP as answers: what a ``FileRecipe`` asks for there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.http.content import EVIDENCE_BYTES_MAX, why_no_data
from sbf_core.http.live import LiveSession
from sbf_core.http.local_files import Moments
from sbf_core.http.loop import LoopClosed
from sbf_core.http.remote_folder import RemoteFolder, StoredFile, folder_of
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
        live: keys, clock, and the loop in which files are waited for.
        as_declared: payloads are read as the declaration says.
    """

    def __init__(self, entry: DatasetKeymapEntry, recipe: FileRecipe, live: LiveSession, *, as_declared: bool) -> None:
        self._entry = entry
        self._recipe = recipe
        self._live = live
        self._as_declared = as_declared
        self._moments = Moments(live.clock)
        self._folder: RemoteFolder | None = None
        self._coming: dict[str, Future[tuple[Any, StoredFile]]] = {}
        self._expected: list[str] = []

    def expect(self, series: Sequence[str]) -> None:
        """These will be asked for, in this order: some are fetched ahead."""
        self._expected = list(reversed([self._recipe.place(one) for one in series]))

    def close(self) -> None:
        """No more is asked for, and what is under way is not waited for."""
        self._expected = []
        for one in list(self._coming.values()):
            one.cancel()
        if self._folder is not None:
            self._folder.leave()
            with suppress(LoopClosed):
                self._live.loop.start(self._folder.close())

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """See ``LocalFiles.read``; nothing is read in place."""
        del in_place
        began = time.monotonic()
        result = RunResult(request=request, address=path, extension=extension, fetched_at=self._moments.next())
        try:
            payload, read = self._fetched(path)
        except DatasetFailure as error:
            return attrs.evolve(result, error=f"{path}: {error.what}", kind=FailureKind.FILE)
        except LoopClosed:
            return attrs.evolve(result, error=f"{path}: the session is closed", kind=FailureKind.CLOSED)
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
        folder = self._folder = self._folder or folder_of(self._recipe, self._live.keys)
        wanted = [] if path in self._coming else [path]
        while self._expected and len(self._coming) + len(wanted) < _AHEAD:
            one = self._expected.pop()
            wanted += [one] if one not in wanted and one not in self._coming else []
        for one in wanted:
            name = one.removeprefix(self._recipe.place("").removesuffix("/")).removeprefix("/")
            self._coming[one] = self._live.loop.start(folder.read(name, bytes_max=_BYTES_MAX))
        try:
            content, read = self._coming.pop(path).result()
        except CancelledError:
            raise LoopClosed from None
        return bytes(content), read
