"""SDMX-ML data messages 2.0, 2.1 and 3.0 (https://github.com/sdmx-twg/sdmx-ml, schemas SDMXDataGeneric and
SDMXDataStructureSpecific), which most statistical offices give where nothing else is asked for.

What is in it: a header; data sets; in each, series with a key and attributes, and observations in them, or observations
alone; groups, whose attributes hold for all series that share the group's part of the key. In the generic form a
component is an element with an id and a value, in the structure-specific (2.0: compact) form an XML attribute. A footer
may tell an error in a good answer. An observation without a value is one; ``NaN`` stays a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from sbf_core.dataset.formats_of_statistics import SdmxMl
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import RecordsOnly, missing
from sbf_core.payload.xml_prolog import refuse_document_type

_MESSAGES = ("GenericData", "GenericTimeSeriesData", "StructureSpecificData", "StructureSpecificTimeSeriesData")
_OLDER = ("CompactData", "MessageGroup")
_TIME = "TIME_PERIOD"
#: XML attributes of the standard's own, which are no components.
_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"


class SdmxMlReader(RecordsOnly):
    """See ``FormatReader``. The message is read as a stream."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record an observation, in the order of the message; of a deletion also one a series without any.

        Which attributes a message has is known at its end only: one that an observation lacks is no value there.

        Raises:
            PayloadRefused: it is no data message, its footer tells an error, it deletes and no column takes ``action``,
                or no observation has a declared field.
        """
        assert isinstance(reading.format, SdmxMl)
        walk = _Walk(reading)
        try:
            yield from walk.records(file)
        except ParseError as error:
            raise PayloadRefused(f"is no SDMX-ML: {error}") from error
        walk.check_fields()


class _Walk:
    """The elements of a message, in order."""

    def __init__(self, reading: Reading) -> None:
        self._slots = reading.slots
        self._seen: dict[str, None] = {}
        self._count = 0
        self._head: dict[str, str | None] = {}
        self._at_observation = _TIME
        self._reset()

    def _reset(self) -> None:
        self._dataset: dict[str, str | None] = {}
        self._groups: list[dict[str, str | None]] = []
        self._series: dict[str, str | None] | None = None
        self._series_number = self._number = 0

    def records(self, file: PayloadFile) -> Iterator[Record]:
        """Every observation."""
        inside: list[str] = []
        with file.path.open("rb") as stream:
            refuse_document_type(stream)
            for event, element in iterparse(stream, events=("start", "end")):  # noqa: S314 - no entities, see above
                name = _local(element.tag)
                if event == "start":
                    inside.append(name)
                    self._start(element, name, inside)
                    continue
                inside.pop()
                yield from self._end(element, name, inside)
        self._series = None

    def _start(self, element: Element, name: str, inside: list[str]) -> None:
        if len(inside) == 1 and name not in (*_MESSAGES, *_OLDER):
            raise PayloadRefused(f"is no SDMX-ML data message but <{name}>")
        if name == "DataSet":
            self._reset()
            self._dataset = _own(element)
        elif name == "Series":
            self._series, self._number = _own(element), 0
            self._series_number += 1

    def _end(self, element: Element, name: str, inside: list[str]) -> Iterator[Record]:
        above = inside[-1] if inside else ""
        if name == "Obs":
            self._number += 1
            yield self._record({**(self._series or {}), **self._observation(element)})
            element.clear()
        elif name == "Series":
            if not self._number and self._deletes():
                yield self._record(self._series or {})
            self._series = None
            element.clear()
        elif name in ("SeriesKey", "Attributes") and above == "Series" and self._series is not None:
            self._series |= _values(element)
        elif name == "Attributes" and above == "DataSet":
            self._dataset |= _values(element)
        elif name == "Group":
            self._groups.append({**_own(element), **_values(element)})
        else:
            self._heading(element, name, above)

    def _heading(self, element: Element, name: str, above: str) -> None:
        """What the header and the footer say."""
        if above == "Header" and name == "Prepared":
            self._head["prepared"] = element.text
        elif above == "Header" and name == "DataSetAction":
            self._head["action"] = element.text
        elif above == "Header" and name == "Structure":
            self._at_observation = element.get("dimensionAtObservation", _TIME)
        elif name == "Message" and above == "Footer":
            code, severity = element.get("code", ""), element.get("severity", "")
            told = " ".join(" ".join(each.text.split()) for each in element.iter() if each.text and each.text.strip())
            if severity.lower() == "error" or (code.isdigit() and int(code) >= 400):
                raise PayloadRefused(f"tells an error in its footer: {code} {told}".strip())

    def _observation(self, element: Element) -> dict[str, str | None]:
        components = {**_own(element), **_values(element)}
        for part in element:
            name = _local(part.tag)
            if name == "ObsDimension":
                components[part.get("id", self._at_observation)] = part.get("value")
            elif name == "ObsValue":
                components[part.get("id", "OBS_VALUE")] = part.get("value")
            elif name == "Time":  # 2.0
                components[_TIME] = part.text
        return components

    def _deletes(self) -> bool:
        return (self._action() or "").lower() in ("delete", "d")

    def _action(self) -> str | None:
        return self._dataset.get("action") or self._head.get("action")

    def _record(self, components: dict[str, str | None]) -> Record:
        """The wanted fields of an observation: its own, of its groups, of its data set, of the message."""
        self._count += 1
        for group in self._groups:
            shared = group.keys() & components.keys()
            if shared and all(group[name] == components[name] for name in shared):
                components = {**group, **components}
        fields = {**self._head, **self._dataset, "action": self._action(), **components}
        if "OBS_VALUE" in fields:
            fields.setdefault("value", fields["OBS_VALUE"])
        self._seen.update(dict.fromkeys(fields))
        if self._deletes() and not any("action" in slot.sources for slot in self._slots):
            fix = 'declare a column with source="action", so that they are no values'
            raise PayloadRefused("holds deletions", fix=fix)
        place = f"observation {self._number}"
        if self._series is not None:
            place = f"series {self._series_number} {place}"
        return Record(place, [self._value(slot.sources, fields) for slot in self._slots])

    def _value(self, sources: tuple[str, ...], fields: dict[str, str | None]) -> str | None:
        return next((fields[name] for name in sources if name in fields), None) or None

    def check_fields(self) -> None:
        """Refuse a message of which no observation has a declared field."""
        for slot in self._slots if self._count else ():
            if not slot.column.optional and not any(name in self._seen for name in slot.sources):
                raise missing(slot, list(self._seen))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _own(element: Element) -> dict[str, str | None]:
    """The XML attributes of an element, without those of the schema language."""
    return {_local(name): value for name, value in element.attrib.items() if not name.startswith(_SCHEMA)}


def _values(element: Element) -> dict[str, str | None]:
    """The components of a generic element, at whatever depth: ids (2.0: concepts) and values."""
    components: dict[str, Any] = {}
    for each in element.iter():
        if _local(each.tag) == "Value":
            name = each.get("id", each.get("concept"))
            if name:
                components[name] = each.get("value")
    return components


READER = SdmxMlReader()
