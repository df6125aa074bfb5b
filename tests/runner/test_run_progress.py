"""What a run says of itself in live.json."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warehouse import START, FakeVendor, Warehouse, price

from sbf_core.clock import FixedClock
from sbf_core.failures import Failure, FailureKind
from sbf_core.fetching.run_progress import RunProgress
from sbf_core.http.rates import RateBook
from sbf_core.runs.context import RunContext
from sbf_core.runs.live import read_live
from sbf_core.vocabulary import RunStatus


def test_a_run_leaves_what_it_did(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says([price("A", "2024-01-01"), price("A", "2024-01-02")])
    warehouse.run()
    live = read_live(warehouse.home / "live.json")
    assert live is not None
    assert (live.status, live.files, live.rows, live.rejected) == ("ok", 1, 2, 0)
    assert [(one.dataset, one.requests, one.answered, one.files, one.rows) for one in live.datasets] == [
        ("prices/fake/eod", 1, 1, 1, 2)
    ]


def test_a_run_at_work_tells_stage_share_and_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sbf_core.fetching.run_progress._SECONDS_BETWEEN", HANG_SECONDS
    )  # its thread must not write beside us
    clock, place = FixedClock(START), tmp_path / "live.json"
    context = RunContext(run_id="r1", started_at=START)
    progress = RunProgress()
    progress.begin(context, place, clock)
    try:
        progress.start("fetch", 4)
        progress.asks(["a/b/c"] * 4)
        progress.answered("a/b/c", failed=True)
        progress.advance()
        context.failures.append(Failure(kind=FailureKind.OTHER, what="broken", dataset="a/b/c"))
        progress._write()
        live = read_live(place)
        assert live is not None
        assert (live.run_id, live.status, live.stage, live.done, live.total, live.share, live.errors) == (
            "r1",
            "running",
            "fetch",
            1,
            4,
            0.25,
            ["a/b/c: broken"],
        )
        assert live.seconds_left is not None
        assert (live.datasets[0].requests, live.datasets[0].answered, live.datasets[0].failed) == (4, 1, 1)
        assert not live.is_silent(START + dt.timedelta(seconds=5))
        assert live.is_silent(START + dt.timedelta(seconds=11))
    finally:
        context.status = RunStatus.OK
        progress.end()
    ended = read_live(place)
    assert ended is not None
    assert (ended.status, ended.stage) == ("ok", "")
    assert not ended.is_silent(START + dt.timedelta(days=1))


def test_a_run_at_work_tells_how_much_of_each_limit_is_used(tmp_path: Path) -> None:
    book = RateBook(tmp_path / "rates.sqlite")
    book.declare("vendor", ("2/second", "250/day"))
    for _ in range(2):
        book.take("vendor")
    progress = RunProgress()
    progress.begin(RunContext(run_id="r1", started_at=START), tmp_path / "live.json", FixedClock(START))
    progress.limited({"vendor": ["250/day"], "free": [], "never": ["9/day"]}, tmp_path / "rates.sqlite")
    progress.end()
    book.close()
    live = read_live(tmp_path / "live.json")
    assert live is not None
    assert [(one.source, one.limit, one.used, one.allowed) for one in live.limits] == [
        ("vendor", "250/day", 2, 250),
        ("never", "9/day", 0, 9),
    ]


def test_a_file_of_another_kind_is_no_news(tmp_path: Path) -> None:
    place = tmp_path / "live.json"
    assert read_live(place) is None
    for text in (
        "",
        "[]",
        "{}",
        json.dumps({"schema": "sbf.live/2"}),
        json.dumps({"schema": "sbf.live/1", "run_id": 5}),
    ):
        place.write_text(text)
        assert read_live(place) is None
