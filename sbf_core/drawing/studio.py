"""Draws charts in a process that is kept for the next one, and keeps the last pictures."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sbf_core.errors import DatasetFailure

SECONDS_MAX = 20.0
#: The process grows with what it draws (3 MB each hundred charts, measured), and holds 100 MB while it waits.
_CHARTS_A_PROCESS = 300
_IDLE_SECONDS = 300.0
_PICTURES_KEPT = 48


class Studio:
    """Where pages have their charts drawn, one at a time.

    Args:
        environment: of the process; it needs no keys.
        seconds_max: how long one chart may take.
    """

    def __init__(self, environment: Mapping[str, str], *, seconds_max: float = SECONDS_MAX) -> None:
        self._environment = dict(environment)
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._drawn = 0
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._idle: threading.Timer | None = None

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
            picture = self._ask(wanted.encode() + b"\n")
            self._pictures[name] = picture
            while len(self._pictures) > _PICTURES_KEPT:
                self._pictures.popitem(last=False)
            return picture

    def _ask(self, wanted: bytes) -> bytes:
        if self._drawn >= _CHARTS_A_PROCESS:
            self._stop()
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        too_long = threading.Timer(self._seconds_max, process.kill)
        too_long.daemon = True
        too_long.start()
        try:
            process.stdin.write(wanted)
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            picture = process.stdout.read(answer["bytes"]) if "bytes" in answer else b""
        except (OSError, ValueError) as error:
            self._stop()
            raise DatasetFailure(f"the chart was not drawn within {self._seconds_max:g} s", fix="ask for less, or correct its specification", code="CHART") from error
        finally:
            too_long.cancel()
        self._drawn += 1
        self._stop_when_idle()
        if "error" in answer:
            raise DatasetFailure(answer["error"], fix=answer["fix"], code="CHART")
        return picture

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "sbf_core.drawing.worker"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment)  # noqa: S603 - our own module
            self._drawn = 0
        return self._process

    def _stop_when_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(_IDLE_SECONDS, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def close(self) -> None:
        """End the process; the next chart begins another."""
        with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            self._stop()
