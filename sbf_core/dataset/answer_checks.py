"""Whether what a dataset says of its answers fits its other parts: what they lack, and what they change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value
from sbf_core.vocabulary import Answers, Restated, Scope, Semantics

#: Days of the look-back before the last one that has settled: over a weekend, too.
_LOOKBACK_TO_SEE_ROWS = 4


@attrs.frozen(kw_only=True)
class AnswerFacts(Value):
    """What of a dataset is looked at.

    Attributes:
        where: it, for messages.
        scope, semantics, answers, restated, restated_column, lookback_days, settles_after_days: as it declares them.
        columns: its columns.
        tickers_per_request: of its recipe; 1 without one.
        makes_sets: one request may have several answers.
        is_asked_by_days: a request for fewer days brings fewer rows.
    """

    where: str
    scope: Scope
    semantics: Semantics
    answers: Answers | None
    restated: Restated | None
    restated_column: str
    lookback_days: int
    settles_after_days: float
    columns: Sequence[Column]
    tickers_per_request: int
    makes_sets: bool
    is_asked_by_days: bool

    @property
    def has_row_date(self) -> bool:
        """Whether it is known of which day a row is."""
        return any(column.row_date for column in self.columns)


def check_answers(facts: AnswerFacts) -> None:
    """Raise ``UsageError`` unless these parts of a declaration go together."""
    if facts.answers is not None:
        _check_whole(facts)
    if facts.restated is not None or facts.restated_column:
        _check_restated(facts)
    if facts.tickers_per_request > 1:
        _check_batches(facts)
    if facts.semantics is Semantics.SNAPSHOT and facts.makes_sets:
        what = "a snapshot must come in one payload, and the recipe makes several"
        raise UsageError(what, where=facts.where, fix='semantics="upsert"', code="RECIPE")


def _check_whole(facts: AnswerFacts) -> None:
    """A row can only be missed where it is known which rows an answer speaks about."""
    where, code = facts.where, "DATASET"
    if facts.semantics is not Semantics.UPSERT:
        what = f"answers says what answers lack, and the semantics {facts.semantics} says so already"
        raise UsageError(what, where=where, fix='leave answers out, or semantics="upsert"', code=code)
    if facts.answers is not Answers.WHOLE:
        return
    if not facts.has_row_date:
        what = 'answers="whole" closes rows of the days that were asked for, and no column says of which day a row is'
        raise UsageError(what, where=where, fix="column(row_date=True)", code=code)
    if not facts.is_asked_by_days:
        what = 'answers="whole" is about the days that were asked for, and the recipe asks for none'
        raise UsageError(what, where=where, fix='semantics="snapshot", or {from_date} in the address', code=code)


def _check_batches(facts: AnswerFacts) -> None:
    """Whose rows are in a payload for several tickers must be in the payload itself."""
    where = facts.where
    is_whole = facts.semantics is Semantics.SNAPSHOT or facts.answers is Answers.WHOLE
    if facts.scope is not Scope.PER_TICKER or is_whole or facts.restated is not None or facts.restated_column:
        what = (
            "tickers_per_request belongs to the scope per_ticker, to the semantics upsert or append, and neither to "
            'answers="whole" nor to restated'
        )
        raise UsageError(what, where=where, code="RECIPE")
    if any(column.source_name == "request.ticker" for column in facts.columns):
        what = "tickers_per_request: request.ticker is several tickers"
        raise UsageError(what, where=where, fix="read the ticker from a field of the rows", code="COLUMNS")


def _check_restated(facts: AnswerFacts) -> None:
    """Rows of the look-back must be seen again, and it must be known which of them had settled."""
    where, code, name = facts.where, "DATASET", facts.restated_column
    if name:
        column = next((column for column in facts.columns if column.name == name), None)
        if column is None or not (column.type in ("DOUBLE", "BIGINT") or column.decimal_shape):
            hint = nearest(name, [column.name for column in facts.columns])
            what = f"restated_column {name!r} is no column of numbers"
            raise UsageError(what, where=where, fix=hint or "name the column of the price", code=code)
    if facts.semantics is not Semantics.UPSERT:
        raise UsageError("restated belongs to the semantics upsert", where=where, fix='semantics="upsert"', code=code)
    if not facts.has_row_date:
        what = "restated asks which rows had settled, and no column says of which day a row is"
        raise UsageError(what, where=where, fix="column(row_date=True)", code=code)
    if not facts.is_asked_by_days:
        what = "restated has more days asked for, and the recipe asks for none"
        raise UsageError(what, where=where, fix="leave restated out, or {from_date} in the address", code=code)
    least = _LOOKBACK_TO_SEE_ROWS + math.ceil(facts.settles_after_days)
    if facts.lookback_days < least:
        what = f"restated needs to see settled rows again, and lookback_days is {facts.lookback_days}"
        raise UsageError(what, where=where, fix=f"lookback_days={least} or more", code=code)
