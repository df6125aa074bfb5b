"""The variables that a process of ours gets along."""

from __future__ import annotations

import os
from collections.abc import Collection

#: What Python needs to start, and nothing else: no key, and no setting of sbf.
_NEEDED = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "HOME",
    "USERPROFILE",
    "LANG",
    "LC_ALL",
)


def bare_environment() -> dict[str, str]:
    """For code of ours that answers pages: what Python needs to start."""
    return {name: os.environ[name] for name in _NEEDED if name in os.environ}


def environment_without(hidden: Collection[str]) -> dict[str, str]:
    """For code of plugins, which may use the user's variables: all but the keys that plugins declare."""
    return {name: value for name, value in os.environ.items() if name not in hidden}
