"""A small fixed world for runs in processes of their own:
a plugin that pip could have installed, its files, its recording.

Days one and two differ: rows are new, revised and gone, so that a run has history, rejects and gold to write.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
from asking import Rows, answer_of, rows_of
from hang import HANG_SECONDS
from warm_sbf import WARM

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.care.digest import digest_tables
from sbf_core.care.findings import Finding
from sbf_core.care.verify import Verification
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.settings.settings import Settings

TICKERS = ("AAA", "BRK.B", "CON", "ddd")
DAYS = (dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC), dt.datetime(2024, 1, 4, 12, tzinfo=dt.UTC))
ROOT = Path(__file__).resolve().parents[2]
PLUGIN = """
import datetime as dt
from decimal import Decimal
import attrs
from sbf_core.api import DatasetKeymapEntry, FileRecipe, GoldModel, Unique, column, hookimpl

@attrs.frozen
class Price:
    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    close: Decimal | None = column(precision=18, scale=4)

@attrs.frozen
class Member:
    symbol: str = column(key=True)
    name: str = column()

@attrs.frozen
class Day:
    ticker: str = column(key=True, source="request.ticker")
    date: dt.date = column(key=True, row_date=True)
    price: Decimal | None = column(source="close", precision=18, scale=4)

@hookimpl
def datasets():
    return [
        DatasetKeymapEntry(domain="prices", source="world", dataset="eod", scope="per_ticker", silver_table="world_eod",
                           columns=Price, first_date=dt.date(2024, 1, 1), reject_share_max=0.5,
                           recipe=FileRecipe(path="eod-{ticker}.json", extension="json")),
        DatasetKeymapEntry(domain="reference", source="world", dataset="members", silver_table="world_member",
                           columns=Member, semantics="snapshot",
                           recipe=FileRecipe(path="members.json", extension="json")),
        DatasetKeymapEntry(domain="prices", source="world", dataset="days", reads="prices/world/eod",
                           silver_table="world_day", columns=Day, reject_share_max=0.5),
    ]

@hookimpl
def build_gold():
    return [
        GoldModel(name="dim_world", key=("symbol",), surrogate_key="symbol_key",
                  sql="SELECT symbol, name FROM silver.world_member"),
        GoldModel(name="fact_world", key=("symbol", "date"), date_column="date",
                  sql="SELECT p.symbol, p.date, p.close, d.symbol_key FROM silver.world_eod p "
                      "LEFT JOIN gold.dim_world d USING (symbol)"),
    ]
"""


def payloads(day: int) -> dict[str, bytes]:
    """File name to content on a day (0 or 1)."""
    found: dict[str, bytes] = {}
    for number, ticker in enumerate(TICKERS):
        rows = [
            {"symbol": ticker, "date": f"2024-01-0{each}", "close": f"{number + each}.25"} for each in range(1, 3 + day)
        ]
        if day:
            rows[0]["close"] = "77.5"  # a revision
            rows.append({"symbol": ticker, "date": "2024-02-30", "close": "1"})  # no day: rejected
        found[f"eod-{ticker}.json"] = json.dumps(rows).encode()
    members = [{"symbol": ticker, "name": f"Name of {ticker}"} for ticker in TICKERS if not (day and ticker == "CON")]
    found["members.json"] = json.dumps(members).encode()
    return found


def install_plugin(site: Path) -> None:
    """A distribution in a folder of its own, as pip leaves it."""
    info = site / "sbf_world-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "sbf_world.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sbf-world\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\nworld = sbf_world\n")


def write_recording(folder: Path) -> None:
    """Both days as a Bronze folder."""
    writer = BronzeFileWriter(DuckDbConfig(home=folder))
    for day, moment in enumerate(DAYS):
        results = []
        for name, payload in sorted(payloads(day).items()):
            ticker = name.removeprefix("eod-").removesuffix(".json") if name.startswith("eod-") else None
            identity = ("prices", "eod") if ticker else ("reference", "members")
            request = RunRequest(
                run_id=f"world{day}", domain=identity[0], source="world", dataset=identity[1], ticker=ticker
            )
            results.append(RunResult(request=request, address=name, payload=payload, fetched_at=moment))
        writer.publish([writer.stage(result) for result in results])
    writer.close()


class World:
    """The plugin, the recording and a way to run ``sbf`` on them.

    Args:
        folder: where everything is kept.
        isolate: in whose processes hooks run, as ``plugins.isolate``: those of their own take as long as all the rest.
        small: how payloads are kept, as ``bronze.small``.
    """

    def __init__(self, folder: Path, *, isolate: str = "none", small: str = "files") -> None:
        self.folder = folder
        self.isolate = isolate
        self.small = small
        self.site = folder / "site"
        self.recording = folder / "recording"
        if not self.site.exists():
            install_plugin(self.site)
            write_recording(self.recording)

    def environment(self, home: Path, *, day: int = 1, **more: str) -> dict[str, str]:
        """What a child sees."""
        usual = {name: value for name, value in os.environ.items() if not name.startswith(("SBF_", "PYTHON", "COV"))}
        return {
            **usual, "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.site)]), "SBF_HOME": str(home),
            "SBF_TESTING": "1", "SBF_NOW": DAYS[day].isoformat(), "SBF_PLUGINS": "world",
            "SBF_TICKERS": ",".join(TICKERS), "SBF_FSYNC": "none", "SBF_THREADS": "1",
            "SBF_ISOLATE": self.isolate, "SBF_BRONZE_SMALL": self.small, **more,
        }  # fmt: skip

    def sbf(self, home: Path, *arguments: str, day: int = 1, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return WARM.run(arguments, env=self.environment(home, day=day, **more), timeout=HANG_SECONDS)

    def start(self, home: Path, *arguments: str, day: int = 1, **more: str) -> subprocess.Popen[str]:
        """Start a command."""
        command = [sys.executable, "-m", "sbf_core", *arguments]
        return subprocess.Popen(
            command,
            env=self.environment(home, day=day, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def program(self, home: Path, code: str, *arguments: str, day: int = 1) -> subprocess.Popen[str]:
        """Start a Python program."""
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(
            command, env=self.environment(home, day=day), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def manager(self) -> PluginManager:
        """The plugin in this process, for checks that need no process of their own.

        The module is not left behind: the next one of its name may be of another site.
        """
        spec = importlib.util.spec_from_file_location("sbf_world", self.site / "sbf_world.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["sbf_world"] = module  # attrs looks it up there
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules["sbf_world"]
        manager = PluginManager(())
        manager.register(module, name="world")
        return manager

    def findings(self, home: Path) -> list[Finding]:
        """What `sbf verify` finds."""
        settings = Settings(home, flags={"plugins.isolate": self.isolate}, environment={})
        return Verification(Home(settings, plugins=self.manager())).run().findings

    def set_day(self, home: Path, day: int) -> None:
        """The files of the source as they are on a day."""
        (home / "files").mkdir(parents=True, exist_ok=True)
        for name, payload in payloads(day).items():
            (home / "files" / name).write_bytes(payload)

    def first_day(self, home: Path) -> None:
        """A home after the first day, with the second day's files waiting."""
        done = self.folder / "first-day"
        if not done.exists():
            making = home.with_name(f"{home.name}-making")
            self.set_day(making, 0)
            answer = self.sbf(making, "run", day=0)
            assert answer.returncode == 0, answer.stderr
            self.set_day(making, 1)
            making.rename(done)
        shutil.copytree(done, home, dirs_exist_ok=True)

    def filled(self, home: Path) -> None:
        """A home into which the whole recording was replayed."""
        done = self.folder / "filled"
        if not done.exists():
            making = home.with_name(f"{home.name}-making")
            answer = self.sbf(making, "run", "--replay", str(self.recording))
            assert answer.returncode == 0, answer.stderr
            making.rename(done)
        shutil.copytree(done, home)


def digests(home: Path, *, bronze: Path | None = None) -> Mapping[str, tuple[int, str]]:
    """Rows and checksum of every silver and gold table."""

    def told(cursor: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[int, str]]:
        return {item.table: (item.rows, item.sha256) for item in digest_tables(cursor, keys={})}

    def opened() -> Mapping[str, tuple[int, str]]:
        bootstrap = DuckDbBootstrap(DuckDbConfig(home=home, bronze_folder=bronze), read_only=True).open()
        try:
            return told(bootstrap.cursor())
        finally:
            bootstrap.close()

    return answer_of(home / "sbf.duckdb", told, otherwise=opened)


def ask(home: Path, query: str) -> Sequence[tuple[object, ...]]:
    """The rows of a query over a home."""

    def opened() -> Rows:
        bootstrap = DuckDbBootstrap(DuckDbConfig(home=home), read_only=True).open()
        try:
            return bootstrap.cursor().execute(query).fetchall()
        finally:
            bootstrap.close()

    return rows_of(home / "sbf.duckdb", query, (), otherwise=opened)
