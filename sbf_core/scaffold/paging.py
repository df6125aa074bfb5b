"""Whether an answer is one page of several: by its headers, and by what stands beside its rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.pages import Pages
from sbf_core.errors import SbfError
from sbf_core.http.link_header import links
from sbf_core.value import Value

#: The header that states how many rows there are.
TOTAL_HEADER = "x-total-count"
#: Words of a name that leads on, as vendors write them: ``next``, ``nextPageToken``, ``next_cursor``, ``continuation``.
_NEXT = re.compile(
    r"(?:.*_)?next(?:_?(?:page|records?|url|uri|link|href|cursor|token|offset|start|key))*"
    r"|(?:.*_)?continuation(?:_?token)?|(?:end_?)?cursor",
    re.IGNORECASE,
)
_MORE = re.compile(r"(?:has|is|are)_?(?:more|next)(?:_?(?:page|items|results|records|data))?s?|more", re.IGNORECASE)
_TOTAL = re.compile(
    r"total|records?_?total|total_?(?:count|results?|records?|rows?|items?|hits|size|elements)|num_?(?:found|results)"
    r"|count|hits",
    re.IGNORECASE,
)
#: Parameters of an address that ask for so many rows, and for a page.
_LIMIT = re.compile(
    r"[$_]?(?:limit|per_?page|page_?size|size|rows|top|take|max_?(?:results|records|rows|items))", re.IGNORECASE
)
_PAGE = re.compile(
    r"[$_]?(?:page(?:_?(?:no|num|number|index))?|offset|skip|start(?:_?(?:at|index|row))?)", re.IGNORECASE
)
_PAGES = re.compile(r"(?:total|num|page)_?(?:of_)?pages|pages|page_?count|last_?page", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+|[/?]\S*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEPTH_MAX = 3
_FURTHER = "declare how it goes on, e.g. RestRecipe(pages=Pages(by=...)), else rows of other pages are missing"


@attrs.frozen(kw_only=True)
class Paging(Value):
    """How an answer goes on.

    Attributes:
        pages: what is clear enough to be declared.
        doubts: what speaks for further pages, where it is not clear how to ask for them.
    """

    pages: Pages | None = None
    doubts: tuple[str, ...] = ()


def paging_of(
    payload: bytes, headers: Mapping[str, str], *, address: str, row_count: int, in_body: bool = False
) -> Paging:
    """How an answer says that it goes on.

    Args:
        payload: the answer, unpacked or not; what is no JSON says nothing by itself.
        headers: those that were kept, names in small letters.
        address: where it came from.
        row_count: how many rows were found in it.
        in_body: what asks for a page stands in the body.
    """
    try:
        if any("next" in link.relations for link in links(headers.get("link", ""), address)):
            return Paging(
                pages=Pages(by="link"), doubts=("pages: the header Link names a next page; are all of them asked for?",)
            )
    except (SbfError, ValueError):
        return Paging(doubts=(f"pages: the header Link cannot be read; {_FURTHER}",))
    doubts = list(_asked(address, row_count))
    total = headers.get(TOTAL_HEADER, "")
    if total.isdecimal() and int(total) > row_count:
        doubts.append(_of_total(f"the header {TOTAL_HEADER}", int(total), row_count))
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return Paging(doubts=tuple(doubts))
    facts = list(_all_facts(document))
    for place, name, value in facts:
        if _NEXT.fullmatch(name) and isinstance(value, str) and _ADDRESS.fullmatch(value):
            doubt = f"pages: {place} names a next page; are all of them asked for?"
            return Paging(pages=Pages(by="next_url", next_at=place), doubts=(doubt,))
        doubts.extend(_doubt(place, name, value, row_count, in_body=in_body))
    totals = [place for place, name, value in facts if _is_total(name, value, row_count)]
    return Paging(doubts=(*doubts, *_written(address, totals[0] if len(totals) == 1 else "", in_body=in_body)))


def _written(address: str, total_at: str, *, in_body: bool) -> Iterator[str]:
    """What to declare, where the address says how a page is asked for."""
    parts = urlsplit(address)
    asked = parse_qsl(parts.query)
    pages = [(name, value) for name, value in asked if _PAGE.fullmatch(name) and value.isdecimal()]
    sizes = [(name, value) for name, value in asked if _LIMIT.fullmatch(name) and value.isdecimal()]
    if len(pages) != 1 or len(sizes) > 1 or len(pages[0][1]) > 4:  # start=20240101 is a day
        return
    (name, first), ((size_name, size),) = pages[0], sizes or [("", "")]
    by = "page" if name.lower().lstrip("$_").startswith("page") else "offset"
    facts = [f"by={by!r}", f"parameter={name!r}", f"first={int(first)}"]
    facts += [f"size={int(size)}", f"size_parameter={size_name!r}"] if size else []
    facts += [f"total_at={total_at!r}"] if total_at else []
    facts += ["in_body=True"] if in_body else []
    gone = " and ".join(filter(None, (name, size_name)))
    where = "body" if in_body else "address"
    yield f"pages: perhaps pages=Pages({', '.join(facts)}), and {gone} taken out of the {where}; then record anew"


def _asked(address: str, row_count: int) -> Iterator[str]:
    for name, value in parse_qsl(urlsplit(address).query):
        if _LIMIT.fullmatch(name) and value.isdecimal() and int(value) == row_count:
            yield f"pages: {name}={value} asks for so many rows at most, and so many came; {_FURTHER}"
        elif _PAGE.fullmatch(name) and value.isdecimal():
            yield f"pages: {name}={value} asks for one page; {_FURTHER}"


def _all_facts(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Those of a document; of a list of facts and rows, as the World Bank's, those of its first element."""
    if isinstance(document, list) and len(document) > 1 and isinstance(document[0], dict):
        if any(isinstance(one, list) for one in document[1:]):
            yield from _facts(document[0], "$[0]")
        return
    yield from _facts(document, "")


def _facts(node: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    """Place, name and value of whatever stands beside the rows."""
    if not isinstance(node, dict) or place.count(".") >= _DEPTH_MAX:
        return
    for name, value in node.items():
        here = f"{place}.{name}" if place else name
        if not _NAME.fullmatch(name):
            continue
        if isinstance(value, dict):
            yield from _facts(value, here)
        elif not isinstance(value, list):
            yield here, name, value


def _doubt(place: str, name: str, value: Any, row_count: int, *, in_body: bool) -> Iterator[str]:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if _NEXT.fullmatch(name) and value not in (None, "", False, 0):
        yield (
            f"pages: {place} is {str(value)[:40]!r}, which seems to be where the next page begins; declare which "
            f"parameter takes it, e.g. RestRecipe(pages=Pages(by='cursor', parameter={_parameter_of(name)!r}, "
            f"next_at={place!r}{', in_body=True' if in_body else ''})), else rows of other pages are missing"
        )
    elif _MORE.fullmatch(name) and value is True:
        yield f"pages: {place} says that there is more; {_FURTHER}"
    elif _is_total(name, value, row_count):
        yield _of_total(place, value, row_count)
    elif is_number and _PAGES.fullmatch(name) and value > 1:
        yield f"pages: {place} says that there are {value} pages; {_FURTHER}"


def _parameter_of(name: str) -> str:
    """What the parameter of a token is called as a rule: ``cursor`` for ``next_cursor``, ``pageToken`` for
    ``nextPageToken``; a guess.
    """
    bare = re.sub(r"^next_?", "", name, flags=re.IGNORECASE) or "cursor"
    return bare[:1].lower() + bare[1:]


def is_next(name: str) -> bool:
    """Whether a field is called as one that leads on."""
    return _NEXT.fullmatch(name) is not None


def is_total(name: str) -> bool:
    """Whether a field is called as one that says how many rows there are."""
    return _TOTAL.fullmatch(name) is not None


def _is_total(name: str, value: Any, row_count: int) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and _TOTAL.fullmatch(name) is not None and value > row_count


def _of_total(place: str, total: int, row_count: int) -> str:
    return f"pages: {place} says {total}, and this answer has {counted(row_count, 'row')}; {_FURTHER}"
