"""What an answer of a dataset says of its rows, and of which days these are."""

from __future__ import annotations

from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.column_roles import ColumnRoles
from sbf_core.dataset.recipe_facts import RecipeFacts
from sbf_core.vocabulary import Answers, Restated, Semantics


class AnswerRoles(ColumnRoles, RecipeFacts):
    """What follows from how a dataset declares its answers."""

    __slots__ = ()

    semantics: Semantics
    answers: Answers | None
    restated: Restated | None
    restated_column: str
    lookback_days: int
    settles_after_days: float
    cadence: Cadence
    horizon: int | str

    @property
    def closes_rows(self) -> bool:
        """Whether a row that an answer lacks is closed."""
        return self.semantics is Semantics.SNAPSHOT or self.answers is Answers.WHOLE

    @property
    def is_restated(self) -> bool:
        """Whether its vendor may restate the past."""
        return self.restated is not None or bool(self.restated_column)

    @property
    def tells_of_vanished(self) -> bool:
        """Whether a run tells of rows that it asked for again and that did not come."""
        is_unsaid = self.semantics is Semantics.UPSERT and self.answers is None and self.lookback_days > 0
        return is_unsaid and self.is_asked_since and self.row_date_column is not None

    @property
    def settle_days(self) -> float:
        """How many days after it was over a day is final: from when on its rows are published, and some more."""
        return self.settles_after_days + self.cadence.min_age_days

    @property
    def days_ahead(self) -> int | None:
        """How many days after the last that was asked for a row may be; None where any, or nobody said until when."""
        return None if isinstance(self.horizon, str) or not self.is_asked_until else self.horizon
