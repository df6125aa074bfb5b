"""Answers that are whole lists: rows without a date of their own, as of a chain of options or of what is traded.

What a later answer lacks is then no more. A sample of one moment cannot show that, so it is marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_text import document_of
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.guess import GuessedColumn, guess_columns
from sbf_core.scaffold.json_fields import plain_fields
from sbf_core.scaffold.json_places import is_time
from sbf_core.scaffold.proposal import Declared

#: Columns of the key that say of when a row is, though they are no dates for us: 2024, 2024-Q1, M02.
_PERIOD = re.compile(r"(?:^|_)(?:date|day|week|month|quarter|year|period|time|timestamp|hour|season|vintage)(?:_|$)")
_IS_WHOLE = "the rows have no date: is each answer the whole list? What a later one lacks is closed then"
_IS_MOMENT = "is it the moment of the answer, since which its rows were known?"


def whole_list(columns: Sequence[GuessedColumn], template: Template | None) -> Declared | None:
    """What a dataset declares whose answers seem to be whole lists; None for others."""
    if template is not None and (template.asks_days or template.recipe().cursor is not None):
        return None
    if any(column.row_date or (column.key and (column.is_time or _PERIOD.search(column.name))) for column in columns):
        return None
    return Declared(name="semantics", value="snapshot", doubt=_IS_WHOLE)


def with_moment(payload: bytes, columns: Sequence[GuessedColumn]) -> list[GuessedColumn]:
    """The columns with the moment of a JSON answer, which stands beside its rows, as that since which they were known.

    It changes with each answer, so that it may be no other column: each row would be new.
    """
    beside = next((one for one in columns if one.source.startswith("$") and one.is_time and not one.key), None)
    if beside is None:
        moment = _moment_beside(payload, columns)
        return [*columns, *([] if moment is None else [moment])]
    known = attrs.evolve(beside, known_from=True, nullable=False, doubts=(*beside.doubts, _IS_MOMENT))
    return [known if one is beside else one for one in columns]


def _moment_beside(payload: bytes, columns: Sequence[GuessedColumn]) -> GuessedColumn | None:
    try:
        document = document_of(payload)
    except PayloadRefused:
        return None
    if not isinstance(document, dict):
        return None
    taken = {column.name for column in columns}
    for source, word, value in plain_fields(document):
        if not isinstance(value, str) or not is_time([value], word):
            continue
        guesses = guess_columns([{source: value}], empty_is_missing=False, names={source: word})
        (column,) = guesses.columns
        name = column.name if column.name not in taken else f"{column.name}_of_answer"
        doubts = (*column.doubts, _IS_MOMENT)
        return attrs.evolve(column, name=name, known_from=True, nullable=False, doubts=doubts)
    return None
