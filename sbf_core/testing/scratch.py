"""Homes and recordings that a test makes and throws away."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.bronze.archive import BronzeArchive, Vintage
from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.care.digest import TableDigest, digest_tables, warehouse_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.clock import FixedClock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.runs.result import RunResult
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import Layer

#: After every recording that a test may replay, so that nothing in it is of the future.
NOW = dt.datetime(2100, 1, 1, 12, tzinfo=dt.UTC)
_SILENT = logging.Logger("sbf.testing", level=logging.CRITICAL)


class ScratchHome:
    """A warehouse in a folder of a test's own. No setting and no variable of the user's reaches it.

    Args:
        folder: where; made if it is not there.
        manager: the plugins; those installed when absent.
        options: what ``[options.NAME]`` says, by plugin; only with the installed plugins.
    """

    def __init__(
        self,
        folder: Path,
        manager: PluginManager | None = None,
        *,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.folder = folder
        self._manager = manager or PluginManager(options=options)
        self._digests: dict[str, tuple[object, dict[str, TableDigest]]] = {}
        self._is_settled = False
        self._kept: DuckDbBootstrap | None = None

    def _settings(self, **flags: Any) -> Settings:
        usual = {"plugins.isolate": "none", "run.publish": "no", "bronze.fsync": "none"}
        return Settings(
            self.folder, flags=usual | {name.replace("__", "."): value for name, value in flags.items()}, environment={}
        )

    def replay(
        self,
        recording: str | Path,
        *,
        plugins: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        until: dt.datetime | None = None,
        force: bool = False,
        **flags: Any,
    ) -> RunContext:
        """One run that is answered from a recording.

        Args:
            recording: a Bronze folder, a home, or the name of a recording that a package ships.
            plugins: names of plugins; None for all whose datasets the recording holds.
            exclude: names of plugins to leave out.
            until: only what was recorded up to this moment.
            force: build gold although nothing is due.
            **flags: settings, with ``__`` in the place of the point: ``duckdb__threads=1``.
        """
        wanted = None if plugins is None else tuple(plugins)
        options = RunOptions(
            plugins=wanted, exclude=tuple(exclude), replay=str(recording), replay_until=until, force=force
        )
        return self._run(options, **flags)

    def promoted(self, *, plugins: Sequence[str] | None = None) -> RunContext:
        """One run that asks for nothing: what is pending is promoted, stale tables are made again, no gold is built."""
        wanted = None if plugins is None else tuple(plugins)
        return self._run(RunOptions(plugins=wanted, fetch=False, only=Layer.SILVER))

    def settle(self) -> None:
        """No run follows that changes it: for reading it is opened once, until one does, or ``close``."""
        self._is_settled = True

    def close(self) -> None:
        """Give back what reading it holds open."""
        kept, self._kept, self._is_settled = self._kept, None, False
        if kept is not None:
            kept.close()

    def _run(self, options: RunOptions, **flags: Any) -> RunContext:
        self.close()
        return Runner(self._home(**flags), options).run()

    def _home(self, **flags: Any) -> Home:
        return Home(self._settings(**flags), clock=FixedClock(NOW), plugins=self._manager, logger=_SILENT)

    def with_plugins(self, manager: PluginManager) -> ScratchHome:
        """The same folder, under other plugins."""
        return ScratchHome(self.folder, manager)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the warehouse that may write temporary tables only."""
        if self._kept is not None:
            with closing(self._kept.new_cursor()) as cursor:
                yield cursor
            return
        bootstrap = DuckDbBootstrap(self._settings().config, read_only=True).open()
        try:
            with closing(bootstrap.new_cursor()) as cursor:
                yield cursor
        except BaseException:
            bootstrap.close()
            raise
        if self._is_settled:
            self._kept = bootstrap
        else:
            bootstrap.close()

    @contextmanager
    def working(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        """A cursor, and the folder in which it may read and write files."""
        self.close()
        bootstrap = DuckDbBootstrap(self._settings().config).open()
        try:
            yield bootstrap.cursor(), bootstrap.config.staging
        finally:
            bootstrap.close()

    def ask(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.reading() as cursor:
            return cursor.execute(query, list(parameters)).fetchall()

    def digests(self, schema: str = "") -> dict[str, TableDigest]:
        """The checksum of each table, by its name; only those of one schema if it is given. Of a database that nobody
        has written since, they are known.
        """
        states = [(path.name, path.stat()) for path in sorted(self.folder.glob("sbf.duckdb*"))]
        written = [(name, state.st_ino, state.st_size, state.st_mtime_ns) for name, state in states]
        known = self._digests.get(schema)
        if known is None or known[0] != written:
            with self.reading() as cursor:
                tables = [table for table in warehouse_tables(cursor) if table.startswith(schema)]
                digests = digest_tables(cursor, keys={}, only=tables) if tables else []
            known = self._digests[schema] = written, {digest.table: digest for digest in digests}
        return dict(known[1])

    def copy(self, folder: Path) -> ScratchHome:
        """The same warehouse in another folder."""
        shutil.copytree(self.folder, folder)
        return ScratchHome(folder, self._manager)

    def rebuilt(self, folder: Path) -> ScratchHome:
        """The warehouse that comes out of the payloads of this one alone."""
        self.copy(folder)
        for path in folder.glob("sbf.duckdb*"):
            path.unlink()
        home = ScratchHome(folder, self._manager)
        rebuild(home._home())
        return home


class ScratchRecording:
    """A Bronze folder that is put together answer by answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = BronzeFileWriter(DuckDbConfig(home=folder, fsync="none"))

    def add(self, results: Iterable[RunResult]) -> None:
        """Keep answers."""
        self._writer.publish([self._writer.stage(result) for result in results])

    def close(self) -> Path:
        """No more answers; returns the folder."""
        self._writer.close()
        return self.folder


def answers_of(archive: BronzeArchive, vintage: Vintage) -> list[RunResult]:
    """What one recorded fetch brought, as it was."""
    return [
        attrs.evolve(archive.result(line, vintage.request), part=line.row.part, parts=line.row.parts)
        for line in vintage.lines
    ]
