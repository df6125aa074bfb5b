"""Values of a declaration as the Python that declares them: without what is at its default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

from sbf_core.errors import PluginFault


def text_literal(text: str) -> str:
    """A Python literal in double quotes."""
    return '"' + repr(text)[1:-1].replace('"', '\\"').replace("\\'", "'") + '"'


def literal(value: Any) -> str:
    """A text, a number, a day, a list, a mapping, or a value of ``sbf_core.api`` as Python.

    Raises:
        PluginFault: something that no declaration holds.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return text_literal(value)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return f"dt.date({value.year}, {value.month}, {value.day})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(name)}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if attrs.has(type(value)):
        facts = ", ".join(f"{name}={literal(each)}" for name, each in given(value).items())
        return f"{type(value).__name__}({facts})"
    raise PluginFault(f"{type(value).__name__} is no part of a declaration")


def given(value: Any) -> dict[str, Any]:
    """The fields of an attrs value that differ from their default."""
    found = {}
    for field in attrs.fields(type(value)):
        one = getattr(value, field.name)
        default: Any = field.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # typed as a function
            default = default.factory(value) if default.takes_self else default.factory()
        if one != default:
            found[field.name] = one
    return found


def names_in(value: Any) -> Iterator[str]:
    """The classes of ``sbf_core.api`` that a literal names."""
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from names_in(one)
    elif attrs.has(type(value)):
        yield type(value).__name__
        for one in given(value).values():
            yield from names_in(one)
