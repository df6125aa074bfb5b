"""What has changed since a rule was last told: a pure function of faults, of what was told, and of the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import attrs

from sbf_core.alerts.told import Known
from sbf_core.reports.health import Fault, FaultKind
from sbf_core.settings.alert_rule import AlertRule
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Change(Value):
    """What a rule has to tell.

    Attributes:
        begun: faults that were not told yet.
        over: faults that were told and are no more.
        known: what the rule knows once that is told.
        unsaid: what it knows if it cannot be told.
    """

    begun: tuple[Fault, ...]
    over: tuple[Known, ...]
    known: Mapping[str, Known]
    unsaid: Mapping[str, Known]

    @property
    def is_to_be_told(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.begun or self.over)


def is_of(rule: AlertRule, fault: Fault) -> bool:
    """Whether a rule is about a fault. That nothing can be read is everybody's business."""
    if fault.kind is FaultKind.UNREADABLE:
        return True
    of_kind = not rule.what or any(fnmatchcase(str(fault.kind), pattern) for pattern in rule.what)
    of_subject = not rule.which or any(fnmatchcase(fault.subject, pattern) for pattern in rule.which)
    return of_kind and of_subject


def change_of(
    rule: AlertRule,
    faults: Sequence[Fault],
    known: Mapping[str, Known],
    *,
    now: dt.datetime,
    is_whole: bool = True,
) -> Change:
    """What a rule has to tell.

    Args:
        rule: who is told what.
        faults: what is wrong now, of all kinds.
        known: what the rule knows from before.
        now: the present moment.
        is_whole: the warehouse could be looked at; else what is not among the faults may still be wrong.
    """
    here = {fault.key: fault for fault in faults if is_of(rule, fault)}
    after: dict[str, Known] = {}
    unsaid: dict[str, Known] = {}
    begun = []
    for key, fault in here.items():
        before = known.get(key)
        since = before.since if before else min(fault.since or now, now)
        line = f"{fault.kind} {fault.subject}"
        unsaid[key] = before or Known(since=since, told_at=None, line=line)
        if before is not None and before.told_at is not None:
            after[key] = before
        elif now - since >= dt.timedelta(hours=rule.after_hours):
            begun.append(fault)
            after[key] = Known(since=since, told_at=now, line=line)
        else:
            after[key] = unsaid[key]
    over = []
    for key, before in known.items():
        if key in here:
            continue
        if not is_whole:
            after[key] = unsaid[key] = before
        elif before.told_at is not None and rule.recovered:
            over.append(before)
            unsaid[key] = before
    return Change(begun=tuple(begun), over=tuple(over), known=after, unsaid=unsaid)
