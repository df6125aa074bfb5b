"""All requests wait in one loop: none keeps another waiting, and none keeps the end of a run waiting."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from faulty import STALL_SECONDS, FaultyVendor, Script, answer, stall
from hang import HANG_SECONDS
from warehouse import START, Warehouse, entry, price

from sbf_core.api import DatasetKeymapEntry, FetchSession, RestRecipe, RunRequest, RunResult, hookimpl
from sbf_core.clock import FixedClock
from sbf_core.http import vendor_session
from sbf_core.http.content import why_no_data
from sbf_core.http.live import LiveSession
from sbf_core.http.vendor_session import VendorSession

REQUEST = RunRequest(run_id="r", domain="prices", source="fake", dataset="eod")


def asking(live: LiveSession, **recipe: Any) -> VendorSession:
    return VendorSession(live, entry(recipe=RestRecipe(url="https://localhost/", **recipe)))


def test_closing_ends_what_is_under_way_and_what_comes_after(tmp_path: Path) -> None:
    live = LiveSession(FixedClock(START), files=tmp_path)
    session = asking(live)
    arrived = threading.Event()

    def silent(connection: socket.socket) -> bool:
        arrived.set()
        return stall()(connection)

    with FaultyVendor() as vendor:
        vendor.says("/odd", silent)
        answers: list[RunResult] = []
        waiting = threading.Thread(target=lambda: answers.append(session.get(REQUEST, vendor.url("/odd"))), daemon=True)
        waiting.start()
        assert arrived.wait(HANG_SECONDS)
        live.close()
        waiting.join(STALL_SECONDS)
        assert [each.kind for each in answers] == ["closed"]
        assert session.get(REQUEST, vendor.url("/odd")).kind == "closed"


NEVER_FOUND = """
import socket, sys, threading
from pathlib import Path
import attrs
socket.getaddrinfo = lambda *rest, **more: threading.Event().wait()
from sbf_core.api import DatasetKeymapEntry, RestRecipe, RunRequest, column
from sbf_core.clock import SystemClock
from sbf_core.http.live import LiveSession
from sbf_core.http.vendor_session import VendorSession
@attrs.frozen
class Row:
    day: str = column(key=True)
live = LiveSession(SystemClock(), files=Path(sys.argv[1]))
entry = DatasetKeymapEntry(domain="prices", source="odd", dataset="eod", silver_table="px", columns=Row,
                           recipe=RestRecipe(url="https://localhost/", deadline_seconds=0.3))
request = RunRequest(run_id="r", domain="prices", source="odd", dataset="eod")
print(VendorSession(live, entry).get(request, "http://nowhere.example.com/").kind)
live.close()
"""


def test_a_name_that_is_never_found_is_left_behind(tmp_path: Path) -> None:
    """By the request, and by the end of the process."""
    done = subprocess.run(
        [sys.executable, "-c", NEVER_FOUND, str(tmp_path)], capture_output=True, text=True, timeout=HANG_SECONDS
    )
    assert (done.stdout, done.stderr) == ("deadline\n", "")


def test_a_large_payload_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at, go_on = threading.Event(), threading.Event()

    def slow(declared: DatasetKeymapEntry, payload: bytes, *rest: Any, **more: Any) -> Any:
        if len(payload) > 1024**2:
            looked_at.set()
            assert go_on.wait(HANG_SECONDS), "nothing else went on"
        return why_no_data(declared, payload, *rest, **more)

    monkeypatch.setattr(vendor_session, "why_no_data", slow)
    live = LiveSession(FixedClock(START), files=tmp_path)
    session = asking(live)
    with FaultyVendor() as vendor, ThreadPoolExecutor(1) as pool:
        vendor.says("/large", answer(b"[" + b" " * 2 * 1024**2 + b"1]"))
        vendor.says("/small", answer(b"[1]"))
        large = pool.submit(session.get, REQUEST, vendor.url("/large"))
        assert looked_at.wait(HANG_SECONDS)
        small = session.get(REQUEST, vendor.url("/small"))
        go_on.set()
        assert small.payload == b"[1]"
        assert large.result(timeout=HANG_SECONDS).ok
    live.close()


def per_ticker(url: str, dataset: str) -> DatasetKeymapEntry:
    return entry(
        source="odd",
        dataset=dataset,
        silver_table=dataset,
        scope="per_ticker",
        recipe=RestRecipe(url=url + "?t={ticker}", connections=1),
    )


class Plain:
    """A dataset that its recipe fetches."""

    def __init__(self, url: str) -> None:
        self.url = url

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [per_ticker(self.url, "plain")]


class Hooked(Plain):
    """Another one of that vendor, which a hook fetches."""

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [per_ticker(self.url, "hooked")]

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> RunResult:
        return http.get(request, self.url)


class Busy:
    """A script that notes how many answers are under way at once."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.05)  # so that others would come meanwhile
        try:
            return self.script(connection)
        finally:
            with self._lock:
                self.now -= 1


def test_a_vendor_with_a_hook_keeps_its_number_of_connections(tmp_path: Path) -> None:
    with FaultyVendor() as vendor:
        busy = Busy(answer(json.dumps([price("A", "2024-01-01")]).encode()))
        vendor.says("/odd", busy)
        context = Warehouse(tmp_path / "home", Plain(vendor.url("/odd")), Hooked(vendor.url("/odd"))).run(
            universe__tickers=("A", "B", "C")
        )
        assert (context.requests, context.errors) == (6, [])
        assert busy.most == 1
