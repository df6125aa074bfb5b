"""What to write and to type so that a run fetches something: tried on the plugin before anybody is told."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError
from sbf_core.failures import Failure, failure_of
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.offer import Offer
from sbf_core.plugin.record import PluginRecord
from sbf_core.reports.catalogue import Item, State
from sbf_core.settings.keys import Keys
from sbf_core.shell_words import typed
from sbf_core.value import Value

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LINE_LETTERS = 80


@attrs.frozen(kw_only=True)
class HowTo(Value):
    """How to have something.

    Attributes:
        lines: of ``sbf.toml``.
        replaces: the table in ``sbf.toml`` in whose place they stand; empty: they are appended.
        keys: names of keys that are not set.
        command: what to type then.
        note: what to know of the lines.
        fault: why it cannot be had like that.
    """

    lines: tuple[str, ...] = ()
    replaces: str = ""
    keys: tuple[str, ...] = ()
    command: str = ""
    note: str = ""
    fault: Failure | None = None


def how_to_have(item: Item, manager: PluginManager, keys: Keys) -> HowTo:
    """What to write and to type for one that was found."""
    if isinstance(item.what, DatasetKeymapEntry):
        select = f"--select {typed(item.id)}"
        named = f"--plugins {typed(item.plugin.name)} " if item.state is State.NAMED else ""
        return HowTo(keys=lacking_keys([item.what], keys), command=f"sbf run {named}{select}")
    return _of_offer(item.what, item.plugin, manager, keys)


def _of_offer(offer: Offer, record: PluginRecord, manager: PluginManager, keys: Keys) -> HowTo:
    if offer.asked_by:
        return HowTo(command=f"sbf datasets --search {typed(offer.id)} --ask {typed(offer.asked_by)}")
    options = with_offer(record.options, offer)
    table = f"[options.{_key(record.name)}]"
    written = "\n".join([table, *(f"{_key(name)} = {toml_text(value)}" for name, value in options.items())])
    try:
        before, after = (declared(manager, record, each) for each in (record.options, options))
    except SbfError as error:
        return HowTo(fault=failure_of(error))
    changed = [entry for entry in after if entry not in before]
    if not changed:
        keys_lacking = lacking_keys(before, keys)  # the settings say it already
        return HowTo(keys=keys_lacking, command=f"sbf run --plugins {typed(record.name)}")
    select = f" --select {typed(changed[0].id)}" if len(changed) == 1 else ""
    return HowTo(
        lines=tuple(written.split("\n")),
        replaces=table if record.options else "",
        keys=lacking_keys(changed, keys),
        note=offer.note,
        command=f"sbf run --plugins {typed(record.name)}{select}",
    )


def with_offer(options: Mapping[str, Any], offer: Offer) -> dict[str, Any]:
    """The options of a plugin with what an offer adds to them."""
    merged = dict(options)
    for name, value in offer.options.items():
        if isinstance(value, (tuple, list)):
            there = list(merged.get(name, offer.usual.get(name, ())))
            merged[name] = [*there, *(each for each in value if each not in there)]
        else:
            merged[name] = value
    return merged


def is_had(options: Mapping[str, Any], offer: Offer) -> bool:
    """Whether the options say already what an offer adds to them."""
    usual = {name: list(value) for name, value in offer.usual.items()}
    return not offer.asked_by and with_offer(options, offer) == {**usual, **options}


def declared(manager: PluginManager, record: PluginRecord, options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The datasets that a plugin has with some options. Raises as its hook does."""
    return list(manager.call(record, "datasets", doing="its declarations", safe="nothing was written", options=options))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else toml_text(name)


def toml_text(value: Any) -> str:
    """A value as TOML has it (https://toml.io/en/v1.0.0): a list of more than one in lines of its own."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        parts = [toml_text(each) for each in value]
        short = f"[{', '.join(parts)}]"
        if len(parts) < 2 or len(short) < _LINE_LETTERS:
            return short
        return "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(str(name))} = {toml_text(each)}" for name, each in value.items()) + "}"
    return repr(value)


def lacking_keys(entries: Sequence[DatasetKeymapEntry], keys: Keys) -> tuple[str, ...]:
    """The keys that are not set, of datasets of which no account has all of its own."""
    lacking: list[str] = []
    for entry in entries:
        missing = [[name for name in names if not keys.is_set(name)] for names in entry.key_sets]
        if missing and all(missing):
            lacking += missing[0]
    return tuple(dict.fromkeys(lacking))
