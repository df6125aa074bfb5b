"""A panel of many days over a table with revisions, and what it costs:
``python panel.py FOLDER [--series 1000] [--days 2500] [--moments 250] [--reps 3]``.

Makes the home where it is not there: closes of series, published the day after, every twentieth revised twenty days
later, by real runs of a declared CSV. Then measures ``sbf_core.panel`` into a table in memory, as a program would; the
same without it, for what the process costs by itself; and ``sbf_core.open(as_of=...)`` with a scan.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import duckdb
from processes import Cost, install_plugin, measured, middle

PLUGIN = """
import os

from sbf_core.api import *


@hookimpl
def datasets():
    columns = [
        Column(name="symbol", type="VARCHAR", key=True), Column(name="date", type="DATE", key=True, row_date=True),
        Column(name="close", type="DECIMAL(18,4)"),
        Column(name="published", type="TIMESTAMP", zone="UTC", known_from=True),
    ]
    recipe = FileRecipe(path=os.environ['PANEL_CSV'])
    return [DatasetKeymapEntry(domain="prices", source="panel", dataset="eod", silver_table="panel_eod",
                               columns=columns, recipe=recipe, refresh_after_hours=0)]
"""
SETUP = "import datetime as dt, sbf_core; "
OPENED = "c = sbf_core.open('home'); "


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name, default in (("series", 1_000), ("days", 2_500), ("moments", 250), ("reps", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    folder = given.folder.resolve()
    install_plugin(folder / "site", "panel", PLUGIN)
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "PANEL_CSV": str(folder / "eod.csv")}
    if not (folder / "home" / "sbf.duckdb").exists():
        _make(folder, given.series, given.days, environment)
    step = max(1, given.days // given.moments)
    days = f"[dt.date(2016, 1, 31) + dt.timedelta(days={step} * n) for n in range({given.moments})]"
    questions = {
        "open": SETUP + OPENED,
        "panel": SETUP
        + OPENED
        + f"r = sbf_core.panel(c, 'panel_eod', {days}); print(r.aggregate('count(*), sum(close)').fetchall())",
        "open as of, and a scan": SETUP
        + "c = sbf_core.open('home', as_of='2020-01-31'); "
        + "print(c.sql('SELECT count(*), sum(close) FROM silver.panel_eod').fetchall())",
    }
    print(f"{given.series:,} series x {given.days:,} days, {given.moments} moments")
    for name, code in questions.items():
        cost: Cost = middle(
            [measured([sys.executable, "-c", code], environment, cwd=str(folder)) for _ in range(given.reps)]
        )
        print(f"{name:24} {_told(cost)}")
    return 0


def _told(cost: Cost) -> str:
    return f"{cost.wall:.2f} s, {cost.cpu:.2f} s of the processor, {cost.peak:.0f} MB"


def _make(folder: Path, series: int, days: int, environment: dict[str, str]) -> None:
    row = "'S' || s AS symbol, DATE '2016-01-01' + CAST(d AS INTEGER) AS date, ((s * 7919 + d * 31) % 10000) / 100"
    told = "TIMESTAMP '2016-01-01' + INTERVAL (d + {later}) DAY AS published"
    every = f"FROM range({series}) AS a(s), range({days}) AS b(d)"
    for later, where, more in ((1, "true", 0), (21, "(s + d) % 20 = 0", 1)):
        sql = f"SELECT {row} + {more} AS close, {told.format(later=later)} {every} WHERE {where}"
        duckdb.sql(f"COPY ({sql}) TO '{folder / 'eod.csv'}' (HEADER)")
        command = [sys.executable, "-m", "sbf_core", "run", "--plugins", "panel", "--home", "home", "--force"]
        print(*command[2:], _told(measured(command, environment, cwd=str(folder))))


if __name__ == "__main__":
    sys.exit(main())
