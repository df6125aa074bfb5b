"""What an alert says: what, which, since when, why, and the command to go on with."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.alerts.changes import Change
from sbf_core.counted import counted
from sbf_core.reports.health import Fault
from sbf_core.secret import redacted
from sbf_core.shell_words import home_option, of_home, told_of_home
from sbf_core.value import Value

#: More of them are counted: a message is read on a telephone.
_SHOWN_MAX = 20
_REASON_CHARACTERS_MAX = 300


@attrs.frozen(kw_only=True)
class Message(Value):
    """One alert.

    Attributes:
        title: one line.
        body: lines of plain text.
        is_good: it tells of nothing that is wrong.
    """

    title: str
    body: str
    is_good: bool


def message_of(change: Change, home: object) -> Message:
    """What a change is told as. No key is in it, whatever a vendor repeated."""
    option = home_option(home)
    lines = []
    for fault in change.begun[:_SHOWN_MAX]:
        lines += _lines(fault, option)
    if len(change.begun) > _SHOWN_MAX:
        rest = of_home("sbf status --check", option)
        lines += [f"and {len(change.begun) - _SHOWN_MAX:,} more: {rest}"]
    if change.over:
        lines += [""] if lines else []
        lines += ["well again:", *(f"  {one.line}, since {_moment(one.since)}" for one in change.over[:_SHOWN_MAX])]
        lines += [f"  and {len(change.over) - _SHOWN_MAX:,} more"] if len(change.over) > _SHOWN_MAX else []
    parts = [counted(len(change.begun), "fault")] if change.begun else []
    parts += [f"{len(change.over):,} well again"] if change.over else []
    return Message(
        title=redacted(f"sbf: {', '.join(parts)} in {home}"), body=redacted("\n".join(lines)), is_good=not change.begun
    )


def test_message(rule: str, home: object) -> Message:
    """What a rule is tried with."""
    return Message(title=f"sbf: a test in {home}", body=f"The rule alerts.{rule} reaches you.", is_good=True)


def _lines(fault: Fault, option: str) -> list[str]:
    since = "" if fault.since is None else f", since {_moment(fault.since)}"
    reason = " ".join(told_of_home(fault.told, option).split())
    if len(reason) > _REASON_CHARACTERS_MAX:
        reason = reason[: _REASON_CHARACTERS_MAX - 3] + "..."
    lines = [f"{fault.kind} {fault.subject}{since}"]
    lines += [f"  {reason}"] if reason else []
    lines += [f"  go on with: {of_home(fault.fix, option)}"] if fault.fix else []
    return lines


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}Z"
