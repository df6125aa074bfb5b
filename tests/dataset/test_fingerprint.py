"""What changed between two declarations, in the words that a user reads."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from warehouse import entry

from sbf_core.dataset.columns import Column
from sbf_core.dataset.fingerprint import changes, declaration_text

KEY = Column(name="item", type="VARCHAR", key=True)
UNIT = Column(name="unit", type="VARCHAR", nullable=True)
PRICE = Column(name="price", type="DOUBLE", nullable=True)


def renamed(name: str, *former: str, kind: str = "VARCHAR") -> Column:
    return Column(name=name, type=kind, nullable=True, renamed_from=former)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([KEY, UNIT], ()),
        ([KEY, UNIT, PRICE], ("column price is new",)),
        ([KEY], ("column unit is no longer declared",)),
        ([KEY, PRICE], ("column price is new", "column unit is no longer declared")),
        ([KEY, renamed("measure", "unit")], ("column unit is called measure",)),
        ([KEY, renamed("measure", "size", "unit")], ("column unit is called measure",)),
        (
            [KEY, renamed("measure", "unit", kind="BIGINT")],
            ("column unit is called measure", "column measure: type was VARCHAR and is BIGINT"),
        ),
        ([KEY, UNIT, renamed("measure", "unit")], ("column measure is new",)),
        ([KEY, renamed("measure", "never")], ("column measure is new", "column unit is no longer declared")),
        ([UNIT, KEY], ("the columns have another order",)),
        (
            [Column(name="name", type="VARCHAR", key=True, renamed_from=("item",)), UNIT],
            ("column item is called name", "the key was (item) and is (name)"),
        ),
    ],
)
def test_changes_are_told_in_words(after: Sequence[Column], told: tuple[str, ...]) -> None:
    before = declaration_text(entry(columns=[KEY, UNIT]))
    assert changes(before, declaration_text(entry(columns=list(after)))) == told
