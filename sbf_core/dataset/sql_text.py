"""The text of a query with names in braces: where they may stand, and how values are bound in their place."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping

from sbf_core.errors import UsageError

#: What stands in quotes, between dollars, or behind a comment's beginning; in none of them is a value bound.
_QUOTED = re.compile(
    r"""'(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z) | (\$[A-Za-z_]*\$).*?(?:\1|\Z) | --[^\n]*"""
    r""" | /\*.*?(?:\*/|\Z)""",
    re.VERBOSE | re.DOTALL,
)
#: Stands for a name in braces while a query is looked at; no query that anybody writes holds it.
_MARK = "\x00"


def parts_of_query(query: str) -> list[tuple[str, str]]:
    """A query as texts, each with the name in braces that follows it; empty behind the last."""
    return [(text, name or "") for text, name, _, _ in string.Formatter().parse(query)]


def check_query(query: str) -> None:
    """Raise ``UsageError`` for a query that is empty, several, or has a name where no value can be bound."""
    parts = parts_of_query(query)
    whole = "".join(text + _MARK * bool(name) for text, name in parts)
    if _MARK * sum(bool(name) for _, name in parts) != "".join(re.findall(_MARK, whole)):
        raise _fault("the query holds a letter with the code 0", "leave it out", query)
    bare = _QUOTED.sub(" ", whole)
    if bare.count(_MARK) != whole.count(_MARK):
        name = next(name for _, name in parts if name)
        what = "a name in braces stands in quotes or in a comment, where no value can be bound"
        raise _fault(what, f"write {{{name}}} without quotes: a value is bound, and never pasted", query)
    if not bare.strip():
        raise _fault("there is no query", 'query="SELECT id, name FROM clients"', query)
    if ";" in bare:
        raise _fault("the query is more than one statement", "leave out the ;", query)


def bound(
    query: str, values: Mapping[str, str | int], mark: Callable[[int], str], *, text: Callable[[str], str] = str
) -> tuple[str, list[str | int]]:
    """A query as a database takes it, and the values that are bound, in their order.

    Args:
        query: with names in braces.
        values: what stands for each.
        mark: what a database has in the place of its first, second, ... value, from 1.
        text: how all else is written.
    """
    written: list[str] = []
    given: list[str | int] = []
    for part, name in parts_of_query(query):
        written.append(text(part))
        if name:
            given.append(values[name])
            written.append(mark(len(given)))
    return "".join(written), given


def on_one_line(query: str) -> str:
    """A query for readers: blanks and line ends outside of quotes are one blank each."""
    found: list[str] = []
    end = 0
    for match in _QUOTED.finditer(query):
        found += [re.sub(r"\s+", " ", query[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*found, re.sub(r"\s+", " ", query[end:])]).strip()


def names_of(query: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(name for _, name in parts_of_query(query) if name)


def _fault(what: str, fix: str, query: str) -> UsageError:
    return UsageError(what, where=on_one_line(query)[:80], fix=fix, code="RECIPE")
