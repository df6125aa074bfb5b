"""A folder of an FTP server, by what Python has (RFC 959, RFC 3659; with TLS RFC 4217).

The library waits in threads: one connection, which does one thing after the other.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ftplib
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.errors import DatasetFailure, printable
from sbf_core.http.remote_folder import Listed, StoredFile, walked
from sbf_core.settings.keys import Keys

_T = TypeVar("_T")
_STEP_SECONDS_MAX = 60.0
_SHOWN = 200
_MOMENT = re.compile(r"(\d{14})(?:\.\d+)?")
_PIECE_BYTES = 1 << 18
_NOT_KNOWN = ("500", "501", "502", "504")


class FtpFolder:
    """The folder of an FTP server in which a recipe's pattern begins.

    Args:
        recipe: of files of an FTP server.
        keys: gives what is secret.

    Raises:
        UsageError: a key is not set.
    """

    def __init__(self, recipe: FileRecipe, keys: Keys) -> None:
        self._recipe = recipe
        self._where = recipe.place("").rstrip("/")
        parts = urlsplit(recipe.store)
        hidden = {name: keys.get(key, blanks=True).reveal() for name, key in recipe.secrets.items()}
        self._host, self._port = parts.hostname or "", parts.port or ftplib.FTP_PORT
        self._user = hidden.get("user") or unquote(parts.username or "")
        self._password = hidden.get("password", "")
        self._folder = f"/{recipe.folder.strip('/')}".rstrip("/")
        self._ftp: ftplib.FTP | None = None
        self._data: socket.socket | None = None
        self._refused = ""
        self._is_left = False
        self._one_at_a_time = asyncio.Lock()

    async def files(self) -> list[StoredFile]:
        """The files that the pattern finds."""
        return await walked(
            lambda prefix: self._in_thread(lambda ftp: self._listed(ftp, prefix)),
            self._recipe.pattern,
            where=self._where,
        )

    async def read(self, name: str, *, bytes_max: int) -> tuple[Any, StoredFile]:
        """The bytes of a file, which is the same before and after, and its facts."""
        return await self._in_thread(lambda ftp: self._read(ftp, name, bytes_max))

    def leave(self) -> None:
        """What is under way ends: its sockets are shut."""
        self._is_left = True
        for one in (self._data, self._ftp.sock if self._ftp is not None else None):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Close the connection."""
        self.leave()
        async with self._one_at_a_time:
            self._drop()

    async def _in_thread(self, work: Callable[[ftplib.FTP], _T]) -> _T:
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._done, work)

    def _done(self, work: Callable[[ftplib.FTP], _T]) -> _T:
        was_open = self._ftp is not None
        try:
            return work(self._opened())
        except (EOFError, OSError, ftplib.error_temp) as error:  # a server ends what was idle for too long
            self._drop()
            if not was_open or self._is_left or isinstance(error, ftplib.error_temp):
                raise self._failure(error) from None
        except (ftplib.Error, ValueError) as error:
            raise self._failure(error) from None
        try:
            return work(self._opened())
        except (EOFError, OSError, ftplib.Error, ValueError) as error:
            self._drop()
            raise self._failure(error) from None

    def _opened(self) -> ftplib.FTP:
        if self._is_left or self._refused:
            raise DatasetFailure(self._refused or "the session is closed", where=self._where)
        if self._ftp is not None:
            return self._ftp
        ftp = _FtpTls() if self._recipe.path.startswith("ftps:") else ftplib.FTP()  # noqa: S321 - the recipe says so
        try:
            ftp.connect(self._host, self._port, timeout=_STEP_SECONDS_MAX)
            self._ftp = ftp
            ftp.login(self._user, self._password)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.voidcmd("TYPE I")
        except (EOFError, OSError, ftplib.Error, ValueError) as error:
            self._ftp = ftp
            self._drop()
            failure = self._failure(error)
            self._refused = failure.what  # a thousand files need not each wait for it
            raise failure from None
        return ftp

    def _drop(self) -> None:
        if self._ftp is not None:
            self._ftp.close()
        self._ftp = None

    def _listed(self, ftp: ftplib.FTP, prefix: str) -> list[Listed]:
        folder = f"{self._folder}/{prefix}".rstrip("/") or "/"
        try:
            found = list(ftp.mlsd(folder, ["type", "size", "modify"]))
        except ftplib.error_perm as error:
            reply = str(error)  # it begins with the code of the protocol (RFC 959)
            if not reply.startswith(_NOT_KNOWN):
                raise
            return self._listed_by_name(ftp, folder)
        told = {"file": False, "dir": True}
        return [
            Listed(file=self._file(name, facts.get("size", ""), facts.get("modify", "")), is_folder=True)
            if told[facts["type"].lower()]
            else Listed(file=self._file(name, facts.get("size", ""), facts.get("modify", "")))
            for name, facts in found
            if facts.get("type", "").lower() in told and name not in (".", "..") and "/" not in name
        ]

    def _listed_by_name(self, ftp: ftplib.FTP, folder: str) -> list[Listed]:
        """Of a server that knows no list for programs: names, and of each its size and its time."""
        if "**" in self._recipe.pattern or len(self._recipe.pattern) > 1:
            what = "the server gives no list for programs (MLSD), so folders cannot be told from files"
            raise DatasetFailure(what, where=self._where, fix='path with one folder: "ftp://host/drops/*.csv"')
        names = [line.rstrip("/").rpartition("/")[2] for line in ftp.nlst(folder)]
        found = []
        for name in dict.fromkeys(names):
            with suppress(ftplib.error_perm):  # it is a folder
                found.append(Listed(file=self._facts(ftp, name)))
        return found

    def _facts(self, ftp: ftplib.FTP, name: str) -> StoredFile:
        path = f"{self._folder}/{name}"
        size, told = ftp.size(path), ftp.sendcmd(f"MDTM {path}")
        return self._file(name, "" if size is None else str(size), told[3:].strip())

    def _file(self, name: str, size: str, modified: str) -> StoredFile:
        match = _MOMENT.fullmatch(modified)
        if match is None or not size.isascii() or not size.isdigit():
            if modified or size:
                what = f"the server tells {modified!r:.40} and {size!r:.40} as time and size of {name!r:.80}"
                raise DatasetFailure(what, where=self._where, fix="fetch its files with a program of yours")
            return StoredFile(name=name)
        moment = dt.datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
        return StoredFile(name=name, byte_count=int(size), changed_at=moment)

    def _read(self, ftp: ftplib.FTP, name: str, bytes_max: int) -> tuple[bytes, StoredFile]:
        before, pieces, count = self._facts(ftp, name), list[bytes](), 0
        if before.byte_count > bytes_max:
            raise DatasetFailure(f"it has {before.byte_count:,} bytes, {bytes_max:,} are taken", where=self._where)
        data = self._data = ftp.transfercmd(f"RETR {self._folder}/{name}")
        try:
            while piece := data.recv(_PIECE_BYTES):
                count += len(piece)
                if count > bytes_max:
                    self._drop()
                    raise DatasetFailure(f"more than {bytes_max:,} bytes came", where=self._where)
                pieces.append(piece)
            if isinstance(data, ssl.SSLSocket):
                with suppress(OSError):  # many servers end without a word; the length tells what is cut
                    data.unwrap()
        finally:
            self._data = None
            data.close()
        ftp.voidresp()
        after = self._facts(ftp, name)
        if before != after:
            raise DatasetFailure("it changed while it was read; run again when nothing writes it", where=self._where)
        if count != before.byte_count:
            raise DatasetFailure(f"{count:,} of {before.byte_count:,} bytes came", where=self._where)
        return b"".join(pieces), before

    def _failure(self, error: BaseException) -> DatasetFailure:
        said = printable(" ".join(str(error).split()))[:_SHOWN] or type(error).__name__
        if self._password:
            said = said.replace(self._password, "***")
        return DatasetFailure(said, where=self._where)


class _FtpTls(ftplib.FTP_TLS):
    """Shows each certificate to the system, and goes on with one session of TLS, as servers want it by default."""

    def __init__(self) -> None:
        import truststore

        super().__init__(context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - see above
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        return self.context.wrap_socket(conn, server_hostname=self.host, session=session), size
