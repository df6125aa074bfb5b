"""What structure messages say: which flows there are, and the dimensions of one.

SDMX-ML 2.1 and 3.0 (https://github.com/sdmx-twg/sdmx-ml, schema SDMXStructure): at ``/dataflow/AGENCY/all`` a list of
flows, at ``/dataflow/AGENCY/ID?references=descendants`` one with its data structure.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import attrs

from sbf_core.api import PayloadRefused


@attrs.define
class Listed:
    """A flow.

    Attributes:
        id, agency, version: what it is called, and by whom.
        names: its names, by language.
    """

    id: str
    agency: str
    version: str
    names: dict[str, str] = attrs.field(factory=dict)

    @property
    def title(self) -> str:
        """Its name, in English where there is one."""
        return self.names.get("en", "") or next(iter(self.names.values()), "") or self.id


@attrs.define
class Message:
    """A structure message.

    Attributes:
        flows: in their order.
        structures: of each data structure that lists its components the ids of its dimensions in the order of a key,
            and the id of the dimension that is the period.
    """

    flows: list[Listed] = attrs.field(factory=list)
    structures: list[tuple[list[str], str]] = attrs.field(factory=list)


def message_of(payload: bytes) -> Message:
    """A structure message. Raises ``PayloadRefused`` where it is none, or declares a document type."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    try:
        parser.Parse(payload, True)
    except expat.ExpatError as error:
        raise PayloadRefused(f"is no SDMX structure message: {error}") from error
    return reader.message


class _Reader:
    """Takes the events of a parser."""

    def __init__(self) -> None:
        self.message = Message()
        self._path: list[str] = []
        self._flow: Listed | None = None
        self._dimensions: list[tuple[int, str]] = []
        self._component: tuple[str, int, str] | None = None
        self._time = ""
        self._language = ""
        self._texts: list[str] = []

    def doctype(self, *_: Any) -> None:
        raise PayloadRefused("is XML with a document type declaration, which is refused")

    def begin(self, tag: str, given: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if not self._path and name != "Structure":
            raise PayloadRefused(f"is no SDMX structure message but <{name}>")
        above = self._path[-1] if self._path else ""
        self._path.append(name)
        self._texts = []
        if name == "Dataflow" and above == "Dataflows":
            self._flow = Listed(given.get("id", ""), given.get("agencyID", ""), given.get("version", ""))
        elif name == "Name":
            self._language = given.get("http://www.w3.org/XML/1998/namespace}lang", "")
        elif name == "DimensionList":
            self._dimensions, self._time = [], ""
        elif above == "DimensionList":
            self._component = (name, int(given.get("position") or 0), given.get("id", ""))
        elif name == "Ref" and above == "ConceptIdentity" and self._component is not None and not self._component[2]:
            self._component = (*self._component[:2], given.get("id", ""))

    def text(self, text: str) -> None:
        self._texts.append(text)

    def end(self, tag: str) -> None:
        name = self._path.pop()
        above = self._path[-1] if self._path else ""
        if name == "Name" and above == "Dataflow" and self._flow is not None:
            self._flow.names[self._language] = " ".join("".join(self._texts).split())
        elif name == "Dataflow" and self._flow is not None:
            self.message.flows.append(self._flow)
            self._flow = None
        elif name == "ConceptIdentity" and self._component is not None and not self._component[2]:
            self._component = (*self._component[:2], "".join(self._texts).strip().rpartition(".")[2])  # 3.0: a URN
        elif above == "DimensionList" and self._component is not None:
            kind, position, component = self._component
            if kind == "TimeDimension":
                self._time = component
            else:
                self._dimensions.append((position, component))
            self._component = None
        elif name == "DimensionList":
            ordered = [component for _, component in sorted(self._dimensions, key=lambda each: each[0])]
            if ordered:
                self.message.structures.append((ordered, self._time))
