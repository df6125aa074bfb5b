"""SDMX-JSON data messages 1.0 and 2.0 / 2.1 (https://github.com/sdmx-twg/sdmx-json, data-message field guides).

What is in it: ``structure`` (1.0) or ``structures`` (2.0), at the top or in ``data``, name the components with their
codes; ``dataSets`` hold values under keys such as ``0:2:1``, which are positions in the codes of the dimensions at that
level: of series and then of observations, or of observations alone (``dimensionAtObservation=AllDimensions``). An
observation is a list: its measures, then positions of its attributes' codes or their values, then positions of
annotations; what is left out at the end has its ``default``. Attributes stand at the data set, at groups of dimensions
(2.0), at the series or at the observation. ``action`` says whether a data set adds, replaces or deletes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sbf_core.dataset.formats_of_statistics import SdmxJson
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import RecordsOnly, document_of, json_text, list_at, object_at, places_of, short
from sbf_core.payload.sdmx_structure import Component, Structure, Unfit, structures_of

_WHAT = "SDMX-JSON data message"


class SdmxJsonReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record an observation, in the order of the message; of a deletion also one a series without observations.

        A key, or a position for a wanted attribute, that names no code makes its record ``bad_index``, a list of
        another length ``ragged``. A message asked for with ``detail=nodata`` has no measures, and cannot be told apart.

        Raises:
            PayloadRefused: it is no data message, it tells errors, or it deletes and no column takes ``action``.
        """
        assert isinstance(reading.format, SdmxJson)
        message = object_at(document_of(file.path), "$", what=_WHAT)
        _refuse_errors(message)
        data = object_at(message.get("data", message), "$.data", what=_WHAT)
        structures = structures_of(data)
        datasets = list_at(data.get("dataSets"), "dataSets", what=_WHAT)
        head = message.get("header") or message.get("meta") or {}
        prepared = json_text(head.get("prepared")) if isinstance(head, dict) else None
        for number, dataset in enumerate(datasets):
            content = object_at(dataset, f"dataSets[{number}]", what=_WHAT)
            structure = _structure(structures, content, number)
            walk = _Walk(reading, content, structure, f"$.dataSets[{number}]", prepared, is_only=len(datasets) == 1)
            yield from walk.records()


def _refuse_errors(message: dict[str, Any]) -> None:
    errors = message.get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        told = json_text(first.get("title") or first.get("detail") or first.get("message")) or "no title"
        raise PayloadRefused(f"tells {len(errors)} errors: {json_text(first.get('code'))} {told}")


def _structure(structures: Sequence[Structure], dataset: dict[str, Any], number: int) -> Structure:
    """The structure that describes a data set."""
    named = json_text(dataset.get("structure"))
    if named is None:
        fitting = [one for one in structures if str(number) in one.datasets] or list(structures)
        if len(fitting) == 1:
            return fitting[0]
    elif named.isdigit() and int(named) < len(structures):
        return structures[int(named)]
    raise PayloadRefused(f"has a data set {number} of which no one structure is told")


class _Walk:
    """The observations of one data set."""

    def __init__(
        self,
        reading: Reading,
        dataset: dict[str, Any],
        structure: Structure,
        place: str,
        prepared: str | None,
        *,
        is_only: bool,
    ) -> None:
        self._dataset, self._structure, self._place = dataset, structure, place
        action = json_text(dataset.get("action"))
        self._deletes = (action or "").lower() == "delete"
        fixed = {"action": action, "prepared": prepared}
        fixed |= {name: json_text(dataset.get(name)) for name in ("validFrom", "validTo")}
        ids = structure.ids
        fields = [*ids, *(f"{name}.name" for name in ids), *(name for name in ("value", *fixed) if name not in ids)]
        self._has_value = len(structure.measures) == 1 and "value" not in ids
        if not self._has_value and "value" not in ids:
            fields.remove("value")
        places = places_of(reading.slots, fields)
        self._wanted = [None if at is None else fields[at] for at in places]
        self._needed = {name.removesuffix(".name") for name in self._wanted if name is not None}
        if self._deletes and "action" not in self._wanted:
            fix = 'declare a column with source="action", so that they are no values'
            raise PayloadRefused("holds deletions", fix=fix)
        try:
            self._fixed: dict[str, str | None] = {**fixed, **self._of_dataset(is_only)}
        except Unfit as error:
            raise PayloadRefused(f"has attributes of the data set that do not fit its structure: {error}") from error
        self._groups = structure.groups(dataset.get("dimensionGroupAttributes"))

    def _of_dataset(self, is_only: bool) -> dict[str, str | None]:
        """What holds for each observation."""
        texts: dict[str, str | None] = {}
        for dimension in self._structure.dimensions("dataSet"):
            texts |= dimension.texts("0")
        attributes = self._structure.attributes("dataSet")
        given = self._dataset.get("attributes")
        if given is None and is_only:  # the one code that is listed as used in the message is used here
            given = ["0" if len(component.codes or ()) == 1 else None for component in attributes]
        return texts | self._attributes("dataSet", given)

    def records(self) -> Iterator[Record]:
        """Every observation."""
        series = self._dataset.get("series")
        observations = self._dataset.get("observations")
        if series is not None:
            for key, each in object_at(series, f"{self._place}.series", what=_WHAT).items():
                yield from self._of_series(key, object_at(each, f"{self._place}.series[{key!r}]", what=_WHAT))
        if observations is not None:
            by_key = object_at(observations, f"{self._place}.observations", what=_WHAT)
            yield from self._of_observations(by_key, {}, {}, self._place)
        if series is None and observations is None and self._deletes:
            yield self._record(self._place, {})

    def _of_series(self, key: str, series: dict[str, Any]) -> Iterator[Record]:
        place = f'{self._place}.series["{key}"]'
        observations = object_at(series.get("observations") or {}, f"{place}.observations", what=_WHAT)
        try:
            keys = self._keys(self._structure.dimensions("series"), key)
            texts = self._texts(self._structure.dimensions("series"), keys)
            texts |= self._attributes("series", series.get("attributes"))
        except Unfit as error:
            for each in observations or ("",):
                yield self._faulty(f'{place}.observations["{each}"]', str(error), series.get("attributes"))
            return
        if observations or not self._deletes:
            yield from self._of_observations(observations, keys, texts, place)
        else:
            yield self._record(place, texts)

    def _of_observations(
        self, observations: dict[str, Any], above: dict[str, str], texts_above: dict[str, str | None], place: str
    ) -> Iterator[Record]:
        dimensions = self._structure.dimensions("observation")
        for key, values in observations.items():
            where = f'{place}.observations["{key}"]'
            try:
                keys = self._keys(dimensions, key)
                texts = {**texts_above, **self._texts(dimensions, keys), **self._of_observation(values)}
                if self._groups:
                    texts |= self._structure.of_groups(self._groups, {**above, **keys})
            except Unfit as error:
                yield self._faulty(where, str(error), values)
            else:
                yield self._record(where, texts)

    def _keys(self, dimensions: Sequence[Component], key: str) -> dict[str, str]:
        """The position of each dimension's code in a key, as a text; empty in a deletion of all of them."""
        parts = key.split(":") if dimensions else []
        if len(parts) != len(dimensions) or (not dimensions and key not in ("", "0")):
            raise Unfit("bad_index")
        return {dimension.id: part for dimension, part in zip(dimensions, parts, strict=True)}

    def _texts(self, dimensions: Sequence[Component], keys: dict[str, str]) -> dict[str, str | None]:
        texts: dict[str, str | None] = {}
        for dimension in dimensions:
            if keys[dimension.id] or not self._deletes:
                texts |= dimension.texts(keys[dimension.id])
        return texts

    def _of_observation(self, values: Any) -> dict[str, str | None]:
        """Measures and attributes of one observation."""
        measures, attributes = self._structure.measures, self._structure.attributes("observation")
        if not isinstance(values, list) or (len(values) < len(measures) and not self._deletes):
            raise Unfit("ragged")
        annotations = values[len(measures) + len(attributes) :]
        if any(not self._structure.is_annotation(each) for each in annotations):
            raise Unfit("ragged")
        texts: dict[str, str | None] = {}
        for measure, value in zip(measures, values, strict=False):
            texts |= measure.texts(value)
        if self._has_value and values:
            texts["value"] = texts[measures[0].id]
        return texts | self._attributes("observation", values[len(measures) : len(measures) + len(attributes)])

    def _attributes(self, level: str, given: Any) -> dict[str, str | None]:
        """The wanted attributes of one level. What is left out at the end, or null, has its default."""
        values = [] if given is None else given
        if not isinstance(values, list):
            raise Unfit("ragged")
        texts: dict[str, str | None] = {}
        for place, component in enumerate(self._structure.attributes(level)):
            if component.id in self._needed:
                texts |= component.texts(values[place] if place < len(values) else None)
        return texts

    def _record(self, place: str, texts: dict[str, str | None]) -> Record:
        all_texts = {**self._fixed, **texts}
        return Record(place, [None if name is None else all_texts.get(name) for name in self._wanted])

    def _faulty(self, place: str, fault: str, raw: Any) -> Record:
        return Record(place, (None,) * len(self._wanted), fault, short(json_text(raw) or ""))


READER = SdmxJsonReader()
