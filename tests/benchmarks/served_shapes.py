"""JSON that a vendor on loopback serves: cold, the next day, rebuild, beside the limit of ``limit_served.py``.

After each stage the table is added up: a program that drops a row or a revision is no yardstick.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
from processes import Cost, install_plugin, measured
from readings import LIMIT, OURS, Reading, Setting
from shapes import sized
from vendor import made

HERE = Path(__file__).resolve().parent
#: How the shapes of ``shapes.py`` are called here.
NAMES = {"small": "small", "medium": "json", "many": "many", "packed": "many"}
STAGES = ("cold", "increment", "rebuild")


def small(setting: Setting) -> Iterator[Reading]:
    """So little that the start counts."""
    yield from _readings("small", setting)


def medium(setting: Setting) -> Iterator[Reading]:
    """2.5 million rows."""
    yield from _readings("medium", setting)


def many(setting: Setting) -> Iterator[Reading]:
    """Payloads of five rows."""
    yield from _readings("many", setting)


def packed(setting: Setting) -> Iterator[Reading]:
    """The same, kept in packs."""
    yield from _readings("packed", setting)


def _readings(shape: str, setting: Setting) -> Iterator[Reading]:
    size = sized(NAMES[shape], seed=setting.seed, part=setting.part)
    data, runs = made(setting.folder, size), setting.folder / f"served-{size.label}"
    shutil.rmtree(runs, ignore_errors=True)
    programs = _programs(shape, setting)
    with _vendor(data) as base:
        for rep in range(setting.reps):
            for who, (program, stages) in programs.items():
                work = runs / f"{who}-{rep}"
                work.mkdir(parents=True)
                for stage in stages:
                    yield Reading(shape, stage, who, program(stage, base, work, data))
                    _check(work, who, stage, data)
    shutil.rmtree(runs)


Program = Callable[[str, str, Path, Path], Cost]


def _programs(shape: str, setting: Setting) -> dict[str, tuple[Program, tuple[str, ...]]]:
    programs: dict[str, tuple[Program, tuple[str, ...]]] = {OURS: (_ours(setting.sbf, shape), STAGES)}
    if setting.with_limit:
        programs[LIMIT] = (_script(sys.executable, HERE / "limit_served.py"), STAGES)
    if "dlt" in setting.peers and NAMES[shape] != "many":
        programs["dlt"] = (_script(str(setting.peers["dlt"]), HERE / "peers" / "dlt_served.py"), STAGES[:2])
    return programs


def _ours(sbf: str, shape: str) -> Program:
    def program(stage: str, base: str, work: Path, data: Path) -> Cost:
        site = work / "site"
        install_plugin(site, "bench", (HERE / "bench_plugin" / "sbf_bench.py").read_text())
        environment = {
            **os.environ, "PYTHONPATH": str(site), "SBF_HOME": str(work / "home"), "SBF_BENCH_URL": base,
            "SBF_TICKERS_FILE": str(data / "tickers.txt"), "SBF_PLUGINS": "bench",
            "SBF_BRONZE_SMALL": "packs" if shape == "packed" else "files",
        }  # fmt: skip
        since = json.loads((data / "meta.json").read_text())["day_from"]
        words = {"cold": ["run"], "increment": ["run", "--since", since], "rebuild": ["rebuild"]}
        return measured([sbf, *words[stage]], environment)

    return program


def _script(python: str, script: Path) -> Program:
    def program(stage: str, base: str, work: Path, data: Path) -> Cost:
        return measured([python, str(script), stage, base, str(work), str(data)], os.environ)

    return program


@contextlib.contextmanager
def _vendor(data: Path) -> Iterator[str]:
    """The address of one that serves this."""
    command = [sys.executable, str(HERE / "vendor.py"), str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.communicate()


def _check(work: Path, who: str, stage: str, data: Path) -> None:
    """That all rows are in the table, with the values that the vendor told last."""
    out = work / "out.duckdb"
    tables = {OURS: (work / "home" / "sbf.duckdb", "silver.prices"), LIMIT: (out, "prices"), "dlt": (out, "silver.eod")}
    database, name = tables[who]
    with duckdb.connect(str(database), read_only=True) as conn:
        found = conn.execute(f"SELECT count(*)::BIGINT, sum(volume)::BIGINT FROM {name}").fetchall()[0]
    wanted = json.loads((data / "meta.json").read_text())["cold" if stage == "cold" else "increment"]
    if list(found) != wanted:
        raise SystemExit(f"{who}, {stage}: the table has {list(found)} as rows and volume, not {wanted}")
