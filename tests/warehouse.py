"""A small warehouse for tests: a home, a clock that stands still, and a vendor that says what it is told."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from asking import Rows, rows_of

from sbf_core.api import DatasetKeymapEntry, GoldModel, RunResult, UniverseMember, column, hookimpl
from sbf_core.clock import FixedClock
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings

START = dt.datetime(2024, 1, 2, 12, 0, tzinfo=dt.UTC)


@attrs.frozen
class Price:
    """The rows of the fake vendor."""

    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    close: Decimal | None = column(precision=18, scale=4, missing=("N/A",))
    volume: int | None = column()


def entry(**changes: Any) -> DatasetKeymapEntry:
    """The declaration of the fake vendor's dataset."""
    usual: dict[str, Any] = {
        "domain": "prices", "source": "fake", "dataset": "eod", "silver_table": "px",
        "columns": Price, "first_date": dt.date(2020, 1, 1), "horizon": "any",
    }  # fmt: skip
    return DatasetKeymapEntry(**{**usual, **changes})


def price(symbol: str, date: str, close: object = "1.5", volume: object = 10) -> dict[str, object]:
    """One row as the vendor writes it."""
    return {"symbol": symbol, "date": date, "close": close, "volume": volume}


class FakeVendor:
    """A plugin whose payloads are set by the test."""

    def __init__(self, *entries: DatasetKeymapEntry) -> None:
        self.entries = list(entries)
        self.payloads: dict[tuple[str, str | None], bytes | Exception | RunResult | None] = {}
        self.extension = "json"
        self.models: list[GoldModel] = []
        self.members: list[UniverseMember] = []
        self.asked: list[str] = []
        self.clock: FixedClock | None = None

    def says(
        self,
        rows: Sequence[Mapping[str, object]] | bytes | str | Exception,
        *,
        dataset: str = "eod",
        ticker: str | None = None,
    ) -> None:
        """From now on this is the answer."""
        if isinstance(rows, str):
            rows = rows.encode()
        self.payloads[dataset, ticker] = (
            rows if isinstance(rows, (bytes, Exception)) else json.dumps(list(rows)).encode()
        )

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        return self.entries

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: Any) -> Any:
        self.asked.append(request.key)
        answer = self.payloads[entry.dataset, request.ticker]
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, bytes):
            return answer
        assert self.clock is not None
        return RunResult(
            request=request,
            address=f"fake://{request.key}",
            payload=answer,
            extension=self.extension,
            fetched_at=self.clock.now(),
        )

    @hookimpl
    def build_gold(self) -> Sequence[GoldModel]:
        return self.models

    @hookimpl
    def universe_members(self) -> Sequence[UniverseMember]:
        return self.members


class Declared:
    """A plugin that is nothing but the declaration of a dataset, which is asked by its recipe."""

    def __init__(self, declared: DatasetKeymapEntry) -> None:
        self.declared = declared

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [self.declared]


class Warehouse:
    """A home in a folder of its own."""

    def __init__(self, home: Path, *plugins: object) -> None:
        self.home = home
        self.clock = FixedClock(START)
        self.plugins = {f"fake{number}" if number else "fake": plugin for number, plugin in enumerate(plugins)}
        for plugin in plugins:
            if isinstance(plugin, FakeVendor):
                plugin.clock = self.clock

    def opened(self, manager: PluginManager | None = None, **flags: Any) -> Home:
        """This home, with the test's plugins only, or those of a manager."""
        if manager is None:
            manager = PluginManager(())
            for name, plugin in self.plugins.items():
                manager.register(plugin, name=name)
        settings = Settings(
            self.home, flags={name.replace("__", "."): value for name, value in flags.items()}, environment={}
        )
        return Home(settings, clock=self.clock, plugins=manager)

    def runner(self, options: RunOptions | None = None, **flags: Any) -> Runner:
        """A runner over this home, with the test's plugins only."""
        return Runner(self.opened(**flags), options)

    def run(self, *, hours_later: float = 0, options: RunOptions | None = None, **flags: Any) -> RunContext:
        """One run, some time after the last one."""
        self.clock.advance(hours=hours_later)
        return self.runner(options, **flags).run()

    @contextmanager
    def open(self, *, read_only: bool = True) -> Any:
        """A cursor on the database."""
        bootstrap = DuckDbBootstrap(Settings(self.home, environment={}).config, read_only=read_only).open()
        try:
            yield bootstrap.cursor()
        finally:
            bootstrap.close()

    def ask(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""

        def opened() -> Rows:
            with self.open() as cursor:
                return cursor.execute(query, list(parameters)).fetchall()  # type: ignore[no-any-return]

        return rows_of(self.home / "sbf.duckdb", query, parameters, otherwise=opened)

    def bronze_files(self) -> list[str]:
        """Every payload on disk, relative to Bronze."""
        root = self.home / "bronze"
        return sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and "_journal" not in path.parts
        )


class Once:
    """A warehouse that is made once, and is for each test as it was made; its files lie at the same place each time, to
    which the views for readers lead.
    """

    def __init__(self, made: Warehouse) -> None:
        self._made, self._kept = copy.deepcopy(made), made.home.with_name(f"{made.home.name}-as-made")
        shutil.copytree(made.home, self._kept, symlinks=True)

    def again(self) -> Warehouse:
        """The warehouse; the one that the test before had is gone."""
        warehouse = copy.deepcopy(self._made)
        if warehouse.home.exists():
            shutil.rmtree(warehouse.home)
        shutil.copytree(self._kept, warehouse.home, symlinks=True)
        return warehouse


def counts_add_up(warehouse: Warehouse) -> None:
    """Row accounting, per file and per run."""
    per_file = (
        "FROM ops.promotion_manifest "
        "WHERE rows_seen <> rows_inserted + rows_updated + rows_unchanged + rows_rejected OR rows_unchanged < 0"
    )
    assert warehouse.ask(per_file) == []
    rejected = (
        "SELECT * FROM (SELECT bronze_file_id, rows_rejected AS n FROM ops.promotion_manifest) AS p "
        "FULL JOIN (SELECT bronze_file_id, count(*) AS n FROM ops.rejects GROUP BY 1) AS r USING (bronze_file_id) "
        "WHERE coalesce(p.n, 0) <> coalesce(r.n, 0)"
    )
    assert warehouse.ask(rejected) == []
