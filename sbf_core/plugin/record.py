"""``PluginRecord``: one plugin, and how its loading went."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import Distribution, EntryPoint
from typing import Any

import attrs

from sbf_core.errors import EnvironmentFault, SbfError, raised_at, said_by
from sbf_core.value import Entity

#: The group of plugins that are not even imported before somebody names them, so that a package may bring hundreds.
WHEN_NAMED = "sbf.plugins.when_named"


@attrs.define(eq=False, kw_only=True)
class PluginRecord(Entity):
    """One plugin and how its loading went.

    Attributes:
        name: the entry point's name.
        point: the entry point; None for a plugin that was registered by hand.
        state: ``loaded``, ``refused``, ``blocked``, or ``asleep`` where nobody has named it.
        reason: why it is not loaded.
        lacked: what the machine lacked when it was imported, or said what it declares: then nothing speaks against it.
        hooks: names of the hooks it implements.
        options: what the settings say to it.
        deprecated: what it uses and should not any more.
    """

    name: str
    point: EntryPoint | None = None
    state: str = "loaded"
    reason: str = ""
    lacked: EnvironmentFault | None = None
    hooks: tuple[str, ...] = ()
    options: Mapping[str, Any] = attrs.field(factory=dict)
    deprecated: tuple[str, ...] = ()

    @functools.cached_property
    def package(self) -> tuple[str, str]:
        """Name and version of the package that brought it.

        Only when asked for: metadata are parsed for it.
        """
        return ("", "") if self.point is None or self.point.dist is None else _name_and_version(self.point.dist)

    @property
    def distribution(self) -> str:
        """Name of the package that brought it; empty for none."""
        return self.package[0]

    @property
    def version(self) -> str:
        """Version of that package; empty for none."""
        return self.package[1]

    @property
    def label(self) -> str:
        """Name, distribution and version, for messages."""
        return f"{self.name} ({self.distribution} {self.version})" if self.distribution else self.name

    @property
    def loaded(self) -> bool:
        """Whether its hooks can be called."""
        return self.state == "loaded"

    @property
    def wants_name(self) -> bool:
        """Whether it is not loaded before somebody names it."""
        return self.point is not None and self.point.group == WHEN_NAMED

    @property
    def way_on(self) -> str:
        """What to do where it was asked for and is not loaded."""
        if self.state == "asleep":
            return f"name it in --plugins, or write [options.{self.name}] into sbf.toml"
        return "unblock it, or do not name it" if self.state == "blocked" else "mend or uninstall it"

    def refuse(self, error: BaseException) -> None:
        """Leave it out because of what its import, or a hook that declares something, raised."""
        self.state = "refused"
        self.reason = "; ".join(part for part in (said_by(error), raised_at(error)) if part)
        if not isinstance(error, SbfError):
            from sbf_core.duck.disk import fault_of_hook  # which loads the engine

            error = fault_of_hook(error, where=f"plugin {self.label}, its import", fix="")
        self.lacked = error if isinstance(error, EnvironmentFault) else None


@functools.cache
def _name_and_version(package: Distribution) -> tuple[str, str]:
    """Once for all plugins that a package brings: its metadata would be parsed anew for each word of them."""
    metadata = package.metadata
    return metadata["Name"], metadata["Version"]
