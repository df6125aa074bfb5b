"""The plugins of a home, as its settings say."""

from __future__ import annotations

import os
from pathlib import Path

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
    """The installed plugins without those that are blocked. Raises ``UsageError`` as ``PluginManager`` does.

    Args:
        settings: of the home. A plugin that is loaded only when it is named is named by ``run.plugins``, by options,
            and by payloads of a source of its name: what has come once is known ever after.
        everything: load those, too, that nobody has named.
    """
    block, options = settings["plugins.block"], settings.options
    named = None if everything else {*(settings["run.plugins"] or ()), *_sources(settings.config.bronze)}
    return PluginManager(block=block, options=options, named=named, limits=limits_of(settings))


def _sources(bronze: Path) -> frozenset[str]:
    """The sources of which there are payloads: the second folder of each path."""
    try:
        return frozenset(one.name for domain in os.scandir(bronze) if domain.is_dir() for one in os.scandir(domain))
    except OSError:  # there is none, or whoever reads it will say what the matter is
        return frozenset()


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
