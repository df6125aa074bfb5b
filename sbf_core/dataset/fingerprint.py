"""What decides the rows of a silver table, as plain values: kept with the table, and compared with the declaration.

Only what is not the default stands there, so that a further option of sbf makes no table stale. What is for readers
(titles, units, docs, charts), or steers fetching alone, is left out. A text that is kept may be of an older release,
which wrote some defaults, too: it is compared as this one writes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.vocabulary import Answers

if TYPE_CHECKING:
    from sbf_core.dataset.format_list import Format

#: Raised when sbf itself reads payloads otherwise than before.
READING = 2
_CHANGES_SHOWN_MAX = 4
_FOR_READERS = frozenset({"unit", "doc", "fix"})
_PLAIN = ("rows_at", "member", "reject_share_max", "shrink_share_max", "promote_version", "horizon")


def declared_facts(entry: DatasetKeymapEntry) -> dict[str, Any]:
    """What decides the rows of a dataset's table; JSON can hold it."""
    facts: dict[str, Any] = {
        "reading": READING,
        "dataset": entry.id,
        "columns": [_given(column, leave=_FOR_READERS) for column in entry.columns],
        "semantics": str(entry.semantics),
        "on_duplicate": str(entry.on_duplicate),
    }
    if entry.answers is Answers.WHOLE:
        facts["answers"] = str(entry.answers)
    if entry.format is not None:
        facts["format"] = format_facts(entry.format)
    defaults = attrs.fields_dict(DatasetKeymapEntry)
    facts |= {name: value for name in _PLAIN if (value := getattr(entry, name)) != defaults[name].default}
    if entry.archive is not None:
        facts["archive"] = _given(entry.archive)
    if entry.payloads_of:
        facts["reads"] = list(entry.payloads_of)
    if len(entry.ids) > 1:
        facts["payloads_of"] = list(entry.ids)
    if any(column.row_date for column in entry.columns):  # see silver/outside.py
        if entry.is_asked_until:
            facts["asked_until"] = True
        if entry.is_asked_since:
            facts["asked_since"] = entry.first_date.isoformat()
    if entry.parts and any(column.from_request for column in entry.columns):
        facts["parts"] = entry.each_file.parts if entry.each_file is not None else list(entry.parts)
    if entry.drift is not None:
        facts["drift"] = str(entry.drift)
    if entry.is_data.may_be_empty:
        facts["may_be_empty"] = True
    if entry.is_data.listing_fields:
        facts["listing_fields"] = list(entry.is_data.listing_fields)
    return facts


def format_facts(declared: Format) -> dict[str, Any]:
    """A format as JSON has it, without defaults."""
    return {"kind": declared.kind, **_given(declared)}


def format_of(facts: Mapping[str, Any]) -> Format:
    """The format that ``format_facts`` told of."""
    from sbf_core.dataset.format_list import FORMATS

    made: Format = _made(FORMATS[facts["kind"]], facts)
    return made


def _given(value: Any, *, leave: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of an attrs value that differ from their default, as JSON has them."""
    fields = attrs.fields_dict(type(value))
    given = {name: getattr(value, name) for name in fields if name not in leave}
    return {name: _plain(one) for name, one in given.items() if one != _default(fields[name], value)}


def _default(field: attrs.Attribute[Any], value: Any) -> Any:
    """What a field holds of which nothing is declared; it may follow from other fields of ``value``."""
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # typed as a function
        return default.factory(value) if default.takes_self else default.factory()
    return default


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return _given(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def declaration_text(entry: DatasetKeymapEntry) -> str:
    """The facts as one text, the same for equal declarations."""
    return json.dumps(declared_facts(entry), sort_keys=True)


def fingerprint_of(text: str) -> str:
    """16 hex digits of the SHA-256 of a text from ``declaration_text``."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_written_now(text: str) -> str:
    """A text from ``declaration_text`` of this release or an older one, as this one writes it: without what is a
    default, so that it is equal where the declarations are.
    """
    facts = json.loads(text)
    facts["columns"] = [_again(Column, column) for column in facts["columns"]]
    declared = facts.get("format")
    if declared is not None:
        from sbf_core.dataset.format_list import FORMATS  # few tables were made by another declaration

        if declared["kind"] in FORMATS:
            facts["format"] = {"kind": declared["kind"], **_again(FORMATS[declared["kind"]], declared)}
    return json.dumps(facts, sort_keys=True)


def columns_as_made(text: str) -> tuple[Column, ...]:
    """The columns of a table that was made by the declaration in ``text``."""
    return tuple(_made(Column, column) for column in json.loads(text)["columns"])


def _again(declared: type, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of an attrs value without defaults; as they are where this release cannot declare them."""
    unknown = {name: value for name, value in facts.items() if name not in attrs.fields_dict(declared)}
    try:
        return {**_given(_made(declared, facts)), **unknown}
    except (TypeError, UsageError):
        return facts


def _made(declared: type, facts: Mapping[str, Any]) -> Any:
    """An attrs value of its facts, without those that this release does not know."""
    fields = attrs.fields_dict(declared)
    return declared(**{name: _value(fields[name], value) for name, value in facts.items() if name in fields})


def _value(field: attrs.Attribute[Any], value: Any) -> Any:
    if isinstance(value, dict):  # a format within a format
        return _made(type(_default(field, None)), value)
    return tuple(value) if isinstance(value, list) else value


def changes(before: str, after: str) -> tuple[str, ...]:
    """What differs between two declarations, in words, one for each difference."""
    old, new = json.loads(before), json.loads(after)
    told = [*_changed_columns(old["columns"], new["columns"])]
    keys = [tuple(column["name"] for column in facts["columns"] if column.get("key")) for facts in (old, new)]
    if keys[0] != keys[1]:
        told.append(f"the key was ({', '.join(keys[0])}) and is ({', '.join(keys[1])})")
    for name in sorted((old.keys() | new.keys()) - {"columns", "reading", "payloads_of"}):
        if old.get(name) != new.get(name):
            told.append(f"{name} was {_shown(old.get(name))} and is {_shown(new.get(name))}")
    owners = [set(facts.get("payloads_of", [facts["dataset"]])) for facts in (old, new)]
    if owners[1] - owners[0] - {new["dataset"]}:
        told.append(f"it takes the payloads of {', '.join(sorted(owners[1] - owners[0] - {new['dataset']}))}, too")
    if owners[0] - owners[1]:
        lost = sorted(owners[0] - owners[1])
        told.append(
            f"it has the payloads of {', '.join(lost)} no more (to keep them, declare {_fact('renamed_from', lost)})"
        )
    if old.get("reading") != new.get("reading"):
        told.append("this version of sbf reads payloads otherwise")
    return tuple(told)


def told_shortly(told: Sequence[str]) -> str:
    """The first few changes on one line, and how many more there are."""
    more = len(told) - _CHANGES_SHOWN_MAX
    return "; ".join(told[:_CHANGES_SHOWN_MAX]) + (f"; and {more} more" if more > 0 else "")


def _changed_columns(old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]) -> list[str]:
    before, after = ({column["name"]: column for column in columns} for columns in (old, new))
    renamed = {
        name: former
        for name, column in after.items()
        for former in column.get("renamed_from", ())
        if name not in before and former in before and former not in after
    }
    told = [f"column {former} is called {name}" for name, former in renamed.items()]
    gone = {name: column for name, column in before.items() if name not in {*after, *renamed.values()}}
    fresh = {name: column for name, column in after.items() if name not in {*before, *renamed}}
    told += [f"column {name} is new{_if_renamed(column, gone)}" for name, column in fresh.items()]
    told += [f"column {name} is no longer declared" for name in gone]
    for name in after:
        if name not in {*before, *renamed}:
            continue
        was, now = before[renamed.get(name, name)], after[name]
        silent = {"name", "key"} | ({"renamed_from"} if name in renamed else set())
        for fact in sorted((was.keys() | now.keys()) - silent):
            if was.get(fact) != now.get(fact):
                told.append(f"column {name}: {fact} was {_shown(was.get(fact))} and is {_shown(now.get(fact))}")
    if not told and [*before] != [*after]:
        told.append("the columns have another order")
    return told


def _if_renamed(new: Mapping[str, Any], gone: Mapping[str, Mapping[str, Any]]) -> str:
    """What to declare on a new column if it is the one column like it that is gone; empty where there is none, or
    where the new one says itself which field it takes.
    """
    alike = [old for old in gone.values() if all(old.get(fact) == new.get(fact) for fact in ("type", "key"))]
    if len(alike) != 1 or "source" in new:
        return ""
    (old,) = alike
    names = [*new.get("renamed_from", ()), old["name"], *old.get("renamed_from", ())]
    facts = {name: old[name] for name in ("source", "also") if name in old} | {"renamed_from": names}
    return f" (if it was called {old['name']}, declare {', '.join(_fact(*fact) for fact in facts.items())})"


def _fact(name: str, value: str | Sequence[str]) -> str:
    """A fact as Python declares it."""
    if isinstance(value, str):
        return f"{name}={json.dumps(value)}"
    return f"{name}=({', '.join(map(json.dumps, value))}{',' if len(value) == 1 else ''})"


def _shown(value: Any) -> str:
    if value is None:
        return "the default"
    return value if isinstance(value, str) else json.dumps(value)
