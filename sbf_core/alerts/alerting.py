"""Looks how a warehouse is, and tells each rule what has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

import attrs

from sbf_core.alerts.changes import Change, change_of
from sbf_core.alerts.channel import Channel, NoChannel, channel_to
from sbf_core.alerts.message import Message, message_of, test_message
from sbf_core.alerts.told import FILE_NAME, Known, read_told, write_told
from sbf_core.errors import EnvironmentFault, HomeLocked, SbfError, UsageError, nearest
from sbf_core.file_lock import FileLock
from sbf_core.home.home import Home
from sbf_core.reports.health import Fault, FaultKind
from sbf_core.reports.health_here import health_here
from sbf_core.secret import Secret
from sbf_core.settings.alert_rule import AlertRule
from sbf_core.value import Value

#: Makes a channel of an address and the name of its key.
Opened = Callable[[Secret, str], Channel]


class Sent(StrEnum):
    """What became of a rule."""

    NOTHING = "nothing new"
    TOLD = "told"
    FAILED = "failed"
    DRY = "would be told"


@attrs.frozen(kw_only=True)
class Outcome(Value):
    """How a rule went.

    Attributes:
        rule: which.
        sent: what became of it.
        message: what was told, or would be.
        why: why it could not be told.
    """

    rule: AlertRule
    sent: Sent
    message: Message | None = None
    why: str = ""


def alert(home: Home, *, is_dry: bool = False, open_channel: Opened | None = None) -> list[Outcome]:
    """Tell each rule what has changed since it was told last.

    A rule whose channel fails, or cannot be opened while another can, is told the same the next time, with what has
    changed until then. Nothing is tried twice, and that a channel fails is no fault that is told.

    Args:
        home: the warehouse.
        is_dry: nothing is sent or kept.
        open_channel: makes channels; by Apprise when absent.

    Raises:
        UsageError: there is no rule, one asks for what there is not, or no channel is as it should be.
        HomeLocked: another process tells just now, or a run is at work before there is a copy for readers.
        EnvironmentFault: what was told cannot be kept, so that it may be told again.
    """
    rules = _checked(home)
    channels = [] if is_dry else _channels(home, rules, open_channel)
    faults, is_whole = _faults(home)
    if is_dry:
        told = _read(home)
        return [_dry(home, rule, faults, told.get(rule.name, {}), is_whole) for rule in rules]
    lock = FileLock(home.folder / f"{FILE_NAME}.lock")
    if not lock.acquire():
        raise HomeLocked("another process tells just now", where=str(lock.path), fix="nothing: it tells the same")
    try:
        told = _read(home)
        outcomes = []
        for rule, channel in zip(rules, channels, strict=True):
            change = change_of(rule, faults, told.get(rule.name, {}), now=home.clock.now(), is_whole=is_whole)
            outcome, told[rule.name] = _told(home, rule, channel, change)
            outcomes.append(outcome)
        _write(home, {name: known for name, known in told.items() if any(rule.name == name for rule in rules)})
        return outcomes
    finally:
        lock.release()


def try_rules(home: Home, *, open_channel: Opened | None = None) -> list[Outcome]:
    """Send a test to each rule. Raises ``UsageError`` as ``alert``."""
    outcomes = []
    rules = _checked(home)
    for rule, channel in zip(rules, _channels(home, rules, open_channel), strict=True):
        message = test_message(rule.name, home.folder)
        why = channel.send(message)
        outcomes.append(Outcome(rule=rule, sent=Sent.FAILED if why else Sent.TOLD, message=message, why=why))
    return outcomes


def _checked(home: Home) -> Sequence[AlertRule]:
    rules = home.settings.alerts
    if not rules:
        fix = f'write [alerts.mail] and to = "ALERT_MAIL" to {home.settings.file}'
        raise UsageError("there is no rule whom to tell", fix=fix, code="ALERT")
    kinds = [str(kind) for kind in FaultKind]
    for rule in rules:
        for pattern in rule.what:
            if not any(fnmatchcase(kind, pattern) for kind in kinds):
                fix = nearest(pattern, kinds) or "kinds are " + ", ".join(kinds)
                where = f"{home.settings.file}: [alerts.{rule.name}]"
                raise UsageError(f"no fault is called {pattern!r}", where=where, fix=fix, code="ALERT")
    return rules


def _channels(home: Home, rules: Sequence[AlertRule], open_channel: Opened | None) -> list[Channel]:
    """The channels of the rules; one that cannot be opened keeps nobody else from being told."""
    channels: list[Channel] = []
    errors: list[UsageError] = []
    for rule in rules:
        try:
            channels.append(_opened(home, rule, open_channel))
        except UsageError as error:
            errors.append(error)
            channels.append(NoChannel(str(error)))
    if len(errors) == len(rules):
        raise errors[0]
    return channels


def _opened(home: Home, rule: AlertRule, open_channel: Opened | None) -> Channel:
    address = home.keys.get(rule.to)
    return channel_to(address, name=rule.to) if open_channel is None else open_channel(address, rule.to)


def _faults(home: Home) -> tuple[tuple[Fault, ...], bool]:
    """What is wrong, and whether the warehouse could be looked at."""
    try:
        home.learn_keys()  # what a vendor repeats of them must not be told
        return health_here(home).faults, True
    except HomeLocked:  # a run is at work, and there is no copy yet: nothing is wrong, and nothing is known
        raise
    except SbfError as error:
        fault = Fault(kind=FaultKind.UNREADABLE, subject="warehouse", reason=str(error), fix="sbf status --check")
        return (fault,), False


def _dry(home: Home, rule: AlertRule, faults: Sequence[Fault], known: dict[str, Known], is_whole: bool) -> Outcome:
    change = change_of(rule, faults, known, now=home.clock.now(), is_whole=is_whole)
    if not change.is_to_be_told:
        return Outcome(rule=rule, sent=Sent.NOTHING)
    return Outcome(rule=rule, sent=Sent.DRY, message=message_of(change, home.folder))


def _told(home: Home, rule: AlertRule, channel: Channel, change: Change) -> tuple[Outcome, dict[str, Known]]:
    if not change.is_to_be_told:
        return Outcome(rule=rule, sent=Sent.NOTHING), dict(change.known)
    message = message_of(change, home.folder)
    why = channel.send(message)
    if why:
        return Outcome(rule=rule, sent=Sent.FAILED, message=message, why=why), dict(change.unsaid)
    return Outcome(rule=rule, sent=Sent.TOLD, message=message), dict(change.known)


def _read(home: Home) -> dict[str, dict[str, Known]]:
    path = home.folder / FILE_NAME
    try:
        return read_told(path)
    except OSError as error:
        raise EnvironmentFault(f"what was told cannot be read: {error.strerror}", where=str(path)) from error


def _write(home: Home, told: dict[str, dict[str, Known]]) -> None:
    path = home.folder / FILE_NAME
    try:
        write_told(path, told)
    except OSError as error:
        raise EnvironmentFault(
            f"what was told cannot be kept: {error.strerror}; it may be told again", where=str(path),
            fix="make room, or mend its permissions",
        ) from error  # fmt: skip
