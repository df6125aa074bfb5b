"""What plugins should not use any more: hooks, arguments of hooks, and names of ``sbf_core.api``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol

import attrs

from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Deprecation(Value):
    """A hook, or an argument of a hook, that will be gone.

    Attributes:
        hook: its name.
        argument: the argument; empty for the whole hook.
        since: the ``HOOK_API`` number from which on it should not be used.
        gone_in: the version of sbf that will not know it any more.
        instead: what to use.
    """

    hook: str
    argument: str = ""
    since: int
    gone_in: str
    instead: str

    @property
    def text(self) -> str:
        """For readers."""
        what = f"the argument {self.argument!r} of the hook {self.hook}" if self.argument else f"the hook {self.hook}"
        return f"{what} is deprecated since HOOK_API {self.since} and gone in sbf {self.gone_in}; use {self.instead}"


@attrs.frozen(kw_only=True)
class MovedName(Value):
    """A name of ``sbf_core.api`` that has another one now.

    Attributes:
        place: the module that holds what it stands for.
        instead: the new name.
        since: the version of sbf from which on it should not be used.
        gone_in: the version that will not know it any more.
    """

    place: str
    instead: str
    since: str
    gone_in: str


class SbfDeprecationWarning(DeprecationWarning):
    """A plugin uses what will be gone. Python shows it in tests; ``sbf plugins list`` and each run show it, too."""


class Implementation(Protocol):
    """A hook of a plugin, as pluggy knows it."""

    @property
    def argnames(self) -> tuple[str, ...]:
        """Arguments without defaults."""
        ...

    @property
    def kwargnames(self) -> tuple[str, ...]:
        """Arguments with defaults."""
        ...


def used_by(hooks: Mapping[str, Implementation], deprecated: Iterable[Deprecation]) -> Iterator[Deprecation]:
    """The deprecations that concern a plugin.

    Args:
        hooks: its hooks by name.
        deprecated: all that there are.
    """
    for item in deprecated:
        hook = hooks.get(item.hook)
        if hook is not None and (not item.argument or item.argument in (*hook.argnames, *hook.kwargnames)):
            yield item


def moved(name: str, table: Mapping[str, MovedName]) -> Any:
    """What an old name stands for, with a warning. Raises ``AttributeError`` for a name that there never was."""
    item = table.get(name)
    if item is None:
        raise AttributeError(f"module 'sbf_core.api' has no attribute {name!r}")
    text = (
        f"sbf_core.api.{name} is deprecated since sbf {item.since} and gone in sbf {item.gone_in}; use {item.instead}"
    )
    warnings.warn(text, SbfDeprecationWarning, stacklevel=3)
    return getattr(import_module(item.place), item.instead)
