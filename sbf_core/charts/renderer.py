"""Draws charts in a process that is kept for the next one, and keeps the last pictures."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sbf_core.child.conversation import Conversation, ProcessOver, ProcessSilent
from sbf_core.child.group import ChildProcess
from sbf_core.errors import DatasetFailure

SECONDS_MAX = 20.0
#: The engine in it leaves its garbage lying while it has room: 85 MB with the first chart, 102 with the fifth, 150 with
#: the fiftieth (measured).
RESIDENT_BYTES_MAX = 102 * 1000**2
#: Where the system does not say how large it is.
_CHARTS_A_PROCESS = 6
_IDLE_SECONDS = 300.0
_PICTURES_KEPT = 32
_SMALLEST = {
    "data": {"values": [{"x": 1, "y": 1}]},
    "mark": "line",
    "encoding": {name: {"field": name, "type": "quantitative"} for name in "xy"},
}


class ChartRenderer:
    """Where pages have their charts drawn, one at a time.

    Args:
        environment: of the process; it needs no keys.
        seconds_max: how long one chart may take.
    """

    def __init__(self, environment: Mapping[str, str], *, seconds_max: float = SECONDS_MAX) -> None:
        self._environment = dict(environment)
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self._process: Conversation | None = None
        self._drawn = 0
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._idle: threading.Timer | None = None
        self._is_closed = False

    def draw(self, spec: Mapping[str, Any], kind: str) -> bytes:
        """The picture of a specification; see ``drawing.draw``.

        Raises:
            DatasetFailure: it cannot be drawn, or takes too long.
        """
        wanted = json.dumps({"kind": kind, "spec": spec})
        name = hashlib.sha256(wanted.encode()).hexdigest()
        with self._lock:
            known = self._pictures.get(name)
            if known is not None:
                self._pictures.move_to_end(name)
                return known
            picture = self._ask(wanted.encode())
            self._pictures[name] = picture
            while len(self._pictures) > _PICTURES_KEPT:
                self._pictures.popitem(last=False)
            return picture

    def _ask(self, wanted: bytes) -> bytes:
        if self._is_closed:
            raise DatasetFailure("the chart is not drawn: the pages end", code="CHART")
        process = self._running()
        try:
            process.say(wanted, seconds_max=self._seconds_max)
            answer = json.loads(process.hear(seconds_max=self._seconds_max))
            picture = process.hear(seconds_max=self._seconds_max)
        except (ProcessOver, ProcessSilent) as error:
            self._stop()
            why = (
                f"ended the process that draws, with code {error.code}"
                if isinstance(error, ProcessOver)
                else f"was not drawn within {self._seconds_max:g} s"
            )
            raise DatasetFailure(
                f"the chart {why}", fix="ask for less, or correct its specification", code="CHART"
            ) from None
        self._drawn += 1
        self._stop_when_idle()
        grown = answer["resident"] > RESIDENT_BYTES_MAX if answer["resident"] else self._drawn > _CHARTS_A_PROCESS
        if grown and self._drawn > 1:
            self._stop()
            threading.Thread(target=self._warm_up, name="sbf-charts", daemon=True).start()
        if "error" in answer:
            raise DatasetFailure(answer["error"], fix=answer["fix"], code="CHART")
        return picture

    def _warm_up(self) -> None:
        """Begin the next process and its engine, so that the next chart need not wait for them."""
        with self._lock:
            if self._process is None and not self._is_closed:
                with suppress(DatasetFailure):
                    self._ask(json.dumps({"kind": "svg", "spec": _SMALLEST}).encode())

    def _running(self) -> Conversation:
        if self._process is not None and self._process.has_ended():
            self._stop()
        if self._process is None:
            child = ChildProcess("sbf_core.charts.renderer_process", environment=self._environment)
            self._process = Conversation(child)
            self._drawn = 0
        return self._process

    def _stop_when_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(_IDLE_SECONDS, self._stop_idle)
        self._idle.daemon = True
        self._idle.start()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _stop_idle(self) -> None:
        with self._lock:
            self._stop()

    def close(self) -> None:
        """End the process, also in the middle of a chart."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.end()
        with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            self._stop()
