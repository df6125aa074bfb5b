"""What a home of many small payloads costs to look after: memory must not grow with them."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))
from world import TICKERS, World

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.duck.config import DuckDbConfig
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

pytestmark = pytest.mark.skipif(
    not hasattr(os, "wait4"), reason="the system does not tell how much memory a child took"
)

_RUN_PAYLOADS = 2_500
_FIRST = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)


def home_of(world: World, home: Path, count: int) -> Path:
    """A home whose Bronze holds so many payloads of one row, and whose database is made of them."""
    writer = BronzeFileWriter(DuckDbConfig(home=home, fsync="none"))
    for start in range(0, count, _RUN_PAYLOADS):
        staged = []
        for number in range(start, min(start + _RUN_PAYLOADS, count)):
            day, ticker = (
                dt.date(1900, 1, 1) + dt.timedelta(days=number // len(TICKERS)),
                TICKERS[number % len(TICKERS)],
            )
            row = {"symbol": ticker, "date": str(day), "close": f"{number}.25"}
            request = RunRequest(run_id=f"many{start}", domain="prices", source="world", dataset="eod", ticker=ticker)
            moment = _FIRST + dt.timedelta(minutes=number)
            payload = json.dumps([row]).encode()
            staged.append(
                writer.stage(RunResult(request=request, address=f"{number}", payload=payload, fetched_at=moment))
            )
        writer.publish(staged)
    writer.close()
    done = world.sbf(home, "rebuild")
    assert done.returncode == 0, done.stderr
    return home


def peak_of(world: World, home: Path, *arguments: str) -> float:
    """The most memory that a command took, in MB; it ends well."""
    with (home / "told.txt").open("wb") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "sbf_core", *arguments],
            env=world.environment(home),
            stdout=told,
            stderr=told,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, (home / "told.txt").read_text()
    return used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def test_verify_takes_little_memory_for_each_payload(tmp_path: Path) -> None:
    world = World(tmp_path)
    small, large = (
        peak_of(world, home_of(world, tmp_path / f"home{count}", count), "verify") for count in (4_200, 7_200)
    )
    assert (large - small) * 1024 / 3_000 < 10, f"KB a payload: {small:.0f} MB and {large:.0f} MB"  # it was 36


@pytest.mark.slow
def test_fifty_thousand_payloads(tmp_path: Path) -> None:
    world = World(tmp_path)
    home = home_of(world, tmp_path / "home", 50_000)
    for command in ("verify", "rebuild"):
        assert peak_of(world, home, command) < 400, command
