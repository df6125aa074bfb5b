"""The header ``Link`` (RFC 8288): its links with their relation types.

The libraries that read it take it apart at commas and semicolons, also at those that stand in an address or in a quoted
text, so this follows the grammar of the RFC's section 3. What does not fit it is refused, because a link that is not
understood would end a walk in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import attrs

from sbf_core.value import Value

_BLANK = r"[ \t]*"
_TARGET = re.compile(rf"{_BLANK}<([^<>\s]*)>{_BLANK}")
#: A parameter: its name, and its value as a token or a quoted text, or none at all (RFC 9110, section 5.6).
_PARAMETER = re.compile(
    rf";{_BLANK}(?:([^\s=;,\"<>]+)(?:{_BLANK}={_BLANK}(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?)?{_BLANK}"
)
_BETWEEN = re.compile(rf",(?:{_BLANK},)*")
#: A registered type, or one's own, which is an address (section 2.1). Some servers write ``rel='next'``.
_RELATION = re.compile(r"[a-z0-9][a-z0-9._-]*|[a-z][a-z0-9+.-]*:\S+")
_QUOTED_PAIR = re.compile(r"\\(.)")


@attrs.frozen
class Link(Value):
    """One link.

    Attributes:
        target: the address, absolute.
        relations: its relation types in small letters.
        context: the address that it is a link of; the answer's own unless it says otherwise.
    """

    target: str
    relations: frozenset[str]
    context: str


def links(header: str, base: str) -> Iterator[Link]:
    """The links of a header, in their order.

    Args:
        header: its value; several headers of the name joined by commas.
        base: the address of the answer.

    Raises:
        ValueError: it is not written as RFC 8288 says.
    """
    place, end = 0, len(header)
    while place < end:
        target = _TARGET.match(header, place)
        if target is None:
            raise ValueError(f"no link at {header[place : place + 40]!r}")
        place = target.end()
        parameters: dict[str, str] = {}
        while (match := _PARAMETER.match(header, place)) is not None:
            place = match.end()
            if match[1]:
                value = _QUOTED_PAIR.sub(r"\1", match[2]) if match[2] is not None else match[3] or ""
                parameters.setdefault(match[1].lower(), value)  # of two the first counts, section 3.3
        relations = frozenset(parameters.get("rel", "").lower().split())
        wrong = next((each for each in sorted(relations) if not _RELATION.fullmatch(each)), None)
        if wrong is not None:
            raise ValueError(f"no relation type: {wrong[:40]!r}")
        yield Link(urljoin(base, target[1]), relations, urljoin(base, parameters.get("anchor", "")))
        between = _BETWEEN.match(header, place)
        if place < end and between is None:
            raise ValueError(f"no end of a link at {header[place : place + 40]!r}")
        place = between.end() if between is not None else place


def next_of(header: str, base: str) -> str | None:
    """The address of the page that follows, or None.

    Args:
        header: the value of ``Link``, empty where there is none.
        base: the address of this page.

    Raises:
        ValueError: it is not written as RFC 8288 says, or two pages follow.
    """
    found = links(header.strip(" \t,"), base)
    targets = {link.target for link in found if "next" in link.relations and link.context == base}
    if len(targets) > 1:
        raise ValueError(f"{len(targets)} pages follow")
    return targets.pop() if targets else None
