"""Turns: what is due is run, whom it concerns is told, and a signal ends it well."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sbf_core.child.own_command import own_command, run_own
from sbf_core.clock import FixedClock
from sbf_core.file_lock import FileLock
from sbf_core.home.home import Home
from sbf_core.schedule.turn import Turn, take_turn
from sbf_core.schedule.watch import turns, wait_until

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
#: A plugin without datasets: it asks nobody.
QUIET = '[run]\nplugins = ["star"]\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "sbf.toml").write_text(QUIET, encoding="utf-8")
    return Home.at(folder)


class Lines(logging.Logger):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("lines")
        self.lines: list[str] = []

    def info(self, msg: object, *args: object, **kwargs: object) -> None:
        self.lines.append(str(msg))


def test_a_turn_runs_what_is_due(home: Home) -> None:
    log = Lines()
    assert take_turn(home, log) == Turn(run=0, alert=None)
    assert any("Nothing was due" in line for line in log.lines), log.lines


def test_a_turn_tells_whom_the_settings_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.folder / "sbf.toml").write_text(QUIET + "[alerts.mail]\nto = 'ALERT_MAIL'\n", encoding="utf-8")
    monkeypatch.setenv("ALERT_MAIL", "json://127.0.0.1:9/")
    log = Lines()
    assert take_turn(Home.at(home.folder), log) == Turn(run=0, alert=0)
    assert "alerts.mail: nothing new" in log.lines


@pytest.mark.parametrize(
    ("run", "alert", "code"),
    [(0, None, 0), (0, 0, 0), (4, None, 0), (4, 4, 0), (1, 0, 1), (0, 1, 1), (6, 1, 6), (4, 2, 2)],
)
def test_a_busy_home_is_no_failure(run: int, alert: int | None, code: int) -> None:
    assert Turn(run=run, alert=alert).exit_code == code


def test_a_busy_home_is_told_as_that(home: Home) -> None:
    lock = FileLock(home.config.lock)
    assert lock.acquire()
    done = subprocess.run(own_command(["watch", "--once"], home.folder), capture_output=True, text=True, check=False)
    lock.release()
    assert done.returncode == 0, done.stderr
    assert "the home is busy; the next turn finds what is due" in done.stderr, done.stderr


def test_the_log_has_the_lines_with_their_moments(home: Home) -> None:
    log = home.folder / "logs" / "w.log"
    words = ["watch", "--once", "--log", str(log)]
    subprocess.run(own_command(words, home.folder), check=True, capture_output=True)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert any("Nothing was due" in line for line in lines)
    dt.datetime.strptime(lines[0][:20], "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=dt.UTC)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(home: Home, number: signal.Signals) -> None:
    command = own_command(["watch", "--every", "1440"], home.folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:  # until the first turn is through
            if "Nothing was due" in line:
                break
        process.send_signal(number)
        assert process.wait() == 0
        assert process.stderr.read().splitlines()[-1] == "sbf: stopped; the next run goes on from here"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_a_signal_during_a_run_ends_the_run_in_order(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    script = (
        "import pathlib, signal, sys\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(ended)!r}).touch(), sys.exit(0)))\n"
        "print('ready', flush=True)\nsignal.pause()\n"
    )

    def interrupted(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match="ready"):
        run_own([sys.executable, "-c", script], interrupted)
    assert ended.exists()


def test_turns_begin_evenly(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FixedClock(NOON)
    lasts = iter([10, 75, 5])
    began: list[dt.datetime] = []

    def turn(*_: object) -> Turn:
        began.append(clock.now())
        clock.advance(minutes=next(lasts))
        return Turn(run=0, alert=None)

    monkeypatch.setattr("sbf_core.schedule.watch.take_turn", turn)
    watched = turns(
        Home.at(home.folder, clock=clock), every=dt.timedelta(hours=1),
        pause=lambda seconds: clock.advance(seconds=seconds),
    )  # fmt: skip
    for _ in range(3):
        next(watched)
    minutes = [(each - NOON).total_seconds() / 60 for each in began]
    assert minutes == [0, 60, 135]


def test_after_a_sleep_of_the_machine_it_goes_on_at_once() -> None:
    clock = FixedClock(NOON)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(hours=8)

    wait_until(NOON + dt.timedelta(hours=1), clock, longest=dt.timedelta(hours=1), pause=pause)
    assert pauses == [30.0]


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    clock = FixedClock(NOON)
    waited = 0.0

    def pause(seconds: float) -> None:
        nonlocal waited
        clock.advance(seconds=seconds if waited else -86_400)
        waited += seconds

    wait_until(NOON + dt.timedelta(minutes=10), clock, longest=dt.timedelta(minutes=10), pause=pause)
    assert waited <= 11 * 60
