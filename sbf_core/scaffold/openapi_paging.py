"""How the answer of an operation goes on, by its parameters, the fields of its answer and its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sbf_core.dataset.pages import Pages
from sbf_core.scaffold.openapi_document import Description
from sbf_core.scaffold.openapi_request import Parameter
from sbf_core.scaffold.openapi_schema import type_of
from sbf_core.scaffold.paging import Paging, is_next, is_total

_SIZE = re.compile(r"[$_]?(?:limit|per_?page|page_?size|size|rows|top|take|max_?(?:results|records|rows|items))", re.I)
_PAGE = re.compile(r"[$_]?page(?:_?(?:no|num|number|index))?", re.I)
_OFFSET = re.compile(r"[$_]?(?:offset|skip|start(?:_?(?:at|index|row))?)", re.I)
_CURSOR = re.compile(r"(?:next_?)?(?:page_?)?(?:cursor|token)|starting_after|continuation(?:_?token)?", re.I)
_ASK = "are all pages asked for?"
_DEPTH_MAX = 3
_SIZE_USUAL = 100


def paging_of(
    description: Description, parameters: Sequence[Parameter], schema: Any, answer: Mapping[str, Any]
) -> tuple[Paging, tuple[str, ...]]:
    """How it goes on, and the parameters that the pages take, which are then no part of the address."""
    asked = [one for one in parameters if one.place == "query"]
    size = next((one for one in asked if _SIZE.fullmatch(one.name)), None)
    facts = list(_facts(description, schema, ()))
    total = next((".".join(place) for place, one in facts if is_total(place[-1]) and type_of(one)[0] == "integer"), "")
    following = [(".".join(place), one) for place, one in facts if is_next(place[-1])]
    sized: dict[str, Any] = {}
    if size is not None:
        sized = {"size": _size(size), "size_parameter": size.name}
    taken = () if size is None else (size.name,)
    cursor = next((one for one in asked if _CURSOR.fullmatch(one.name)), None)
    if cursor is not None and following:
        place = following[0][0]
        doubt = f"pages: {place} of the answer is taken for what {cursor.name} takes; {_ASK}"
        pages = Pages(by="cursor", parameter=cursor.name, next_at=place, **sized)
        return Paging(pages=pages, doubts=(doubt,)), (cursor.name, *taken)
    named = next((place for place, one in following if type_of(one)[0] == "string"), "")
    if named:
        return Paging(
            pages=Pages(by="next_url", next_at=named, **sized),
            doubts=(f"pages: {named} is taken for the address of the next page; {_ASK}",),
        ), taken
    if "link" in {str(name).lower() for name in description.resolved(answer.get("headers"))}:
        return Paging(pages=Pages(by="link", **sized), doubts=(f"pages: by the header Link; {_ASK}",)), taken
    for by, pattern in (("page", _PAGE), ("offset", _OFFSET)):
        one = next((one for one in asked if pattern.fullmatch(one.name) and type_of(one.schema)[0] == "integer"), None)
        if one is not None:
            return Paging(pages=_counted(by, one, sized, total), doubts=(f"pages: by {one.name}; {_ASK}",)), (
                one.name,
                *taken,
            )
    if size is not None or total:
        what = f"{size.name} asks for so many rows" if size is not None else f"{total} says how many there are"
        return Paging(doubts=(f"pages: {what}, and nothing how further ones are asked for",)), ()
    return Paging(), ()


def _counted(by: str, one: Parameter, sized: Mapping[str, Any], total: str) -> Pages:
    least = one.schema.get("minimum", one.schema.get("default"))
    usual = 1 if by == "page" else 0
    first = least if isinstance(least, int) and not isinstance(least, bool) and least in (0, 1) else usual
    return Pages(by=by, parameter=one.name, first=first, total_at=total, **sized)


def _size(one: Parameter) -> int:
    """As many rows as one may ask for at once; of what nobody says, not too many."""
    most = one.schema.get("maximum", one.schema.get("default", _SIZE_USUAL))
    return most if isinstance(most, int) and not isinstance(most, bool) and 0 < most <= 100_000 else _SIZE_USUAL


def _facts(
    description: Description, schema: Any, place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Plain fields beside the rows, with their schemas."""
    facts = description.merged(schema)
    if type_of(facts)[0] != "object" or len(place) >= _DEPTH_MAX:
        return
    for name, inner in description.resolved(facts.get("properties")).items():
        one = description.merged(inner)
        kind = type_of(one)[0]
        if kind == "object":
            yield from _facts(description, one, (*place, str(name)))
        elif kind != "array":
            yield (*place, str(name)), one
