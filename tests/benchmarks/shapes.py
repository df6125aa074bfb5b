"""Shapes of payloads beside a limit program, in one run:
``python shapes.py FOLDER [--sbf NAME=PATH ...] [--shape csv ...] [--reps 3] [--seed 1]``.

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
import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from processes import Cost, install_plugin, measured, middle

NUMBERS = ("open", "high", "low", "close", "adj_close", "change", "change_percent", "vwap")
#: Payloads, rows of each, columns.
SHAPES = {
    "csv": (2000, 1250, 11), "csvs": (300, 1250, 11), "jsons": (300, 1250, 11),
    "json": (2000, 1250, 11), "wide": (400, 500, 60), "small": (200, 250, 11), "many": (10_000, 5, 11),
    "csvone": (1, 18_855_000, 7), "listone": (1, 8_140_000, 7),
}  # fmt: skip
ROWS_A_SYMBOL = 1250


class Size(NamedTuple):
    """Of a shape, as a seed has it."""

    shape: str
    payloads: int
    rows: int
    """Of a payload; half of them have a little more or less where the seed is not 1."""
    width: int
    seed: int = 1

    @property
    def extension(self) -> str:
        """Of its files."""
        return "csv" if self.shape.startswith("csv") else "json"

    @property
    def label(self) -> str:
        """What tells its payloads from others."""
        return f"{self.shape}-{self.payloads}x{self.rows}-seed{self.seed}"

    def symbol(self, place: int) -> str:
        """Of a payload."""
        return f"{chr(ord('T') - 1 + self.seed % 7)}{place:05d}"

    def rows_of(self, place: int) -> int:
        """Of a payload."""
        return self.rows if self.seed == 1 else max(1, self.rows + (place * self.seed % 5 - 2) * self.rows // 40)


def sized(shape: str, *, seed: int = 1, part: float = 1) -> Size:
    """The size of a shape: of another seed than the first up to a tenth more or less, of a part so much less."""
    payloads, rows, width = SHAPES[shape]
    if seed != 1 and payloads > 1:
        payloads = round(payloads * random.Random(seed).uniform(0.9, 1.1))
    return Size(shape, max(1, round(payloads * part)), rows, width, seed)


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
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    programs = dict(item.split("=", 1) for item in asked.sbf) or {"sbf": str(Path(sys.executable).parent / "sbf")}
    for shape in asked.shape or ["csv", "json", "wide"]:
        found: dict[tuple[str, str], list[Cost]] = {}
        for stage, name, cost in in_turns(asked.folder, sized(shape, seed=asked.seed), programs, asked.reps):
            found.setdefault((stage, name), []).append(cost)
        _tell(shape, programs, found)
    return 0


def in_turns(
    folder: Path, size: Size, programs: Mapping[str, str], reps: int, *, with_limit: bool = True
) -> Iterator[tuple[str, str, Cost]]:
    """Stage, who and what it cost: each program and the limit, one after the other, as often as asked for.

    Homes lie until the end: ext4 is slow at making files for a while after many were deleted.
    """
    source = payloads(folder, size)
    for rep in range(reps):
        for name, sbf in programs.items():
            for stage, cost in _ours(folder / f"{name}-{size.label}-{rep}", source, size, sbf).items():
                yield stage, name, cost
        if with_limit:
            for stage, cost in _limit(folder / f"limit-{size.label}-{rep}", source, size).items():
                yield stage, "limit", cost
    for path in folder.iterdir():
        if path.name.rpartition("-")[0].endswith(f"-{size.label}"):
            shutil.rmtree(path)


def _tell(shape: str, programs: Mapping[str, str], found: dict[tuple[str, str], list[Cost]]) -> None:
    for stage in ("cold", "rebuild"):
        limit = found[stage, "limit"]
        for name in (*programs, "limit"):
            wall, used, peak, *_ = middle(found[stage, name])
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


def payloads(folder: Path, size: Size) -> Path:
    """The folder of the files, made where it is not there."""
    target, making = folder / f"payloads-{size.label}", folder / f"making-{size.label}"
    if target.exists():
        return target
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    head = ("symbol", "date", "volume", *numbers(size))
    for place in range(size.payloads):
        with (making / f"{size.symbol(place)}.{size.extension}").open("w", buffering=1 << 20) as out:
            out.write(",".join(head) + "\n" if size.extension == "csv" else "[")
            out.writelines(_texts(head, place, size))
            out.write("" if size.extension == "csv" else "]")
    return making.rename(target)


def _texts(head: tuple[str, ...], place: int, size: Size) -> Iterator[str]:
    """The rows of a payload; of one that is alone with many symbols."""
    chance = random.Random(place if size.seed == 1 else f"{size.seed}/{place}")
    for row in range(size.rows_of(place)):
        values = [chance.randrange(100, 99_999) / 100 for _ in range(len(head) - 3)]
        day = row % ROWS_A_SYMBOL if size.payloads == 1 else row
        line = (
            size.symbol(row // ROWS_A_SYMBOL if size.payloads == 1 else place),
            f"{2000 + day // 336}-{day % 336 // 28 + 1:02d}-{day % 28 + 1:02d}",
            chance.randrange(9_000_000),
            *values,
        )
        if size.extension == "csv":
            yield ",".join(map(str, line)) + "\n"
        else:
            yield ("," if row else "") + json.dumps(dict(zip(head, line, strict=True)), separators=(",", ":"))


def numbers(size: Size) -> tuple[str, ...]:
    """Names of its columns of numbers."""
    return NUMBERS[: size.width - 3] if size.width <= 11 else tuple(f"v{place}" for place in range(size.width - 3))


def _ours(home: Path, source: Path, size: Size, sbf: str) -> dict[str, Cost]:
    site = home.with_name("site." + home.name)
    members = tuple(sorted(path.stem for path in source.iterdir()))
    code = PLUGIN.format(numbers=list(numbers(size)), members=members, extension=size.extension)
    install_plugin(site, "shapes", code)
    home.mkdir()
    (home / "files").symlink_to(source.resolve())
    environment = {**os.environ, "PYTHONPATH": str(site), "SBF_HOME": str(home)}
    stages = {"cold": [sbf, "run", "--plugins", "shapes"], "rebuild": [sbf, "rebuild"]}
    return {stage: measured(command, environment) for stage, command in stages.items()}


def _limit(target: Path, source: Path, size: Size) -> dict[str, Cost]:
    columns, environment = ",".join(numbers(size)), dict(os.environ)
    if size.payloads == 1:
        target.mkdir()
        bare = [sys.executable, "-c", BARE, str(source)]
        return {
            stage: measured([*bare, str(target / stage), size.extension, columns], environment)
            for stage in ("cold", "rebuild")
        }
    command = [sys.executable, "-c", LIMIT, str(source), str(target), size.extension, columns]
    return {stage: measured([*command, stage], environment) for stage in ("cold", "rebuild")}


if __name__ == "__main__":
    sys.exit(main())
