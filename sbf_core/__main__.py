"""``sbf``, and ``python -m sbf_core``.

From here on a Ctrl-C ends in one line, also while the command is being loaded.
"""

from __future__ import annotations

import gc
import sys

from sbf_core import signals, streams

streams.open_closed()
signals.install()


def main() -> None:
    """The script ``sbf``."""
    gc.disable()  # until the command is loaded: it would go through all objects dozens of times, 10 ms of each command
    try:
        from sbf_core.cli.main import main as run_command
    except (KeyboardInterrupt, SystemExit):
        sys.stderr.write(f"{signals.INTERRUPTED}\n")
        signals.leave(128 + signals.asked_to_stop())
    run_command()


if __name__ == "__main__":
    main()
