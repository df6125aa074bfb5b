"""Lines of the user's crontab, see crontab(5)."""

from __future__ import annotations

import shlex

from sbf_core.errors import EnvironmentFault
from sbf_core.schedule.job import Job
from sbf_core.schedule.kind import asked

_PROGRAM = "crontab"
#: What programs say where a user has none: cron of Debian and of Red Hat, and busybox. Any other failure must not be
#: taken for an empty one, which would be written in its place.
_NONE = ("no crontab for", "No such file")


class Crontab:
    """Lines between two marks of the user's crontab; what else stands there stays as it is."""

    name = "cron"

    def texts(self, job: Job) -> dict[str, str]:
        """Its text, by where it is written. See ``ScheduleKind``."""
        return {"crontab": _lines(job)}

    def installed(self, job: Job) -> str:
        """What is there of the job. See ``ScheduleKind``."""
        return _parts(asked([_PROGRAM, "-l"], absent=_NONE), job)[1]

    def install(self, job: Job) -> None:
        """Put the job in its place. See ``ScheduleKind``."""
        before, _, after = _parts(asked([_PROGRAM, "-l"], absent=_NONE), job)
        asked([_PROGRAM, "-"], given=before + _lines(job) + after)

    def remove(self, job: Job) -> None:
        """Take the job away. See ``ScheduleKind``."""
        before, ours, after = _parts(asked([_PROGRAM, "-l"], absent=_NONE), job)
        if ours:
            asked([_PROGRAM, "-"], given=before + after)


def _lines(job: Job) -> str:
    command = " ".join(map(shlex.quote, job.command))
    if "\n" in command:
        raise EnvironmentFault("a line of a crontab cannot hold a line break", where=str(job.home), fix="move the home")
    escaped = command.replace("%", "\\%")  # cron takes a % for the end of the command
    return f"# begin {job.name}\n{job.rhythm.cron} {escaped}\n# end {job.name}\n"


def _parts(text: str, job: Job) -> tuple[str, str, str]:
    """What stands before our lines, they themselves, and what stands behind them."""
    begin, end = f"# begin {job.name}\n", f"# end {job.name}\n"
    text += "" if not text or text.endswith("\n") else "\n"
    before, found, rest = text.partition(begin)
    if not found:
        return text, "", ""
    ours, ended, after = rest.partition(end)
    if not ended:
        raise EnvironmentFault(
            f"the crontab has a line {begin.strip()!r} and none {end.strip()!r} behind it",
            fix="mend it by `crontab -e`",
        )
    return before, begin + ours + end, after
