"""Looking after many small payloads, as ``care.py`` has them: verify, backup and rebuild, beside a limit program that
does the least of it with the same payloads.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator

import care as home_of_care
from processes import measured
from readings import LIMIT, OURS, Reading, Setting

PAYLOADS = 20_000
STAGES = ("verify", "backup", "rebuild")
LEAST = """
import hashlib, os, sys
from pathlib import Path
stage, bronze, target = sys.argv[1], sys.argv[2], Path(sys.argv[3])
payloads = [f"{folder}/{name}" for folder, _, names in os.walk(bronze) for name in names if name.endswith(".json")]
target.mkdir(parents=True)
if stage == "verify":
    for path in payloads:
        with open(path, "rb", buffering=0) as payload:
            hashlib.sha256(payload.read()).hexdigest()
elif stage == "backup":
    for number, path in enumerate(payloads):
        with open(path, "rb", buffering=0) as payload, open(f"{target}/{number}", "wb", buffering=0) as out:
            out.write(payload.read())
            os.fsync(out.fileno())
else:
    import duckdb
    joined = f"{target}/joined.ndjson"
    with open(joined, "wb", buffering=1 << 20) as out:
        for number, path in enumerate(payloads):
            with open(path, "rb", buffering=0) as payload:
                text = payload.read()
            hashlib.sha256(text).hexdigest()
            out.write(b'{"f":%d,"r":%s}\\n' % (number, text))
    kinds = "STRUCT(symbol VARCHAR, date DATE, close DECIMAL(18,4), volume BIGINT)[]"
    con = duckdb.connect(f"{target}/out.duckdb", config={"threads": 2})
    con.execute(
        "CREATE TABLE prices AS SELECT * FROM (SELECT u.*, f FROM (SELECT f, unnest(r) AS u "
        f"FROM read_json('{joined}', columns={{'f': 'BIGINT', 'r': '{kinds}'}}, format='newline_delimited'))) "
        "QUALIFY row_number() OVER (PARTITION BY symbol, date ORDER BY f DESC) = 1")
    con.close()
"""


def care(setting: Setting) -> Iterator[Reading]:
    """Each command in turns with the least."""
    share = 1.0 if setting.seed == 1 else random.Random(setting.seed).uniform(0.9, 1.1)
    folder, least = setting.folder / "care", setting.folder / "care-least"
    home = home_of_care.made(folder, round(PAYLOADS * share * setting.part), setting.seed)
    home_of_care.forget_backups(folder)
    shutil.rmtree(least, ignore_errors=True)
    for rep in range(setting.reps):
        for stage in STAGES:
            yield Reading("care", stage, OURS, home_of_care.cost_of(stage, folder, home, rep=rep))
            if setting.with_limit:
                command = [sys.executable, "-c", LEAST, stage, str(home / "bronze"), str(least / f"{stage}-{rep}")]
                yield Reading("care", stage, LIMIT, measured(command, os.environ))
    shutil.rmtree(least, ignore_errors=True)
    home_of_care.forget_backups(folder)
