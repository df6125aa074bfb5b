"""A timer of the user's systemd, see systemd.timer(5)."""

from __future__ import annotations

import os
from pathlib import Path

from sbf_core.atomic_file import write_whole
from sbf_core.errors import EnvironmentFault
from sbf_core.schedule.job import Job
from sbf_core.schedule.kind import asked, file_text

_CTL = ("systemctl", "--user")


class SystemdTimer:
    """A service that takes one turn, and a timer that starts it; a turn that was missed is taken after a start."""

    name = "systemd"

    def __init__(self, folder: Path | None = None) -> None:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        self._folder = folder or base / "systemd" / "user"

    def texts(self, job: Job) -> dict[str, str]:
        """Its text, by where it is written. See ``ScheduleKind``."""
        service, timer = self._paths(job)
        return {str(service): _service(job), str(timer): _timer(job)}

    def installed(self, job: Job) -> str:
        """What is there of the job. See ``ScheduleKind``."""
        return "\n".join(text for path in self._paths(job) if (text := file_text(path)))

    def install(self, job: Job) -> None:
        """Put the job in its place. See ``ScheduleKind``."""
        try:
            for path, text in self.texts(job).items():
                write_whole(Path(path), text.encode(errors="surrogateescape"), mode=0o644)
        except OSError as error:
            raise EnvironmentFault(f"a unit cannot be written: {error.strerror}", where=str(self._folder)) from error
        asked([*_CTL, "daemon-reload"])
        asked([*_CTL, "enable", "--now", f"{job.name}.timer"])

    def remove(self, job: Job) -> None:
        """Take the job away. See ``ScheduleKind``."""
        if not self.installed(job):
            return
        asked([*_CTL, "disable", "--now", f"{job.name}.timer"], absent=())
        try:
            for path in self._paths(job):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"a unit cannot be removed: {error.strerror}", where=str(self._folder)) from error
        asked([*_CTL, "daemon-reload"])

    def _paths(self, job: Job) -> tuple[Path, Path]:
        return self._folder / f"{job.name}.service", self._folder / f"{job.name}.timer"


def quoted_word(word: str) -> str:
    """A word of ``ExecStart=``, see systemd.service(5): C escapes between quotes, no specifiers, no variables."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def _service(job: Job) -> str:
    return "\n".join(
        (
            "[Unit]",
            f"Description=sbf: what is due in {str(job.home).replace('%', '%%')!r}",
            "",
            "[Service]",
            "Type=oneshot",
            f"ExecStart={' '.join(map(quoted_word, job.command))}",
            "",
        )
    )


def _timer(job: Job) -> str:
    return "\n".join(
        (
            "[Unit]",
            f"Description=sbf: every {job.rhythm.minutes} minutes",
            "",
            "[Timer]",
            f"OnCalendar={job.rhythm.on_calendar}",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )
