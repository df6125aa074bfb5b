"""Walking through the pages of an answer, with guards against a vendor that goes in circles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.exact_json import AsWritten, json_text
from sbf_core.dataset.formats import Csv
from sbf_core.dataset.pages import PageBy, Pages
from sbf_core.errors import PayloadRefused, excerpt
from sbf_core.failures import FailureKind
from sbf_core.http.content import is_null_there
from sbf_core.http.link_header import next_of
from sbf_core.http.page_address import PageAddress, first_page
from sbf_core.payload.delimited import record_count
from sbf_core.payload.formats import format_of
from sbf_core.payload.json_walk import value_at, walk
from sbf_core.runs.result import NOTHING, RunResult
from sbf_core.unicode_text import is_unicode
from sbf_core.value import Entity, Value

#: What stands where the next page would be named, and none follows.
_NO_MORE: tuple[object, ...] = (None, "", False, 0, [], {})
_SHOWN_CHARS_MAX = 80
_DIGITS_MAX = 4000
#: What comes instead of the page behind the last one, where pages are counted.
_BEHIND_THE_LAST = (FailureKind.EMPTY, FailureKind.NOT_RECORDED, NOTHING)

#: Asks for an address, with fields of the body beside those that it has.
Ask = Callable[[str, Mapping[str, object]], Awaitable[RunResult]]


@attrs.frozen(kw_only=True)
class PageReader(Value):
    """How what a page holds is counted: as its format is declared.

    Attributes:
        entry: the dataset.
        extension: what the pages are stored as.
        items_at: where a JSON page holds what is counted; empty: where its rows are.
    """

    entry: DatasetKeymapEntry
    extension: str
    items_at: str = ""

    def count(self, payload: bytes) -> int:
        """How many rows, or items, a page holds. Raises ``ValueError`` for a page that is none."""
        declared = format_of(self.entry, self.extension)
        if not payload.strip():
            return 0
        try:
            if isinstance(declared, Csv):
                return record_count(declared, payload)
            return _item_count(json.loads(payload), self.items_at or self.entry.rows_at)
        except PayloadRefused as error:
            raise ValueError(str(error)) from error


def _item_count(document: Any, path: str) -> int:
    try:
        return sum(1 for _ in walk(document, path))
    except PayloadRefused:
        if document == {} or is_null_there(document, path):
            return 0  # how some vendors say that there are none
        raise


async def walk_pages(
    ask: Ask, url: str, pages: Pages, reader: PageReader, *, hosts: Collection[str], hidden: Collection[str]
) -> list[RunResult]:
    """All pages of an answer, or one result that says why they are not whole.

    Args:
        ask: asks for one page; its result has the headers that ``pages.kept_headers`` names.
        url: the first address, without page parameters.
        pages: how it goes on.
        reader: counts what a page holds.
        hosts: where the next address may lead.
        hidden: query parameters that hold keys: a vendor may put them into the next address.
    """
    try:
        return await _Walk(ask, url, pages, reader, hosts, hidden).results()
    except _NotWhole as error:
        return [attrs.evolve(error.result, payload=b"", error=error.what, kind=error.kind)]


class _NotWhole(Exception):
    """Why the pages are not all: a kind and a text."""

    def __init__(self, result: RunResult, kind: FailureKind, what: str) -> None:
        super().__init__(what)
        self.result, self.kind, self.what = result, kind, what


@attrs.define
class _Walk(Entity):
    """From page to page."""

    ask: Ask
    url: str
    pages: Pages
    reader: PageReader
    hosts: Collection[str]
    hidden: Collection[str]
    found: list[RunResult] = attrs.Factory(list)
    counted: int = 0
    stated: int | None = None
    named: list[str] = attrs.Factory(list)

    async def results(self) -> list[RunResult]:
        """Every page. Raises ``_NotWhole``."""
        digests: set[bytes] = set()
        asked: set[PageAddress] = set()
        here: PageAddress | None = first_page(self.url, self.pages)
        while here is not None:
            number = len(self.found) + 1
            if here in asked:
                raise _NotWhole(
                    self.found[-1], FailureKind.PAGINATION_LOOP, f"page {number} is a page that was there before"
                )
            if number > self.pages.pages_max:
                what = f"there are more than {self.pages.pages_max} pages"
                raise _NotWhole(self.found[-1], FailureKind.PAGINATION_LOOP, what)
            asked.add(here)
            result = await self.ask(here.url, dict(here.fields))
            if result.kind in _BEHIND_THE_LAST and self.found and self.pages.is_counted:
                break  # the page behind the last, which was not kept
            if result.is_none:
                return self._with_nothing(result)
            if not result.ok:
                return [self._behind(result) if self.found else result]
            digest = hashlib.sha256(result.payload).digest()
            if digest in digests:
                what = f"page {number} holds what a page before it held"
                raise _NotWhole(result, FailureKind.PAGINATION_LOOP, what)
            digests.add(digest)
            here = self._taken(here, result)
        if self.stated is not None and self.stated != self.counted:
            what = (
                f"the vendor says {self.stated} rows, its pages hold {self.counted}: "
                "they changed meanwhile, or one is missing"
            )
            raise _NotWhole(self.found[-1], FailureKind.INCOMPLETE, what)
        if self.stated is None and (self.pages.total_at or self.pages.total_header):
            place = self.pages.total_at or f"the header {self.pages.total_header}"
            raise _NotWhole(self.found[-1], FailureKind.INCOMPLETE, f"no page says at {place} how many rows there are")
        return self.found

    def _with_nothing(self, result: RunResult) -> list[RunResult]:
        """Nothing instead of a page: an answer if it is the first, for no page named it."""
        if not self.found:
            return [result]
        what = f"page {len(self.found) + 1} was named and is not there: HTTP {result.status_code}"
        raise _NotWhole(result, FailureKind.INCOMPLETE, what)

    def _behind(self, failed: RunResult) -> RunResult:
        """A page that could not be had; where a short one stands before it, it may be none."""
        error = f"page {len(self.found) + 1}: {failed.error}"
        if (
            self.pages.is_counted
            and self.pages.size
            and not self.pages.short_page_ends
            and failed.kind == FailureKind.HTTP_STATUS
            and 400 <= (failed.status_code or 0) < 500
        ):
            error += "; if a page with fewer rows is this vendor's last, declare short_page_ends=True"
        return attrs.evolve(failed, error=error)

    def _taken(self, here: PageAddress, result: RunResult) -> PageAddress | None:
        """Keep a page; where the one behind it is, or None after the last."""
        pages, number = self.pages, len(self.found) + 1
        try:
            count = self.reader.count(result.payload) if pages.counts_rows else 0
            document = (
                json.loads(result.payload, parse_float=AsWritten, parse_int=_whole)
                if pages.next_at or pages.total_at
                else None
            )
        except ValueError as error:
            raise _NotWhole(result, FailureKind.NOT_DATA, f"page {number} cannot be read: {error}") from error
        if not count and self.found and pages.is_counted:
            return None
        self.counted += count
        self.found.append(result)
        self._read_total(result, document)
        if pages.by is PageBy.NAMES:
            return self._allowed(here, self._named(result, document, number))
        if pages.is_counted:
            return self._numbered(here, result, document, count)
        if pages.by is PageBy.LINK:
            try:
                return self._allowed(here, next_of(result.headers.get("link", ""), here.url))
            except ValueError as error:
                raise _NotWhole(
                    result, FailureKind.NOT_DATA, f"page {number}: the header Link cannot be followed: {error}"
                ) from error
        token = self._token(result, document)
        if token is None:
            return None
        if pages.by is PageBy.NEXT_URL:
            return self._allowed(here, urljoin(here.url, str(token)))
        return first_page(self.url, pages).with_parameters(pages, **{pages.parameter: token})

    def _read_total(self, result: RunResult, document: Any) -> None:
        pages = self.pages
        told = result.headers.get(pages.total_header.lower()) if pages.total_header else None
        if pages.total_at:
            told = value_at(document, pages.total_at)
        if told is None:
            return
        stated = _whole_number(told)
        if stated is None:
            raise _NotWhole(
                result,
                FailureKind.NOT_DATA,
                f"{pages.total_at or pages.total_header} is no number of rows: {_shown(told)}",
            )
        self.stated = stated

    def _named(self, result: RunResult, document: Any, number: int) -> str | None:
        if number == 1:
            try:
                self.named = _names(value_at(document, self.pages.next_at))
            except ValueError:
                what = f"{self.pages.next_at} holds no names of further pages"
                raise _NotWhole(result, FailureKind.NOT_DATA, what) from None
        return urljoin(self.url, self.named[number - 1]) if number <= len(self.named) else None

    def _numbered(self, here: PageAddress, result: RunResult, document: Any, count: int) -> PageAddress | None:
        pages = self.pages
        follows = pages.first + (len(self.found) if pages.by is PageBy.PAGE else self.counted)
        if not count or (self.stated is not None and self.counted >= self.stated):
            return None
        if pages.next_at:
            told = value_at(document, pages.next_at)
            if told in _NO_MORE:
                return None
            if _whole_number(told) != follows:
                what = f"page {len(self.found)} says at {pages.next_at} that {_shown(told)} follows, and {follows} does"
                raise _NotWhole(result, FailureKind.INCOMPLETE, what)
        elif pages.short_page_ends and count < pages.size:
            return None
        return here.with_parameters(pages, **{pages.parameter: follows})

    def _token(self, result: RunResult, document: Any) -> str | int | None:
        token = value_at(document, self.pages.next_at)
        if token in _NO_MORE:
            return None
        if isinstance(token, (list, dict)) and self.pages.in_body:  # Elasticsearch and DynamoDB go on so
            token = _json_of(token)
        if isinstance(token, bool) or not isinstance(token, (str, int)):
            raise _NotWhole(
                result, FailureKind.NOT_DATA, f"{self.pages.next_at} holds nothing to go on with: {_shown(token)}"
            )
        if not is_unicode(str(token)):
            raise _NotWhole(
                result,
                FailureKind.NOT_DATA,
                f"{self.pages.next_at} holds half of a surrogate pair, which no address can: {_shown(token)}",
            )
        return token

    def _allowed(self, here: PageAddress, following: str | None) -> PageAddress | None:
        """An address that the vendor gave, without keys, if it is one of his own."""
        if following is None:
            return None
        plain = _without(following, self.hidden)
        parts = urlsplit(plain)
        if parts.hostname not in self.hosts or parts.scheme != urlsplit(self.url).scheme:
            raise _NotWhole(self.found[-1], FailureKind.REDIRECT, "the next page is at another host, which is refused")
        return attrs.evolve(here, url=plain)


def _names(items: Any) -> list[str]:
    """Names of further pages; raises ``ValueError`` for anything else."""
    if not isinstance(items, (list, type(None))):
        raise ValueError("no list")
    names = []
    for item in items or []:
        name = item.get("name") if isinstance(item, dict) else item
        if not isinstance(name, str) or not name or not is_unicode(name):
            raise ValueError("no name")
        names.append(name)
    return names


def _whole(digits: str) -> int | str:
    """A whole number; as it is written where Python would write it otherwise, or refuses so many digits."""
    return AsWritten(digits) if digits == "-0" or len(digits) > _DIGITS_MAX else int(digits)


def _json_of(token: Any) -> Any:
    """A list or an object as it goes back; itself where it holds what is no JSON."""
    try:
        return AsWritten(json_text(token))
    except (ValueError, RecursionError):
        return token


def _whole_number(told: Any) -> int | None:
    if isinstance(told, str) and told.strip().isascii() and told.strip().isdigit():
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _shown(told: Any) -> str:
    return excerpt(repr(told), _SHOWN_CHARS_MAX)


def _without(url: str, hidden: Collection[str]) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if pair[0] not in hidden]
    return url if len(kept) == len(pairs) else parts._replace(query=urlencode(kept)).geturl()
