"""Which plugins get a process of their own, and what it may use."""

from __future__ import annotations

import attrs

from sbf_core.plugin.manager import PluginRecord


@attrs.frozen(kw_only=True)
class Isolation:
    """Which plugins get a process of their own, and what they may use.

    Attributes:
        which: ``third-party`` (all that sbf does not bring), ``all`` or ``none``.
        trusted: plugins that get none.
        answer_seconds_max: how long a hook may take to answer, or to ask for the next address.
        memory_bytes: address space of a process, where the system can limit it.
        hidden: environment variables that such a process does not get: the keys that any plugin declares.
    """

    which: str = "third-party"
    trusted: tuple[str, ...] = ()
    answer_seconds_max: float = 300.0
    memory_bytes: int = 2 * 1024**3
    hidden: frozenset[str] = frozenset()

    def applies_to(self, record: PluginRecord) -> bool:
        """Whether the plugin gets a process of its own. One that was registered by hand has no name to import it by."""
        if record.point is None or self.which == "none" or record.name in self.trusted:
            return False
        return self.which == "all" or record.distribution != "sbf"
