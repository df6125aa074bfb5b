"""Object stores: which files there are, and their bytes. The extra ``stores`` brings the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import quote

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.name_pattern import matches
from sbf_core.errors import DatasetFailure, UsageError, printable
from sbf_core.http.remote_folder import StoredFile
from sbf_core.settings.keys import Keys

_SECONDS_MAX = "120s"
_CHARACTERS_SHOWN = 300
#: What the library raises where its core, which is no Python, gives up: it has no name for either.
_PANICS = ("PanicException", "RustPanic")


class Store:
    """The folder of a bucket in which a recipe's pattern begins.

    Args:
        recipe: of files in an object store.
        keys: gives what is secret.

    Raises:
        UsageError: the library is not installed, a key is not set, or an option is none of the store's.
        DatasetFailure: the store cannot be used as it is declared.
    """

    def __init__(self, recipe: FileRecipe, keys: Keys) -> None:
        self._where = f"{recipe.store}/{recipe.folder}".rstrip("/")
        self._pattern = recipe.pattern
        try:
            self._faults: Any = import_module("obstore.exceptions")
            store: Any = import_module("obstore.store")
        except ImportError as error:
            raise UsageError(
                f"files at {self._where} need a library", fix='pip install "sbf[stores]"', code="STORE"
            ) from error
        hidden = {name: keys.get(key, blanks=True).reveal() for name, key in recipe.secrets.items()}
        is_open = any(value.lower().startswith("http://") for value in recipe.options.values())
        client = {"timeout": _SECONDS_MAX, "allow_http": is_open}
        address = f"{recipe.store}/{quote(recipe.folder)}"  # else # and %20 would lead to another folder
        with self._told():
            self._store = store.from_url(
                address, config={**recipe.options, **hidden}, client_options=client, retry_config={"max_retries": 5}
            )

    async def files(self) -> list[StoredFile]:
        """The files that the pattern finds, in no order. Raises ``DatasetFailure``."""
        with self._told():
            found = await self._listed(deep=len(self._pattern) > 1)
        return [
            StoredFile(
                name=one["path"], byte_count=one["size"], changed_at=one["last_modified"], etag=one["e_tag"] or ""
            )
            for one in found
            if matches(one["path"].split("/"), self._pattern)
        ]

    async def _listed(self, *, deep: bool) -> list[Any]:
        if not deep:
            return list((await self._store.list_with_delimiter_async())["objects"])
        return [one async for batch in self._store.list() for one in batch]

    def leave(self) -> None:
        """Nothing: what is awaited is given up with its loop."""

    async def close(self) -> None:
        """Nothing: the library keeps its connections to itself."""

    async def read(self, name: str, *, bytes_max: int) -> tuple[Any, StoredFile]:
        """The bytes of a file, as the library holds them, all of one state of it, and its facts.

        Args:
            name: of the file.
            bytes_max: a larger one is refused.

        Raises:
            DatasetFailure: it is not there, is too large, or the store does not answer.
        """
        with self._told():
            answer = await self._store.get_async(name)
            facts = answer.meta
            if facts["size"] > bytes_max:
                raise DatasetFailure(f"it has {facts['size']:,} bytes, {bytes_max:,} are taken", where=self._where)
            content = await answer.bytes_async()
        if len(content) != facts["size"]:
            raise DatasetFailure(f"{len(content):,} of {facts['size']:,} bytes came", where=self._where)
        read = StoredFile(
            name=name, byte_count=len(content), changed_at=facts["last_modified"], etag=facts["e_tag"] or ""
        )
        return content, read

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the library raises becomes a failure of the dataset."""
        try:
            yield
        except self._faults.UnknownConfigurationKeyError as error:
            said = str(error).splitlines()[0]
            raise UsageError(said, where=self._where, fix="see the stores of obstore", code="STORE") from None
        except (self._faults.BaseError, OSError, ValueError) as error:  # what is not found is a FileNotFoundError
            raise self._failure(error) from None
        except BaseException as error:  # not all of these are Exceptions
            if type(error).__name__ not in _PANICS:
                raise
            raise self._failure(error) from None

    def _failure(self, error: BaseException) -> DatasetFailure:
        said = printable(str(error).partition("\n\nDebug source")[0])[:_CHARACTERS_SHOWN]
        return DatasetFailure(said, where=self._where)
