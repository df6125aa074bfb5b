"""``[universe.SOURCE]`` of ``sbf.toml``: the tickers that one source is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sbf_core.errors import UsageError, nearest
from sbf_core.universe.members import UniverseSettings

_KEYS = ("tickers", "file", "plugin", "query")


def own_universe(source: str, table: Mapping[str, Any], file: Path) -> UniverseSettings:
    """What a table says.

    Args:
        source: whose tickers.
        table: one of ``tickers``, ``file``, ``plugin`` or ``query``, as in ``[universe]``.
        file: the settings; a relative path starts in its folder.

    Raises:
        UsageError: it says nothing of that, or more than one.
    """
    where = f"{file}: [universe.{source}]"
    stray = next((name for name in table if name not in _KEYS), None)
    if stray is not None:
        fix = nearest(stray, _KEYS) or "use one of " + ", ".join(_KEYS)
        raise UsageError(f"there is no setting {stray!r}", where=where, fix=fix, code="SETTING")
    if len(table) != 1:
        raise UsageError(
            "a universe has one source", where=where, fix="keep one of " + ", ".join(_KEYS), code="UNIVERSE"
        )
    ((name, value),) = table.items()
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not (is_list if name == "tickers" else isinstance(value, str)) or not value:
        wanted = 'tickers = ["AAPL", "MSFT"]' if name == "tickers" else f'{name} = "..."'
        raise UsageError(f"{name} is {value!r}", where=where, fix=f"write {wanted}", code="SETTING")
    if name == "file":
        return UniverseSettings(file=file.parent / Path(value).expanduser())
    return UniverseSettings(**{name: value})
