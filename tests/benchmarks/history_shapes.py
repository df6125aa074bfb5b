"""A history of which one percent changes each day, as ``days.py`` has it, beside the limit of ``limit_days.py``:
what a day costs and writes, without and with a gold table, and what a table as it was costs to add up.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import days as history
import duckdb
from processes import Cost, measured
from readings import LIMIT, OURS, Reading, Setting

HERE = Path(__file__).resolve().parent
LOAD, DAY = "first load", "a day"
#: At least, of a whole history: what a day writes differs by five times from one to the next.
DAYS = 5
#: Adds up two columns as they are and as they were, twenty times each, in a process that has read them before.
SCANS = """
import json, sys, time, sbf_core
home = sbf_core.open(sys.argv[1])
first = home.sql("SELECT min(finished_at)::VARCHAR FROM ops.file_ingestions").fetchall()[0][0]
tables = {"now": "silver.prices", "then": f"silver.prices_as_of(TIMESTAMPTZ '{first}')"}
took = {}
for name, table in tables.items():
    sql = f"SELECT sum(volume), sum(close) FROM {table}"
    volume = int(home.sql(sql).fetchall()[0][0])
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(20):
        home.sql(sql).fetchall()
    took[name] = [(time.perf_counter() - wall) / 20, (time.process_time() - cpu) / 20, volume]
print(json.dumps(took))
"""


def days(setting: Setting) -> Iterator[Reading]:
    """Without gold; then the table as it was before the days."""
    yield from _readings("days", setting, gold=False)


def gold(setting: Setting) -> Iterator[Reading]:
    """With a gold table of all rows."""
    yield from _readings("gold", setting, gold=True)


def _readings(shape: str, setting: Setting, *, gold: bool) -> Iterator[Reading]:
    size = history.history(seed=setting.seed, part=setting.part)
    count = max(DAYS if setting.part == 1 else 2, setting.reps)
    files = history.made(setting.folder / f"history-{size.label}", size, count)
    runs = setting.folder / f"{shape}-{size.label}"
    shutil.rmtree(runs, ignore_errors=True)
    home = history.home(runs / "home", files, gold=gold)
    scripts = _scripts(setting, runs, gold=gold)
    for day in range(count + 1):
        yield Reading(shape, DAY if day else LOAD, OURS, history.run(setting.sbf, home, files, day))
        for who, script in scripts.items():
            yield Reading(shape, DAY if day else LOAD, who, script(day, files))
    if not gold:
        for _ in range(setting.reps):
            yield from _scans(setting, home, [who for who in scripts if who != LIMIT], runs)
    shutil.rmtree(runs)


def _command(python: str | Path, script: Path, stage: str, folder: Path) -> list[str]:
    return [str(python), str(script), stage, str(folder)]


def _scripts(setting: Setting, runs: Path, *, gold: bool) -> Mapping[str, Callable[[int, Path], Cost]]:
    """Programs that take the same files."""
    found = {}
    if setting.with_limit:
        found[LIMIT] = (sys.executable, HERE / "limit_days.py")
    if not gold:
        found |= {
            peer: (str(setting.peers[peer]), HERE / "peers" / f"{peer}_days.py")
            for peer in ("ducklake", "arcticdb")
            if peer in setting.peers
        }

    def program(who: str) -> Callable[[int, Path], Cost]:
        folder, (python, script) = runs / who, found[who]
        folder.mkdir()

        def run(day: int, files: Path) -> Cost:
            names: Sequence[Path] = [files / f"day{day:02d}.csv"] if day else sorted(files.glob("part*.csv"))
            words = [history.moment(day), *(["--gold"] if gold else []), *map(str, names)]
            return measured([*_command(python, script, "day" if day else "load", folder), *words], os.environ)

        return run

    return {who: program(who) for who in found}


def _scans(setting: Setting, home: Path, peers: Sequence[str], runs: Path) -> Iterator[Reading]:
    """All must come to the same volume: what drops a row or a revision is no yardstick."""
    ours = [str(Path(setting.sbf).parent / "python"), "-c", SCANS, str(home)]
    took = _said(ours, history.environment(home))
    yield Reading("scan", "as of", OURS, Cost(*took["then"][:2]))
    yield Reading("scan", "as of", LIMIT, Cost(*took["now"][:2]))
    for peer in peers:
        script = HERE / "peers" / f"{peer}_days.py"
        other = _said([*_command(setting.peers[peer], script, "scan", runs / peer), history.moment(0)], os.environ)
        yield Reading("scan", "as of", peer, Cost(*other["then"][:2]))
        _same(peer, [other[name][2] for name in ("then", "now")], [took[name][2] for name in ("then", "now")])
    if setting.with_limit:
        with duckdb.connect(str(runs / LIMIT / "out.duckdb"), read_only=True) as conn:
            told = "SELECT sum(volume)::BIGINT FROM prices WHERE "
            moments = [f"known_from = TIMESTAMP '{history.moment(0)[:19]}'", "known_to IS NULL"]
            sums = [conn.execute(told + moment).fetchall()[0][0] for moment in moments]
        _same(LIMIT, sums, [took[name][2] for name in ("then", "now")])


def _same(who: str, sums: Sequence[float], ours: Sequence[float]) -> None:
    if list(sums) != list(ours):
        raise SystemExit(f"{who} has {sums} as volume as it was and as it is, sbf {ours}")


def _said(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, list[float]]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[:3]} failed: {done.stderr[-2000:]}")
    said: dict[str, list[float]] = json.loads(done.stdout)
    return said
