"""``sbf watch``."""

from __future__ import annotations

import datetime as dt
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated

import typer

from sbf_core import signals
from sbf_core.cli import options as opt
from sbf_core.cli.render import tell
from sbf_core.errors import EnvironmentFault
from sbf_core.home.home import Home
from sbf_core.schedule.turn import BUSY, Turn, take_turn
from sbf_core.schedule.watch import turns

_LOG_BYTES_MAX = 1 << 20
_LOGS_KEPT = 5

Every = Annotated[
    int, typer.Option("--every", metavar="MINUTES", min=1, max=1440, help="From the beginning of a turn to the next.")
]
Once = Annotated[bool, typer.Option("--once", help="Take one turn and end with its exit code; for schedules.")]
Log = Annotated[
    str | None,
    typer.Option(
        "--log", metavar="FILE", help="Write there what runs print: 1 MiB, and five older ones.", show_default=False
    ),
]


def watch(home_folder: opt.HomeFolder = None, every: Every = 60, once: Once = False, log: Log = None) -> int:
    """Run what is due and tell whom sbf.toml names, again and again; a signal ends it well. For containers.

    Example: sbf watch --every 15
    """
    home = Home.at(home_folder)
    logger = None if log is None else _logger(Path(log).expanduser())
    try:
        if once:
            return _told(take_turn(home, logger), logger).exit_code
        for turn in turns(home, every=dt.timedelta(minutes=every), log=logger):
            _told(turn, logger)
    except (KeyboardInterrupt, SystemExit):
        if not signals.asked_to_stop():
            raise
        signals.heed()
    _say("stopped; the next run goes on from here", logger)
    return 0


def _told(turn: Turn, logger: logging.Logger | None) -> Turn:
    if turn.run == BUSY:
        _say("the home is busy; the next turn finds what is due", logger)
    elif turn.exit_code:
        _say(f"this turn ended with exit code {turn.exit_code}: see `sbf status --check`", logger)
    return turn


def _say(text: str, logger: logging.Logger | None) -> None:
    tell(f"sbf: {text}") if logger is None else logger.info(f"sbf: {text}")


def _logger(file: Path) -> logging.Logger:
    """Lines with their moment in UTC, in a file that never grows without end."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=_LOG_BYTES_MAX, backupCount=_LOGS_KEPT, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"the log cannot be written: {error.strerror}", where=str(file)) from error
    formatter = logging.Formatter("%(asctime)sZ %(message)s", "%Y-%m-%d %H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger("sbf.watch")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger
