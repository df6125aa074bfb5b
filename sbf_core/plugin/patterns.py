"""Plugins by name, by the package that brought them, or by a pattern such as ``fmp*``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from sbf_core.errors import UsageError, nearest


class Named(Protocol):
    """A plugin, as far as patterns look at it."""

    @property
    def name(self) -> str:
        """The name of its entry point."""
        ...

    @property
    def distribution(self) -> str:
        """Name of the package that brought it; empty for none."""
        ...


def is_pattern(text: str) -> bool:
    """Whether a text means several names."""
    return any(mark in text for mark in "*?[")


def matches(plugin: Named, pattern: str) -> bool:
    """Whether a plugin is meant by a name, a package or a pattern.

    Packages are compared as pip does: ``-``, ``_`` and ``.`` are one.
    """
    # The name first: asking for the package reads metadata from the disk.
    return fnmatchcase(plugin.name, pattern) or bool(
        plugin.distribution and fnmatchcase(_canonical(plugin.distribution), _canonical(pattern))
    )


def _canonical(name: str) -> str:
    """See https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def chosen_by(pattern: str, plugins: Iterable[Named], *, what: str) -> list[str]:
    """Names of the plugins that are meant, in their order.

    Args:
        pattern: a name, a package, or a pattern.
        plugins: all that are installed.
        what: who gave it, e.g. ``--exclude``.

    Raises:
        UsageError: none is.
    """
    known = list(plugins)
    exact = [plugin.name for plugin in known if plugin.name == pattern]
    chosen = exact or [plugin.name for plugin in known if matches(plugin, pattern)]
    if not chosen:
        names = [plugin.name for plugin in known]
        hint = "" if is_pattern(pattern) else nearest(pattern, names)
        fix = "; ".join(part for part in (hint, f"installed: {', '.join(names) or 'none'}") if part)
        raise UsageError(f"there is no plugin {pattern!r}", where=what, fix=fix, code="UNKNOWN_PLUGIN")
    return chosen


def is_blocked(plugin: Named, block: Sequence[str]) -> bool:
    """Whether the settings name a plugin, its package or a pattern that it fits."""
    return any(matches(plugin, pattern) for pattern in block)
