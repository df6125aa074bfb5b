"""A table of 2.5 million rows made again, beside the limit's own rebuild, and what a reader waits meanwhile.

``python remake.py limit BENCH DATA TMP [--reps 5]`` gets the payloads into a home and into the folder of the limit
program, then makes the table again in turns: ``sbf run --only silver`` after its declaration changed, and stage s4 of
``BENCH/candidates/limit_cand.py``. DATA is what ``BENCH/gen.py`` wrote.
``python remake.py readers TMP`` makes it again in this process, with a thread that asks the old table all the time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("limit", "readers"))
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--reps", type=int, default=5)
    asked = parser.parse_args()
    if asked.what == "readers":
        return _readers(*asked.folders)
    return _beside_limit(*asked.folders, reps=asked.reps)


def _site(folder: Path) -> Path:
    """The benchmark's plugin, whose ``promote_version`` is in SBF_BENCH_VERSION."""
    site = folder / "site"
    if not site.exists():
        info = site / "sbf_bench-0.dist-info"
        info.mkdir(parents=True)
        text = (HERE / "bench_plugin" / "sbf_bench.py").read_text()
        assert "            silver_table=" in text
        (site / "sbf_bench.py").write_text(
            text.replace(
                "            silver_table=",
                '            promote_version=int(os.environ.get("SBF_BENCH_VERSION", "1")),\n            silver_table=',
                1,
            )
        )
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sbf-bench\nVersion: 0\n")
        (info / "entry_points.txt").write_text("[sbf.plugins]\nbench = sbf_bench\n")
    return site


def _environment(folder: Path, **more: str) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(_site(folder))])
    return {**os.environ, "PYTHONPATH": paths, "SBF_HOME": str(folder / "home"), "SBF_PLUGINS": "bench", **more}


def _beside_limit(bench: Path, data: Path, tmp: Path, *, reps: int) -> int:
    limit, home = tmp / "limit", tmp / "home"
    program = [sys.executable, str(bench / "candidates" / "limit_cand.py")]
    sbf = [sys.executable, "-m", "sbf_core", "run"]
    tickers = {"SBF_TICKERS_FILE": str(data / "tickers.txt")}
    if not home.exists():
        limit.mkdir(parents=True)
        server = subprocess.Popen(
            [sys.executable, str(bench / "server.py"), "--data", str(data)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            base = f"http://127.0.0.1:{server.stdout.readline().split()[-1].rpartition(':')[-1]}"
            _timed([*program, "s1", base, str(limit), str(data)], dict(os.environ))
            _timed(sbf, _environment(tmp, SBF_BENCH_URL=base, **tickers))
        finally:
            server.kill()
    found: dict[str, list[tuple[float, float, float]]] = {"sbf": [], "limit": []}
    for rep in range(reps):
        version = str(_version(tmp) + 1)
        found["sbf"].append(_timed([*sbf, "--only", "silver"], _environment(tmp, SBF_BENCH_VERSION=version, **tickers)))
        (tmp / "version").write_text(version)
        found["limit"].append(_timed([*program, "s4", "-", str(limit), str(data)], dict(os.environ)))
        print(rep, found["sbf"][-1], found["limit"][-1], flush=True)
    for name, figures in found.items():
        wall, used, peak = (statistics.median(column) for column in zip(*figures, strict=True))
        ratios = [
            statistics.median(ours[place] / theirs[place] for ours, theirs in zip(figures, found["limit"], strict=True))
            for place in (0, 1)
        ]
        print(
            f"{name:6} wall {wall:6.2f} s  cpu {used:6.2f} s  peak {peak:5.0f} MB  against limit, "
            f"pair by pair: wall {ratios[0]:.2f}, cpu {ratios[1]:.2f}"
        )
    return 0


def _version(tmp: Path) -> int:
    path = tmp / "version"
    return int(path.read_text()) if path.exists() else 1


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds of wall and processor of a command, and its peak of memory in MB."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = done.communicate()
    if done.returncode:
        sys.exit(f"{command} failed: {out[-1000:]} {err[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used, after.ru_maxrss / 1024


def _readers(tmp: Path) -> int:
    """The longest that one question took: before, while the table is made beside, while it is swapped, and after."""
    version = str(_version(tmp) + 1)
    os.environ.update(_environment(tmp, SBF_BENCH_VERSION=version))
    sys.path.insert(0, str(_site(tmp)))
    from sbf_core.home.home import Home
    from sbf_core.runner import remake_stage
    from sbf_core.runner.options import RunOptions
    from sbf_core.runner.runner import Runner
    from sbf_core.settings.settings import Settings
    from sbf_core.silver import remaking
    from sbf_core.vocabulary import Layer

    asked: list[tuple[float, float, int]] = []
    over, stage = threading.Event(), ["before"]
    marks: dict[str, float] = {}

    def read(cursor: object) -> None:
        symbol = cursor.execute("SELECT min(symbol) FROM silver.prices").fetchone()[0]  # type: ignore[attr-defined]
        while not over.is_set():
            began = time.perf_counter()
            rows = cursor.execute(  # type: ignore[attr-defined]
                "SELECT count(*) FROM silver.prices AS p WHERE p.symbol = ?", [symbol]
            ).fetchone()
            asked.append((began, time.perf_counter() - began, rows[0]))

    whole_init, whole_swap = remake_stage.RemakeStage.__init__, remaking.swap
    threads: list[threading.Thread] = []

    def init(self: object, ops: object, bootstrap: object, *more: object, **named: object) -> None:
        whole_init(self, ops, bootstrap, *more, **named)  # type: ignore[arg-type]
        threads.append(
            threading.Thread(target=read, args=(bootstrap.new_cursor(),), daemon=True)  # type: ignore[attr-defined]
        )
        threads[-1].start()
        time.sleep(1)
        marks["made"] = time.perf_counter()

    def swap(*arguments: object) -> None:
        marks["swapping"] = time.perf_counter()
        whole_swap(*arguments)  # type: ignore[arg-type]
        marks["swapped"] = time.perf_counter()
        time.sleep(1)
        over.set()
        threads[0].join()

    with mock.patch.object(remake_stage.RemakeStage, "__init__", init), mock.patch.object(remaking, "swap", swap):
        context = Runner(Home(Settings(tmp / "home")), RunOptions(only=Layer.SILVER)).run()
    (tmp / "version").write_text(version)
    assert context.remade_tables == 1, context
    assert len({rows for _, _, rows in asked}) == 1, "the table is whole whenever it is asked"
    ends = {
        "before": marks["made"],
        "while it is made beside": marks["swapping"],
        "while it is swapped": marks["swapped"],
        "after": float("inf"),
    }
    last = 0.0
    for name, end in ends.items():
        took = sorted(seconds * 1000 for began, seconds, _ in asked if last <= began + seconds and began < end)
        print(
            f"{name:24} {len(took):6} questions, median {statistics.median(took):6.2f} ms, "
            f"longest {', '.join(f'{one:.1f}' for one in took[-3:])} ms"
        )
        last = end
    print(json.dumps({"swap_seconds": round(marks["swapped"] - marks["swapping"], 3), "stage": stage[0]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
