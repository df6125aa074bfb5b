"""A plugin that is written from one page of many asks for the others, or its author is told that there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sbf_core.dataset.pages import Pages
from sbf_core.scaffold.paging import paging_of

HERE = "https://example.com/rates"
ROWS = [{"id": number, "price": number / 4} for number in range(10)]


def paging(
    document: Any, *, headers: dict[str, str] | None = None, address: str = HERE
) -> tuple[Pages | None, tuple[str, ...]]:
    found = paging_of(json.dumps(document).encode(), headers or {}, address=address, row_count=len(ROWS))
    return found.pages, found.doubts


def test_a_header_that_links_to_the_next_page() -> None:
    pages, doubts = paging(ROWS, headers={"link": '</rates?p=1>; rel="first", </rates?p=2>; rel="next"'})
    assert pages == Pages(by="link")
    assert len(doubts) == 1
    assert paging(ROWS, headers={"link": '</rates?p=1>; rel="first"'}) == (None, ())
    pages, doubts = paging(ROWS, headers={"link": "nonsense"})
    assert (pages, len(doubts)) == (None, 1)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"data": ROWS, "next": "https://example.com/rates?p=2"}, "next"),
        ({"data": ROWS, "links": {"prev": None, "next": "/rates?p=2"}}, "links.next"),
        ({"data": ROWS, "meta": {"paging": {"next_page_url": "?p=2"}}}, "meta.paging.next_page_url"),
    ],
)
def test_an_address_of_the_next_page(document: Any, place: str) -> None:
    pages, doubts = paging(document)
    assert pages == Pages(by="next_url", next_at=place)
    assert len(doubts) == 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"data": ROWS, "meta": {"next": "10"}}, "meta.next is '10', which seems to be where the next page begins"),
        ({"data": ROWS, "nextPageToken": "abc"}, "nextPageToken is 'abc'"),
        ({"data": ROWS, "next_cursor": 77}, "next_cursor is '77'"),
        ({"data": ROWS, "has_more": True}, "has_more says that there is more"),
        ({"data": ROWS, "hasNextPage": True}, "hasNextPage says that there is more"),
        ({"data": ROWS, "total": 25}, "total says 25, and this answer has 10 rows"),
        ({"response": {"result": {"data": ROWS, "totalCount": 11}}}, "response.result.totalCount says 11"),
        ({"data": ROWS, "page": {"totalPages": 3}}, "page.totalPages says that there are 3 pages"),
    ],
)
def test_what_speaks_for_further_pages_is_told(document: Any, told: str) -> None:
    pages, (doubt,) = paging(document)
    assert pages is None
    assert doubt.startswith(f"pages: {told}")
    assert "RestRecipe(pages=Pages(by=" in doubt


@pytest.mark.parametrize(
    "address", [f"{HERE}?limit=10", f"{HERE}?per_page=10&x=1", f"{HERE}?page=1", f"{HERE}?$skip=0", f"{HERE}?offset=0"]
)
def test_an_address_that_asks_for_a_page(address: str) -> None:
    assert [doubt for doubt in paging(ROWS, address=address)[1] if "RestRecipe(pages=Pages(by=...))" in doubt]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "page=1&limit=10",
            "by='page', parameter='page', first=1, size=10, size_parameter='limit', total_at='meta.total'",
        ),
        ("$skip=0", "by='offset', parameter='$skip', first=0, total_at='meta.total'"),
    ],
)
def test_what_to_declare_is_written_where_the_address_says_it(query: str, told: str) -> None:
    """What is written can be declared as it stands."""
    doubts = paging({"data": ROWS, "meta": {"total": 25}}, address=f"{HERE}?{query}")[1]
    assert f"perhaps pages=Pages({told})" in doubts[-1]
    assert Pages(**eval(f"dict({told})"))
    assert not any("perhaps" in doubt for doubt in paging(ROWS, address=f"{HERE}?limit=10")[1])
    assert not any("perhaps" in doubt for doubt in paging(ROWS, address=f"{HERE}?start=20240101")[1])


@pytest.mark.parametrize(
    "document",
    [
        ROWS,
        {
            "data": ROWS,
            "next": None,
            "total": 10,
            "has_more": False,
            "pages": 1,
            "prev": "https://example.com/rates?p=0",
        },
        {"data": ROWS, "next_cursor": "", "count": 10, "nextEarnings": "2024-01-31", "total": True},
        {"data": [{**row, "next": "https://example.com", "total": 99} for row in ROWS]},
    ],
)
def test_a_whole_answer_has_no_doubts(document: Any) -> None:
    assert paging(document, address=f"{HERE}?limit=100&symbol=A") == (None, ())


def test_a_header_that_counts_and_a_payload_that_is_no_json() -> None:
    found = paging_of(b"id;price\n1;2\n", {"x-total-count": "25"}, address=HERE, row_count=1)
    assert found.pages is None
    assert found.doubts[0].startswith("pages: the header x-total-count says 25, and this answer has 1 row;")
