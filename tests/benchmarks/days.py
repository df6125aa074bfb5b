"""A history of which one percent changes each day: ``python days.py FOLDER [--sbf NAME=PATH ...] [--gold] [--days 5]``.

Five million rows of 2,000 symbols come in twenty CSV files; then each day brings one file of 50,000 rows: a new day of
every symbol, and the rest rows of any day with other values. Prints, for the first load and the median day, seconds of
wall and processor, megabytes written, and the peak of memory; then how long it takes to add up the table as it is, and
as it was before the first of the days. The numbers come from a hash of the key and the day, so each run is the same.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb
from processes import install_plugin

SYMBOLS, DAYS, PARTS = 2_000, 2_500, 20
CHANGED = 50_000
PLUGIN = """
from sbf_core.api import *
@hookimpl
def datasets():
    columns = [Column(name="symbol", type="VARCHAR", key=True),
               Column(name="date", type="DATE", key=True, row_date=True), Column(name="volume", type="BIGINT")]
    columns += [Column(name=name, type="DOUBLE") for name in ("open", "high", "low", "close")]
    return [DatasetKeymapEntry(domain="prices", source="days", dataset="eod", scope="per_ticker",
                               silver_table="prices", columns=columns, recipe=FileRecipe(path="{ticker}.csv"))]
"""
GOLD = """
@hookimpl
def build_gold():
    sql = "SELECT symbol, date, close, volume, close * volume AS turnover FROM silver.prices"
    return [GoldModel(name="fct_turnover", kind="fact", sql=sql, key=("symbol", "date"))]
"""
#: Values of a key on the day when they are said; 0 is the first load.
VALUES = """'S' || lpad(s::VARCHAR, 5, '0') AS symbol, DATE '2010-01-01' + d::INTEGER AS date,
    (hash(s, d, {day}, 'v') % 9000000)::BIGINT AS volume,
    {prices}"""
PRICES = ", ".join(
    f"(hash(s, d, {{day}}, '{name}') % 1000000)::DOUBLE / 100 AS {name}" for name in ("open", "high", "low", "close")
)


def main() -> int:
    """Make the files, run everything in turns, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sbf", action="append", default=[], help="NAME=PATH of an sbf to measure")
    parser.add_argument("--gold", action="store_true", help="with a gold table over it")
    parser.add_argument("--days", type=int, default=5)
    asked = parser.parse_args()
    programs = dict(item.split("=", 1) for item in asked.sbf) or {"sbf": str(Path(sys.executable).parent / "sbf")}
    files = _files(asked.folder, asked.days)
    homes = {name: _home(asked.folder / f"home-{name}", files, gold=asked.gold) for name in programs}
    members = ",".join(f"part{part:02d}" for part in range(PARTS))
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for day in range(asked.days + 1):
        for name, sbf in programs.items():
            if day:
                shutil.copyfile(files / f"day{day:02d}.csv", homes[name] / "files" / "today.csv")
            command = [sbf, "run", "--plugins", "days", "--tickers", "today" if day else members]
            figures = _timed(command, homes[name], day)
            found.setdefault((name, "a day" if day else "first load"), []).append(figures)
            print(f"  {name} day {day}: {_told(figures)}", file=sys.stderr, flush=True)
    for name, sbf in programs.items():
        for stage in ("first load", "a day"):
            figures = tuple(statistics.median(column) for column in zip(*found[name, stage], strict=True))
            print(f"{name:10} {stage:10} {_told(figures)}", flush=True)
        _tell_scans(name, sbf, homes[name])
    return 0


def _told(figures: tuple[float, ...]) -> str:
    wall, used, written, peak = figures
    return f"wall {wall:6.2f} s  cpu {used:6.2f} s  written {written:7.1f} MB  peak {peak:5.0f} MB"


def _files(folder: Path, days: int) -> Path:
    target = folder / "files"
    target.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"threads": 2})
    for part in range(PARTS):
        values = VALUES.format(day=0, prices=PRICES.format(day=0))
        symbols = f"range({SYMBOLS // PARTS * part}, {SYMBOLS // PARTS * (part + 1)}) AS a(s), range({DAYS}) AS b(d)"
        _copy(con, f"SELECT {values} FROM {symbols}", target / f"part{part:02d}.csv")
    for day in range(1, days + 1):
        values = VALUES.format(day=day, prices=PRICES.format(day=day))
        rest = CHANGED - SYMBOLS
        new = f"SELECT s, {DAYS + day - 1} AS d FROM range({SYMBOLS}) AS a(s)"
        old = (
            f"SELECT DISTINCT hash(n, {day}, 's') % {SYMBOLS} AS s, hash(n, {day}, 'd') % {DAYS} AS d "
            f"FROM range({rest}) AS a(n)"
        )
        _copy(con, f"SELECT {values} FROM ({new} UNION ALL {old})", target / f"day{day:02d}.csv")
    con.close()
    return target


def _copy(con: duckdb.DuckDBPyConnection, select: str, target: Path) -> None:
    if not target.exists():
        con.execute(f"COPY ({select}) TO '{target}' (HEADER)")


def _home(home: Path, files: Path, *, gold: bool) -> Path:
    site = home.with_name(f"{home.name}.site")
    install_plugin(site, "days", PLUGIN + (GOLD if gold else ""))
    (home / "files").mkdir(parents=True)
    for part in range(PARTS):
        (home / "files" / f"part{part:02d}.csv").symlink_to((files / f"part{part:02d}.csv").resolve())
    return home


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(home.with_name(f"{home.name}.site")), "SBF_HOME": str(home)}


def _timed(command: list[str], home: Path, day: int) -> tuple[float, ...]:
    """Seconds of wall and processor of a command with its children, megabytes written, and its peak of memory."""
    began = time.perf_counter()
    moment = {"SBF_TESTING": "1", "SBF_NOW": f"2026-11-{day + 1:02d}T06:00:00+00:00"}
    environment = {**_environment(home), **moment}
    done = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.stderr is not None
    said = done.stderr.read()
    _, status, usage = os.wait4(done.pid, 0)
    if status:
        sys.exit(f"{command[:3]} failed: {said.decode()[-2000:]}")
    used = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - began, used, usage.ru_oublock * 512 / 1e6, usage.ru_maxrss / 1024


def _tell_scans(name: str, sbf: str, home: Path) -> None:
    """How long the table takes as it is, and as it was, in a process that has read it once before."""
    script = (
        "import statistics, sys, time, sbf_core\n"
        "home = sbf_core.open(sys.argv[1])\n"
        "def took(sql):\n"
        "    times = []\n"
        "    for _ in range(7):\n"
        "        began = time.perf_counter(); home.sql(sql).fetchall(); times.append(time.perf_counter() - began)\n"
        "    return statistics.median(times)\n"
        "runs = 'SELECT min(finished_at)::VARCHAR FROM ops.file_ingestions'\n"
        "first = home.sql(runs).fetchall()[0][0]\n"
        "now = took('SELECT sum(volume), sum(close) FROM silver.prices')\n"
        "then = took(f\"SELECT sum(volume), sum(close) FROM silver.prices_as_of(TIMESTAMPTZ '{first}')\")\n"
        "print(f'{now:.3f} s as it is, {then:.3f} s as it was: {then / now:.2f}')\n"
    )
    python = str(Path(sbf).parent / "python")
    done = subprocess.run([python, "-c", script, str(home)], env=_environment(home), capture_output=True, text=True)
    print(f"{name:10} add up     {done.stdout.strip() or done.stderr[-400:]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
