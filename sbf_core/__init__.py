"""sbf: a DuckDB warehouse you can trust, one pip-installable dataset at a time."""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("sbf")
    raise AttributeError(f"module 'sbf_core' has no attribute {name!r}")
