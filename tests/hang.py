"""How long a test waits for what ends by itself. A machine may be busy with other work:
what is slow is no failure, only what hangs is one.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable

#: Nothing that a test waits for takes so long on any machine, unless it hangs.
#: Below the limit of a whole test (`timeout` in pyproject.toml).
HANG_SECONDS = 300.0


def wait_until(
    happened: Callable[[], object], *, child: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None
) -> None:
    """Wait for something that no call waits for; fails when it hangs,
    or when ``child``, which is to do it, has ended without.
    """
    end = time.monotonic() + HANG_SECONDS
    while not happened():
        if child is not None and child.poll() is not None and not happened():
            raise AssertionError(f"the process has ended with code {child.returncode}: {child.communicate()}")
        assert time.monotonic() < end, f"it did not happen within {HANG_SECONDS:g} s"
        threading.Event().wait(0.01)
