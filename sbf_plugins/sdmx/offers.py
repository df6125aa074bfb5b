"""What the offices have: some flows that are shipped, and whom to ask for all of them.

The keys of shipped flows are those of addresses in public use, and were not tried by us. Of a flow without a key the
office itself is asked for its dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sbf_core.api import Offer, PayloadRefused, RestRecipe, UsageError, VendorSearch
from sbf_plugins.sdmx.flows import flow_of, structure_address
from sbf_plugins.sdmx.messages import Message, message_of
from sbf_plugins.sdmx.offices import OFFICES, Office

_FLOW = re.compile(r"([A-Za-z]+)/([A-Za-z0-9_.,@$-]+)")
_NAME_LETTERS, _TABLE_LETTERS = 41, 48


def offers(words: str) -> Iterator[Offer | VendorSearch]:
    """What is shipped, and the offices; of words that are one flow, as ``ECB/EXR``, the office is asked for its
    dimensions.
    """
    for text, frequency, title, more in _shipped():
        office, flow, *key = text.partition("?")[0].split("/")
        how = {"text": text} if key else {}
        yield _offer(office, f"{office}/{flow}", title, frequency=frequency, words=more, **how)
    match = _FLOW.fullmatch(words.strip())
    named = match[1].upper() if match else ""
    for word, service in OFFICES.items():
        if match and word == named:
            yield _search(word, service, structure_address(word, match[2]), partial(_with_dimensions, word, match[2]))
        elif service.listing:
            yield _search(word, service, service.listing, partial(_listed, word))


def _shipped() -> Iterator[list[str]]:
    """Text, frequency, title and further words of each flow that is shipped."""
    text = Path(__file__).with_name("offers.tsv").read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if not line.startswith("#"))


def _search(word: str, office: Office, url: str, read: Any) -> VendorSearch:
    recipe = RestRecipe(
        url=url,
        extension="xml",
        headers={"accept": "application/vnd.sdmx.structure+xml;version=2.1"},
        limits=office.limits,
        connections=1,
        deadline_seconds=120,
        mebibytes_max=256,
    )
    return VendorSearch(name=word.lower(), title=office.title, recipe=recipe, read=read)


def _offer(
    office: str, name: str, title: str, *, text: str = "", frequency: str = "", words: str = "", note: str = ""
) -> Offer:
    service = OFFICES[office]
    how: dict[str, Any] = {"options": {"flows": (text,)}} if text else {"asked_by": office.lower()}
    return Offer(
        id=name,
        title=title,
        words=f"{words} {service.title}",
        note=note,
        region=service.region,
        frequency=frequency,
        cost="free",
        terms=service.terms,
        source_url=service.source_url,
        **how,
    )


def _listed(office: str, payload: bytes) -> list[Offer]:
    """The flows of a list, each under the agency that maintains it where that is not the office itself."""
    usual = OFFICES[office].agency
    found = []
    for flow in message_of(payload).flows:
        # behind a comma a digit begins a version
        is_plain = flow.agency in ("", usual) or flow.id[:1].isdigit()
        name = flow.id if is_plain else f"{flow.agency},{flow.id}"
        if _FLOW.fullmatch(f"{office}/{name}"):
            found.append(_offer(office, f"{office}/{name}", flow.title))
    return found


def _with_dimensions(office: str, flow: str, payload: bytes) -> list[Offer]:
    """The flow with all of its dimensions named. Raises ``PayloadRefused`` where the message does not say them."""
    message = message_of(payload)
    if len(message.structures) != 1:
        what = f"lists the dimensions of {len(message.structures) or 'no'} data structures"
        raise PayloadRefused(f"{what}, and one is of {flow}")
    dimensions, time = message.structures[0]
    if not all(dimensions):
        raise PayloadRefused("has a dimension without an id")
    text = f"{office}/{flow}/" + ".".join(f"{name}=" for name in dimensions)
    text += f"?time={time}" if time not in ("", "TIME_PERIOD") else ""
    note = "this is all of it: write codes behind = for less, one code without its name where it is always the same"
    return [_offer(office, f"{office}/{flow}", _title(message, flow), text=_fitting(text, flow), note=note)]


def _title(message: Message, flow: str) -> str:
    name = flow.split(",")[1] if "," in flow and not flow.split(",")[1][:1].isdigit() else flow.split(",")[0]
    return next((one.title for one in message.flows if one.id.casefold() == name.casefold()), flow)


def _fitting(text: str, flow: str) -> str:
    """A text with a name of its own where the office's cannot be that of a table."""
    try:
        flow_of(text)
    except UsageError:
        office = text.partition("/")[0]
        name = "flow_" + re.sub(r"[^a-z0-9]+", "_", flow.rpartition("@")[2].lower()).strip("_")
        mark = "&" if "?" in text else "?"
        return f"{text}{mark}as={name[: min(_NAME_LETTERS, _TABLE_LETTERS - len(office) - 1)].rstrip('_')}"
    return text
