"""Which plugins get a process of their own, and what it may use."""

from __future__ import annotations

from pathlib import Path

import attrs

from sbf_core.plugin.record import PluginRecord
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Isolation(Value):
    """Which plugins get a process of their own, and what they may use.

    Attributes:
        which: ``third-party`` (all that sbf does not bring), ``all`` or ``none``.
        trusted: plugins that get none.
        import_seconds_max: how long a process may take to begin and to import the plugin.
        answer_seconds_max: how long a hook may take to answer, or to ask for the next address.
        memory_bytes: address space of a process, where the system can limit it.
        hidden: environment variables that such a process does not get: the keys that any plugin declares.
        logs: the folder for what it prints; None keeps nothing.
        output_bytes_max: of the file for it, see ``PluginOutput``.
    """

    which: str = "third-party"
    trusted: tuple[str, ...] = ()
    import_seconds_max: float = 60.0
    answer_seconds_max: float = 300.0
    memory_bytes: int = 2 * 1024**3
    hidden: frozenset[str] = frozenset()
    logs: Path | None = None
    output_bytes_max: int = 1 << 20

    def applies_to(self, record: PluginRecord) -> bool:
        """Whether the plugin gets a process of its own. One that was registered by hand has no name to import it by."""
        if record.point is None or self.which == "none" or record.name in self.trusted:
            return False
        return self.which == "all" or record.distribution != "sbf"
