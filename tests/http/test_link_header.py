"""The header ``Link`` as RFC 8288 allows it: examples of the RFC, and what vendors send."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core.http.link_header import links, next_of

HERE = "https://example.com/rows?page=1"
NEXT = "https://example.com/rows?page=2"


@pytest.mark.parametrize("header", [
    f'<{NEXT}>; rel="next"',
    f"<{NEXT}>; rel=next",
    f"<{NEXT}>;rel=NEXT",
    f'<{NEXT}>; rel="next last"',
    f'<{NEXT}>; rel="last  Next"',
    f'<{NEXT}> ; title="rows, page by page" ; rel = "next"',
    f'<{HERE}>; rel="first", <{NEXT}>; title="say \\"rel=prev\\", or; <not>"; rel="next"',
    f'<{HERE}>; rel="prev",<{NEXT}>; rel="next",',
    f'<{HERE}>; rel="prev",, <{NEXT}>; rel="next"',
    "</rows?page=2>; rel=next",
    "<?page=2>; rel=next; crossorigin",
    f"<{NEXT}>; rel=next; rel=prev",
    f'<{NEXT}>; rel="next"; anchor="{HERE}"',
    f'<{NEXT}>; rel="next", <{NEXT}>; rel="next last"',
    f"<{NEXT}>; rel=next;",
    f",, <{NEXT}>; rel=next ,",
    f'<{HERE}>; rel="https://example.com/rels/own self_1", <{NEXT}>; rel=next',
])  # fmt: skip
def test_a_page_that_follows(header: str) -> None:
    assert next_of(header, HERE) == NEXT


@pytest.mark.parametrize("header", [
    "",
    f'<{NEXT}>; rel="last"',
    f'<{NEXT}>; rel="next-archive"',
    f'<{NEXT}>; rel="prev"; title="next"',
    f'<{NEXT}>; rel="prev"; title="; rel=next"',
    f'<{NEXT}>; title="the next one"',
    f'<{NEXT}>; rel="prev"; rel="next"',
    f'<{NEXT}>; rev="next"',
    f'<{NEXT}>; rel="next"; anchor="https://example.com/other"',
    f'<{NEXT}>; rel="next"; anchor="#part"',
])  # fmt: skip
def test_what_does_not_follow(header: str) -> None:
    """A title is no relation, ``rel`` counts once, and a link may be one of another page (RFC 8288,
    sections 3.2, 3.3).
    """
    assert next_of(header, HERE) is None


@pytest.mark.parametrize(("header", "why"), [
    (f"{NEXT}; rel=next", "no link"),
    (f'<{NEXT}; rel="next"', "no link"),
    (f'<{NEXT}>; rel="next', "no end of a link"),
    (f'<{NEXT}> rel="next"', "no end of a link"),
    (f'<{NEXT}>; rel="next" <{HERE}>; rel="prev"', "no end of a link"),
    (f"<{NEXT}>; rel=next, <{HERE}>; rel=next", "2 pages follow"),
    (f"<{NEXT}>; rel='next'", "no relation type: \"'next'\""),
    (f"<{NEXT}>; rel=“next”", "no relation type"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused(header: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        next_of(header, HERE)


def test_the_examples_of_the_rfc() -> None:
    found = list(
        links(
            (
                "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, </TheBook/chapter4>; "
                "rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"
            ),
            HERE,
        )
    )
    assert [(link.target, sorted(link.relations)) for link in found] == [
        ("https://example.com/TheBook/chapter2", ["previous"]),
        ("https://example.com/TheBook/chapter4", ["next"]),
    ]
    (both,) = links('<http://example.org/>; rel="start http://example.net/relation/other"', HERE)
    assert both.relations == {"start", "http://example.net/relation/other"}


_NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"/[a-z0-9?=,;&%]{0,12}", fullmatch=True),
            st.lists(_NAMES, min_size=1, max_size=3),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read(written: list[tuple[str, list[str], str]]) -> None:
    parts = []
    for target, relations, title in written:
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'<https://example.com{target}>; title="{quoted}"; rel="{" ".join(relations)}"')
    found = list(links(", ".join(parts), HERE))
    assert [(link.target, link.relations) for link in found] == [
        (urljoin(HERE, target), set(relations)) for target, relations, _ in written
    ]
