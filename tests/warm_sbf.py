"""``sbf`` in a process of its own that has everything imported when it begins: a fork of one that waits for work.

It is what ``python -m sbf_core`` is, with its own environment, folder, streams and end, and can be killed like any;
what it lacks is the start of Python and the imports, a third of what a short command takes, and the seconds between
attempts at a vendor. Where there is no fork it is that command itself. What begins with imports (closed streams,
signals while a module is loaded) has tests that do not use this.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CAN_FORK = hasattr(os, "fork")


class WarmSbf:
    """Starts commands, in as many threads as like: each has a process that waits for itself.

    Args:
        before: what stands before the command, such as a program that takes rights away.
    """

    def __init__(self, *before: str) -> None:
        self._before = before
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def run(
        self, arguments: Sequence[str], *, env: Mapping[str, str], timeout: float, cwd: str | Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command to its end; see ``subprocess.run`` with ``capture_output`` and ``text``."""
        command = [*self._before, sys.executable, "-m", "sbf_core", *arguments]
        if not CAN_FORK:
            return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, cwd=cwd)
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            umask = os.umask(0o077)
            os.umask(umask)
            wanted = {"arguments": list(arguments), "env": dict(env), "cwd": str(cwd or Path.cwd()), "umask": umask}
            code = self._asked({**wanted, "out": str(out), "err": str(err)}, command, timeout)
            texts = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (out, err)]
            return subprocess.CompletedProcess(command, code, *texts)

    def _asked(self, wanted: Mapping[str, Any], command: Sequence[str], timeout: float) -> int:
        server = self._taken()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(wanted).encode() + b"\n")
        server.stdin.flush()
        # Without a buffer, in which the second line may lie already, and of which ``select`` knows nothing.
        pid = int(server.stdout.readline())
        if not select.select([server.stdout], [], [], timeout)[0]:
            os.kill(pid, signal.SIGKILL)
            server.stdout.readline()
            raise subprocess.TimeoutExpired(command, timeout)
        status = int(server.stdout.readline())
        with self._lock:
            self._idle.append(server)
        return os.waitstatus_to_exitcode(status)

    def _taken(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if not self._all:
                atexit.register(self.close)
            usual = {name: value for name, value in os.environ.items() if not name.startswith(("SBF_", "COV"))}
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
            server = subprocess.Popen([*self._before, sys.executable, __file__], cwd=ROOT, env=usual, **pipes)
            self._all.append(server)
            return server

    def close(self) -> None:
        """End the processes that wait."""
        for server in self._all:
            assert server.stdin is not None
            server.stdin.close()
            server.wait()


WARM = WarmSbf()


def _serve() -> None:
    sys.path[:] = [str(ROOT), *(place for place in sys.path if place != str(ROOT / "tests"))]
    base = list(sys.path)
    for path in sorted((ROOT / "sbf_core").rglob("[a-z]*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not name.startswith(("sbf_core.web", "sbf_core.scaffold", "sbf_core.testing", "sbf_core.charts.draw")):
            import_module(name)
    import_module("zoneinfo")  # which the first run imports
    for point in entry_points(group="sbf.plugins"):  # 20 ms of each command
        if point.value.startswith("sbf_plugins."):
            point.load()
    attempts: Any = import_module("sbf_core.http.attempts")
    attempts._WAIT_SECONDS_FIRST, attempts._WAIT_SECONDS_MAX = 0.01, 0.02
    gc.freeze()  # no child looks through what it shares with this process, and so copies it
    assert len(list(Path("/proc/self/task").iterdir())) == 1 if sys.platform == "linux" else True, "no thread is forked"
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(wanted, base)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


def _become(wanted: Mapping[str, Any], base: Sequence[str]) -> None:
    """The command, in this process, which ends with it."""
    try:
        for place, name in ((1, wanted["out"]), (2, wanted["err"])):
            stream = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.dup2(stream, place)
            os.close(stream)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.environ.clear()
        os.environ.update(wanted["env"])
        os.chdir(wanted["cwd"])
        os.umask(wanted["umask"])
        more = [place for place in wanted["env"].get("PYTHONPATH", "").split(os.pathsep) if place]
        sys.path[:] = [wanted["cwd"], *more, *base]
        sys.argv = [str(ROOT / "sbf_core" / "__main__.py"), *wanted["arguments"]]
        faults: Any = import_module("sbf_core.faults")
        if os.environ.get("SBF_TESTING") == "1" and os.environ.get("SBF_FAULT"):  # as when the module is loaded
            faults._armed = faults._Armed(os.environ["SBF_FAULT"])
        import_module("sbf_core.__main__").main()
    finally:
        os._exit(97)


if __name__ == "__main__":
    _serve()
