"""``sbf schedule show``."""

from __future__ import annotations

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, tell
from sbf_core.cli.schedule_options import Every, With
from sbf_core.home.home import Home
from sbf_core.schedule.job import job_of
from sbf_core.schedule.kinds import kind_named
from sbf_core.schedule.rhythm import Rhythm


def schedule_show(
    home_folder: opt.HomeFolder = None, every: Every = 60, kind: With = None, as_json: opt.AsJson = False
) -> None:
    """What is installed for this home; or, where nothing is, what would be.

    Example: sbf schedule show --with cron
    """
    job, chosen = job_of(Home.at(home_folder), Rhythm(minutes=every)), kind_named(kind)
    there = chosen.installed(job)
    if as_json:
        print_json("schedule", name=job.name, by=chosen.name, installed=there or None, would_be=chosen.texts(job))
        return
    if there:
        print(there.rstrip())
        return
    tell(f"sbf: nothing is installed with {chosen.name}; `sbf schedule install` would write:")
    for place, text in chosen.texts(job).items():
        print(f"# {place}\n{text.rstrip()}\n")
