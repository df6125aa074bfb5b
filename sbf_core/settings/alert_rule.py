"""``[alerts.NAME]`` of ``sbf.toml``: who is told what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value
from sbf_core.vocabulary import texts

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_HOURS_MAX = 24 * 366
_KINDS: Mapping[str, tuple[type, ...]] = {
    "what": (list,), "which": (list,), "after_hours": (int, float), "recovered": (bool,),
}  # fmt: skip
_WRITTEN = {"what": '["late", "not_*"]', "which": '["fx/*"]', "after_hours": "2", "recovered": "false"}


@attrs.frozen(kw_only=True)
class AlertRule(Value):
    """Who is told what.

    Attributes:
        name: of the rule; what was told is kept under it.
        to: the name of the key whose value is the address of the channel, as Apprise writes it: it may hold a password.
        what: kinds of faults as `sbf status --check` calls them, or patterns of them; all when empty.
        which: datasets, gold tables as ``gold.NAME``, or patterns of them; all when empty.
        after_hours: a fault that lasts so long is told.
        recovered: what is well again is told, too.
    """

    name: str
    to: str
    what: tuple[str, ...] = attrs.field(default=(), converter=texts)
    which: tuple[str, ...] = attrs.field(default=(), converter=texts)
    after_hours: float = 0.0
    recovered: bool = True


def own_alert(name: str, table: Mapping[str, Any], file: Path) -> AlertRule:
    """What a table says.

    Args:
        name: of the rule.
        table: what ``AlertRule`` takes.
        file: the settings.

    Raises:
        UsageError: it says what nobody knows, or an address in the place of the name of a key.
    """
    where = f"{file}: [alerts.{name}]"
    known = [field.name for field in attrs.fields(AlertRule) if field.name != "name"]
    for key, value in table.items():
        if key not in known:
            fix = nearest(key, known) or "use " + ", ".join(known)
            raise UsageError(f"there is no setting {key!r}", where=where, fix=fix, code="SETTING")
        is_of_texts = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if type(value) not in _KINDS.get(key, (str,)) or not is_of_texts:
            written = _WRITTEN.get(key, '"ALERT_MAIL"')
            raise UsageError(f"{key} is no such value", where=where, fix=f"write {key} = {written}", code="SETTING")
    to = table.get("to", "")
    if not _KEY.fullmatch(to):  # what stands there may be a password: it is not shown
        what = "to is not the name of a key" if to else "it does not say to whom"
        fix = 'write to = "ALERT_MAIL", and put the address into that variable, into secrets.toml or the keyring'
        raise UsageError(what, where=where, fix=fix, code="ALERT")
    if not 0 <= table.get("after_hours", 0) <= _HOURS_MAX:
        raise UsageError(
            f"after_hours is {table['after_hours']}", where=where, fix=f"use 0 to {_HOURS_MAX}", code="ALERT"
        )
    return AlertRule(name=name, **table)
