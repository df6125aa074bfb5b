"""Datasets that read the payloads of another one, which is fetched once and stored once, see ``reads``.

How payloads are asked for decides what they mean: which days an answer is of, which rows lie outside, what a ticker is.
So a dataset that reads takes all of that from the one that asks, and can declare nothing else.
"""

from __future__ import annotations

import attrs

from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.read_checks import says_how_asked
from sbf_core.errors import UsageError

#: How a dataset is asked for.
_ASKED = (
    "scope", "members", "for_each", "recipe", "cadence", "refresh_after_hours", "unknown_after_days",
    "settles_after_days", "lookback_days", "first_date", "opt_in",
)  # fmt: skip
#: How payloads are written, taken over where nothing is declared.
_WRITTEN = ("format", "member")


def as_reader(entry: DatasetKeymapEntry, owner: DatasetKeymapEntry) -> DatasetKeymapEntry:
    """A dataset with ``reads`` as its payloads are: those of ``owner``, asked for as that is.

    Raises:
        UsageError: the owner reads another's payloads itself; the dataset says something else of how they are asked
            for; or what it declares does not go with how they are.
    """
    where = f"dataset {entry.id}"
    if owner.reads:
        fix = f'reads="{owner.reads}"'
        raise UsageError(f"reads {entry.reads}, which fetches nothing itself", where=where, fix=fix, code="READS")
    defaults = attrs.fields_dict(type(entry))
    for name in _ASKED:
        if getattr(entry, name) not in (_default(defaults[name]), getattr(owner, name)):
            raise says_how_asked(name, entry.reads, where)
    taken = {name: getattr(owner, name) for name in _ASKED}
    for name in _WRITTEN:
        if getattr(entry, name) == _default(defaults[name]):
            taken[name] = getattr(owner, name)
    taken["is_data"] = _rules(entry.is_data, owner.is_data)
    return attrs.evolve(entry, **taken, payloads_of=owner.ids)


def _rules(own: DataRules, owner: DataRules) -> DataRules:
    """What tells data from none: what either says of it, and where both do its own."""
    given = {name: getattr(own, name) for name in attrs.fields_dict(DataRules)}
    said = {name: value for name, value in given.items() if value != getattr(DataRules(), name)}
    return attrs.evolve(owner, **said)


def _default(field: attrs.Attribute[object]) -> object:
    default = field.default
    return field.converter(default) if callable(field.converter) else default
