"""How an answer goes on: page numbers, offsets, cursors, link headers, or the next address."""

from __future__ import annotations

from enum import StrEnum

import attrs

from sbf_core.dataset.json_path import rows_path, value_path
from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value


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
        raise UsageError(
            f"pages by {value!r} are not known",
            fix=nearest(value, PageBy) or "use page, offset, cursor, link, next_url or names",
            code="RECIPE",
        )
    return PageBy(value)


@attrs.frozen(kw_only=True)
class Pages(Value):
    """How an answer goes on. All its pages count, or none.

    Attributes:
        by: ``page``, ``offset``, ``cursor``, ``link``, ``next_url`` or ``names``.
        parameter: the query parameter that takes the page number, offset or cursor.
        in_body: ``parameter`` and ``size_parameter`` are fields of the body instead, names with dots between.
        first: the number of the first page, or the first offset.
        size: rows of a full page, for ``size_parameter`` and ``short_page_ends``.
        size_parameter: the query parameter that asks for ``size`` rows.
        short_page_ends: a page with fewer rows than ``size`` is the last. Else numbered pages and offsets end with an
            empty page, or where all rows of a stated total are there: many vendors leave rows out of a page.
        items_at: where a JSON page holds what sizes, offsets and totals count; the dataset's ``rows_at`` when absent.
        next_at: where a JSON answer holds the cursor or the next address, e.g. ``meta.next``; empty, null, false or 0
            there: the end. For ``names``: where the first answer holds the list of the others, as addresses relative to
            its own, or as objects with a ``name``. For numbered pages and offsets: where it holds the next number,
            which must be the one that follows from what came.
        total_at: where it holds the number of all rows; another number of rows is then a failure.
        total_header: the header that states it, e.g. ``X-Total-Count``.
        pages_max: more pages are a failure.
    """

    by: PageBy = attrs.field(converter=_page_by)
    parameter: str = ""
    in_body: bool = False
    first: int = 1
    size: int = 0
    size_parameter: str = ""
    short_page_ends: bool = False
    items_at: str = ""
    next_at: str = ""
    total_at: str = ""
    total_header: str = ""
    pages_max: int = 1000

    @property
    def is_counted(self) -> bool:
        """Whether pages are asked for by their number, or by that of their first row."""
        return self.by in (PageBy.PAGE, PageBy.OFFSET)

    @property
    def counts_rows(self) -> bool:
        """Whether it must be known how many rows a page has."""
        return self.is_counted or bool(self.total_at or self.total_header)

    @property
    def kept_headers(self) -> tuple[str, ...]:
        """Headers of an answer that lead on or are checked, in small letters: a replay needs them, too."""
        link = ("link",) if self.by is PageBy.LINK else ()
        return (*link, self.total_header.lower()) if self.total_header else link

    def __attrs_post_init__(self) -> None:
        if self.by in (PageBy.PAGE, PageBy.OFFSET, PageBy.CURSOR) and not self.parameter:
            raise UsageError(
                f"pages by {self.by} need the parameter that takes it",
                fix="Pages(by=..., parameter=...)",
                code="RECIPE",
            )
        if self.by in (PageBy.CURSOR, PageBy.NEXT_URL, PageBy.NAMES) and not self.next_at:
            raise UsageError(f"pages by {self.by} need next_at", fix="say where the answer holds it", code="RECIPE")
        if self.in_body and self.by not in (PageBy.PAGE, PageBy.OFFSET, PageBy.CURSOR):
            raise UsageError(f"pages by {self.by} have nothing in a body", fix="leave out in_body", code="RECIPE")
        rows_path(self.items_at)
        for place in (self.next_at, self.total_at):
            value_path(place)
        if self.short_page_ends and not (self.size and self.is_counted):
            raise UsageError(
                "short_page_ends belongs to pages by page or offset with a size", fix="size=100", code="RECIPE"
            )
        if self.size_parameter and not self.size:
            raise UsageError("size_parameter needs the size that it takes", fix="size=100", code="RECIPE")
        if self.total_at and self.total_header:
            raise UsageError(
                "a total is stated in the answer or in a header",
                fix="leave out total_at or total_header",
                code="RECIPE",
            )
        if self.pages_max < 1 or self.size < 0:
            raise UsageError("pages_max and size must be above zero", code="RECIPE")
