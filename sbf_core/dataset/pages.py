"""How an answer goes on: page numbers, offsets, cursors, link headers, or the next address."""

from __future__ import annotations

from enum import StrEnum

import attrs

from sbf_core.errors import UsageError, nearest


class PageBy(StrEnum):
    """What leads to the next page."""

    #: ``?page=2``.
    PAGE = "page"
    #: ``?offset=100``.
    OFFSET = "offset"
    #: A value in the answer, sent back as a parameter.
    CURSOR = "cursor"
    #: The header ``Link`` with ``rel="next"`` (RFC 8288).
    LINK = "link"
    #: An address in the answer.
    NEXT_URL = "next_url"
    #: The first answer names all others.
    NAMES = "names"


def _page_by(value: str) -> PageBy:
    if value not in set(PageBy):
        raise UsageError(f"pages by {value!r} are not known", fix=nearest(value, PageBy) or "use page, offset, cursor, link, next_url or names", code="RECIPE")
    return PageBy(value)


@attrs.frozen(kw_only=True)
class Pages:
    """How an answer goes on. All its pages count, or none.

    Attributes:
        by: ``page``, ``offset``, ``cursor``, ``link``, ``next_url`` or ``names``.
        parameter: the query parameter that takes the page number, offset or cursor.
        first: the number of the first page, or the first offset.
        size: rows of a full page; a page with fewer rows is the last. 0: an empty page ends it.
        size_parameter: the query parameter that asks for ``size`` rows.
        next_at: where a JSON answer holds the cursor or the next address, e.g. ``meta.next``; empty or null there: the end. For ``names``: where the
            first answer holds the list of the others, as addresses relative to its own, or as objects with a ``name``.
        total_at: where it holds the number of all rows; another number of rows is then a failure.
        pages_max: more pages are a failure.
    """

    by: PageBy = attrs.field(converter=_page_by)
    parameter: str = ""
    first: int = 1
    size: int = 0
    size_parameter: str = ""
    next_at: str = ""
    total_at: str = ""
    pages_max: int = 1000

    def __attrs_post_init__(self) -> None:
        if self.by in (PageBy.PAGE, PageBy.OFFSET, PageBy.CURSOR) and not self.parameter:
            raise UsageError(f"pages by {self.by} need the parameter that takes it", fix="Pages(by=..., parameter=...)", code="RECIPE")
        if self.by in (PageBy.CURSOR, PageBy.NEXT_URL, PageBy.NAMES) and not self.next_at:
            raise UsageError(f"pages by {self.by} need next_at", fix="say where the answer holds it", code="RECIPE")
        if self.by is PageBy.OFFSET and self.size < 1:
            raise UsageError("pages by offset need their size", code="RECIPE")
        if self.pages_max < 1 or self.size < 0:
            raise UsageError("pages_max and size must be above zero", code="RECIPE")
