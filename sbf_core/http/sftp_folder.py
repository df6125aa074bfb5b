"""A folder of an SFTP server, by asyncssh (the extra ``sftp``). A host whose key is not known is not talked to."""

from __future__ import annotations

import asyncio
import datetime as dt
import stat
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.errors import DatasetFailure, UsageError, printable
from sbf_core.http.remote_folder import Listed, StoredFile, walked
from sbf_core.settings.keys import Keys

_CONNECT_SECONDS = 30.0
_SECONDS_MAX = 600.0
_SHOWN = 200


class SftpFolder:
    """The folder of an SFTP server in which a recipe's pattern begins.

    Args:
        recipe: of files of an SFTP server.
        keys: gives what is secret.

    Raises:
        UsageError: the library is not installed, a key is not set, or one is no key of SSH.
    """

    def __init__(self, recipe: FileRecipe, keys: Keys) -> None:
        self._where = recipe.place("").rstrip("/")
        try:
            self._ssh: Any = import_module("asyncssh")
        except ImportError as error:
            raise UsageError(
                f"files at {self._where} need a library", fix='pip install "sbf[sftp]"', code="LIBRARY"
            ) from error
        self._pattern = recipe.pattern
        self._folder = f"/{recipe.folder.strip('/')}".rstrip("/")
        hidden = {name: keys.get(key, blanks=True).reveal() for name, key in recipe.secrets.items()}
        self._asked = self._how(recipe, hidden)
        self._conn: Any = None
        self._sftp: Any = None
        self._refused = ""
        self._opening = asyncio.Lock()

    def _how(self, recipe: FileRecipe, hidden: dict[str, str]) -> dict[str, Any]:
        """How to connect: nothing is taken from the user's configuration but the hosts that they know."""
        parts = urlsplit(recipe.store)
        asked: dict[str, Any] = {
            "host": parts.hostname or "", "port": parts.port or 22, "config": None, "agent_path": None,
            "client_keys": None, "password": hidden.get("password"), "login_timeout": _CONNECT_SECONDS,
            "connect_timeout": _CONNECT_SECONDS, "keepalive_interval": 15, "x509_trusted_certs": None,
        }  # fmt: skip
        user = hidden.get("user") or unquote(parts.username or "")
        if user:
            asked["username"] = user
        try:
            if "private_key_file" in hidden:
                place = Path(hidden["private_key_file"]).expanduser()
                asked["client_keys"] = [self._ssh.read_private_key(place, hidden.get("passphrase"))]
            asked["known_hosts"] = self._known_hosts(recipe)
        except (self._ssh.KeyImportError, self._ssh.KeyEncryptionError, OSError, ValueError) as error:
            what = f"a key of {self._where} cannot be read: {printable(str(error))[:_SHOWN]}"
            raise UsageError(what, fix="look at options and secrets", code="KEY") from None
        return asked

    def _known_hosts(self, recipe: FileRecipe) -> Any:
        """The keys by which hosts are known: the one that is declared, those of a file, or those of the user's."""
        declared = recipe.options.get("host_key")
        if declared:
            return ([self._ssh.import_public_key(declared)], [], [])
        path = Path(recipe.options.get("known_hosts") or "~/.ssh/known_hosts").expanduser()
        if not path.is_file():
            return ([], [], [])
        return self._ssh.read_known_hosts(str(path))

    async def files(self) -> list[StoredFile]:
        """The files that the pattern finds."""
        return await walked(self._listed, self._pattern, where=self._where)

    async def _listed(self, prefix: str) -> list[Listed]:
        folder = f"{self._folder}/{prefix}".rstrip("/") or "/"
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                sftp = await self._opened()
                found = []
                for one in await sftp.readdir(folder):
                    if one.filename not in (".", ".."):
                        found += await self._of_entry(sftp, folder, one)
                return found
        except (self._ssh.Error, OSError, TimeoutError) as error:
            raise self._failure(error) from None

    async def _of_entry(self, sftp: Any, folder: str, one: Any) -> list[Listed]:
        facts, is_link = one.attrs, stat.S_ISLNK(one.attrs.permissions or 0)
        if is_link or facts.permissions is None or facts.size is None or facts.mtime is None:
            try:
                facts = await sftp.stat(f"{folder}/{one.filename}")
            except self._ssh.SFTPError:  # it leads nowhere
                return []
        file = _file(one.filename, facts)
        if stat.S_ISDIR(facts.permissions or 0):
            return [Listed(file=file, is_folder=True, is_link=is_link)]
        return [Listed(file=file)] if stat.S_ISREG(facts.permissions or 0) else []

    async def read(self, name: str, *, bytes_max: int) -> tuple[Any, StoredFile]:
        """The bytes of a file, which is the same before and after, and its facts."""
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                sftp = await self._opened()
                async with sftp.open(f"{self._folder}/{name}", "rb") as file:
                    before = _file(name, await file.stat())
                    if before.byte_count > bytes_max:
                        what = f"it has {before.byte_count:,} bytes, {bytes_max:,} are taken"
                        raise DatasetFailure(what, where=self._where)
                    content = await file.read(before.byte_count + 1)
                    after = _file(name, await file.stat())
        except (self._ssh.Error, OSError, TimeoutError) as error:
            raise self._failure(error) from None
        if before != after:
            raise DatasetFailure("it changed while it was read; run again when nothing writes it", where=self._where)
        if len(content) != before.byte_count:
            raise DatasetFailure(f"{len(content):,} of {before.byte_count:,} bytes came", where=self._where)
        return content, before

    async def _opened(self) -> Any:
        async with self._opening:
            if self._refused:
                raise DatasetFailure(self._refused, where=self._where)
            if self._conn is not None and not self._conn.is_closed():
                return self._sftp
            try:
                self._conn = await self._ssh.connect(**self._asked)
                self._sftp = await self._conn.start_sftp_client()
            except (self._ssh.Error, OSError, TimeoutError) as error:
                failure = self._failure(error)
                self._refused = failure.what  # a thousand files need not each wait for it
                raise failure from None
            return self._sftp

    def leave(self) -> None:
        """Nothing: what is awaited is given up with its loop."""

    async def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            self._conn.abort()
            await self._conn.wait_closed()

    def _failure(self, error: BaseException) -> DatasetFailure:
        if isinstance(error, TimeoutError):
            return DatasetFailure("the server did not answer in time", where=self._where)
        said = printable(" ".join(str(error).split()))[:_SHOWN] or type(error).__name__
        fix = ""
        if isinstance(error, self._ssh.HostKeyNotVerifiable):
            said = f"the key of the host is not known: {said}"
            fix = 'ask who keeps it for its key, options={"host_key": "ssh-ed25519 AAAA..."}'
        return DatasetFailure(said, where=self._where, fix=fix)


def _file(name: str, facts: Any) -> StoredFile:
    moment = dt.datetime.fromtimestamp(facts.mtime or 0, dt.UTC)
    return StoredFile(name=name, byte_count=facts.size or 0, changed_at=moment)
