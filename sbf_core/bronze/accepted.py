"""Payloads that a user has released although a field is gone from them.

The list stands beside Bronze and is backed up with it: with the payloads and the declarations it decides what silver
holds, so that a rebuild gives the same tables again.
"""

from __future__ import annotations

from collections.abc import Iterable

from sbf_core.atomic_file import regular_file, write_whole
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.config import DuckDbConfig

#: In no path below Bronze.
_MARK = "\t"


def accepted_payloads(config: DuckDbConfig, entry: DatasetKeymapEntry) -> frozenset[str]:
    """Paths below Bronze of the payloads that were released for a dataset."""
    names = entry.ids if entry.payloads_of else ("",)
    lines = (line.partition(_MARK) for line in _lines(config))
    return frozenset(path for path, _, name in lines if name in names)


def accept_payloads(config: DuckDbConfig, entry: DatasetKeymapEntry, paths: Iterable[str]) -> None:
    """Release payloads for a dataset, by their paths below Bronze. Idempotent.

    Raises:
        OSError: the file cannot be written.
    """
    lines = dict.fromkeys([*_lines(config), *(path + _ending(entry) for path in paths)])
    write_whole(config.accepted, "".join(f"{line}\n" for line in lines).encode(), durable=config.fsync != "none")


def _ending(entry: DatasetKeymapEntry) -> str:
    """What follows the path of a payload that is released for a dataset which reads it, and did not fetch it."""
    return f"{_MARK}{entry.id}" if entry.payloads_of else ""


def _lines(config: DuckDbConfig) -> list[str]:
    try:
        return regular_file(config.accepted).decode().splitlines()
    except FileNotFoundError:
        return []
