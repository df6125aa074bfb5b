"""A home with many small payloads, and what looking after it costs:
``python care.py FOLDER [--payloads 20000] [--reps 3] [--seed 1] [--code CHECKOUT]``.

Makes the home by real runs where it is not there: series of a dataset, each asked once an hour, twenty rows a payload,
a gold table over them. Then measures ``verify``, ``backup`` and ``rebuild``, and a run with nothing due, ``status`` and
``plan``: seconds of wall and processor, and the peak of memory of the process. ``--code`` measures another checkout's
sbf; commands run in the home, because the folder of a checkout would come before ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from processes import Cost, install_plugin, measured, middle

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
    turn, seed = int(os.environ["CARE_TURN"]), int(os.environ["CARE_SEED"])
    start = dt.date(2020, 1, 1) + dt.timedelta(days=20 * turn)
    rows = [
        {"symbol": request.ticker, "date": str(start + dt.timedelta(days=day)), "close": f"{99 + seed + day}.{turn:02}",
         "volume": day * 100 * seed + turn}
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--code", type=Path, default=ROOT)
    parser.add_argument("--only", default="run,status,plan,verify,backup,rebuild")
    asked = parser.parse_args()
    folder = asked.folder.resolve()  # commands run in the home
    home = made(folder, asked.payloads, asked.seed)
    for name in asked.only.split(","):
        found = [cost_of(name, folder, home, code=asked.code.resolve(), rep=rep) for rep in range(asked.reps)]
        wall, cpu, peak, *_ = middle(found)
        print(f"sbf {name}: wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MB", flush=True)
    forget_backups(folder)
    return 0


def cost_of(name: str, folder: Path, home: Path, *, code: Path = ROOT, rep: int = 0) -> Cost:
    """Of a command in the home, which it leaves as it was. Each backup has a folder of its own: ext4 takes several
    times as long to make files for a while after many were deleted, also of the processor.
    """
    words = ["backup", str(folder / f"backup-{rep}")] if name == "backup" else [name]
    environment = _environment(folder, home, code)
    return measured([sys.executable, "-m", "sbf_core", *words], environment, cwd=str(home))


def forget_backups(folder: Path) -> None:
    """Those that were made here."""
    for backup in folder.glob("backup-*"):
        shutil.rmtree(backup)


def made(folder: Path, payloads: int, seed: int = 1) -> Path:
    """The home, made where it is not there."""
    home, making = folder / f"home-{payloads}-seed{seed}", folder / "making"
    if home.exists():
        return home
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    series = min(SERIES, payloads)
    letter = chr(ord("T") - 1 + seed % 7)
    (making / "tickers.txt").write_text("\n".join(f"{letter}{number:05}" for number in range(series)) + "\n")
    (making / "sbf.toml").write_text(
        '[universe]\nfile = "tickers.txt"\n[run]\nplugins = ["care"]\n[plugins]\nisolate = "none"\n'
    )
    environment = {**_environment(folder, making, ROOT), "CARE_SEED": str(seed)}
    for turn in range(max(1, payloads // series)):
        command = [sys.executable, "-m", "sbf_core", "run", "--force"]
        measured(command, {**environment, "CARE_TURN": str(turn)}, cwd=str(making))
    return making.rename(home)


def _environment(folder: Path, home: Path, code: Path) -> dict[str, str]:
    site = folder / "site"
    install_plugin(site, "care", PLUGIN)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(code), str(site)]),
        "SBF_HOME": str(home),
        "CARE_TURN": "0",
        "CARE_SEED": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
