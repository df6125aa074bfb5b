"""What tells data from an answer with status 200 that is none."""

from __future__ import annotations

import attrs

from sbf_core.vocabulary import texts


@attrs.frozen(kw_only=True)
class DataRules:
    """Beyond what holds for all: no HTML page, no other format than declared, no text where a list should be.

    Attributes:
        error_fields: paths in a JSON answer that hold a note of the vendor, e.g. ``Error Message`` or ``meta.error``;
            if one of them holds anything, the answer is no data.
        error_texts: texts that a short answer holds only if it is a note, e.g. ``Exceeded the daily hits limit``;
            small and capital letters are the same.
        plan_texts: those that say that the plan does not cover the dataset: it is skipped, which is no failure.
        may_be_empty: an answer without rows is an answer, e.g. for days on which nothing happened. Elsewhere it is
            a failure, because vendors answer so when something is wrong.
    """

    error_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    error_texts: tuple[str, ...] = attrs.field(default=(), converter=texts)
    plan_texts: tuple[str, ...] = attrs.field(default=(), converter=texts)
    may_be_empty: bool = False
