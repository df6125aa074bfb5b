"""Payloads that a user has released although a field is gone from them.

The list stands beside Bronze and is backed up with it: with the payloads and the declarations it decides what silver
holds, so that a rebuild gives the same tables again.
"""

from __future__ import annotations

from collections.abc import Iterable

from sbf_core.atomic_file import regular_file, write_whole
from sbf_core.duck.config import DuckDbConfig


def accepted_payloads(config: DuckDbConfig) -> frozenset[str]:
    """Paths below Bronze of the payloads that were released."""
    return frozenset(_lines(config))


def accept_payloads(config: DuckDbConfig, paths: Iterable[str]) -> None:
    """Release payloads, by their paths below Bronze. Idempotent.

    Raises:
        OSError: the file cannot be written.
    """
    lines = dict.fromkeys([*_lines(config), *paths])
    write_whole(config.accepted, "".join(f"{line}\n" for line in lines).encode(), durable=config.fsync != "none")


def _lines(config: DuckDbConfig) -> list[str]:
    try:
        return regular_file(config.accepted).decode().splitlines()
    except FileNotFoundError:
        return []
