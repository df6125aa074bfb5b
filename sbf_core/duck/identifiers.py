"""The one place where names and literals become SQL text."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """``name`` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: Iterable[str], *, prefix: str = "") -> str:
    """Quoted identifiers with commas between, each behind ``prefix`` such as ``t.``."""
    return ", ".join(prefix + quoted(name) for name in names)


def literal(text: str) -> str:
    """``text`` as a string literal, for the places where DuckDB takes no parameter (file lists, macros)."""
    return "'" + text.replace("'", "''") + "'"


def literal_list(texts: Iterable[str]) -> str:
    """A list of string literals in brackets."""
    return "[" + ", ".join(literal(text) for text in texts) + "]"


def matches(names: Iterable[str], left: str, right: str) -> str:
    """``left.a = right.a AND left.b = right.b`` for columns that are never NULL."""
    return " AND ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in names)


def differs(names: Iterable[str], left: str, right: str) -> str:
    """Whether any of the columns differs, NULLs and NaNs compared as values; false for no columns."""
    parts = [f"{left}.{quoted(name)} IS DISTINCT FROM {right}.{quoted(name)}" for name in names]
    return "(" + " OR ".join(parts) + ")" if parts else "false"
