"""Ctrl-C in a terminal, which reaches every process of the command:
one line, no traceback, the documented exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from hang import HANG_SECONDS, wait_until

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="signals to a group of processes are sent with POSIX means here"
)

_LINE = "sbf: interrupted; the next run goes on from here"
#: Each command, and a point at which it is at work.
_AT_WORK = [
    (("run", "--replay", "sample", "--plugins", "iso4217"), "promote.begun"),
    (("verify",), "promote.preparing"),
    (("verify",), "home.open"),
    (("rebuild",), "promote.begun"),
    (("repair",), "home.open"),
    (("backup", "COPY"), "whole.half"),
    (("restore", "BACKUP"), "whole.half"),
    (("sql", "SELECT 1"), "home.open"),
    (("chart",), "home.open"),
    (("status",), "home.open"),
    (("doctor",), "home.open"),
]
#: Holds up the loading of a module until a file is there, and tells when it goes on.
_GATE = """
import os, sys, time
from importlib.abc import MetaPathFinder
class Gate(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            open({mark!r}, "w").close()
            while not os.path.exists({go!r}):
                time.sleep(0.005)
            open({passed!r}, "w").close()
sys.meta_path.insert(0, Gate())
"""


def _begin(arguments: tuple[str, ...], home: Path, **variables: str) -> subprocess.Popen[str]:
    """A command as a terminal begins it: in the foreground, in a group of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
    return subprocess.Popen(
        [sys.executable, "-m", "sbf_core", *arguments, "--home", str(home)], env={**environment, **variables},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def _press_ctrl_c(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=HANG_SECONDS)
    return child.returncode, out, err


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("filled") / "home"
    child = _begin(("run", "--replay", "sample", "--plugins", "iso4217,ecb"), home)
    _, err = child.communicate(timeout=HANG_SECONDS)
    assert child.returncode == 0, err
    child = _begin(("backup", str(home.parent / "backup")), home)
    assert child.wait(HANG_SECONDS) == 0
    child.communicate()
    return home


@pytest.mark.parametrize(
    ("arguments", "point"), _AT_WORK, ids=lambda value: value[0] if isinstance(value, tuple) else value
)
def test_a_command_ends_with_one_line(filled: Path, tmp_path: Path, arguments: tuple[str, ...], point: str) -> None:
    home, mark = tmp_path / "home", tmp_path / "mark"
    if arguments[0] not in ("run", "restore"):
        shutil.copytree(filled, home)
    places = {"COPY": str(tmp_path / "copy"), "BACKUP": str(filled.parent / "backup")}
    child = _begin(
        tuple(places.get(word, word) for word in arguments),
        home,
        SBF_TESTING="1",
        SBF_FAULT=f"{point}:1:hold",
        SBF_FAULT_MARK=str(mark),
    )
    wait_until(mark.exists, child=child)
    code, _, err = _press_ctrl_c(child)
    logged = ("sbf: Recovered.", "sbf: Journals read.", "sbf: Ingestion complete.")
    said = [line for line in err.splitlines() if not line.startswith(logged)]
    assert (code, said) == (130, [_LINE])


@pytest.mark.parametrize("module", ["typer", "duckdb", "_duckdb"])
def test_a_command_that_is_still_being_loaded_ends_with_one_line(filled: Path, tmp_path: Path, module: str) -> None:
    """Only once the module is whole: DuckDB aborts the process where Python throws an error while it begins."""
    mark, go, passed = (tmp_path / name for name in ("mark", "go", "passed"))
    (tmp_path / "sitecustomize.py").write_text(
        _GATE.format(module=module, mark=str(mark), go=str(go), passed=str(passed)), encoding="utf-8"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    child = _begin(("sql", "SELECT 1"), filled, PYTHONPATH=path)
    wait_until(mark.exists, child=child)
    os.killpg(child.pid, signal.SIGINT)
    go.touch()
    out, err = child.communicate(timeout=HANG_SECONDS)
    assert (child.returncode, out, err) == (130, "", f"{_LINE}\n")
    assert passed.exists()


def test_twice_ends_at_once_also_while_it_is_being_loaded(filled: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "sitecustomize.py").write_text(
        _GATE.format(module="duckdb", mark=str(mark), go="/nowhere/go", passed=str(mark)), encoding="utf-8"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    child = _begin(("sql", "SELECT 1"), filled, PYTHONPATH=path)
    wait_until(mark.exists, child=child)
    os.killpg(child.pid, signal.SIGINT)
    wait_until(lambda: _pressed_again(child))
    _, err = child.communicate(timeout=HANG_SECONDS)
    assert (child.returncode, err) == (130, "")


def _pressed_again(child: subprocess.Popen[str]) -> bool:
    """Two signals at one moment are one for the system, so it is pressed until it is heard."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)
    return child.poll() is not None


@pytest.mark.parametrize(
    "asked", ["", "charts/silver.ecb_reference_rate/rates.svg", "charts/silver.ecb_reference_rate/rates.png"]
)
def test_pages_end_without_a_word(filled: Path, asked: str) -> None:
    """Also once a chart was seen: the process that drew it ends with them, and says nothing of its own."""
    child = _begin(("ui", "--port", "0", "--json"), filled)
    assert child.stdout is not None
    place = json.loads(child.stdout.readline())["url"]
    if asked:
        with urllib.request.urlopen(place + asked, timeout=HANG_SECONDS) as answer:
            assert answer.status == 200
    assert _press_ctrl_c(child) == (0, "", "")


def test_pages_end_in_the_middle_of_a_question(filled: Path) -> None:
    child = _begin(("ui", "--port", "0", "--json"), filled)
    assert child.stdout is not None
    place = json.loads(child.stdout.readline())["url"]
    asker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import urllib.request; urllib.request.urlopen('{place}sql?query=SELECT+sleep_ms(4000)')",
        ],
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: _children(child.pid), child=child)
    assert _press_ctrl_c(child) == (0, "", "")
    assert asker.wait(HANG_SECONDS) == 1, "the question was answered"


def _children(pid: int) -> list[str]:
    """The processes that a process has begun."""
    done = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)] if sys.platform == "linux" else ["pgrep", "-P", str(pid)],
        capture_output=True,
        text=True,
    )
    return done.stdout.split()
