"""``sbf schedule remove``."""

from __future__ import annotations

from sbf_core.cli import options as opt
from sbf_core.cli.schedule_options import With
from sbf_core.home.home import Home
from sbf_core.schedule.job import job_of
from sbf_core.schedule.kinds import kind_named
from sbf_core.schedule.rhythm import Rhythm


def schedule_remove(home_folder: opt.HomeFolder = None, kind: With = None) -> None:
    """Take away what `sbf schedule install` wrote for this home; the home stays as it is.

    Example: sbf schedule remove
    """
    job, chosen = job_of(Home.at(home_folder), Rhythm(minutes=60)), kind_named(kind)
    was_there = bool(chosen.installed(job))
    chosen.remove(job)
    print(f"Removed {job.name}" if was_there else f"Nothing was installed with {chosen.name}")
