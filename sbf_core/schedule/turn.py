"""One turn: run what is due, then tell whom sbf.toml names."""

from __future__ import annotations

import logging

import attrs

from sbf_core.child.own_command import own_command, run_own
from sbf_core.errors import HomeLocked
from sbf_core.home.home import Home
from sbf_core.value import Value

#: The home is busy: nothing is wrong, and the next turn finds what is due.
BUSY = HomeLocked.exit_code


@attrs.frozen(kw_only=True)
class Turn(Value):
    """How a turn went.

    Attributes:
        run: exit code of `sbf run`.
        alert: exit code of `sbf alert`; None where there is no rule.
    """

    run: int
    alert: int | None

    @property
    def exit_code(self) -> int:
        """0 where all went well, or where somebody else had the home; else that of the first that did not."""
        return next((code for code in (self.run, self.alert or 0) if code not in (0, BUSY)), 0)


def take_turn(home: Home, log: logging.Logger | None) -> Turn:
    """Run and alert, each in a process of its own: what they load and use is given back.

    Args:
        home: the warehouse.
        log: takes their lines; they write where this process does when absent.

    Raises:
        EnvironmentFault: the system starts no process.
    """
    on_line = None if log is None else log.info
    run = run_own(own_command(["run"], home.folder), on_line)
    return Turn(run=run, alert=run_own(own_command(["alert"], home.folder), on_line) if home.settings.alerts else None)
