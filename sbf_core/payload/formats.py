"""Which module of this room reads what: the one list of formats."""

from __future__ import annotations

import importlib
from functools import cache
from typing import cast

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.format_list import Format
from sbf_core.dataset.formats import Csv, Json, Parquet
from sbf_core.payload.by_identity import by_identity
from sbf_core.payload.model import FormatReader, Reading, Slot, slots_of

#: What an extension means where the dataset declares no format.
_BY_EXTENSION: dict[str, Format] = {"json": Json(), "csv": Csv(), "tsv": Csv(delimiter="\t"), "parquet": Parquet()}
#: The module of each kind of format; it is imported when a payload needs it.
_MODULES = {
    "csv": "delimited",
    "excel": "excel",
    "fixed_width": "fixed_width",
    "json": "json",
    "json_stat": "json_stat",
    "parquet": "parquet",
    "sdmx_csv": "sdmx_csv",
    "sdmx_json": "sdmx_json",
    "sdmx_ml": "sdmx_ml",
    "sections": "sections",
    "singer": "singer",
}


def format_of(entry: DatasetKeymapEntry, extension: str) -> Format | None:
    """How payloads of a dataset are read: as declared, else as the extension says; None where neither says it."""
    return entry.format or getattr(entry.recipe, "format", None) or _BY_EXTENSION.get(extension)


def reading_of(entry: DatasetKeymapEntry, extension: str, *, slots: tuple[Slot, ...] | None = None) -> Reading | None:
    """What is wanted of payloads of a dataset; None for a format that only the plugin's hook can read.

    Args:
        entry: the dataset.
        extension: of the bytes, unpacked.
        slots: the wanted fields; those of the declared columns when absent.
    """
    if slots is None:
        return _declared(entry, extension)
    chosen = format_of(entry, extension)
    return None if chosen is None else Reading(entry=entry, format=chosen, slots=slots)


@by_identity
def _declared(entry: DatasetKeymapEntry, extension: str) -> Reading | None:
    chosen = format_of(entry, extension)
    return None if chosen is None else Reading(entry=entry, format=chosen, slots=slots_of(entry))


@cache
def reader_of(kind: str) -> FormatReader:
    """The reader of a kind of format."""
    return cast(FormatReader, importlib.import_module(f"sbf_core.payload.{_MODULES[kind]}").READER)
