"""Commands that a person is told to type: each word stays one word in a shell, whatever a path or a name holds."""

from __future__ import annotations

import os
import re
import shlex

#: What no shell of Windows takes for anything else.
_PLAIN = re.compile(r"[\w.:/\\+-]+")


def typed(word: object, *, windows: bool = os.name == "nt") -> str:
    """A word of a command as a shell takes it for one: as POSIX shells quote, or between double quotes on Windows."""
    text = str(word)
    if not windows:
        return shlex.quote(text)
    if _PLAIN.fullmatch(text):
        return text
    quotes_escaped = text.replace('"', '\\"')
    return f'"{quotes_escaped}"'
