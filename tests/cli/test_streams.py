"""A command whose standard streams are closed or full does its work, and no file of the home takes their numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closed by a shell of POSIX")
SBF = [sys.executable, "-m", "sbf_core"]


def with_streams(streams: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """sbf with some of its streams closed or led elsewhere, as a shell writes that."""
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", *SBF, *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was filled with all streams closed, as by a daemon."""
    place = tmp_path_factory.mktemp("closed") / "home"
    done = with_streams("<&- >&- 2>&-", "run", "--replay", "sample", home=place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return place


def test_a_home_that_was_filled_with_all_streams_closed_is_sound(home: Path) -> None:
    done = with_streams("", "verify", home=home)
    assert done.returncode == 0, done.stderr
    assert "All is well" in done.stdout


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", [("status",), ("run", "--replay", "sample"), ("sql", "SELECT 1")])
def test_closed_streams(home: Path, streams: str, arguments: tuple[str, ...]) -> None:
    done = with_streams(streams, *arguments, home=home)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert bool(done.stdout) is (">&-" not in streams.replace("2>&-", ""))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_line_for_the_user_that_cannot_be_told_costs_nothing_else(home: Path) -> None:
    assert with_streams("2>/dev/full", "verify", home=home).returncode == 0
    assert with_streams("2>/dev/full", "run", "--replay", "sample", home=home).returncode == 0
    result = with_streams(">/dev/full", "sql", "SELECT 1", home=home)  # a result that cannot be told is a fault
    assert result.returncode == 6
    assert result.stderr == (
        "sbf: error[ENVIRONMENT] the output cannot be written: No space left on device; standard output; "
        "lead it elsewhere; what the command did is done\n"
    )
    drawn = with_streams(">/dev/full", "chart", "gold.fact_fx_rate/rates", "--out", "-", home=home)
    assert (drawn.returncode, drawn.stderr) == (6, result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("run", "--replay", "sample"), ("sql", "FROM range(100000)", "--format", "csv", "--limit", "0")],
)
def test_a_reader_that_went_away_is_no_failure(home: Path, arguments: tuple[str, ...]) -> None:
    """``sbf status | head -0``: what the command did is what its exit code says."""
    read, write = os.pipe()
    os.close(read)
    try:
        command = [*SBF, *arguments, "--home", str(home)]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=300)
    finally:
        os.close(write)
    assert done.returncode == 0, done.stderr
    assert "rror" not in done.stderr


def test_no_thread_is_to_be_had_at_the_end(home: Path) -> None:
    """The command ends as it would; what was to be done at its end is left, because nobody could end that."""
    code = (
        "import sys, threading\nfrom sbf_core import signals\n"
        'def none(self): raise RuntimeError("can\'t start new thread")\n'
        "threading.Thread.start = none\nprint('done')\nsignals.leave(6)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (6, "done\n", "")


def test_letters_that_the_output_has_not(home: Path) -> None:
    """People see an escape; what programs read is exact, or refused with what to do."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*SBF, "sql", "SELECT 'é€' AS x", "--home", str(home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)

    assert "\\xe9\\u20ac" in told().stdout
    assert json.loads(told("--format", "json").stdout)["rows"] == [{"x": "é€"}]
    refused = told("--format", "csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        "error[ENCODING] the encoding of the output, ascii, has no '\\xe9'; set PYTHONIOENCODING=utf-8"
        in refused.stderr
    )


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f'mkdir "{gone}" && cd "{gone}" && rmdir "{gone}" && exec "$@"'
    environment = {name: value for name, value in os.environ.items() if name != "SBF_HOME"}
    done = subprocess.run(
        ["sh", "-c", script, "sh", *SBF, "status"], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 6
    assert done.stderr.startswith("sbf: error[ENVIRONMENT] a file cannot be used: No such file or directory")
    assert done.stderr.count("\n") == 1
