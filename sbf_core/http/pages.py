"""Walking through the pages of an answer, with guards against a vendor that goes in circles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import attrs

from sbf_core.dataset.pages import PageBy, Pages
from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_walk import value_at, walk
from sbf_core.runs.result import RunResult

_NEXT_LINK = re.compile(r"<([^>]*)>\s*;[^,]*\brel\s*=\s*\"?next\b", re.IGNORECASE)

Ask = Callable[[str], Awaitable[RunResult]]


@attrs.frozen(kw_only=True)
class PageReader:
    """How the rows of a page are counted.

    Attributes:
        rows_at: where a JSON page holds its rows.
        extension: what the pages are stored as.
    """

    rows_at: str
    extension: str

    def rows(self, payload: bytes) -> int:
        """The number of rows of a page; raises ``ValueError`` for a page that is none."""
        if self.extension == "json":
            try:
                return sum(1 for _ in walk(json.loads(payload), self.rows_at))
            except PayloadRefused:
                return 0
        lines = sum(1 for line in payload.splitlines() if line.strip())
        return max(0, lines - 1)


def with_parameters(url: str, **parameters: object) -> str:
    """An address with these query parameters, which replace those of the same name."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return parts._replace(query=urlencode([*kept, *((name, str(value)) for name, value in parameters.items())])).geturl()


async def walk_pages(ask: Ask, url: str, pages: Pages, reader: PageReader, *, hosts: Collection[str], hidden: Collection[str]) -> list[RunResult]:
    """All pages of an answer, or one result that says why they are not whole.

    Args:
        ask: asks for one address; its result may hold the header ``link``.
        url: the first address, without page parameters.
        pages: how it goes on.
        reader: counts the rows of a page.
        hosts: where the next address may lead.
        hidden: query parameters that hold keys: a vendor may put them into the next address.
    """
    found: list[RunResult] = []
    digests: set[bytes] = set()
    asked: set[str] = set()
    rows_total = 0
    stated: int | None = None
    named: list[str] = []
    here: str | None = first_address(url, pages)
    while here is not None:
        if here in asked:
            return [_failed(found[-1], "pagination_loop", f"page {len(found) + 1} is a page that was there before")]
        if len(found) >= pages.pages_max:
            return [_failed(found[-1], "pagination_loop", f"there are more than {pages.pages_max} pages")]
        asked.add(here)
        result = await ask(here)
        if result.kind in ("empty", "not_recorded") and found and pages.by in (PageBy.PAGE, PageBy.OFFSET):
            break  # the page behind the last, which was not kept
        if not result.ok:
            return [attrs.evolve(result, error=f"page {len(found) + 1}: {result.error}") if found else result]
        digest = hashlib.sha256(result.payload).digest()
        if digest in digests:
            return [_failed(result, "pagination_loop", f"page {len(found) + 1} holds what a page before it held")]
        digests.add(digest)
        try:
            count = reader.rows(result.payload)
            document = json.loads(result.payload) if pages.next_at or pages.total_at else None
        except ValueError:
            return [_failed(result, "not_data", f"page {len(found) + 1} cannot be read")]
        if not count and found and pages.by in (PageBy.PAGE, PageBy.OFFSET):
            break
        rows_total += count
        found.append(result)
        stated = value_at(document, pages.total_at) if pages.total_at else stated
        if pages.by is PageBy.NAMES and len(found) == 1:
            try:
                named = _names(value_at(document, pages.next_at))
            except ValueError:
                return [_failed(result, "not_data", f"{pages.next_at} holds no names of further pages")]
        here = _following(here, url, pages, result, document, named=named, number=len(found), rows=rows_total, count=count)
        if here is not None and pages.by in (PageBy.LINK, PageBy.NEXT_URL, PageBy.NAMES):
            here = _without(here, hidden)
            if urlsplit(here).hostname not in hosts or urlsplit(here).scheme != urlsplit(url).scheme:
                return [_failed(result, "redirect", "the next page is at another host, which is refused")]
    if isinstance(stated, int) and stated != rows_total:
        return [_failed(found[-1], "incomplete", f"the vendor says {stated} rows, its pages hold {rows_total}: they changed meanwhile, or one is missing")]
    return found


def first_address(url: str, pages: Pages) -> str:
    """The address of the first page."""
    size = {pages.size_parameter: pages.size} if pages.size_parameter and pages.size else {}
    if pages.by in (PageBy.PAGE, PageBy.OFFSET):
        return with_parameters(url, **size, **{pages.parameter: pages.first})
    return with_parameters(url, **size) if size else url


def _names(found: Any) -> list[str]:
    """Names of further pages; raises ``ValueError`` for anything else."""
    if not isinstance(found, (list, type(None))):
        raise ValueError("no list")
    names = []
    for item in found or []:
        name = item.get("name") if isinstance(item, dict) else item
        if not isinstance(name, str) or not name:
            raise ValueError("no name")
        names.append(name)
    return names


def _following(here: str, url: str, pages: Pages, result: RunResult, document: Any, *, named: list[str], number: int, rows: int, count: int) -> str | None:
    """The address of the next page, or None after the last one."""
    if pages.by is PageBy.NAMES:
        return urljoin(url, named[number - 1]) if number <= len(named) else None
    if pages.by in (PageBy.PAGE, PageBy.OFFSET):
        if not count or (pages.size and count < pages.size):
            return None
        return with_parameters(here, **{pages.parameter: pages.first + (number if pages.by is PageBy.PAGE else rows)})
    if pages.by is PageBy.LINK:
        link = _NEXT_LINK.search(result.headers.get("link", ""))
        return urljoin(here, link[1]) if link else None
    token = value_at(document, pages.next_at)
    if token in (None, "", False, 0):
        return None
    if pages.by is PageBy.NEXT_URL:
        return urljoin(here, str(token))
    return with_parameters(first_address(url, pages), **{pages.parameter: token})


def _without(url: str, hidden: Collection[str]) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if pair[0] not in hidden]
    return url if len(kept) == len(pairs) else parts._replace(query=urlencode(kept)).geturl()


def _failed(result: RunResult, kind: str, error: str) -> RunResult:
    return attrs.evolve(result, payload=b"", error=error, kind=kind)
