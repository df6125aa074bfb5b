"""The kinds of schedule that there are, and which one this machine has."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from sbf_core.errors import UsageError
from sbf_core.schedule.crontab import Crontab
from sbf_core.schedule.kind import ScheduleKind, asked
from sbf_core.schedule.systemd import SystemdTimer
from sbf_core.schedule.windows import WindowsTask

KINDS: Mapping[str, type[SystemdTimer | Crontab | WindowsTask]] = {
    "systemd": SystemdTimer,
    "cron": Crontab,
    "windows": WindowsTask,
}


def kind_named(name: str | None) -> ScheduleKind:
    """A kind by its name, or the one of this machine: Windows' tasks, a systemd that answers its user, else cron.

    Raises:
        UsageError: there is no such kind, or this machine has none.
    """
    if name is not None and name not in KINDS:
        raise UsageError(f"there is no schedule {name!r}", fix="use one of " + ", ".join(KINDS), code="SCHEDULE")
    if name is not None:
        return KINDS[name]()
    if sys.platform == "win32":
        return WindowsTask()
    if shutil.which("systemctl") and asked(["systemctl", "--user", "show-environment"], absent=()):
        return SystemdTimer()
    if shutil.which("crontab"):
        return Crontab()
    raise UsageError(
        "this machine has neither a systemd that answers you nor cron",
        fix="`sbf watch` needs none; or `sbf schedule show --with systemd`",
        code="SCHEDULE",
    )
