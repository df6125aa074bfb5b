"""A history of which one percent changes each day: ``python days.py FOLDER [--sbf NAME=PATH ...] [--gold] [--days 5]``.

Five million rows of 2,000 symbols come in twenty CSV files; then each day brings one file of 50,000 rows: a new day of
every symbol, and the rest rows of any day with other values. Prints, for the first load and the median day, seconds of
wall and processor, megabytes written, and the peak of memory; then how long it takes to add up the table as it is, and
as it was before the first of the days. The numbers come from a hash of the key and the day, so each run is the same.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
from processes import Cost, install_plugin, measured, middle

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
VALUES = """'{letter}' || lpad(s::VARCHAR, 5, '0') AS symbol, DATE '2010-01-01' + d::INTEGER AS date,
    (hash(s, d, {day}, 'v') % 9000000)::BIGINT AS volume,
    {prices}"""
PRICES = ", ".join(
    f"(hash(s, d, {{day}}, '{name}') % 1000000)::DOUBLE / 100 AS {name}" for name in ("open", "high", "low", "close")
)


class History(NamedTuple):
    """How large it is, and how much of it a day changes."""

    symbols: int = SYMBOLS
    days: int = DAYS
    changed: int = CHANGED
    seed: int = 1

    @property
    def label(self) -> str:
        """What tells its files from others."""
        return f"{self.symbols}x{self.days}-seed{self.seed}"

    def values(self, day: int) -> str:
        """In SQL, of a key ``s, d``."""
        said = day if self.seed == 1 else day + 1000 * self.seed
        return VALUES.format(letter=chr(ord("S") - 1 + self.seed % 7), day=said, prices=PRICES.format(day=said))


def history(*, seed: int = 1, part: float = 1) -> History:
    """Of another seed than the first up to a tenth more or less symbols, of a part so much less."""
    symbols = SYMBOLS if seed == 1 else SYMBOLS * random.Random(seed).uniform(0.9, 1.1)
    symbols = max(1, round(symbols * part / PARTS)) * PARTS
    return History(symbols, DAYS, symbols * DAYS // 100, seed)


def main() -> int:
    """Make the files, run everything in turns, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sbf", action="append", default=[], help="NAME=PATH of an sbf to measure")
    parser.add_argument("--gold", action="store_true", help="with a gold table over it")
    parser.add_argument("--days", type=int, default=5)
    asked = parser.parse_args()
    programs = dict(item.split("=", 1) for item in asked.sbf) or {"sbf": str(Path(sys.executable).parent / "sbf")}
    files = made(asked.folder / "files", history(), asked.days)
    homes = {name: home(asked.folder / f"home-{name}", files, gold=asked.gold) for name in programs}
    found: dict[tuple[str, str], list[Cost]] = {}
    for day in range(asked.days + 1):
        for name, sbf in programs.items():
            cost = run(sbf, homes[name], files, day)
            found.setdefault((name, "a day" if day else "first load"), []).append(cost)
            print(f"  {name} day {day}: {_told(cost)}", file=sys.stderr, flush=True)
    for name, sbf in programs.items():
        for stage in ("first load", "a day"):
            print(f"{name:10} {stage:10} {_told(middle(found[name, stage]))}", flush=True)
        _tell_scans(name, sbf, homes[name])
    return 0


def _told(cost: Cost) -> str:
    wall, used, peak, written, _ = cost
    return f"wall {wall:6.2f} s  cpu {used:6.2f} s  written {written:7.1f} MB  peak {peak:5.0f} MB"


def made(target: Path, size: History, days: int) -> Path:
    """The folder of the files; those that are there are taken."""
    target.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"threads": 2})
    for part in range(PARTS):
        some = size.symbols // PARTS
        symbols = f"range({some * part}, {some * (part + 1)}) AS a(s), range({size.days}) AS b(d)"
        _copy(con, f"SELECT {size.values(0)} FROM {symbols}", target / f"part{part:02d}.csv")
    for day in range(1, days + 1):
        rest = size.changed - size.symbols
        new = f"SELECT s, {size.days + day - 1} AS d FROM range({size.symbols}) AS a(s)"
        old = (
            f"SELECT DISTINCT hash(n, {day}, 's') % {size.symbols} AS s, hash(n, {day}, 'd') % {size.days} AS d "
            f"FROM range({rest}) AS a(n)"
        )
        _copy(con, f"SELECT {size.values(day)} FROM ({new} UNION ALL {old})", target / f"day{day:02d}.csv")
    con.close()
    return target


def _copy(con: duckdb.DuckDBPyConnection, select: str, target: Path) -> None:
    if not target.exists():
        making = target.with_suffix(".making")
        con.execute(f"COPY ({select}) TO '{making}' (HEADER)")
        making.rename(target)


def home(folder: Path, files: Path, *, gold: bool) -> Path:
    """An empty home, for which the parts lie ready."""
    install_plugin(_site(folder), "days", PLUGIN + (GOLD if gold else ""))
    (folder / "files").mkdir(parents=True)
    for part in range(PARTS):
        (folder / "files" / f"part{part:02d}.csv").symlink_to((files / f"part{part:02d}.csv").resolve())
    return folder


def _site(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.site")


def environment(folder: Path) -> dict[str, str]:
    """Of a command in a home."""
    return {**os.environ, "PYTHONPATH": str(_site(folder)), "SBF_HOME": str(folder)}


def moment(day: int) -> str:
    """When the run of a day begins; 0 is the first load."""
    return f"2026-11-{day + 1:02d}T06:00:00+00:00"


def run(sbf: str, folder: Path, files: Path, day: int) -> Cost:
    """What the run of a day costs."""
    members = ",".join(f"part{part:02d}" for part in range(PARTS))
    if day:
        shutil.copyfile(files / f"day{day:02d}.csv", folder / "files" / "today.csv")
    command = [sbf, "run", "--plugins", "days", "--tickers", "today" if day else members]
    return measured(command, {**environment(folder), "SBF_TESTING": "1", "SBF_NOW": moment(day)})


def _tell_scans(name: str, sbf: str, folder: Path) -> None:
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
    done = subprocess.run([python, "-c", script, str(folder)], env=environment(folder), capture_output=True, text=True)
    print(f"{name:10} add up     {done.stdout.strip() or done.stderr[-400:]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
