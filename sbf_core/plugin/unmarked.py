"""A hook that its author forgot to mark: pluggy takes it for a helper, and the plugin would do nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FunctionType, ModuleType

from pluggy import HookCaller


def unmarked_hook(module: ModuleType | object, hooks: Mapping[str, HookCaller], marked: Collection[str]) -> str:
    """The name of a function of a plugin that could be a hook by its name and arguments, and is none; empty: there is
    none. What the module imported is not its own.
    """
    for name, hook in hooks.items():
        own = getattr(module, name, None)
        if name in marked or not isinstance(own, FunctionType) or own.__module__ != getattr(module, "__name__", ""):
            continue
        arguments = own.__code__.co_varnames[: own.__code__.co_argcount]
        if set(arguments) <= set(hook.spec.argnames if hook.spec else ()):
            return name
    return ""
