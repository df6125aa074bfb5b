"""What a schedule writes is read as it was meant by the programs of the system."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.home.home import Home
from sbf_core.schedule.crontab import Crontab
from sbf_core.schedule.job import Job, job_of
from sbf_core.schedule.kinds import kind_named
from sbf_core.schedule.rhythm import Rhythm
from sbf_core.schedule.systemd import SystemdTimer, quoted_word
from sbf_core.schedule.windows import WindowsTask

HOURLY = Rhythm(minutes=60)
posix = pytest.mark.skipif(os.name != "posix", reason="programs of POSIX systems")

#: Keeps a crontab in a file, as the program does; and fails as it does.
_CRONTAB = """#!/bin/sh
kept="$SBF_TEST_CRONTAB"
case "$1" in
  -l) [ -f "$kept.denied" ] && { echo "you are not allowed to use this program" >&2; exit 1; }
      [ -f "$kept" ] || { echo "no crontab for somebody" >&2; exit 1; }; cat "$kept" ;;
  -) cat > "$kept" ;;
esac
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "my $HOME 100% of 'it'"
    folder.mkdir()
    return job_of(Home.at(folder), HOURLY)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program crontab of this test keeps its lines."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(_CRONTAB, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SBF_TEST_CRONTAB", str(tmp_path / "crontab"))
    return tmp_path / "crontab"


@pytest.mark.parametrize(
    ("minutes", "calendar", "cron"),
    [
        (5, "*-*-* *:00/5:00 UTC", "*/5 * * * *"), (60, "*-*-* 00/1:00:00 UTC", "0 */1 * * *"),
        (360, "*-*-* 00/6:00:00 UTC", "0 */6 * * *"), (1440, "*-*-* 00:00:00 UTC", "0 0 * * *"),
    ],
)  # fmt: skip
def test_rhythms(minutes: int, calendar: str, cron: str) -> None:
    rhythm = Rhythm(minutes=minutes)
    assert (rhythm.on_calendar, rhythm.cron, rhythm.iso_duration) == (calendar, cron, f"PT{minutes}M")
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


@pytest.mark.parametrize("minutes", [0, 7, 45, 90, 300, 1441])
def test_a_rhythm_is_an_even_part_of_an_hour_or_a_day(minutes: int) -> None:
    with pytest.raises(UsageError, match="no even part"):
        Rhythm(minutes=minutes)


def test_a_job_is_one_for_each_home(tmp_path: Path) -> None:
    names = {job_of(Home.at(tmp_path / name), HOURLY).name for name in ("a", "b", "a")}
    assert len(names) == 2
    job = job_of(Home.at(tmp_path / "a"), HOURLY)
    assert job.command[:4] == (sys.executable, "-P", "-m", "sbf_core")
    assert job.command[4:] == (
        "watch", "--once", "--log", str(tmp_path / "a" / "logs" / "schedule.log"), "--home", str(tmp_path / "a"),
    )  # fmt: skip


@posix
def test_units_are_taken_by_systemd(job: Job, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    for path, text in SystemdTimer(tmp_path / "units").texts(job).items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    units = sorted(map(str, (tmp_path / "units").iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", "--user", *units], check=False, capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if job.name in line]
    assert not ours, done.stderr


@given(word=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\n\t"), min_size=1))
def test_a_word_of_a_unit_is_read_as_it_is(word: str) -> None:
    text = quoted_word(word)
    assert text[0] == text[-1] == '"'
    inner, plain, at = text[1:-1], "", 0
    while at < len(inner):
        mark = inner[at]
        assert mark != '"', "the word ends here"
        if mark in "\\%$":
            at += 1
            assert mark == "\\" or inner[at] == mark, "a specifier, or a variable"
        plain += inner[at]
        at += 1
    assert plain == word


@posix
def test_a_line_of_the_crontab_is_read_as_it_is_by_a_shell(job: Job, tmp_path: Path) -> None:
    text = Crontab().texts(job)["crontab"]
    begin, line, end = text.splitlines()
    assert (begin, end) == (f"# begin {job.name}", f"# end {job.name}")
    assert line.startswith("0 */1 * * * ")
    assert "%" not in line.replace("\\%", "")
    command = line.removeprefix("0 */1 * * * ").replace("\\%", "%")  # as cron does
    printing = f"{shlex.quote(sys.executable)} -c 'import sys, json; print(json.dumps(sys.argv[1:]))'"
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{printing} {command}"], check=True, capture_output=True, text=True
    )  # fmt: skip
    assert tuple(json.loads(shown.stdout)) == job.command


@posix
def test_other_lines_of_the_crontab_stay(job: Job, kept: Path) -> None:
    others = "MAILTO=me\n5 4 * * * backup\n"
    kept.write_text(others, encoding="utf-8")
    cron = Crontab()
    assert cron.installed(job) == ""
    cron.install(job)
    cron.install(attrs.evolve(job, rhythm=Rhythm(minutes=30)))
    assert (
        kept.read_text(encoding="utf-8") == others + cron.texts(attrs.evolve(job, rhythm=Rhythm(minutes=30)))["crontab"]
    )
    kept.write_text(kept.read_text(encoding="utf-8") + "6 4 * * * other", encoding="utf-8")
    assert cron.installed(job).startswith(f"# begin {job.name}\n*/30 ")
    cron.remove(job)
    assert kept.read_text(encoding="utf-8") == others + "6 4 * * * other\n"
    cron.remove(job)


@posix
def test_a_crontab_is_begun_where_there_is_none(job: Job, kept: Path) -> None:
    Crontab().install(job)
    assert kept.read_text(encoding="utf-8") == Crontab().texts(job)["crontab"]


@posix
def test_a_crontab_that_cannot_be_read_is_not_written(job: Job, kept: Path) -> None:
    kept.write_text("5 4 * * * backup\n", encoding="utf-8")
    Path(f"{kept}.denied").touch()
    with pytest.raises(EnvironmentFault, match="not allowed to use this program"):
        Crontab().install(job)
    assert kept.read_text(encoding="utf-8") == "5 4 * * * backup\n"


@posix
def test_marks_that_somebody_broke_are_not_written_over(job: Job, kept: Path) -> None:
    kept.write_text(f"# begin {job.name}\n5 4 * * * backup\n", encoding="utf-8")
    with pytest.raises(EnvironmentFault, match="and none '# end"):
        Crontab().install(job)


def test_a_task_of_windows_holds_the_command(job: Job) -> None:
    (text,) = WindowsTask().texts(job).values()
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ET.fromstring(text.partition("?>")[2])
    assert task.findtext(f".//{space}Command") == job.command[0]
    assert task.findtext(f".//{space}Arguments") == subprocess.list2cmdline(job.command[1:])
    assert task.findtext(f".//{space}Interval") == "PT60M"
    assert task.findtext(f".//{space}StartWhenAvailable") == "true"
    assert task.findtext(f".//{space}MultipleInstancesPolicy") == "IgnoreNew"


def test_a_program_that_is_not_there(job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for kind in (Crontab(), WindowsTask()):
        assert kind.installed(job) == ""
        with pytest.raises(EnvironmentFault, match=r"there is no program .*; use another --with, or `sbf watch`"):
            kind.install(job)
    if sys.platform != "win32":
        with pytest.raises(UsageError, match="neither a systemd that answers you nor cron"):
            kind_named(None)


def test_there_is_no_other_kind() -> None:
    with pytest.raises(UsageError, match="there is no schedule 'launchd'; use one of systemd, cron, windows"):
        kind_named("launchd")
