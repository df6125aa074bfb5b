"""The structure of an SDMX-JSON message: its components, their codes, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from sbf_core.errors import PayloadRefused
from sbf_core.payload.records_only import Number, json_text, list_at, object_at
from sbf_core.value import Value

_WHAT = "SDMX-JSON data message"


class Unfit(Exception):
    """A record does not fit its structure: the text is the fault."""


@attrs.frozen
class Component(Value):
    """A dimension, a measure or an attribute.

    Attributes:
        id: its id, which names the field.
        codes: texts of its codes, of which data give the position; None where data give the values themselves.
        names: names of the codes.
        default: the code or value that holds where data give none.
    """

    id: str
    codes: tuple[str | None, ...] | None
    names: tuple[str | None, ...]
    default: str | None

    def texts(self, given: Any) -> dict[str, str | None]:
        """The fields of this component: its code or value, and the name of the code.

        Raises:
            Unfit: a position is none of the codes.
        """
        if given is None:
            name = None
            if self.codes is not None and self.default in self.codes:
                name = self.names[self.codes.index(self.default)]
            return {self.id: self.default, f"{self.id}.name": name}
        if self.codes is None:
            return {self.id: json_text(given), f"{self.id}.name": None}
        if isinstance(given, list):
            at = [self._position(each) for each in given]
            return {
                self.id: json_text([self.codes[each] for each in at]),
                f"{self.id}.name": json_text([self.names[each] for each in at]),
            }
        position = self._position(given)
        return {self.id: self.codes[position], f"{self.id}.name": self.names[position]}

    def _position(self, given: Any) -> int:
        text = given if isinstance(given, str) else ""
        if not (text.isascii() and text.isdigit()) or int(text) >= len(self.codes or ()):
            raise Unfit("bad_index")
        return int(text)


@attrs.frozen
class Structure(Value):
    """How the data sets of a message are written."""

    levels: dict[str, dict[str, tuple[Component, ...]]]
    measures: tuple[Component, ...]
    key_order: tuple[str, ...]
    datasets: frozenset[str]
    annotation_count: int

    def dimensions(self, level: str) -> tuple[Component, ...]:
        """The dimensions at ``dataSet``, ``series`` or ``observation``."""
        return self.levels["dimensions"].get(level, ())

    def attributes(self, level: str) -> tuple[Component, ...]:
        """The attributes at ``dataSet``, ``dimensionGroup``, ``series`` or ``observation``."""
        return self.levels["attributes"].get(level, ())

    @property
    def ids(self) -> list[str]:
        """The ids of all components."""
        levels = [level for kind in self.levels.values() for level in kind.values()]
        return [component.id for level in (self.measures, *levels) for component in level]

    def is_annotation(self, given: Any) -> bool:
        """Whether it is the position of an annotation of the message."""
        is_position = isinstance(given, Number) and given.isascii() and given.isdigit()
        return is_position and int(given) < self.annotation_count

    def groups(self, given: Any) -> dict[tuple[str, ...], dict[tuple[str, ...], Any]]:
        """Attributes of groups of dimensions: by the dimensions of the group, by the positions of their codes."""
        groups: dict[tuple[str, ...], dict[tuple[str, ...], Any]] = {}
        for key, values in object_at(given or {}, "dimensionGroupAttributes", what=_WHAT).items():
            parts = key.split(":")
            if len(parts) != len(self.key_order):
                what = f"has a group of dimensions {key!r} where there are {len(self.key_order)} dimensions"
                raise PayloadRefused(what)
            named = [(name, part) for name, part in zip(self.key_order, parts, strict=True) if part]
            dimensions, positions = tuple(name for name, _ in named), tuple(part for _, part in named)
            place = f"dimensionGroupAttributes[{key!r}]"
            groups.setdefault(dimensions, {})[positions] = list_at(values, place, what=_WHAT)
        return groups

    def of_groups(
        self, groups: dict[tuple[str, ...], dict[tuple[str, ...], Any]], keys: dict[str, str]
    ) -> dict[str, str | None]:
        """The attributes of all groups that an observation belongs to."""
        texts: dict[str, str | None] = {}
        components = self.attributes("dimensionGroup")
        for component in components:
            texts |= component.texts(None)
        for dimensions, by_positions in groups.items():
            # a dimension at the data set has one code, at 0
            values = by_positions.get(tuple(keys.get(name, "0") for name in dimensions), ())
            for component, value in zip(components, values, strict=False):
                if value is not None:
                    texts |= component.texts(value)
        return texts


def structures_of(data: dict[str, Any]) -> list[Structure]:
    """The structures of a message, in both spellings.

    Raises:
        PayloadRefused: there is none, or it names a component twice at different places.
    """
    given = data.get("structures", [data["structure"]] if "structure" in data else None)
    listed = list_at(given, "structures", what=_WHAT)
    return [_structure(object_at(each, f"structures[{place}]", what=_WHAT)) for place, each in enumerate(listed)]


def _structure(given: dict[str, Any]) -> Structure:
    dimensions = _levels(given.get("dimensions"), "dimensions")
    attributes = _levels(given.get("attributes"), "attributes")
    measures: tuple[Component, ...] = (
        Component("OBS_VALUE", None, (), None),
    )  # where they are left out there is this one
    if "measures" in given:
        measures = _levels(given["measures"], "measures").get("observation", ())
    counted = given.get("annotations")
    datasets = given.get("dataSets")
    structure = Structure(
        {"dimensions": dimensions, "attributes": attributes},
        measures,
        _key_order(given["dimensions"]),
        frozenset(datasets if isinstance(datasets, list) else ()),
        len(counted) if isinstance(counted, list) else 0,
    )
    ids = structure.ids
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise PayloadRefused(f"has the component {twice!r} at two places of its structure")
    return structure


def _levels(given: Any, place: str) -> dict[str, tuple[Component, ...]]:
    levels = object_at(given if given is not None or place == "dimensions" else {}, place, what=_WHAT)
    by_level = {level: _components(components or [], f"{place}.{level}") for level, components in levels.items()}
    if "dataset" in by_level:  # so spelled in a sample of 1.0
        by_level["dataSet"] = by_level.pop("dataset") + by_level.get("dataSet", ())
    return by_level


def _components(given: Any, place: str) -> tuple[Component, ...]:
    return tuple(_component(each, place) for each in list_at(given, place, what=_WHAT))


def _component(given: Any, place: str) -> Component:
    component = object_at(given, place, what=_WHAT)
    name = json_text(component.get("id"))
    if not name:
        raise PayloadRefused(f"has a component without an id in {place}")
    default = json_text(component.get("default"))
    values = component.get("values")
    if values is None or (not values and "format" in component):
        return Component(name, None, (), default)
    place = f"{place}.{name}.values"
    # a null among the codes says that there is none (2.1)
    codes = [{} if each is None else object_at(each, place, what=_WHAT) for each in list_at(values, place, what=_WHAT)]
    names = tuple(json_text(each.get("name")) for each in codes)
    return Component(name, tuple(_code(each) for each in codes), names, default)


def _code(value: dict[str, Any]) -> str | None:
    """The text of a code: its id; its value where no code list has it; its name where 1.0 gives nothing else."""
    given = (value[key] for key in ("id", "value", "values", "name") if value.get(key) is not None)
    return json_text(next(given, None))


def _key_order(dimensions: dict[str, Sequence[dict[str, Any]]]) -> tuple[str, ...]:
    """The ids of all dimensions in the order of a full key; one without a position (the time, in 1.0) stands last."""
    all_dimensions = [each for level in dimensions.values() for each in level or ()]
    positions = [str(each.get("keyPosition", "")) for each in all_dimensions]
    order = [int(position) if position.isdigit() else len(all_dimensions) for position in positions]
    return tuple(
        str(each["id"]) for _, each in sorted(zip(order, all_dimensions, strict=True), key=lambda pair: pair[0])
    )
