"""sbf: a DuckDB warehouse you can trust, one pip-installable dataset at a time.

For notebooks and programs: ``sbf_core.open(home)`` reads a warehouse, as it is or as it was known at
a moment, ``sbf_core.panel`` gives what was known on many days, ``sbf_core.run(home, plugins=["ecb"])`` fills it.
Plugins import ``sbf_core.api``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbf_core.library import open_warehouse as open  # noqa: A004 - users read sbf_core.open(home)
    from sbf_core.library import panel, run
    from sbf_core.runs.context import RunContext

    __version__: str

__all__ = ["RunContext", "__version__", "open", "panel", "run"]


def __getattr__(name: str) -> Any:
    """Each name is loaded when it is asked for: a command line that only shows its help must not pay for DuckDB."""
    if name == "__version__":
        from importlib.metadata import version

        return version("sbf")
    if name == "open":
        from sbf_core.library import open_warehouse

        return open_warehouse
    if name == "panel":
        from sbf_core.library import panel

        return panel
    if name == "run":
        from sbf_core.library import run

        return run
    if name == "RunContext":
        from sbf_core.runs.context import RunContext

        return RunContext
    raise AttributeError(f"module 'sbf_core' has no attribute {name!r}")
