"""Turns without end, for a container or a terminal."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator

from sbf_core.clock import Clock
from sbf_core.home.home import Home
from sbf_core.schedule.turn import Turn, take_turn

#: A machine may sleep, and its clock may be set: it is looked at so often.
_LOOK_SECONDS = 30.0


def turns(
    home: Home, *, every: dt.timedelta, log: logging.Logger | None = None, pause: Callable[[float], None] = time.sleep
) -> Iterator[Turn]:
    """Take a turn, wait, and so on; ends when a signal is raised.

    Args:
        home: the warehouse.
        every: from the beginning of a turn to that of the next; one that lasts longer is followed at once.
        log: see ``take_turn``.
        pause: waits for so many seconds.
    """
    while True:
        began = home.clock.now()
        yield take_turn(home, log)
        wait_until(began + every, home.clock, longest=every, pause=pause)


def wait_until(moment: dt.datetime, clock: Clock, *, longest: dt.timedelta, pause: Callable[[float], None]) -> None:
    """Wait for a moment by the clock on the wall, and never longer than ``longest`` beyond now."""
    while True:
        left = moment - clock.now()
        if left <= dt.timedelta(0):
            return
        if left > longest:  # the clock was set back
            moment = clock.now() + longest
            left = longest
        pause(min(left.total_seconds(), _LOOK_SECONDS))
