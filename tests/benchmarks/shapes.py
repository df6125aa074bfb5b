"""Shapes of payloads beside a limit program, in one run:
``python shapes.py FOLDER [--sbf NAME=PATH ...] [--shape csv ...] [--reps 3]``.

Each shape is a folder of files, one a ticker, that a FileRecipe reads. ``cold`` is the first ``sbf run``; ``rebuild``
makes the database again. The limit program is the least that gives the same: each payload kept as a file (temporary,
fsync, rename, SHA-256), one row a file in a manifest, one typed table without duplicates, by one ``read_csv`` or
``read_json`` with every type given. Shapes of one payload (``csvone`` of 0.9 GB, ``listone`` of 0.9 GB) are held
against less: a bare ``read_csv`` or ``read_json`` into a typed table, with the memory that sbf has. Prints seconds of
wall and processor, the peak of memory, and the ratios to the limit, pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from processes import install_plugin

NUMBERS = ("open", "high", "low", "close", "adj_close", "change", "change_percent", "vwap")
#: Payloads, rows of each, columns.
SHAPES = {
    "csv": (2000, 1250, 11), "csvs": (300, 1250, 11), "jsons": (300, 1250, 11),
    "json": (2000, 1250, 11), "wide": (400, 500, 60), "small": (200, 250, 11), "many": (10_000, 5, 11),
    "csvone": (1, 18_855_000, 7), "listone": (1, 8_140_000, 7),
}  # fmt: skip
ROWS_A_SYMBOL = 1250
PLUGIN = """
from sbf_core.api import *
@hookimpl
def datasets():
    columns = [Column(name="symbol", type="VARCHAR", key=True),
               Column(name="date", type="DATE", key=True, row_date=True), Column(name="volume", type="BIGINT")]
    columns += [Column(name=name, type="DOUBLE") for name in {numbers!r}]
    recipe = FileRecipe(path="{{ticker}}.{extension}", extension="{extension}")
    return [DatasetKeymapEntry(domain="prices", source="shapes", dataset="eod", scope="per_ticker", members={members!r},
                               silver_table="prices", columns=columns, recipe=recipe)]
"""
LIMIT = """
import hashlib, os, sys, duckdb
source, target, extension, numbers, stage = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(","), sys.argv[5]
os.makedirs(target + "/bronze", exist_ok=True)
con = duckdb.connect(target + "/out.duckdb", config={"threads": 2})
if stage == "cold":
    rows = []
    for name in sorted(os.listdir(source)):
        payload = open(f"{source}/{name}", "rb").read()
        path = f"{target}/bronze/{name}"
        with open(path + ".tmp", "wb") as out:
            out.write(payload)
            out.flush()
            os.fsync(out.fileno())
        os.rename(path + ".tmp", path)
        rows.append((name, path, hashlib.sha256(payload).hexdigest(), len(payload)))
    con.execute("CREATE TABLE manifest (file_id VARCHAR, path VARCHAR, sha256 VARCHAR, bytes BIGINT)")
    con.execute("INSERT INTO manifest SELECT unnest(?), unnest(?), unnest(?), unnest(?)",
                [list(column) for column in zip(*rows)])
else:
    con.execute("DROP TABLE prices")
    for path, digest in con.execute("SELECT path, sha256 FROM manifest").fetchall():
        assert hashlib.sha256(open(path, "rb").read()).hexdigest() == digest
paths = [row[0] for row in con.execute("SELECT path FROM manifest").fetchall()]
columns = {"symbol": "VARCHAR", "date": "DATE", "volume": "BIGINT", **{name: "DOUBLE" for name in numbers}}
listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"
files = "[" + ", ".join(f"'{path}'" for path in paths) + "]"
how = (
    f"read_csv({files}, columns={listed}, auto_detect=false, header=true, filename=true)"
    if extension == "csv"
    else f"read_json({files}, columns={listed}, format='array', filename=true)"
)
con.execute(
    f"CREATE TABLE prices AS SELECT r.* EXCLUDE (filename), m.file_id FROM {how} AS r "
    "JOIN manifest AS m ON m.path = r.filename "
    "QUALIFY row_number() OVER (PARTITION BY symbol, date ORDER BY file_id DESC) = 1"
)
con.close()
"""
BARE = """
import sys, duckdb
source, target, extension, numbers = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
con = duckdb.connect(target, config={"threads": 2, "memory_limit": "512MB"})
columns = {"symbol": "VARCHAR", "date": "DATE", "volume": "BIGINT", **{name: "DOUBLE" for name in numbers}}
how = "auto_detect=false, header=true" if extension == "csv" else "format='array'"
listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"
con.execute(f"CREATE TABLE prices AS SELECT * FROM read_{extension}('{source}/*', columns={listed}, {how})")
con.close()
"""


def main() -> int:
    """Make the payloads, run everything in turns, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sbf", action="append", default=[], help="NAME=PATH of an sbf to measure")
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--reps", type=int, default=3)
    asked = parser.parse_args()
    programs = dict(item.split("=", 1) for item in asked.sbf) or {"sbf": str(Path(sys.executable).parent / "sbf")}
    for shape in asked.shape or ["csv", "json", "wide"]:
        source = _payloads(asked.folder, shape)
        found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for rep in range(asked.reps):
            for name, sbf in programs.items():
                for stage, figures in _ours(asked.folder / f"{name}-{shape}-{rep}", source, shape, sbf).items():
                    found.setdefault((stage, name), []).append(figures)
            for stage, figures in _limit(asked.folder / f"limit-{shape}-{rep}", source, shape).items():
                found.setdefault((stage, "limit"), []).append(figures)
        _tell(shape, programs, found)
        for path in asked.folder.iterdir():
            if path.name.rpartition("-")[0].endswith(f"-{shape}"):
                shutil.rmtree(path)
    return 0


def _tell(shape: str, programs: dict[str, str], found: dict[tuple[str, str], list[tuple[float, float, float]]]) -> None:
    for stage in ("cold", "rebuild"):
        limit = found[stage, "limit"]
        for name in (*programs, "limit"):
            wall, used, peak = (statistics.median(column) for column in zip(*found[stage, name], strict=True))
            ratios = [
                [ours[place] / theirs[place] for ours, theirs in zip(found[stage, name], limit, strict=True)]
                for place in (0, 1)
            ]
            shown = " / ".join(f"{statistics.median(each):.2f}" for each in ratios)
            print(
                (
                    f"{shape:6} {stage:8} {name:10} wall {wall:7.2f} s  cpu {used:7.2f} s  "
                    f"peak {peak:6.0f} MB  ratio wall / cpu {shown}"
                ),
                flush=True,
            )


def _payloads(folder: Path, shape: str) -> Path:
    tickers, rows, _width = SHAPES[shape]
    extension = "csv" if shape.startswith("csv") else "json"
    target = folder / f"payloads-{shape}"
    if target.exists():
        return target
    target.mkdir(parents=True)
    names = _numbers(shape)
    head = ("symbol", "date", "volume", *names)
    for place in range(tickers):
        with (target / f"T{place:05d}.{extension}").open("w", buffering=1 << 20) as out:
            out.write(",".join(head) + "\n" if extension == "csv" else "[")
            out.writelines(_texts(head, place, rows, alone=tickers == 1, extension=extension))
            out.write("" if extension == "csv" else "]")
    return target


def _texts(head: tuple[str, ...], place: int, rows: int, *, alone: bool, extension: str) -> Iterator[str]:
    """The rows of a payload; of one that is alone with many symbols."""
    chance = random.Random(place)
    for row in range(rows):
        values = [chance.randrange(100, 99_999) / 100 for _ in range(len(head) - 3)]
        day = row % ROWS_A_SYMBOL
        symbol = f"T{row // ROWS_A_SYMBOL if alone else place:05d}"
        line = (
            symbol,
            f"{2000 + day // 336}-{day % 336 // 28 + 1:02d}-{day % 28 + 1:02d}",
            chance.randrange(9_000_000),
            *values,
        )
        if extension == "csv":
            yield ",".join(map(str, line)) + "\n"
        else:
            yield ("," if row else "") + json.dumps(dict(zip(head, line, strict=True)), separators=(",", ":"))


def _numbers(shape: str) -> tuple[str, ...]:
    width = SHAPES[shape][2]
    return NUMBERS[: width - 3] if width <= 11 else tuple(f"v{place}" for place in range(width - 3))


def _ours(home: Path, source: Path, shape: str, sbf: str) -> dict[str, tuple[float, float, float]]:
    extension = "csv" if shape.startswith("csv") else "json"
    site = home.with_name(home.name + ".site")
    members = tuple(sorted(path.stem for path in source.iterdir()))
    code = PLUGIN.format(numbers=list(_numbers(shape)), members=members, extension=extension)
    install_plugin(site, "shapes", code)
    home.mkdir()
    (home / "files").symlink_to(source.resolve())
    environment = {**os.environ, "PYTHONPATH": str(site), "SBF_HOME": str(home)}
    stages = {"cold": [sbf, "run", "--plugins", "shapes"], "rebuild": [sbf, "rebuild"]}
    found = {stage: _timed(command, environment) for stage, command in stages.items()}
    shutil.rmtree(site)
    return found


def _limit(target: Path, source: Path, shape: str) -> dict[str, tuple[float, float, float]]:
    extension = "csv" if shape.startswith("csv") else "json"
    if SHAPES[shape][0] == 1:
        target.mkdir()
        bare = [sys.executable, "-c", BARE, str(source)]
        return {
            stage: _timed([*bare, str(target / stage), extension, ",".join(_numbers(shape))], dict(os.environ))
            for stage in ("cold", "rebuild")
        }
    command = [sys.executable, "-c", LIMIT, str(source), str(target), extension, ",".join(_numbers(shape))]
    return {stage: _timed([*command, stage], dict(os.environ)) for stage in ("cold", "rebuild")}


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds of wall and processor of a command with its children, and its peak of memory in MB."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.stderr is not None
    said = done.stderr.read()
    _, status, usage = os.wait4(done.pid, 0)
    if status:
        sys.exit(f"{command[:3]} failed: {said.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used, usage.ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
