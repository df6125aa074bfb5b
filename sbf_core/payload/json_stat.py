"""JSON-stat 2.0 (https://json-stat.org/full/): a cube of statistics.

What is in it: ``id`` names the dimensions, ``size`` says how many categories each has, ``dimension.<id>.category``
gives their ids (``index``, in order) and ``label``; ``value`` holds the cells in row-major order, the last dimension
fastest, as a list or, for a sparse cube, as an object keyed by position; ``status`` likewise, or one text for all.
Several datasets stand in a collection (``class: collection``, ``link.item``). The form of version 1 (one object named
``dataset``, ``id`` and ``size`` within ``dimension``), which PX-Web still sends, is read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import attrs

from sbf_core.dataset.formats_of_statistics import JsonStat
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import (
    Number,
    RecordsOnly,
    document_of,
    json_text,
    kind_of,
    list_at,
    object_at,
    places_of,
)
from sbf_core.value import Value

_WHAT = "JSON-stat"


class JsonStatReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record a cell, in row-major order. Of a sparse cube only the cells that have a value or a status.

        Ids are fields, labels are not unique. A null is a record without a value. Numbers keep their digits.

        Raises:
            PayloadRefused: it is no JSON-stat, its parts do not fit each other, or a declared field is no dimension.
        """
        declared = reading.format
        assert isinstance(declared, JsonStat)
        dataset = _dataset(document_of(file.path), declared)
        dimensions = _dimensions(dataset)
        count = prod(len(dimension.ids) for dimension in dimensions)
        values = _by_position(dataset.get("value"), count, "value")
        statuses = _statuses(dataset.get("status"), count)
        fields = [
            *(dimension.id for dimension in dimensions),
            *(f"{dimension.id}.label" for dimension in dimensions),
            *("value", "status", "updated"),
        ]
        places = places_of(reading.slots, fields)
        updated = json_text(dataset.get("updated"))
        cells: Any = range(count) if isinstance(values, list) else sorted({*values, *_stated(statuses)})
        for cell in cells:
            categories = _categories(dimensions, cell)
            texts = [
                *(dimension.ids[at] for dimension, at in zip(dimensions, categories, strict=True)),
                *(dimension.labels[at] for dimension, at in zip(dimensions, categories, strict=True)),
                json_text(values[cell] if isinstance(values, list) else values.get(cell)),
                json_text(_status(statuses, cell)),
                updated,
            ]
            yield Record(f"$.value[{cell}]", [None if place is None else texts[place] for place in places])


@attrs.frozen
class _Dimension(Value):
    """A dimension: its id, and the ids and labels of its categories in order."""

    id: str
    ids: list[str]
    labels: list[str | None]


def _dataset(document: Any, declared: JsonStat) -> dict[str, Any]:
    """The wanted dataset of a response."""
    response = object_at(document, "$", what=_WHAT)
    if response.get("class") == "collection":
        items = list_at(object_at(response.get("link"), "$.link", what=_WHAT).get("item"), "$.link.item", what=_WHAT)
        embedded = [item for item in items if isinstance(item, dict) and "value" in item]
    elif "value" in response and "dimension" in response:
        embedded = [response]
    else:  # version 1: datasets by names of the provider's choice
        embedded = [
            {"label": name, **item} for name, item in response.items() if isinstance(item, dict) and "value" in item
        ]
    if declared.dataset:
        embedded = [item for item in embedded if declared.dataset in (item.get("label"), item.get("href"))]
    if len(embedded) == 1:
        return embedded[0]
    labels = ", ".join(repr(item.get("label")) for item in embedded)
    if not embedded:
        named = f" {declared.dataset!r}" if declared.dataset else ""
        raise PayloadRefused(f"is no JSON-stat with a dataset{named} in it: {_names(response)}")
    raise PayloadRefused(
        f"holds {len(embedded)} datasets: {labels}", fix="declare JsonStat(dataset=...) with one label"
    )


def _names(response: dict[str, Any]) -> str:
    return "it has " + (", ".join(list(response)[:8]) or "nothing")


def _dimensions(dataset: dict[str, Any]) -> list[_Dimension]:
    described = object_at(dataset.get("dimension"), "dimension", what=_WHAT)
    ids = list_at(dataset.get("id", described.get("id")), "id", what=_WHAT)
    sizes = list_at(dataset.get("size", described.get("size")), "size", what=_WHAT)
    if len(ids) != len(sizes):
        raise PayloadRefused(f"names {len(ids)} dimensions in id and {len(sizes)} in size")
    return [_dimension(str(name), size, described) for name, size in zip(ids, sizes, strict=True)]


def _dimension(name: str, size: Any, described: dict[str, Any]) -> _Dimension:
    where = f"dimension.{name}"
    dimension = object_at(described.get(name), where, what=_WHAT)
    category = object_at(dimension.get("category"), f"{where}.category", what=_WHAT)
    labels = category.get("label") or {}
    index = category.get("index")
    if index is None and isinstance(labels, dict) and len(labels) == 1:
        index = list(labels)  # one category needs no order
    if isinstance(index, dict):
        order = {str(position): code for code, position in index.items()}
        index = [order.get(str(position)) for position in range(len(order))]
    ids = [json_text(code) for code in list_at(index, f"{where}.category.index", what=_WHAT)]
    known = [code for code in ids if code is not None]
    if len(set(known)) != len(ids):
        raise PayloadRefused(f"names the categories of dimension {name!r} twice, or not all of them")
    if str(len(ids)) != json_text(size):
        raise PayloadRefused(f"has {len(ids)} categories of dimension {name!r} where size says {json_text(size)}")
    named = labels if isinstance(labels, dict) else dict(zip(known, labels, strict=False))
    return _Dimension(name, known, [json_text(named.get(code)) for code in known])


def _by_position(given: Any, count: int, place: str) -> list[Any] | dict[int, Any]:
    """Values of cells: all of them, or by position."""
    if isinstance(given, list):
        if len(given) != count:
            raise PayloadRefused(f"has {len(given)} of {place} where its dimensions make {count} cells")
        return given
    cells = object_at(given, place, what=_WHAT)
    positions = {key: _position(key, count) for key in cells}
    strange = next((key for key, position in positions.items() if position is None), None)
    if strange is not None:
        raise PayloadRefused(f"has a {place} at {strange!r}, which is none of its {count} cells")
    return {position: cells[key] for key, position in positions.items() if position is not None}


def _position(key: str, count: int) -> int | None:
    is_number = key.isascii() and key.isdigit() and (key == "0" or key[0] != "0")
    return int(key) if is_number and len(key) <= len(str(count)) and int(key) < count else None


def _statuses(given: Any, count: int) -> list[Any] | dict[int, Any] | str | None:
    """Statuses of cells: all of them, by position, or one for all."""
    if isinstance(given, (list, dict)):
        return _by_position(given, count, "status")
    if given is not None and (isinstance(given, Number) or not isinstance(given, str)):
        raise PayloadRefused(f"has a status that is {kind_of(given)}")
    return given


def _stated(statuses: list[Any] | dict[int, Any] | str | None) -> list[int]:
    return list(statuses) if isinstance(statuses, dict) else []


def _status(statuses: list[Any] | dict[int, Any] | str | None, cell: int) -> Any:
    if isinstance(statuses, dict):
        return statuses.get(cell)
    return statuses[cell] if isinstance(statuses, list) else statuses


def _categories(dimensions: list[_Dimension], cell: int) -> list[int]:
    """The place of a cell along each dimension: the last one runs fastest."""
    places: list[int] = []
    for dimension in reversed(dimensions):
        cell, at = divmod(cell, len(dimension.ids))
        places.append(at)
    return places[::-1]


READER = JsonStatReader()
