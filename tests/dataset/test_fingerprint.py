"""What changed between two declarations, in the words that a user reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from warehouse import entry

from sbf_core.api import Csv, DatasetKeymapEntry, Sections
from sbf_core.dataset.columns import Column
from sbf_core.dataset.fingerprint import as_written_now, changes, columns_as_made, declaration_text
from sbf_core.dataset.format_list import FORMATS, Format

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
        (
            [KEY, renamed("measure", "never")],
            (
                'column measure is new (if it was called unit, declare renamed_from=("never", "unit"))',
                "column unit is no longer declared",
            ),
        ),
        (
            [KEY, renamed("measure", kind="BIGINT"), renamed("size")],
            (
                "column measure is new",
                'column size is new (if it was called unit, declare renamed_from=("unit",))',
                "column unit is no longer declared",
            ),
        ),
        (
            [KEY, attrs.evolve(renamed("measure"), source="weight")],
            ("column measure is new", "column unit is no longer declared"),
        ),
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


def test_where_two_columns_may_be_the_one_that_is_new_nothing_is_guessed() -> None:
    before = declaration_text(entry(columns=[KEY, UNIT, renamed("size")]))
    told = changes(before, declaration_text(entry(columns=[KEY, renamed("measure")])))
    assert told == ("column measure is new", "column unit is no longer declared", "column size is no longer declared")


def test_a_renamed_column_keeps_the_fields_that_it_took() -> None:
    old = attrs.evolve(renamed("unit", "u"), source="$.unit.code", also=("UNIT",))
    told = changes(
        declaration_text(entry(columns=[KEY, old])), declaration_text(entry(columns=[KEY, renamed("measure")]))
    )
    assert told[0] == (
        "column measure is new (if it was called unit, "
        'declare source="$.unit.code", also=("UNIT",), renamed_from=("unit", "u"))'
    )


SECONDS = Column(name="moment", type="TIMESTAMP", nullable=True, date_format="%s")
MILLISECONDS = Column(name="moment", type="TIMESTAMP", nullable=True, epoch="ms")
#: Column by column and for the format what an older release wrote, although it is the default.
WRITTEN_BEFORE: list[tuple[DatasetKeymapEntry, list[dict[str, str]], dict[str, Any]]] = [
    (entry(columns=[KEY, UNIT]), [{"epoch": ""}, {"epoch": ""}], {}),
    (entry(columns=[KEY, SECONDS]), [{"epoch": ""}, {"epoch": "s"}], {}),
    (entry(columns=[KEY, MILLISECONDS]), [{"epoch": ""}, {"epoch": "ms"}], {}),
    (entry(columns=[KEY], format=Csv(delimiter=";")), [{"epoch": ""}], {"escape": '"'}),
    (entry(columns=[KEY], format=Csv(quote="'")), [{}], {"escape": "'"}),
    (entry(columns=[KEY], format=Csv(escape="\\", header=("item",))), [{"epoch": ""}], {"escape": "\\"}),
    (entry(columns=[KEY], format=Sections(title="All")), [{}], {"csv": {"escape": '"'}}),
    (
        entry(columns=[KEY], format=Sections(csv=Csv(delimiter=";"), section_fields={"house": ("*Fund", "*Trust")})),
        [{}],
        {"csv": {"delimiter": ";", "escape": '"'}},
    ),
]


@pytest.mark.parametrize(("declared", "columns", "of_format"), WRITTEN_BEFORE)
def test_what_an_older_release_wrote_is_the_same_declaration(
    declared: DatasetKeymapEntry, columns: list[dict[str, str]], of_format: dict[str, Any]
) -> None:
    text = declaration_text(declared)
    facts = json.loads(text)
    facts["columns"] = [old | more for old, more in zip(facts["columns"], columns, strict=True)]
    facts |= {"format": facts["format"] | of_format} if of_format else {}
    older = json.dumps(facts, sort_keys=True)
    assert older != text
    assert as_written_now(older) == as_written_now(text) == text
    assert tuple(column.name for column in columns_as_made(older)) == tuple(column.name for column in declared.columns)
    other = declaration_text(attrs.evolve(declared, semantics="append"))
    assert changes(as_written_now(older), other) == ("semantics was upsert and is append",)


@pytest.mark.parametrize("kind", FORMATS.values())
def test_nothing_that_is_a_default_stands_in_a_declaration(kind: type[Format]) -> None:
    """Whatever sort of default it is: a further option must not make every table stale."""
    needed = {"sheet": 1} if kind.kind == "excel" else {}
    needed |= {"fields": (("item", 0, 4),)} if kind.kind == "fixed_width" else {}
    facts = json.loads(declaration_text(entry(columns=[KEY], format=kind(**needed))))
    assert facts["columns"] == [{"name": "item", "type": "VARCHAR", "key": True}]
    assert facts["format"].keys() == {"kind", *needed}


def test_what_this_release_cannot_declare_is_another_declaration() -> None:
    facts = json.loads(declaration_text(entry(columns=[KEY])))
    facts["columns"][0]["of_the_future"] = ["x"]
    text = json.dumps(facts, sort_keys=True)
    assert as_written_now(text) == text
    assert columns_as_made(text) == (KEY,)
    facts["format"] = {"kind": "csv", "quote": "too long"}
    text = json.dumps(facts, sort_keys=True)
    assert as_written_now(text) == text
