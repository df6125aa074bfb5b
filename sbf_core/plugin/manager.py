"""Plugins found by entry points, loaded one by one, each with a report of how that went."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from sbf_core import signals
from sbf_core.errors import (
    DatasetFailure,
    EnvironmentFault,
    PluginFault,
    SbfError,
    UsageError,
    nearest,
)
from sbf_core.plugin import hookspecs
from sbf_core.plugin.deprecations import SbfDeprecationWarning, used_by
from sbf_core.plugin.guard import HookLimits, bounded, exit_refused
from sbf_core.plugin.patterns import is_blocked, matches
from sbf_core.plugin.record import WHEN_NAMED, PluginRecord
from sbf_core.plugin.unmarked import unmarked_hook

GROUP = "sbf.plugins"
_USUAL_LIMITS = HookLimits()
#: Hooks that say what there is.
_DECLARING = ("datasets", "build_gold", "offers", "universe_members")


class PluginManager:
    """The plugins of this environment, and the way to call one of them.

    Args:
        points: entry points to load; those installed under ``sbf.plugins`` and ``sbf.plugins.when_named`` when absent.
        block: names of plugins that must not be loaded.
        options: what the settings say to each plugin, by its name.
        named: plugins, or patterns, that somebody names otherwise than by options; None: all, those included that are
            loaded only when they are named.
        limits: how long an import, and a hook that declares something, may take; None where somebody else sees to that.

    Raises:
        UsageError: there are options for a plugin that is not installed.
    """

    def __init__(
        self,
        points: Iterable[EntryPoint] | None = None,
        *,
        block: Sequence[str] = (),
        options: Mapping[str, Mapping[str, Any]] | None = None,
        named: Collection[str] | None = (),
        limits: HookLimits | None = _USUAL_LIMITS,
    ) -> None:
        self._named = named
        self._limits = limits
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._callers: dict[tuple[str, str], Callable[..., Any]] = {}
        self.records: dict[str, PluginRecord] = {}
        self._options = options or {}
        for point in sorted(_installed() if points is None else points, key=lambda point: point.name):
            self._load(point, block)
        stray = next((name for name in self._options if points is None and name not in self.records), None)
        if stray is not None:
            hint = nearest(stray, self.records) or f"installed: {', '.join(self.records) or 'none'}"
            raise UsageError(
                f"there are options for {stray!r}, and no such plugin",
                where=f"[options.{stray}]",
                fix=hint,
                code="UNKNOWN_PLUGIN",
            )

    def _load(self, point: EntryPoint, block: Sequence[str]) -> None:
        record = PluginRecord(name=point.name, point=point, options=self._options.get(point.name, {}))
        other = self.records.get(point.name)
        if other is not None:
            self._refuse_twins(other, record)
            return
        self.records[point.name] = record
        if is_blocked(record, block):
            record.state, record.reason = "blocked", "blocked in the settings"
            return
        if record.wants_name and not self._is_named(record):
            record.state, record.reason = "asleep", "nobody has named it"
            return
        self._import(record)

    def _import(self, record: PluginRecord) -> None:
        assert record.point is not None
        try:
            self._register(record, self._imported(record.point))
        except BaseException as error:  # a plugin may do anything while it is imported
            if signals.is_from_user(error):
                raise
            record.refuse(error)

    def _is_named(self, record: PluginRecord) -> bool:
        named = self._named
        return named is None or record.name in self._options or any(matches(record, pattern) for pattern in named)

    def wake(self, named: Iterable[str]) -> bool:
        """Load those that were not named so far, and are now, by their names or patterns; whether there were any."""
        patterns = tuple(named)
        asleep = [record for record in self.records.values() if record.state == "asleep"]
        woken = [record for record in asleep if any(matches(record, pattern) for pattern in patterns)]
        for record in woken:
            record.state, record.reason = "loaded", ""
            self._import(record)
        return bool(woken)

    def _imported(self, point: EntryPoint) -> Any:
        if self._limits is None:
            return point.load()
        seconds = self._limits.import_seconds_max
        fix = "raise plugins.import_seconds_max if it needs longer"
        return bounded(point.load, owner=point.name, what="its import", seconds_max=seconds, fix=fix)

    def _refuse_twins(self, other: PluginRecord, record: PluginRecord) -> None:
        if (other.distribution, other.version) == (record.distribution, record.version):
            return  # one distribution seen twice on the path
        if other.loaded:
            self._pluggy.unregister(name=other.name)
        other.state = "refused"
        other.reason = (
            f"two packages bring a plugin of this name: {other.distribution} and {record.distribution}; uninstall one"
        )

    def register(self, module: ModuleType | object, *, name: str) -> PluginRecord:
        """Add a plugin that no package brings: in tests, notebooks and scripts.

        Raises ``UsageError`` if it is not sound.
        """
        if name in self.records:
            raise UsageError(f"there is a plugin {name!r} already", code="PLUGIN")
        record = PluginRecord(name=name, options=self._options.get(name, {}))
        self._register(record, module)
        self.records[name] = record
        return record

    def _register(self, record: PluginRecord, module: ModuleType | object) -> None:
        _check_api(getattr(module, "HOOK_API", hookspecs.HOOK_API_FIRST))
        try:
            hash(module)  # pluggy keeps plugins in sets
        except TypeError:
            raise UsageError(
                "the plugin object cannot be hashed", fix="use a module, or attrs.define(eq=False)", code="PLUGIN"
            ) from None
        try:
            self._pluggy.register(module, name=record.name)
            self._pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            if self._pluggy.has_plugin(record.name):
                self._pluggy.unregister(name=record.name)
            raise UsageError(
                f"a hook is not as specified: {str(error).splitlines()[-1].strip() or error}",
                fix="see docs/reference/hooks.md",
                code="HOOK",
            ) from error
        callers = self._pluggy.get_hookcallers(module) or ()
        record.hooks = tuple(sorted(caller.name for caller in callers))
        forgotten = unmarked_hook(module, vars(self._pluggy.hook), record.hooks)
        if forgotten:
            self._pluggy.unregister(name=record.name)
            record.hooks = ()
            raise UsageError(
                f"its function {forgotten!r} is called like a hook and is not marked as one",
                fix=f"write @hookimpl above `def {forgotten}`, or give it another name",
                code="HOOK",
            )
        if hookspecs.DEPRECATED:
            own = {
                caller.name: next(
                    implementation for implementation in caller.get_hookimpls() if implementation.plugin is module
                )
                for caller in callers
            }
            record.deprecated = tuple(item.text for item in used_by(own, hookspecs.DEPRECATED))
        for text in record.deprecated:
            warnings.warn(f"plugin {record.label}: {text}", SbfDeprecationWarning, stacklevel=2)

    def selected(self, names: Sequence[str] | None) -> list[PluginRecord]:
        """The loaded plugins, or those named.

        Raises:
            UsageError: a name is not installed, or its plugin was refused.
            EnvironmentFault: the machine lacked something when a plugin that is named was loaded.
        """
        if names is None:
            return [record for record in self.records.values() if record.loaded]
        chosen = []
        for name in dict.fromkeys(names):
            record = self.records.get(name)
            if record is None:
                installed = ", ".join(self.records) or "none"
                hint = nearest(name, self.records)
                raise UsageError(
                    f"there is no plugin {name!r}",
                    fix="; ".join(part for part in (hint, f"installed: {installed}") if part),
                    code="UNKNOWN_PLUGIN",
                )
            if record.lacked is not None:
                raise record.lacked
            if not record.loaded:
                raise UsageError(
                    f"plugin {record.label} is {record.state}: {record.reason}",
                    fix=record.way_on,
                    code="PLUGIN_REFUSED",
                )
            chosen.append(record)
        return chosen

    def has(self, record: PluginRecord, hook: str) -> bool:
        """Whether a plugin implements a hook."""
        return hook in record.hooks

    def call(
        self, record: PluginRecord, hook: str, *, doing: str, safe: str, may_be_none: bool = False, **arguments: Any
    ) -> Any:
        """Call a hook of one plugin, of no other.

        Args:
            record: the plugin.
            hook: the hook's name; the plugin implements it.
            doing: what it is asked for, e.g. ``dataset prices/fmp/eod``; empty where the caller says it by ``placed``.
            safe: what was and was not written, and how to go on; for the message.
            may_be_none: None is an answer: the hook leaves it to the core.
            **arguments: the hook's arguments.

        Raises:
            PluginFault: the hook raised, or answered None.
            EnvironmentFault: the machine is to blame for what it raised, e.g. ``OutOfMemory``.
            DatasetFailure, UsageError: the hook raised one; what it was doing is added.
        """
        caller = self._callers.get((record.name, hook))
        if caller is None:
            others = [plugin for plugin in self._pluggy.get_plugins() if self._pluggy.get_name(plugin) != record.name]
            caller = self._callers[record.name, hook] = self._pluggy.subset_hook_caller(hook, remove_plugins=others)
        try:
            answer = self._answer(record, hook, partial(caller, **arguments))
        except (DatasetFailure, UsageError, EnvironmentFault) as error:
            raise placed(error, record, hook, doing=doing, safe=safe) from error
        except BaseException as error:  # a plugin may raise anything
            if signals.is_from_user(error):
                raise
            from sbf_core.duck.disk import fault_of_hook  # which loads the engine

            raise fault_of_hook(error, where=_place(record, hook, doing), fix=safe) from error
        if answer is None and not may_be_none:
            raise PluginFault("answered None", where=_place(record, hook, doing), fix=safe)
        return answer

    def _answer(self, record: PluginRecord, hook: str, call: Callable[[], Any]) -> Any:
        if self._limits is None:
            return _given(call()) if hook in _DECLARING else call()
        if hook not in _DECLARING:  # it works on payloads: as long as it takes, for who may do that here is trusted
            with exit_refused():
                return call()
        seconds = self._limits.answer_seconds_max
        fix = "raise plugins.answer_seconds_max if it needs longer"
        return bounded(lambda: _given(call()), owner=record.name, what=f"hook {hook}", seconds_max=seconds, fix=fix)


def _installed() -> list[EntryPoint]:
    """The plugins of this environment. All of its entry points are looked through once."""
    points = entry_points()
    return [point for group in (GROUP, WHEN_NAMED) for point in points.select(group=group)]


def _given(answer: Any) -> Any:
    """What a hook answers; what it makes one by one is made now, while somebody looks after it."""
    return list(answer) if isinstance(answer, Iterator) else answer


def _check_api(number: object) -> None:
    """Raise ``UsageError`` for a plugin that was written for hooks
    which this core does not know any more, or not yet.
    """
    known = hookspecs.HOOK_API_SUPPORTED
    if number in known:
        return
    supported = str(known.start) if len(known) == 1 else f"{known.start} to {known.stop - 1}"
    newer = isinstance(number, int) and number >= known.stop
    older = isinstance(number, int) and number < known.start
    fix = "upgrade sbf" if newer else "upgrade the plugin" if older else "write HOOK_API = 1"
    raise UsageError(f"written for HOOK_API {number!r}, this sbf supports {supported}", fix=fix, code="HOOK_API")


def placed(error: SbfError, record: PluginRecord, hook: str, *, doing: str, safe: str) -> SbfError:
    """An error of ours that came out of a hook, with the hook and what it was asked for."""
    where = ", ".join(part for part in (error.where, _place(record, hook, doing)) if part)
    return type(error)(error.what, where=where, fix=error.fix or safe, code=error.code)


def _place(record: PluginRecord, hook: str, doing: str) -> str:
    return f"{doing}, plugin {record.label}, hook {hook}" if doing else ""
