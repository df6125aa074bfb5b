"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from sbf_core.counted import counted


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("payload",), "0 payloads"),
        (1, ("payload",), "1 payload"),
        (2_400, ("payload",), "2,400 payloads"),
        (1, ("row has", "rows have"), "1 row has"),
        (2, ("row has", "rows have"), "2 rows have"),
        (1.0, ("day",), "1 day"),
        (0.5, ("day",), "0.5 days"),
    ],
)
def test_one_is_no_plural(number: float, words: tuple[str, ...], told: str) -> None:
    assert counted(number, *words) == told
