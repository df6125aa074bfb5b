"""Who reads what a dataset asks for without HTTP: files of this machine or of an object store, rows of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.remote_places import RemoteKind
from sbf_core.http.live import LiveSession
from sbf_core.http.local_files import LocalFiles
from sbf_core.http.session import AskingSession
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult


class AskedFiles(Protocol):
    """Reads the files of one dataset, or the rows that it queries."""

    def expect(self, series: Sequence[str]) -> None:
        """The files of these series will be asked for, in this order."""
        ...

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """What a file holds, or why there is no payload."""
        ...

    def close(self) -> None:
        """No more is asked for."""
        ...


def files_of(entry: DatasetKeymapEntry, live: LiveSession, *, as_declared: bool, session: AskingSession) -> AskedFiles:
    """Who reads the files of a dataset.

    Args:
        entry: the dataset.
        live: keys, clock, and where relative paths start.
        as_declared: payloads are read as the declaration says.
        session: asks for addresses.
    """
    recipe, folder = entry.recipe, entry.each_file
    if recipe is not None and not isinstance(recipe, (RestRecipe, FileRecipe)):
        from sbf_core.http.other_answers import answers_of  # few datasets ask a database, or run a program

        return answers_of(entry, recipe, live)
    if folder is None or not folder.is_remote:
        return LocalFiles(entry, live.files, live.clock, as_declared=as_declared)
    if folder.remote is RemoteKind.HTTP:
        from sbf_core.http.http_files import HttpFiles  # few folders are on another machine

        return HttpFiles(folder, live, session)
    from sbf_core.http.store_files import StoreFiles

    return StoreFiles(entry, folder, live, as_declared=as_declared)
