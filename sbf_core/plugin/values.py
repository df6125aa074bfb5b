"""What sbf and a plugin's own process say to each other: pickled values of a few known classes."""

from __future__ import annotations

import io
import pickle
from typing import Any

from sbf_core.errors import PluginFault

#: A plugin's process may send values, not code: nothing else is made from what it sends.
_ALLOWED = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "range", "slice"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "sbf_core.dataset.request_body": {"RequestBody"},
    "sbf_core.runs.request": {"RunRequest"},
    "sbf_core.runs.result": {"RunResult"},
    "sbf_core.ops.rows": {"BronzeManifestRow"},
    "sbf_core.failures": {"FailureKind"},
    "sbf_core.gold.model": {"AcceptedRange", "ForeignKey", "GoldModel", "GoldSource", "NotNull", "Unique"},
    "sbf_core.silver.reading": {"BatchFile", "PromotionBatch", "SelectRows"},
    "pathlib": {"PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath"},
    "attr._make": {"__ne__"},
}


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        raise PluginFault(f"its process sent {module}.{name}, which is no value")


def packed(value: object) -> bytes:
    """A value as a message."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(message: bytes) -> Any:
    """The value of a message. Raises ``PluginFault`` where it holds something that is no value."""
    return _Values(io.BytesIO(message)).load()
