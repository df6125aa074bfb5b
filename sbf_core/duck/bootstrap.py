"""``DuckDbBootstrap``: open the home's database, hardened and at the right schema version."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import duckdb

from sbf_core.atomic_file import sync_all
from sbf_core.clock import Clock, SystemClock
from sbf_core.duck.config import STORAGE_VERSION, DuckDbConfig
from sbf_core.duck.create import create_database, discard_left_overs
from sbf_core.duck.harden import harden
from sbf_core.duck.holder import HomeLock, drop_holder, write_holder
from sbf_core.duck.home_folder import check_place, check_restored, check_there, make_home
from sbf_core.duck.migrate import apply_migrations, check_ledger, latest_version, schema_version
from sbf_core.duck.older_ledger import looking, overlay
from sbf_core.duck.open_fault import is_duckdb, no_duckdb, open_fault
from sbf_core.duck.open_here import is_open_here, note_open
from sbf_core.duck.publish import (
    copy_database,
    current_publication,
    keep_published,
    name_published,
    publish_copy,
    published_path,
)
from sbf_core.errors import HomeLocked, UsageError, VersionRefused, environment_fault
from sbf_core.faults import fault_point


class OpenDatabase(Protocol):
    """What hands out cursors on an open database, one per thread."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's own cursor."""

    def close(self) -> None:
        """Close every cursor. Calling it again does nothing."""


class DuckDbBootstrap:
    """Opens the database of a home once, and hands out one cursor per thread.

    It holds the lock of the home while the database is open: alone to write, shared to read. A copy for readers needs
    none.

    Args:
        config: where the home is.
        clock: for the times of migrations, and since when the home is held.
        logger: told about migrations.
        read_only: open for reading; several processes may, while none writes.
        database: another file than the home's own: a copy for readers.
        scratch: a folder that may be written although the database is only read; payloads may be read, too.
        lock: the caller's, who holds the home.
    """

    def __init__(
        self,
        config: DuckDbConfig | None = None,
        clock: Clock | None = None,
        logger: logging.Logger | None = None,
        *,
        read_only: bool = False,
        database: Path | None = None,
        scratch: Path | None = None,
        lock: HomeLock | None = None,
    ) -> None:
        self.config = config or DuckDbConfig()
        self.database = database or self.config.database
        self.read_only = read_only
        self._scratch = scratch
        self._clock = clock or SystemClock()
        self._logger = logger or logging.getLogger("sbf.duck")
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cursors = threading.local()
        self._all_cursors: list[duckdb.DuckDBPyConnection] = []
        self._copy_had_all_rows = False
        self._has_older_ledger = False
        self._needs_lock = lock is None and self.database == self.config.database
        self._lock = HomeLock(self.config, self._clock, shared=read_only)

    def hold(self, *, wait_seconds: float = 0.0) -> None:
        """Take the lock of the home before the database is opened, and keep it until ``close`` or ``let_go``.

        Raises:
            HomeLocked, UsageError, EnvironmentFault: see ``open``.
        """
        check_place(self.config, self.database)
        check_restored(self.config)
        if self.database.exists() and not is_open_here(self.database) and not is_duckdb(self.database):
            raise no_duckdb(self.database)
        if self.read_only:
            check_there(self.config, self.database)
        else:
            make_home(self.config)
        if self._needs_lock:
            self._lock.acquire(wait_seconds=wait_seconds)

    def let_go(self) -> None:
        """Give the lock back. Calling it again does nothing."""
        self._lock.release()

    def open(self, *, wait_seconds: float = 0.0) -> DuckDbBootstrap:
        """Open, migrate if needed (a copy is made first), harden. Calling it again does nothing.

        Raises:
            DamageFound: a block cannot be read; nothing was written.
            UsageError: the home is a file, or the database is no DuckDB file, or is absent and ``read_only``.
            HomeLocked: another process, or thread, has it open, for longer than ``wait_seconds``.
            VersionRefused: schema or storage is newer than this sbf knows.
            EnvironmentFault: the home cannot be made or written.
        """
        if self._connection is not None:
            return self
        fault_point("home.check")
        deadline, was_held = time.monotonic() + wait_seconds, self._lock.is_held
        self.hold(wait_seconds=wait_seconds)
        try:
            self._connection = self._opened(max(0.0, deadline - time.monotonic()))
        except BaseException:
            if not was_held:
                self.let_go()
            raise
        return self

    @property
    def copy_had_all_rows(self) -> bool:
        """Whether the copy for readers held all rows when the database was opened; without a copy it did not."""
        return self._copy_had_all_rows

    def _opened(self, wait_seconds: float) -> duckdb.DuckDBPyConnection:
        connection = self._connect(wait_seconds)
        note_open(self.database, connection)
        copy = None if self.read_only else current_publication(self.config)  # nobody else changes it from here on
        self._copy_had_all_rows = copy is not None and copy.has_all_rows
        fault_point("home.locked")
        crashed = self.config.holder.exists()
        try:
            version = schema_version(connection)
            self._refuse_newer(version)
            if not self.read_only:
                write_holder(self.config.holder, since=self._clock.now())
                discard_left_overs(self.database)
                connection = self._migrated(connection, version)
            elif version is None:
                raise UsageError(
                    "the database holds no sbf schema",
                    where=str(self.database),
                    fix="run `sbf run` first",
                    code="NO_DATA",
                )
            elif version < latest_version():
                overlay(connection)
                self._has_older_ledger = True
            check_ledger(connection, self.database)
            harden(connection, self.database, allowed=self._allowed(), wants_files=self._scratch is not None)
            fault_point("home.open")
        except BaseException:
            connection.close()
            if not self.read_only and not crashed:  # the mark of a crash must stay until the database was opened
                drop_holder(self.config.holder)
            raise
        return connection

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's own cursor on the open database."""
        if self._connection is None:
            self.open()
        assert self._connection is not None
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._cursors, "cursor", None)
        if cursor is None:
            cursor = self.new_cursor()
            self._cursors.cursor = cursor
            self._all_cursors.append(cursor)
        return cursor

    def new_cursor(self) -> duckdb.DuckDBPyConnection:
        """A further cursor on the open database, for who closes it before this object is closed."""
        assert self._connection is not None
        cursor = self._connection.cursor()
        return looking(cursor) if self._has_older_ledger else cursor

    def handed_over(self) -> duckdb.DuckDBPyConnection:
        """The open connection itself, for a reader who closes it; this object forgets it. A ledger of an older sbf is
        given as it is: a further cursor of the reader's own would see it so.

        Nobody can tell when that is, so the lock of the home is given back: DuckDB's own keeps runs out meanwhile.
        """
        assert self.read_only
        connection, self._connection = self._connection, None
        assert connection is not None
        self.let_go()
        return connection

    def close(self, *, publish_as: str = "", rows_changed: bool = True) -> None:
        """Close every cursor and the database. Calling it again does nothing.

        Args:
            publish_as: leave a copy for readers under this run id.
            rows_changed: whether silver or gold may hold other rows than before.

        Raises:
            EnvironmentFault: the copy cannot be written; the database itself is whole and closed.
        """
        if self._connection is None:
            self.let_go()
            return
        for cursor in self._all_cursors:
            cursor.close()
        self._all_cursors.clear()
        self._cursors = threading.local()
        connection, self._connection = self._connection, None
        try:
            if publish_as:
                self._publish(connection, publish_as)
        finally:
            connection.close()
            if self._copy_had_all_rows and not rows_changed:
                keep_published(self.config)
            if not self.read_only:
                drop_holder(self.config.holder)
            self.let_go()
            fault_point("home.closed")

    def _publish(self, connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
        try:
            connection.execute("CHECKPOINT")
            fault_point("publish.checkpointed")
            if os.name != "posix":
                connection.close()  # Windows lets nobody else read the file before
            with self.database.open("rb") as source:
                publish_copy(self.config, source, run_id, now=self._clock.now())
                connection.close()
            name_published(self.config, run_id, now=self._clock.now().isoformat(timespec="seconds"))
        except OSError as error:
            where = str(published_path(self.config, run_id))
            raise environment_fault(error, doing="the copy for readers cannot be written", where=where) from error

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "memory_limit": self.config.memory_limit,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "false",
        }
        if not self.read_only:
            settings["storage_compatibility_version"] = STORAGE_VERSION
        if self.config.threads is not None:
            settings["threads"] = str(self.config.threads)
        return settings

    def _connect(self, wait_seconds: float) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                if not self.read_only and not self.database.exists():
                    create_database(self.database, self._settings(), now=self._clock.now())
                    if self.config.fsync != "none":
                        sync_all([self.config.home])
                return duckdb.connect(str(self.database), read_only=self.read_only, config=self._settings())
            except duckdb.Error as error:
                fault = open_fault(error, self.database, holder=self.config.holder)
                if not isinstance(fault, HomeLocked) or time.monotonic() >= deadline:
                    raise fault from error
            except OSError as error:
                raise environment_fault(error, doing="the database cannot be made", where=str(self.database)) from error
            fault_point("home.in_use")
            threading.Event().wait(0.1)

    def _allowed(self) -> list[Path]:
        """The folders whose files a statement may read, and write."""
        if self._scratch is not None:
            return [self.config.bronze, self._scratch]
        return [] if self.read_only else [self.config.bronze, self.config.staging]

    def _refuse_newer(self, version: int | None) -> None:
        if version is not None and version > latest_version():
            raise VersionRefused(
                f"the database has schema {version}, this sbf knows up to {latest_version()}; nothing was touched",
                where=str(self.database),
                fix="upgrade sbf",
            )

    def _migrated(self, connection: duckdb.DuckDBPyConnection, version: int | None) -> duckdb.DuckDBPyConnection:
        if version == latest_version():
            return connection
        fault_point("migrate.before")
        if version is not None:
            connection.execute("CHECKPOINT")
            connection.close()
            self._back_up(version)
            connection = self._connect(0.0)
        fault_point("migrate.backed_up")
        applied = apply_migrations(connection, since=version or 0, now=self._clock.now())
        fault_point("migrate.done")
        self._logger.info("Schema migrated. from=%s | to=%s", version or 0, applied)
        return connection

    def _back_up(self, version: int) -> Path:
        stamp = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        target = self.config.backups / f"sbf-schema{version}-{stamp}.duckdb"
        try:
            with self.database.open("rb") as source:
                copy_database(source, target, durable=True)
        except OSError as error:
            raise environment_fault(
                error,
                doing="the copy before the migration cannot be written; the database was not touched",
                where=str(target),
            ) from error
        return target
