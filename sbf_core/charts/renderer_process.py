"""Draws for the pages, in a process of its own: ``python -m sbf_core.charts.renderer_process``.

Drawing keeps Python busy as a whole, so the pages would stand still while a chart is drawn; and a specification that
never ends can be stopped. Each request is a message of JSON (``kind`` and ``spec``); each answer one of JSON (``error``
where there is no picture, and the ``resident`` bytes of this process), and one with the picture.
"""

from __future__ import annotations

import json
import mmap
import sys
from contextlib import suppress
from pathlib import Path

from sbf_core.charts.draw import draw
from sbf_core.child.messages import receive, send
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
    with suppress(EOFError):
        while True:
            wanted = json.loads(receive(sys.stdin.buffer))
            picture, said = b"", {}
            try:
                picture = draw(wanted["spec"], wanted["kind"])
            except SbfError as error:
                said = {"error": error.what, "fix": error.fix}
            send(sys.stdout.buffer, json.dumps({**said, "resident": _resident()}).encode())
            send(sys.stdout.buffer, picture)


if __name__ == "__main__":
    main()
