"""Many datasets of one small CSV file each: first run, a day on which one row of each is new and one revised, and a run
with nothing due; beside a program that reads each file into a table of its own.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from planning import bare_engine
from processes import install_plugin, measured
from readings import LIMIT, OURS, Reading, Setting

DATASETS, ROWS = 300, 400
NEXT = "2026-11-03T06:00:00+00:00"
PLUGIN = """
from sbf_core.api import *
@hookimpl
def datasets():
    columns = [Column(name="date", type="DATE", key=True, row_date=True), Column(name="count", type="BIGINT")]
    columns += [Column(name=name, type="DOUBLE") for name in ("low", "high", "mean")]
    return [DatasetKeymapEntry(domain="series", source="small", dataset=f"d{{n:04d}}", silver_table=f"d{{n:04d}}",
                               columns=columns, recipe=FileRecipe(path=f"d{{n:04d}}.csv"))
            for n in range({count})]
"""
LEAST = """
import hashlib, os, sys, duckdb
source, target, stage = sys.argv[1:4]
os.makedirs(f"{target}/kept/{stage}")
con = duckdb.connect(f"{target}/out.duckdb", config={"threads": 2})
con.execute("CREATE TABLE IF NOT EXISTS manifest (path VARCHAR, sha256 VARCHAR, bytes BIGINT)")
kinds = "{'date': 'DATE', 'count': 'BIGINT', 'low': 'DOUBLE', 'high': 'DOUBLE', 'mean': 'DOUBLE'}"
con.execute("BEGIN")
for name in sorted(os.listdir(source)):
    payload, path, table = open(f"{source}/{name}", "rb").read(), f"{target}/kept/{stage}/{name}", name[:-4]
    with open(path + ".tmp", "wb") as out:
        out.write(payload)
        out.flush()
        os.fsync(out.fileno())
    os.rename(path + ".tmp", path)
    con.execute("INSERT INTO manifest VALUES (?, ?, ?)", [path, hashlib.sha256(payload).hexdigest(), len(payload)])
    read = f"read_csv('{path}', columns={kinds}, auto_detect=false, header=true)"
    if stage == "first":
        con.execute(f"CREATE TABLE {table} AS FROM {read}")
    else:
        con.execute(f"MERGE INTO {table} AS t USING {read} AS s ON t.date = s.date WHEN MATCHED AND (t.count, t.low, "
                    "t.high, t.mean) IS DISTINCT FROM (s.count, s.low, s.high, s.mean) THEN UPDATE "
                    "WHEN NOT MATCHED THEN INSERT BY NAME")
con.execute("COMMIT")
con.close()
"""


def datasets(setting: Setting) -> Iterator[Reading]:
    """In turns, each time in a home of its own."""
    share = 1.0 if setting.seed == 1 else random.Random(setting.seed).uniform(0.9, 1.1)
    count, runs = round(DATASETS * share * setting.part), setting.folder / "datasets"
    shutil.rmtree(runs, ignore_errors=True)
    install_plugin(runs / "site", "small", PLUGIN.format(count=count))
    for rep in range(setting.reps):
        home, least = runs / f"home-{rep}", runs / f"least-{rep}"
        files = home / "files"
        files.mkdir(parents=True)
        environment = {**os.environ, "PYTHONPATH": str(runs / "site"), "SBF_HOME": str(home), "SBF_TESTING": "1"}
        for stage, moment, is_new in (
            ("first run", "2026-11-02T06:00:00+00:00", "first"),
            ("the next day", NEXT, "next"),
            ("nothing due", NEXT, ""),
        ):
            if is_new:
                _write(files, count, setting.seed, is_next=is_new == "next")
            command = [setting.sbf, "run", "--plugins", "small"]
            yield Reading("datasets", stage, OURS, measured(command, {**environment, "SBF_NOW": moment}))
            if setting.with_limit:
                program = [sys.executable, "-c", LEAST, str(files), str(least), is_new]
                yield Reading("datasets", stage, LIMIT, measured(program, os.environ) if is_new else bare_engine())
    shutil.rmtree(runs)


def _write(files: Path, count: int, seed: int, *, is_next: bool) -> None:
    for place in range(count):
        chance = random.Random(f"{seed}/{place}")
        rows = [_row(day, chance) for day in range(ROWS + 1)]
        if is_next:
            rows[-2] = _row(ROWS - 1, random.Random(f"{seed}/{place}/next"))
        text = "date,count,low,high,mean\n" + "".join(rows if is_next else rows[:-1])
        (files / f"d{place:04d}.csv").write_text(text)


def _row(day: int, chance: random.Random) -> str:
    low, high = chance.randrange(100_000) / 100, chance.randrange(100_000, 200_000) / 100
    date = f"{2010 + day // 336}-{day % 336 // 28 + 1:02d}-{day % 28 + 1:02d}"
    return f"{date},{chance.randrange(1_000_000)},{low},{high},{round((low + high) / 2, 3)}\n"
