"""What tells data from an answer with status 200 that is none."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

#: Statuses that speak of the key, the plan, the proxy or of time (RFC 9110, section 15.5; RFC 6585).
_SAY_OTHERWISE = (401, 402, 403, 407, 408, 425, 429)


def _statuses(values: Iterable[int]) -> tuple[int, ...]:
    """As a tuple. attrs asks a converter for its signature, and Python's own has one that only its compiler reads:
    6 ms of each command.
    """
    return tuple(values)


@attrs.frozen(kw_only=True)
class DataRules(Value):
    """Beyond what holds for all: no HTML page, no other format than declared, no text where a list should be.

    Attributes:
        error_fields: paths in a JSON answer that hold a note of the vendor, e.g. ``Error Message`` or ``meta.error``;
            if one of them holds anything, the answer is no data.
        error_texts: texts that a short answer holds only if it is a note, e.g. ``Exceeded the daily hits limit``;
            small and capital letters are the same.
        plan_texts: those that say that the plan does not cover the dataset: it is skipped, which is no failure.
        may_be_empty: an answer without rows is an answer, e.g. for days on which nothing happened. Elsewhere it is
            a failure, because vendors answer so when something is wrong.
        none_status: HTTP statuses that mean that there is nothing for what was asked, such as ``(404, 204)``: the days
            count as asked, nothing is stored, and nothing failed. In a set of pages or periods such a one is left out.
        item_none_fields: of an answer with an item for each ticker, in their order (the list of the first wildcard in
            ``rows_at``): paths from an item that hold anything where the vendor has nothing for it, e.g. ``warning``.
        item_error_fields: the same where the vendor could not answer for it, e.g. ``error``. Such an answer, and one
            with an item that has neither rows nor one of these, is no data; its tickers are asked for again in halves,
            so that the one that is wrong costs itself.
        listing_fields: names of which a JSON answer has one at its top if it lists what there is, and holds no rows
            itself, e.g. ``vintage_dates``. A hook ``fetch`` that asks for such a list before it asks for rows gives it
            back, too: it is kept, so that a replay asks for the same.
    """

    error_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    error_texts: tuple[str, ...] = attrs.field(default=(), converter=texts)
    plan_texts: tuple[str, ...] = attrs.field(default=(), converter=texts)
    may_be_empty: bool = False
    none_status: tuple[int, ...] = attrs.field(default=(), converter=_statuses)
    item_none_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    item_error_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    listing_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        odd = next((status for status in self.none_status if not _may_mean_nothing(status)), None)
        if odd is not None:
            what = f"none_status {odd!r} cannot mean that there is nothing"
            raise UsageError(what, fix="none_status=(404,), or (404, 204)", code="DATASET")


def _may_mean_nothing(status: object) -> bool:
    return type(status) is int and (status == 204 or 400 <= status < 500) and status not in _SAY_OTHERWISE
