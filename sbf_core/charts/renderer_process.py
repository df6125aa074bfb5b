"""Draws for the pages, in a process of its own: ``python -m sbf_core.charts.renderer_process``.

Drawing keeps Python busy as a whole, so the pages would stand still while a chart is drawn; and a specification that
never ends can be stopped. Each request is one line of JSON (``kind`` and ``spec``); each answer one line of JSON
(``bytes`` or ``error``, and ``resident`` bytes of this process), and behind the first kind so many bytes.
"""

from __future__ import annotations

import json
import mmap
import sys
from pathlib import Path

from sbf_core.charts.draw import draw
from sbf_core.errors import SbfError


def _resident() -> int:
    """The memory that this process has, in bytes; 0 where the system does not say.

    (What it had at most is no help: a child begins with its parent's.)
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * mmap.PAGESIZE


def main() -> None:
    """Draw until nobody asks any more."""
    answers = sys.stdout.buffer
    for line in sys.stdin.buffer:
        wanted = json.loads(line)
        try:
            picture = draw(wanted["spec"], wanted["kind"])
            answers.write(json.dumps({"bytes": len(picture), "resident": _resident()}).encode() + b"\n" + picture)
        except SbfError as error:
            answers.write(json.dumps({"error": error.what, "fix": error.fix, "resident": _resident()}).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
