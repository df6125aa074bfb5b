"""A new plugin for the rows of one payload: nothing is known of them but what they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.formats import Csv, Json
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.guess import GuessedColumn, guess_columns
from sbf_core.scaffold.json_rows import ROWS_MAX
from sbf_core.scaffold.marks import PLAIN, Marks
from sbf_core.scaffold.notes import error_fields, refuse_note
from sbf_core.scaffold.paging import Paging, paging_of
from sbf_core.scaffold.proposal import Declared, Proposal, Sampled, Words
from sbf_core.scaffold.roles import with_roles
from sbf_core.scaffold.row_search import FoundRows, declared_again, find_rows, usual_format
from sbf_core.scaffold.snapshots import whole_list, with_moment
from sbf_core.scaffold.wide import wide_of

#: A word for "no value" in so many columns is one of the file.
_SHARED = 3


def propose(
    words: Words,
    sample: Sampled,
    *,
    template: Template | None,
    where: str,
    rows_at: str | None = None,
    key: Sequence[str] = (),
    row_date: str = "",
) -> Proposal:
    """A plugin for the rows of one payload.

    Args:
        words: what the author says.
        sample: the payload.
        template: the address; None for a file.
        where: the address or file, for messages.
        rows_at: the path of the list in a JSON payload, where it is known.
        key: names of the key columns, where they are known.
        row_date: the same of the date of a row.

    Raises:
        UsageError: the payload cannot be declared; it says why.
    """
    if rows_at is None:
        refuse_note(sample.payload, where)
    found_rows = find_rows(sample.payload, where=where, rows_at=rows_at)
    comma_first = isinstance(found_rows.format, Csv) and found_rows.format.delimiter == ";"
    guesses = guess_columns(
        found_rows.rows, empty_is_missing=found_rows.is_text, comma_first=comma_first, names=found_rows.names
    )
    found_rows, columns = _declared(found_rows, guesses.columns, guesses.marks, sample.payload, where)
    wide = wide_of(columns, found_rows.rows) if found_rows.is_delimited else None
    if wide is not None:
        columns = wide[1]
        found_rows = attrs.evolve(found_rows, rows=tuple(wide[2][:ROWS_MAX]))
    added = [] if template is None else _from_request(columns, found_rows.rows, template)
    asked = {column.source: column.example for column in added}
    found_rows = attrs.evolve(found_rows, rows=tuple({**asked, **row} for row in found_rows.rows))
    columns = with_roles([*added, *columns], found_rows.rows, key=key, row_date=row_date, where=where)
    whole = whole_list(columns, template)
    if whole is not None:
        columns = with_moment(sample.payload, columns)
    return Proposal(
        words=words,
        kind="csv" if template is None else "rest",
        template=template,
        found=found_rows,
        columns=tuple(columns),
        samples=(sample,),
        wide=None if wide is None else wide[0],
        also=(*_rules(sample, found_rows, template), *([] if whole is None else [whole])),
        paging=Paging()
        if template is None
        else paging_of(
            sample.payload,
            sample.headers,
            address=template.fields_asked,
            row_count=len(found_rows.rows),
            in_body=template.has_body,
        ),
    )


def _rules(sample: Sampled, found_rows: FoundRows, template: Template | None) -> list[Declared]:
    """What tells an answer from a note, as far as the sample shows it."""
    fields = () if template is None else error_fields(sample.payload, found_rows)
    if template is None or not fields:
        return []
    rules = DataRules(error_fields=fields, may_be_empty=template.recipe().cursor is not None)
    return [Declared(name="is_data", value=rules, doubt="an answer is no data where one of them holds anything?")]


def _declared(
    found_rows: FoundRows, columns: list[GuessedColumn], marks: Marks, payload: bytes, where: str
) -> tuple[FoundRows, list[GuessedColumn]]:
    """The format with the marks of numbers and the words for "no value" that many columns share; nothing where the
    extension says it all.
    """
    if marks != PLAIN:
        found_rows = attrs.evolve(
            found_rows,
            format=attrs.evolve(found_rows.format or Json(), decimal=marks.decimal, thousands=marks.thousands),
        )
    if isinstance(found_rows.format, Csv):
        found_rows, columns = _with_null(found_rows, found_rows.format, columns, payload, where)
    return attrs.evolve(found_rows, format=None) if found_rows.format == usual_format(
        found_rows
    ) else found_rows, columns


def _with_null(
    found_rows: FoundRows, declared: Csv, columns: list[GuessedColumn], payload: bytes, where: str
) -> tuple[FoundRows, list[GuessedColumn]]:
    counted = Counter(word for column in columns for word in column.missing)
    texts = {
        str(row.get(column.source)).strip() for column in columns if column.python == "str" for row in found_rows.rows
    }
    null = tuple(word for word, count in counted.items() if count >= _SHARED and word not in texts)
    if not null:
        return found_rows, columns
    again = declared_again(found_rows, attrs.evolve(declared, null=null), payload, where=where)
    if any(
        str(value).strip() in null for row in again.rows for value in row.values()
    ):  # in quotes, or with blanks around it
        return found_rows, columns
    return again, [
        attrs.evolve(column, missing=tuple(word for word in column.missing if word not in null)) for column in columns
    ]


def _from_request(
    columns: Sequence[GuessedColumn], rows: Sequence[Mapping[str, Any]], template: Template
) -> list[GuessedColumn]:
    """Columns for what was asked for and is not repeated in the rows: the day, the ticker."""
    added: list[GuessedColumn] = []
    taken = {column.name for column in columns}
    if template.one_day and not any(column.is_time for column in columns):
        name = "day" if "day" not in taken else "asked_day"
        doubt = "the rows name no day: it is the one that was asked for"
        added.append(
            GuessedColumn(
                name=name,
                source="request.to_date",
                python="dt.date",
                nullable=False,
                example=str(template.to_date),
                doubts=(doubt,),
            )
        )
    if template.ticker and not any(
        all(str(row.get(column.source)) == template.ticker for row in rows) for column in columns
    ):
        name = "ticker" if "ticker" not in taken else "asked_ticker"
        added.append(
            GuessedColumn(name=name, source="request.ticker", python="str", nullable=False, example=template.ticker)
        )
    return added
