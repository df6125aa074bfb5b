"""A flow of an office as a plugin of its own: what ``sbf plugins new NAME --from-sdmx OFFICE/FLOW/KEY`` begins with.

The key may be left out, and its parts need no names: the structure says which dimension each is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sbf_core.api import Cursor, DataRules, ProposedDataset, RestRecipe, UsageError, checked_options
from sbf_plugins.sdmx.entries import NO_VALUE
from sbf_plugins.sdmx.flows import PART, format_of, head_of, options_of, since_of, structure_address
from sbf_plugins.sdmx.offices import OFFICES, Asked, Office, at_host, hosts_of

_WHERE = "--from-sdmx"
_STRUCTURE = "application/vnd.sdmx.structure+xml;version=2.1"
#: What says how much is asked for; the rest of what a text in sbf.toml may say is columns, which the structure has.
_OPTIONS = ("since", "format", "ask")
_DAYS_BACK = (60, 7)


def proposed(text: str, *, options: Mapping[str, Any], today: dt.date) -> ProposedDataset:
    """A flow, asked for whole, or for what changed where the office can be asked so.

    Raises:
        UsageError: the text is wrong; it says what to write instead.
    """
    try:
        hosts = hosts_of(checked_options(options, flows=(), hosts=())["hosts"])
        head, _, tail = text.partition("?")
        word, flow, key = head_of(text, head)
        said = options_of(text, tail)
        odd = next((name for name in said if name not in _OPTIONS), None)
        if odd is not None:
            fix = (
                f"leave it out: the columns come from the structure; {', '.join(f'{one}=' for one in _OPTIONS)} remain"
            )
            raise UsageError(f"{text!r}: {odd}= is for flows in sbf.toml", fix=fix, code="OPTION")
        since = since_of(text, said.get("since", ""))
        office = OFFICES[word]
        kind = said.get("format", "") or _usual(office, said.get("ask", ""))
        format_of(text, office, {**said, "format": kind})
    except UsageError as error:
        where = error.where if error.where and error.where.endswith("hosts") else _WHERE
        raise UsageError(error.what, where=where, fix=error.fix, code=error.code) from error
    asked = office.formats[kind]
    changes = said.get("ask") != "whole" and office.knows_updated_after and asked.shows_deletions
    codes = ".".join(_codes(text, part) for part in key.split("."))
    url = at_host(office.data.format(flow=flow, key="{ticker}"), hosts)
    starts = [] if since else [dt.date(today.year - 1, 1, 1), *(today - dt.timedelta(days=days) for days in _DAYS_BACK)]
    return ProposedDataset(
        recipe=_recipe(office, asked, url, kind, since, changes),
        narrower=tuple(_recipe(office, asked, url, kind, f"{start:%Y-%m-%d}", changes) for start in starts),
        begins_narrow=not codes.strip(".") and bool(starts),
        source=word.lower(),
        domain="statistics",
        member=codes or "all",
        structure=RestRecipe(
            url=at_host(structure_address(word, flow), hosts), extension="xml", headers={"accept": _STRUCTURE},
            limits=office.limits,
        ),
        key=codes,
        format=asked.form,
        semantics="" if changes else "snapshot",
        is_data=DataRules(none_status=(404,), may_be_empty=True) if changes else DataRules(),
        tells_deletions=changes,
        no_value=NO_VALUE,
        terms=office.terms,
        source_url=office.source_url,
    )  # fmt: skip


def _usual(office: Office, ask: str) -> str:
    """The first format; where the office knows ``updatedAfter``, the first that says what was deleted."""
    telling = [kind for kind, asked in office.formats.items() if asked.shows_deletions]
    return telling[0] if office.knows_updated_after and ask != "whole" and telling else next(iter(office.formats))


def _codes(text: str, part: str) -> str:
    match = PART.fullmatch(part)
    if match is None:
        fix = "write codes with + between them, nothing for all of a dimension, and dots between dimensions"
        raise UsageError(f"{text!r}: {part!r} is no part of a key", where=_WHERE, fix=fix, code="OPTION")
    return match[2] or ""


def _recipe(office: Office, asked: Asked, url: str, kind: str, since: str, changes: bool) -> RestRecipe:
    query = [asked.query, f"startPeriod={since}" if since else "", "updatedAfter={cursor}" if changes else ""]
    told = "&".join(filter(None, query))
    return RestRecipe(
        url=url + (f"?{told}" if told else ""),
        extension=kind,
        headers={"accept": asked.accept} if asked.accept else {},
        cursor=Cursor(by="moment", overlap_seconds=3600) if changes else None,
        limits=office.limits,
        connections=1,
        deadline_seconds=600,
        mebibytes_max=4096,
    )
