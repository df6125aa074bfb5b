"""A task of Windows, as the XML that schtasks takes; see "Task Scheduler Schema" of Microsoft."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from sbf_core.schedule.job import Job
from sbf_core.schedule.kind import asked

_PROGRAM = "schtasks"


class WindowsTask:
    """A task that is repeated for ever; one that was missed is started as soon as it can be, and never a second beside
    the first.
    """

    name = "windows"

    def texts(self, job: Job) -> dict[str, str]:
        """Its text, by where it is written. See ``ScheduleKind``."""
        return {f"task {job.name}": _xml(job)}

    def installed(self, job: Job) -> str:
        """What is there of the job. See ``ScheduleKind``."""
        return asked([_PROGRAM, "/Query", "/TN", job.name, "/XML"], absent=())

    def install(self, job: Job) -> None:
        """Put the job in its place. See ``ScheduleKind``."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "task.xml"
            file.write_text(_xml(job), encoding="utf-16")
            asked([_PROGRAM, "/Create", "/F", "/TN", job.name, "/XML", str(file)])

    def remove(self, job: Job) -> None:
        """Take the job away. See ``ScheduleKind``."""
        if self.installed(job):
            asked([_PROGRAM, "/Delete", "/F", "/TN", job.name])


def _xml(job: Job) -> str:
    program, arguments = job.command[0], subprocess.list2cmdline(job.command[1:])
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>sbf: what is due in {escape(str(job.home))}</Description></RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition><Interval>{job.rhythm.iso_duration}</Interval></Repetition>
      <StartBoundary>2020-01-01T00:00:00Z</StartBoundary>
    </TimeTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <StartWhenAvailable>true</StartWhenAvailable>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions><Exec><Command>{escape(program)}</Command><Arguments>{escape(arguments)}</Arguments></Exec></Actions>
</Task>
"""
