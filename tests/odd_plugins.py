"""A plugin that does what a test wants, as pip would have installed it."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from warehouse import START, FakeVendor, entry, price

from sbf_core.clock import FixedClock
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.settings.settings import Settings

HEAD = """
import datetime as dt, json, os, sys, time
import attrs
from sbf_core.api import *

@attrs.frozen
class Price:
    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    close: float | None = column()

@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="prices", source="odd", dataset="eod", silver_table="odd_eod", columns=Price,
                               first_date=dt.date(2024, 1, 1))]

def rows():
    return json.dumps([{"symbol": "A", "date": "2024-01-02", "close": 1.5}]).encode()

def result(request, **more):
    usual = dict(request=request, address="odd://", payload=rows(),
                 fetched_at=dt.datetime(2024, 1, 2, 12, tzinfo=dt.timezone.utc))
    return RunResult(**{**usual, **more})
"""


def fetch_with(body: str) -> str:
    """A plugin whose hook fetch does that."""
    return HEAD + f"\n@hookimpl\ndef fetch(entry, request, http):\n    {body}\n"


def promote_with(body: str) -> str:
    """A plugin whose hook promote does that."""
    return fetch_with("return result(request)") + f"\n@hookimpl\ndef promote(entry, batch):\n    {body}\n"


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, home: str = "home", **flags: Any) -> RunContext:
    """A run with the odd plugin, as pip would have installed it, beside a good one."""
    module = f"odd_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.modules.pop(module, None)
    manager = PluginManager([EntryPoint(name="odd", value=module, group="sbf.plugins")])
    good = FakeVendor(entry())
    good.clock = FixedClock(START)
    good.says([price("G", "2024-01-01")])
    manager.register(good, name="good")
    settings = Settings(
        tmp_path / home, flags={name.replace("__", "."): value for name, value in flags.items()}, environment={}
    )
    return Runner(Home(settings, clock=FixedClock(START), plugins=manager)).run()


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes() if Path("/proc").exists() else True


def installed(site: Path, name: str, text: str) -> None:
    """A package of one module in a folder for PYTHONPATH, with its entry point."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}.py").write_text(text)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[sbf.plugins]\n{name} = {name}\n")
