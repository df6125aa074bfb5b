"""The data structure of an SDMX service: which dimensions tell its rows apart, and which attributes they have.

SDMX-ML 2.1 and 3.0 structure messages (https://github.com/sdmx-twg/sdmx-ml, schema SDMXStructure). A service gives one
at ``/datastructure/AGENCY/ID``, or at ``/dataflow/AGENCY/ID?references=descendants`` with all that belongs to it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import attrs

from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.xml_prolog import refuse_document_type
from sbf_core.value import Value

_FIX = "ask for /datastructure/AGENCY/ID, or /dataflow/AGENCY/ID?references=descendants, as SDMX-ML 2.1 or 3.0"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@attrs.frozen(kw_only=True)
class DataStructure(Value):
    """What the rows of a flow are made of, by ids.

    Attributes:
        id: its own.
        title: its name, or that of the only dataflow beside it, in English where there is one.
        dimensions: in the order of a key, without the time.
        time: the dimension that is the period; empty where there is none.
        measure: what is measured.
        attributes: in their order.
        names: what components are called, by their ids; of those alone of which the message tells it.
        codes: names of the codes of a component, by its id; of those alone whose code list is in the message.
    """

    id: str
    title: str
    dimensions: tuple[str, ...]
    time: str
    measure: str
    attributes: tuple[str, ...]
    names: Mapping[str, str] = attrs.field(factory=dict)
    codes: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)


def structure_of(payload: bytes, *, where: str) -> DataStructure:
    """The only data structure of a message.

    Args:
        payload: the message.
        where: its address or file.

    Raises:
        UsageError: it is no structure message, holds none or several data structures, or one with several measures.
    """
    root = _root(payload, where)
    found = [each for each in root.iter() if _local(each) == "DataStructure" and _lists(each)]
    if len(found) != 1:
        what = f"holds {len(found) or 'no'} data structure{'s' if len(found) > 1 else ''} with components"
        raise UsageError(what, where=where, fix=_FIX if not found else "ask for one of them", code="SDMX")
    (structure,) = found
    parts = list(_components(structure))
    measures = [_id(each) for each in parts if _local(each) in ("PrimaryMeasure", "Measure")]
    if len(measures) != 1:
        what = f"measures {', '.join(measures) or 'nothing'}, and a row has one value"
        raise UsageError(what, where=where, fix="begin with --from-url alone, and name the columns", code="SDMX")
    flows = [each for each in root.iter() if _local(each) == "Dataflow"]
    return DataStructure(
        id=structure.get("id", ""),
        title=_title(flows[0] if len(flows) == 1 else structure) or _title(structure),
        dimensions=tuple(_id(each) for each in parts if _local(each) in ("Dimension", "MeasureDimension")),
        time=next((_id(each) for each in parts if _local(each) == "TimeDimension"), ""),
        measure=measures[0],
        attributes=tuple(_id(each) for each in parts if _local(each) == "Attribute"),
        **_words(root, parts),
    )


def _words(root: Element, parts: Sequence[Element]) -> dict[str, Any]:
    """What components are called, and the names of their codes, as far as the message holds concepts and code lists."""
    concepts = {each.get("id", ""): each for each in root.iter() if _local(each) == "Concept" and each.get("id")}
    lists = {
        each.get("id", ""): {code.get("id", ""): _title(code) for code in each if _local(code) == "Code"}
        for each in root.iter()
        if _local(each) == "Codelist"
    }
    names: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    for part in parts:
        concept = concepts.get(_concept_of(part))
        title = "" if concept is None else _title(concept)
        listed = _list_of(part) or ("" if concept is None else _list_of(concept))
        if title:
            names[_id(part)] = title
        if lists.get(listed):
            codes[_id(part)] = lists[listed]
    return {"names": names, "codes": codes}


def _concept_of(component: Element) -> str:
    return next((_named(each) for each in component if _local(each) == "ConceptIdentity"), "")


def _list_of(component: Element) -> str:
    """The id of the code list of a component or a concept."""
    return next((_named(each) for each in component.iter() if _local(each) == "Enumeration"), "")


def _named(reference: Element) -> str:
    """What is referred to: of 2.1 the id of an element ``Ref``; of 3.0 the end of a URN, ``...=ECB:CL_FREQ(1.0)``, or
    of a concept ``...=ECB:ECB_CONCEPTS(1.0).FREQ``.
    """
    held = next((each.get("id", "") for each in reference.iter() if each.get("id")), "")
    if held:
        return held
    urn = (reference.text or "").strip()
    ending = urn.rpartition(").")[2] if ")." in urn else urn.rpartition(":")[2].partition("(")[0]
    return ending.strip()


def _root(payload: bytes, where: str) -> Element:
    try:
        refuse_document_type(io.BytesIO(payload))
        root = ElementTree.fromstring(payload)  # noqa: S314 - no entities, see above
    except (ElementTree.ParseError, PayloadRefused) as error:
        raise UsageError(f"is no SDMX structure message: {error}", where=where, fix=_FIX, code="SDMX") from error
    if _local(root) != "Structure":
        raise UsageError(f"is no SDMX structure message but <{_local(root)}>", where=where, fix=_FIX, code="SDMX")
    return root


def _lists(structure: Element) -> bool:
    """Whether it tells its components, and is no mere mention."""
    return any(_local(each) == "DimensionList" for each in structure.iter())


def _components(structure: Element) -> Iterator[Element]:
    """Dimensions, attributes and measures: by their position where they have one, else as they stand there."""
    for part in structure.iter():
        if _local(part) in ("DimensionList", "AttributeList", "MeasureList"):
            yield from sorted(part, key=lambda each: int(each.get("position") or 0))


def _id(component: Element) -> str:
    """Its id; where it has none that of its concept, as 2.1 says."""
    if component.get("id"):
        return component.get("id", "")
    return _concept_of(component)


def _title(element: Element) -> str:
    names = {each.get(_LANGUAGE, ""): " ".join((each.text or "").split()) for each in element if _local(each) == "Name"}
    return names.get("en", "") or next(iter(names.values()), "")


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
