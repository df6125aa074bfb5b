"""A folder on another machine: its files, and the bytes of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

import attrs

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.name_pattern import leads_on, matches
from sbf_core.dataset.remote_places import RemoteKind
from sbf_core.errors import DatasetFailure
from sbf_core.settings.keys import Keys
from sbf_core.value import Value

#: Of more folders below one another, and of more folders in all, a link leads round in a circle.
_DEPTH_MAX = 64
_FOLDERS_MAX = 20_000
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
_KINDS = {
    RemoteKind.STORE: ("sbf_core.http.stores", "Store"),
    RemoteKind.HTTP: ("sbf_core.http.http_folder", "HttpFolder"),
    RemoteKind.FTP: ("sbf_core.http.ftp_folder", "FtpFolder"),
    RemoteKind.SFTP: ("sbf_core.http.sftp_folder", "SftpFolder"),
}


@attrs.frozen(kw_only=True)
class StoredFile(Value):
    """A file on another machine.

    Attributes:
        name: below the folder in which the pattern begins.
        byte_count: its size.
        changed_at: when it changed last, to the second, aware; the first moment that there is where nobody says it.
        etag: the store's own mark of what is in it; empty where it has none.
        listing: what a list for readers says beside the name; empty where that says nothing of changes.
    """

    name: str
    byte_count: int = 0
    changed_at: dt.datetime = FIRST
    etag: str = ""
    listing: str = ""

    @property
    def mark(self) -> str:
        """What tells that it may have changed. Where the store has a mark of what is in it, no time: else who copies a
        bucket each night had all of it fetched at each run.
        """
        whole = int(self.changed_at.timestamp())  # a list may tell parts of a second, the header of a file does not
        return f"{self.byte_count}-{self.etag or whole}"


@attrs.frozen(kw_only=True)
class Listed(Value):
    """What is in a folder.

    Attributes:
        file: one of its files, named from there; of a folder only the name counts.
        is_folder: it is one.
        is_link: what is there only leads to it.
    """

    file: StoredFile
    is_folder: bool = False
    is_link: bool = False


class RemoteFolder(Protocol):
    """The folder in which the pattern of a recipe begins. All that is awaited is done in one loop."""

    async def files(self) -> list[StoredFile]:
        """The files that the pattern finds, in no order. Raises ``DatasetFailure``."""
        ...

    async def read(self, name: str, *, bytes_max: int) -> tuple[Any, StoredFile]:
        """The bytes of a file, all of one state of it, and its facts.

        Args:
            name: of the file, below the folder.
            bytes_max: a larger one is refused.

        Raises:
            DatasetFailure: it is not there, is too large, or nobody answers.
        """
        ...

    def leave(self) -> None:
        """Nobody waits for what is under way any more: it ends soon. May be called from any thread."""
        ...

    async def close(self) -> None:
        """Nothing more is asked for."""
        ...


def folder_of(recipe: FileRecipe, keys: Keys) -> RemoteFolder:
    """The folder of a recipe.

    Raises:
        UsageError: the library that it needs is not installed, a key is not set, or an option is none.
        DatasetFailure: it cannot be used as it is declared.
    """
    assert recipe.remote is not None
    module, name = _KINDS[recipe.remote]
    folder: RemoteFolder = getattr(import_module(module), name)(recipe, keys)
    return folder


async def walked(
    listed: Callable[[str], Awaitable[Sequence[Listed]]], pattern: Sequence[str], *, where: str
) -> list[StoredFile]:
    """The files that a pattern finds, of folders that are listed one by one.

    Args:
        listed: gives what is in a folder, by its name with a ``/`` behind; empty: the one in which the pattern begins.
        pattern: the steps of it.
        where: for messages.

    Raises:
        DatasetFailure: the folders are too many, or too deep.
    """
    found: dict[str, StoredFile] = {}
    waiting, seen = [""], {""}
    while waiting:
        prefix = waiting.pop()
        for one in await listed(prefix):
            name = f"{prefix}{one.file.name}"
            steps = name.split("/")
            if not one.is_folder:
                if matches(steps, pattern):
                    found[name] = attrs.evolve(one.file, name=name)
            elif f"{name}/" not in seen and leads_on(steps, pattern, is_link=one.is_link):
                seen.add(f"{name}/")
                waiting.append(f"{name}/")
                if len(seen) > _FOLDERS_MAX or len(steps) > _DEPTH_MAX:
                    what = f"there are more than {_FOLDERS_MAX:,} folders in it, or {_DEPTH_MAX} below one another"
                    raise DatasetFailure(what, where=where, fix="begin the pattern further down")
    return list(found.values())
