"""``DatasetKeymapEntry``: the declaration of a dataset, from which the core does all the rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from sbf_core.dataset.about import About
from sbf_core.dataset.answer_checks import AnswerFacts, check_answers
from sbf_core.dataset.answer_roles import AnswerRoles
from sbf_core.dataset.archive import Archive, check_archive
from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.chart import Chart, charts, check_charts
from sbf_core.dataset.column_checks import check_columns
from sbf_core.dataset.column_roles import ColumnRoles
from sbf_core.dataset.columns import Column, columns_of
from sbf_core.dataset.cursor import check_cursor
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.dataset_names import DatasetNames
from sbf_core.dataset.entry_checks import check_days, check_names, check_numbers, check_roles
from sbf_core.dataset.format_checks import check_formats
from sbf_core.dataset.former_names import check_former_names, check_table_name
from sbf_core.dataset.json_path import rows_path
from sbf_core.dataset.read_checks import check_reads
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.recipe_facts import RecipeFacts
from sbf_core.dataset.series_checks import SeriesFacts, check_series
from sbf_core.dataset.series_roles import SeriesRoles
from sbf_core.errors import UsageError
from sbf_core.unicode_text import half_letter_in
from sbf_core.vocabulary import Answers, Drift, OnDuplicate, Restated, Scope, Semantics, texts, word

if TYPE_CHECKING:
    from sbf_core.dataset.expected_by import ExpectedBy
    from sbf_core.dataset.for_each import ForEach
    from sbf_core.dataset.format_list import Format
    from sbf_core.dataset.recipe_list import Recipe


def _scope(value: str) -> Scope:
    return word(value, Scope, what="scope")


def _semantics(value: str) -> Semantics:
    return word(value, Semantics, what="semantics")


def _on_duplicate(value: str) -> OnDuplicate:
    return word(value, OnDuplicate, what="on_duplicate")


def _answers(value: str | None) -> Answers | None:
    return None if value is None else word(value, Answers, what="answers")


def _restated(value: str | None) -> Restated | None:
    return None if value is None else word(value, Restated, what="restated")


def _drift(value: str | None) -> Drift | None:
    return None if value is None else word(value, Drift, what="drift")


@attrs.frozen(kw_only=True)
class DatasetKeymapEntry(AnswerRoles, ColumnRoles, DatasetNames, RecipeFacts, SeriesRoles, About):
    """The declaration of a dataset: one table's worth of vendor data.

    Attributes:
        domain: what it is about, e.g. ``fx``; the first folder in Bronze.
        source: who publishes it, e.g. ``ecb``.
        dataset: its name at the source.
        discriminator: tells datasets of one name apart, e.g. a series id; usually empty.
        scope: ``global`` (one request) or ``per_ticker`` (one for each ticker of the universe).
        members: for ``per_ticker``: names of its own, e.g. series of a statistics office, in the place of the
            universe's tickers.
        for_each: for ``per_ticker``: rows of a query over silver of other datasets, in their place.
        silver_table: the table in the schema ``silver`` that it fills, alone.
        columns: an attrs class with ``column()`` fields, or a list of ``Column``.
        recipe: how it is fetched; without one the plugin needs the hook ``fetch``.
        reads: the identity of another dataset, of any plugin: its payloads are read, and nothing is fetched. How they
            are asked for, it alone declares; ``format``, ``member`` and ``is_data`` are as there where they are left
            out.
        semantics: ``upsert``: a new value of a key supersedes the old one. ``append``: a key is written
            once, another value is rejected. ``snapshot``: each payload is the whole truth of its scope,
            so rows that it lacks are closed.
        on_duplicate: what to do when one payload states a key twice with different values: ``reject`` takes none of
            these rows, ``first`` and ``last`` the one that stands first or last in the payload. The SELECT of a hook
            ``promote`` says by an ORDER BY which that is, if it joins anything.
        format: how payloads are written, e.g. ``Csv(delimiter=";")``; the usual form of the extension when absent.
        rows_at: where the rows are in a JSON payload, e.g. ``data.items`` or ``$.data[*]``; empty: the payload is
            the list.
        member: for a zip payload, the name of the file in it, or a pattern such as ``*.csv``; empty: the only one.
        archive: for a payload that is a zip, a tar or a tar.gz of many files: each of them is read.
        is_data: what tells data from an answer with status 200 that is none.
        reject_share_max: a payload of which a larger share is rejected is refused whole.
        shrink_share_max: an answer that would close a larger share of the current rows that it speaks about (of at
            least 20) is refused whole.
        refresh_after_hours: a request is due when its last answer is older than this.
        unknown_after_days: a series of which the vendor never had anything (see ``DataRules.none_status``) is asked for
            again after so many days.
        cadence: when there can be something new: a calendar, an age, seasons.
        expected_by: when rows are there at the latest; later the dataset is late, and ``sbf status --check`` tells.
        settles_after_days: a day is final, and not asked for again, once it was asked for this long after it was over
            in the zone of the column ``row_date`` (UTC without one), and ``min_age_days`` of its cadence later, because
            its rows come only then. Rows that a vendor adds later than that are not seen, unless ``lookback_days``
            reaches them.
        horizon: where the address has ``{to_date}``, a row may be of so many days after the last day that was asked
            for: the vendor's day may have begun already. A row beyond is rejected; ``"any"`` for projections and
            calendars.
        lookback_days: fetched again before the watermark, for late corrections.
        answers: what an answer says of the rows that it lacks, of the days and the ticker that it was asked for:
            ``whole`` closes them, ``changes`` leaves them as they are. When absent they are left, too, and a run tells
            of those within ``lookback_days``.
        restated: ``series``: where a row of the look-back comes back changed although its day was final, all days of
            the series are fetched again from ``first_date``, in the same run. It needs ``lookback_days`` of 4 more than
            ``settles_after_days``.
        restated_column: a price that alone counts for ``restated="series"``, which it implies; the run tells the factor
            by which it changed.
        first_date: where a first fetch starts; earlier rows are rejected where the address has ``{from_date}``.
        opt_in: fetched only where its plugin is named, e.g. because the vendor has no official API.
        tags: words by which a user selects it, e.g. ``("daily", "prices")`` for ``--select tag:daily``.
        drift: what to do with a payload that lacks a declared field in every row which earlier payloads had: ``hold``
            it until the declaration says what to do, ``tell`` and go on, or let it ``fail``; what the setting
            ``run.drift`` says when absent.
        promote_version: raise it when the plugin's hook ``promote`` reads payloads otherwise than before: the table is
            then made again.
        renamed_from: names that it had before: identities such as ``fx/ecb/rates``, whose payloads are its own, and
            silver tables such as ``silver.rates``, which give way to the new one.
        keep_view: leave a view of the table under each of its former names.
        charts: pictures of its rows; one is made up where none is declared and the columns allow it.
        title, terms, source_url: for readers: what it is, its terms of use, where it is described.
        region, frequency, cost: for those who look for data: see ``About`` below.
    """

    domain: str
    source: str
    dataset: str
    discriminator: str = ""
    scope: Scope = attrs.field(default=Scope.GLOBAL, converter=_scope)
    members: tuple[str, ...] = attrs.field(default=(), converter=texts)
    for_each: ForEach | None = None
    silver_table: str
    columns: tuple[Column, ...] = attrs.field(converter=columns_of)
    recipe: Recipe | None = None
    reads: str = ""
    _payloads_of: tuple[str, ...] = attrs.field(default=(), converter=texts)
    semantics: Semantics = attrs.field(default=Semantics.UPSERT, converter=_semantics)
    on_duplicate: OnDuplicate = attrs.field(default=OnDuplicate.REJECT, converter=_on_duplicate)
    format: Format | None = None
    rows_at: str = ""
    member: str = ""
    archive: Archive | None = None
    is_data: DataRules = DataRules()
    reject_share_max: float = 0.05
    shrink_share_max: float = 0.5
    refresh_after_hours: float = 20.0
    unknown_after_days: float = 30.0
    cadence: Cadence = Cadence()
    expected_by: ExpectedBy | None = None
    settles_after_days: float = 1.0
    horizon: int | str = 1
    lookback_days: int = 0
    answers: Answers | None = attrs.field(default=None, converter=_answers)
    restated: Restated | None = attrs.field(default=None, converter=_restated)
    restated_column: str = ""
    first_date: dt.date = dt.date(1970, 1, 1)
    opt_in: bool = False
    tags: tuple[str, ...] = attrs.field(default=(), converter=texts)
    drift: Drift | None = attrs.field(default=None, converter=_drift)
    promote_version: int = 1
    renamed_from: tuple[str, ...] = attrs.field(default=(), converter=texts)
    keep_view: bool = False
    charts: tuple[Chart, ...] = attrs.field(default=(), converter=charts)
    title: str = ""
    terms: str = ""
    source_url: str = ""

    def __attrs_post_init__(self) -> None:
        where = f"dataset {self.domain}/{self.source}/{self.dataset}"
        wrong = half_letter_in(self)
        if wrong:
            raise UsageError(
                f"{wrong} holds half of a surrogate pair, which is no letter",
                where=where,
                fix="write the letter whole",
                code="TEXTS",
            )
        check_names(self.domain, self.source, self.dataset, where=where)
        check_table_name(self.silver_table, where=where)
        check_columns(self.columns, where=where)
        # no view can be where the history is
        viewed = (f"silver.{self.silver_table}_history",) if self.keep_view else ()
        check_former_names(self.renamed_from, now=(self.id, f"silver.{self.silver_table}", *viewed), where=where)
        needs_day = self.expected_by is not None and bool(self.expected_by.hour)
        check_roles(self.columns, needs_day=needs_day, where=where)
        check_charts(self.charts, self.column_types, where=where)
        check_days(self.first_date, self.horizon, where=where)
        shares = {"reject_share_max": self.reject_share_max, "shrink_share_max": self.shrink_share_max}
        durations = {
            "refresh_after_hours": self.refresh_after_hours, "lookback_days": self.lookback_days,
            "settles_after_days": self.settles_after_days, "unknown_after_days": self.unknown_after_days,
        }  # fmt: skip
        check_numbers(self.promote_version, shares=shares, durations=durations, where=where)
        asks = {
            "restated": self.restated is not None, "restated_column": bool(self.restated_column),
            "recipe": self.recipe is not None and not self.payloads_of,
        }  # fmt: skip
        check_reads(self.reads, self.payloads_of, ids=self.ids, asks=asks, where=where)
        if self.payloads_of or not self.reads:
            self._check_how_asked(where)

    def _check_how_asked(self, where: str) -> None:
        """What is declared of rows against how they are asked for."""
        check_formats(self.format, self.recipe, self.rows_at, self.columns, where=where)
        check_series(self._series_facts(where))
        check_archive(self, where=where)
        check_answers(self._answer_facts(where))
        if self.cursor is not None:
            check_cursor(self.cursor, self.columns, may_be_empty=self.is_data.may_be_empty, where=where)

    def _answer_facts(self, where: str) -> AnswerFacts:
        recipe = self.recipe if isinstance(self.recipe, RestRecipe) else None
        return AnswerFacts(
            where=where,
            scope=self.scope,
            semantics=self.semantics,
            answers=self.answers,
            restated=self.restated,
            restated_column=self.restated_column,
            lookback_days=self.lookback_days,
            settles_after_days=self.settles_after_days,
            columns=self.columns,
            tickers_per_request=1 if recipe is None else recipe.tickers_per_request,
            makes_sets=recipe is not None and recipe.makes_sets,
            is_asked_by_days=self.is_asked_by_days,
        )

    def _series_facts(self, where: str) -> SeriesFacts:
        return SeriesFacts(
            where=where,
            scope=self.scope,
            members=self.members,
            for_each=self.for_each,
            parts=self.parts,
            is_folder=self.each_file is not None,
            named=self.placeholders,
            named_once=self.named_once,
            columns=self.columns,
            tickers_per_request=self.tickers_at_once,
            is_asked_by_days=self.is_asked_by_days,
            has_recipe=self.recipe is not None,
            reads_items=self.reads_items,
            item_levels=rows_path(self.rows_at).wildcards if self.reads_items else 0,
            extension="json" if self.recipe is None else self.recipe.extension,
        )

    @property
    def decimal(self) -> str:
        """The mark before the fraction of a number that stands as a text."""
        return self.format.decimal if self.format is not None else "."
