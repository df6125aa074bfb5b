"""``sbf schedule install``."""

from __future__ import annotations

from sbf_core.cli import options as opt
from sbf_core.cli.render import command
from sbf_core.cli.schedule_options import Every, With
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.schedule.job import LOG, job_of
from sbf_core.schedule.kinds import kind_named
from sbf_core.schedule.rhythm import Rhythm


def schedule_install(home_folder: opt.HomeFolder = None, every: Every = 60, kind: With = None) -> None:
    """Let this machine run what is due: a timer of systemd, lines of the crontab, or a task of Windows.

    Example: sbf schedule install --every 30
    """
    home, rhythm = Home.at(home_folder), Rhythm(minutes=every)
    if not home.folder.is_dir():
        raise UsageError("there is no home", where=str(home.folder), fix="make it by `sbf init`", code="HOME")
    job, chosen = job_of(home, rhythm), kind_named(kind)
    chosen.install(job)
    print(f"Installed {job.name} with {chosen.name}: every {rhythm.minutes} minutes")
    print()
    print("Try next:")
    print(f"  {command('sbf schedule show')}")
    print(f"  {command('sbf alert --test')}")
    print(f"The log is {home.folder / LOG}")
    if chosen.name == "systemd":
        print("So that it also runs while you are logged out: loginctl enable-linger")
