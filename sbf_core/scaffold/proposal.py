"""What a new plugin will be: everything that its files are written from."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.formats import Csv, Json
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError, nearest
from sbf_core.http.recipe_walk import filled
from sbf_core.runs.request import RunRequest
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.changes import changed_column
from sbf_core.scaffold.guess import ENOUGH, GuessedColumn, guess_columns
from sbf_core.scaffold.licences import LICENCES
from sbf_core.scaffold.marks import PLAIN, Marks
from sbf_core.scaffold.paging import Paging, paging_of
from sbf_core.scaffold.roles import with_roles
from sbf_core.scaffold.row_search import FoundRows, declared_again, find_rows, usual_format
from sbf_core.value import Value

KINDS = ("rest", "csv", "custom")
_SATURDAY = 5
#: A word for "no value" in so many columns is one of the file.
_SHARED = 3
_SILENT_TERMS = "Not looked up yet."


@attrs.frozen(kw_only=True)
class Words(Value):
    """What only the author can say.

    Attributes:
        name: of the plugin, its dataset and its table.
        domain: what it is about.
        title: for readers.
        terms: of use.
        source_url: where the data are described.
        licence: of the package, as an SPDX expression.
        author: in the licence.
    """

    name: str
    domain: str = "data"
    title: str = ""
    terms: str = ""
    source_url: str = ""
    licence: str = "Apache-2.0"
    author: str = ""

    def __attrs_post_init__(self) -> None:
        if self.licence not in LICENCES:
            fix = nearest(self.licence, LICENCES) or "use one of " + ", ".join(LICENCES)
            raise UsageError(f"licence {self.licence!r} is not known", fix=fix, code="LICENCE")


@attrs.frozen(kw_only=True)
class Sampled(Value):
    """A payload of the sample, the moment of its fetch, and headers that tell of further pages."""

    payload: bytes
    fetched_at: dt.datetime
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Proposal(Value):
    """A new plugin.

    Attributes:
        words: what the author says.
        kind: ``rest``, ``csv`` or ``custom``.
        template: the address, for one that is fetched.
        found: the rows and how they are reached.
        columns: with their roles.
        samples: payloads for the recording, oldest first.
        paging: how the answer goes on.
    """

    words: Words
    kind: str
    template: Template | None
    found: FoundRows
    columns: tuple[GuessedColumn, ...]
    samples: tuple[Sampled, ...]
    paging: Paging = Paging()

    @property
    def name(self) -> str:
        """Of the plugin."""
        return self.words.name

    @property
    def extension(self) -> str:
        """What payloads are stored as."""
        return "txt" if self.kind == "custom" and not self.found.tag else self.found.extension

    @property
    def source(self) -> str:
        """Who publishes it."""
        return self.template.source if self.template is not None else "file"

    @property
    def per_ticker(self) -> bool:
        """Whether there is a request for each ticker."""
        return self.template is not None and bool(self.template.ticker)

    @property
    def request(self) -> RunRequest:
        """The request that the sample answers."""
        return sample_request(self.words, self.template or Template(url=""), source=self.source)

    @property
    def address(self) -> str:
        """Where the sample comes from, as its plugin will ask."""
        if self.template is None:
            return FileRecipe(path=f"{self.name}.{self.extension}").path
        return asked_address(self.template, self.request)

    @property
    def weekdays_only(self) -> bool:
        """Whether no row is of a weekend, and there are rows enough to say so."""
        day = next(
            (column for column in self.columns if column.row_date and column.python == "dt.date" and not column.epoch),
            None,
        )
        if day is None or (day.date_format and not {"%d", "%j"} & set(re.findall("%-?.", day.date_format))):
            return False
        days = {str(row.get(day.source)).strip() for row in self.found.rows} - {"None", "", *day.missing}
        if len(days) < ENOUGH:
            return False
        # Days have no zone.
        return all(
            dt.datetime.strptime(text, day.date_format or "%Y-%m-%d").weekday() < _SATURDAY  # noqa: DTZ007
            for text in days
        )

    @property
    def changed_column(self) -> str:
        """The column that a cursor goes by; empty where there is none, or no cursor."""
        return changed_column(self.columns) if self.template is not None and self.template.changes is not None else ""

    @property
    def recipe_doubts(self) -> list[str]:
        """What is not sure of how it is fetched and where the rows are."""
        doubts = list(self.template.doubts) if self.template is not None else []
        if self.template is not None and self.template.changes is not None:
            column = self.changed_column
            doubts.append(
                f"cursor: it goes on from the newest {column}; overlap_seconds= where the vendor shows rows late"
                if column
                else "cursor: no column says when a row changed; it goes on from when the last answer was asked for"
            )
        return [*doubts, *self.found.doubts, *self.paging.doubts]

    @property
    def doubts(self) -> list[str]:
        """Everything that was decided without being sure, each with its place."""
        return self.recipe_doubts + [f"{column.name}: {doubt}" for column in self.columns for doubt in column.doubts]


def sample_request(words: Words, template: Template, *, source: str) -> RunRequest:
    """The request whose answer is the sample, for what stood in the address."""
    return RunRequest(
        run_id="sample",
        domain=words.domain,
        source=source,
        dataset=words.name,
        ticker=template.ticker or None,
        from_date=template.from_date or (template.to_date if template.one_day else None),
        to_date=template.to_date,
        cursor=template.changes.place if template.changes is not None else "",
    )


def asked_address(template: Template, request: RunRequest) -> str:
    """The address that a recipe with this template asks."""
    cursor = template.changes.cursor if template.changes is not None else None
    recipe = RestRecipe(url=template.url, date_format=template.date_format, cursor=cursor)
    return filled(recipe.url, request, quoting=True, recipe=recipe)


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
    found_rows = find_rows(sample.payload, where=where, rows_at=rows_at)
    comma_first = isinstance(found_rows.format, Csv) and found_rows.format.delimiter == ";"
    guesses = guess_columns(
        found_rows.rows, empty_is_missing=found_rows.is_text, comma_first=comma_first, names=found_rows.names
    )
    found_rows, columns = _declared(found_rows, guesses.columns, guesses.marks, sample.payload, where)
    added = [] if template is None else _from_request(columns, found_rows.rows, template)
    asked = {column.source: column.example for column in added}
    found_rows = attrs.evolve(found_rows, rows=tuple({**asked, **row} for row in found_rows.rows))
    columns = with_roles([*added, *columns], found_rows.rows, key=key, row_date=row_date, where=where)
    return Proposal(
        words=words,
        kind="csv" if template is None else "rest",
        template=template,
        found=found_rows,
        columns=tuple(columns),
        samples=(sample,),
        paging=Paging()
        if template is None
        else paging_of(sample.payload, sample.headers, address=template.url, row_count=len(found_rows.rows)),
    )


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


def terms_of(words: Words) -> str:
    """The terms of use, or that nobody looked."""
    return words.terms or _SILENT_TERMS


def file_sample(path: Path, *, now: dt.datetime, bytes_max: int) -> Sampled:
    """A payload out of a file. Raises ``UsageError`` if it cannot be read or is too large to be shipped as a sample."""
    try:
        size = path.stat().st_size
        if size > bytes_max:
            fix = f"give the first lines of it, {bytes_max // 1024**2} MiB at most"
            raise UsageError(f"the file has {size / 1024**2:.0f} MiB", where=str(path), fix=fix, code="TOO_LARGE")
        return Sampled(payload=path.read_bytes(), fetched_at=now)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), code="FILE") from error
