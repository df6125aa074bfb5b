"""Errors of the engine as Python sees them.

A message that the engine cut within a character, as it does with the payload that it quotes, is no UTF-8: Python then
raises ``UnicodeDecodeError`` in the place of the error (DuckDB 1.5.5 and 2.0.1).
"""

from __future__ import annotations

import duckdb

#: Whatever a statement may raise because of what it was given.
ENGINE_ERRORS = (duckdb.Error, UnicodeDecodeError)


def first_line(error: BaseException) -> str:
    """What the engine says, in one line."""
    text = error.object.decode("utf-8", "replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return text.split("\n", maxsplit=1)[0]
