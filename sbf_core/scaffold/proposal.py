"""What a new plugin will be: everything that its files are written from."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.errors import UsageError, nearest
from sbf_core.runs.request import RunRequest
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.asked import recorded_address
from sbf_core.scaffold.changes import changed_column
from sbf_core.scaffold.guess import ENOUGH, GuessedColumn
from sbf_core.scaffold.licences import LICENCES
from sbf_core.scaffold.paging import Paging
from sbf_core.scaffold.row_search import FoundRows
from sbf_core.scaffold.wide import Wide
from sbf_core.value import Value

_SPLIT_LIST = "semantics: the rows have no date, and pages are no snapshot: what a later answer lacks stays"
KINDS = ("rest", "csv", "custom")
_SATURDAY = 5
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
class Declared(Value):
    """One more field of the dataset.

    Attributes:
        name: of the field of ``DatasetKeymapEntry``.
        value: what it is.
        doubt: why it may be otherwise.
    """

    name: str
    value: Any
    doubt: str = ""


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
        asks: how it is fetched, where that is neither an address nor a file.
        source_name: who publishes it, there.
        wide: columns that are values of one and the same, which the hook ``promote`` turns into rows.
        also: further fields of the dataset.
        notes: for the README, in Markdown.
    """

    words: Words
    kind: str
    template: Template | None
    found: FoundRows
    columns: tuple[GuessedColumn, ...]
    samples: tuple[Sampled, ...]
    paging: Paging = Paging()
    asks: SingerRecipe | None = None
    source_name: str = ""
    wide: Wide | None = None
    also: tuple[Declared, ...] = ()
    notes: str = ""

    @property
    def declared(self) -> list[Declared]:
        """Further fields of the dataset, with what follows from how it is asked."""
        names = {one.name for one in self.also}
        more = []
        if self.asks_for_changes and "is_data" not in names:
            more.append(Declared(name="is_data", value=DataRules(may_be_empty=True)))
        return [*more, *(one for one in self.also if not self._is_split_list(one))]

    def _is_split_list(self, one: Declared) -> bool:
        """Whether it would declare a snapshot of an answer that comes in several payloads."""
        return one.name == "semantics" and one.value == "snapshot" and getattr(self.recipe, "makes_sets", False)

    @property
    def asks_for_changes(self) -> bool:
        """Whether its vendor is asked for what changed."""
        return self.template is not None and self.template.recipe().cursor is not None

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
        return self.source_name or (self.template.source if self.template is not None else "file")

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
        if self.asks is not None:
            return self.asks.address("", {})
        if self.template is None:
            return FileRecipe(path=f"{self.name}.{self.extension}").path
        return recorded_address(self.template.recipe(pages=self.paging.pages), self.request)

    @property
    def recipe(self) -> RestRecipe | FileRecipe | SingerRecipe:
        """How it is fetched."""
        if self.asks is not None:
            return self.asks
        if self.template is None:
            return FileRecipe(path=self.address, extension=self.extension)
        return self.template.recipe(
            extension=self.extension, pages=self.paging.pages, cursor_column=self.changed_column
        )

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
        wide = [self.wide.doubt] if self.wide is not None else []
        split = [_SPLIT_LIST for one in self.also if self._is_split_list(one)]
        return [*doubts, *self.found.doubts, *wide, *split, *self.paging.doubts]

    @property
    def doubts(self) -> list[str]:
        """Everything that was decided without being sure, each with its place."""
        declared = [f"{one.name}: {one.doubt}" for one in self.declared if one.doubt]
        columns = [f"{column.name}: {doubt}" for column in self.columns for doubt in column.doubts]
        return [*self.recipe_doubts, *declared, *columns]


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
        cursor=template.changes.place if template.changes is not None else template.cursor_place,
    )


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
