"""The plugins of a home, as its settings say."""

from __future__ import annotations

from sbf_core.plugin.guard import HookLimits
from sbf_core.plugin.limits import Isolation
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.settings import Settings


def limits_of(settings: Settings) -> HookLimits:
    """How long code of plugins may run in the process of sbf."""
    return HookLimits(
        import_seconds_max=settings["plugins.import_seconds_max"],
        answer_seconds_max=settings["plugins.answer_seconds_max"],
    )


def installed_plugins(settings: Settings, *, everything: bool = False) -> PluginManager:
    """The installed plugins without those that are blocked; those that have datasets only once they are given options
    where they are, or with ``everything``. Raises ``UsageError`` as ``PluginManager`` does.
    """
    block, options = settings["plugins.block"], settings.options
    return PluginManager(block=block, options=options, everything=everything, limits=limits_of(settings))


def isolation_of(settings: Settings, registry: DatasetRegistry) -> Isolation:
    """Which plugins get a process of their own, as the settings say, and which keys those processes must not see."""
    keys = {name for owned in registry.datasets.values() for name in owned.entry.key_names}
    return Isolation(
        which=settings["plugins.isolate"],
        trusted=settings["plugins.trusted"],
        import_seconds_max=settings["plugins.import_seconds_max"],
        answer_seconds_max=settings["plugins.answer_seconds_max"],
        memory_bytes=settings["plugins.memory_mebibytes"] * 1024**2,
        hidden=frozenset(keys),
        logs=settings.home / "logs",
        output_bytes_max=settings["plugins.output_kibibytes"] * 1024,
    )
