"""A home with many small payloads, and what looking after it costs:
``python care.py FOLDER [--payloads 20000] [--reps 3] [--code CHECKOUT]``.

Makes the home by real runs where it is not there: series of a dataset, each asked once an hour, twenty rows a payload,
a gold table over them. Then measures ``verify``, ``backup`` and ``rebuild``, and a run with nothing due, ``status`` and
``plan``: seconds of wall and processor, and the peak of memory of the process. ``--code`` measures another checkout's
sbf; commands run in the home, because the folder of a checkout would come before ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path

from processes import install_plugin, measured

ROOT = Path(__file__).resolve().parents[2]
SERIES = 1_000
PLUGIN = """
import datetime as dt
import json
import os

from sbf_core.api import *


@hookimpl
def datasets():
    columns = [
        Column(name="symbol", type="VARCHAR", key=True), Column(name="date", type="DATE", key=True, row_date=True),
        Column(name="close", type="DECIMAL(18,4)"), Column(name="volume", type="BIGINT"),
    ]
    return [DatasetKeymapEntry(domain="prices", source="care", dataset="eod", scope="per_ticker",
                               silver_table="care_eod", columns=columns, refresh_after_hours=0.5)]


@hookimpl
def fetch(entry, request):
    turn = int(os.environ["CARE_TURN"])
    start = dt.date(2020, 1, 1) + dt.timedelta(days=20 * turn)
    rows = [
        {"symbol": request.ticker, "date": str(start + dt.timedelta(days=day)), "close": f"{100 + day}.{turn:02}",
         "volume": day * 100 + turn}
        for day in range(20)
    ]
    payload = json.dumps(rows).encode()
    return RunResult(request=request, address=f"care://{request.ticker}/{turn}", payload=payload, extension="json",
                     fetched_at=dt.datetime.now(dt.timezone.utc))


@hookimpl
def build_gold():
    return [GoldModel(name="care_last", key=("symbol",),
                      sql="SELECT symbol, max(date) AS last, count(*) AS n FROM silver.care_eod GROUP BY symbol")]
"""


def main() -> int:
    """Make the home where it is not there, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--payloads", type=int, default=20_000)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--code", type=Path, default=ROOT)
    parser.add_argument("--only", default="run,status,plan,verify,backup,rebuild")
    asked = parser.parse_args()
    home = asked.folder / f"home-{asked.payloads}"
    if not home.exists():
        _make(asked.folder, home, asked.payloads)
    environment = _environment(asked.folder, home, asked.code)
    words = {
        "run": ["run"], "status": ["status"], "plan": ["plan"], "verify": ["verify"],
        "backup": ["backup", str(asked.folder / "backup")], "rebuild": ["rebuild"],
    }  # fmt: skip
    for name in asked.only.split(","):
        found = []
        for _ in range(asked.reps):
            shutil.rmtree(asked.folder / "backup", ignore_errors=True)
            found.append(measured([sys.executable, "-m", "sbf_core", *words[name]], environment, cwd=str(home)))
        wall, cpu, peak = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"sbf {name}: wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MB", flush=True)
    return 0


def _make(folder: Path, home: Path, payloads: int) -> None:
    home.mkdir(parents=True)
    series = min(SERIES, payloads)
    (home / "tickers.txt").write_text("\n".join(f"T{number:05}" for number in range(series)) + "\n")
    (home / "sbf.toml").write_text(
        '[universe]\nfile = "tickers.txt"\n[run]\nplugins = ["care"]\n[plugins]\nisolate = "none"\n'
    )
    environment = _environment(folder, home, ROOT)
    for turn in range(payloads // series):
        measured(
            [sys.executable, "-m", "sbf_core", "run", "--force"], {**environment, "CARE_TURN": str(turn)}, cwd=str(home)
        )


def _environment(folder: Path, home: Path, code: Path) -> dict[str, str]:
    site = folder / "site"
    install_plugin(site, "care", PLUGIN)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(code), str(site)]),
        "SBF_HOME": str(home),
        "CARE_TURN": "0",
    }


if __name__ == "__main__":
    sys.exit(main())
