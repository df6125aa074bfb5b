"""The plugins of a home, as its settings say."""

from __future__ import annotations

from sbf_core.plugin.guard import HookLimits
from sbf_core.plugin.manager import PluginManager
from sbf_core.settings.settings import Settings


def limits_of(settings: Settings) -> HookLimits:
    """How long code of plugins may run in the process of sbf."""
    return HookLimits(
        import_seconds_max=settings["plugins.import_seconds_max"],
        answer_seconds_max=settings["plugins.answer_seconds_max"],
    )


def installed_plugins(settings: Settings) -> PluginManager:
    """The installed plugins without those that are blocked. Raises ``UsageError`` as ``PluginManager`` does."""
    block, options = settings["plugins.block"], settings.options
    return PluginManager(block=block, options=options, limits=limits_of(settings))
