"""What a process of ours does to itself when it begins: limits that the system keeps, and an end with its parent."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import NoReturn

_LOOK_SECONDS = 1.0


def limit_memory(byte_count: int) -> None:
    """Bound the address space of this process, to what the system allows it at most, and write no core file. Windows
    has its job for that.
    """
    try:
        import resource
    except ImportError:
        return
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = byte_count if most == resource.RLIM_INFINITY else min(byte_count, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with_parent() -> None:
    """End this process and all that it started when its parent is gone, whatever it is doing then.

    Windows never changes the parent; there the job ends with its last handle.
    """
    threading.Thread(target=_wait_for_parent, args=(os.getppid(),), name="sbf-parent", daemon=True).start()


def _wait_for_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    end_own_group()


def end_own_group() -> NoReturn:
    """End this process at once, and on POSIX all of the group that it leads."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
