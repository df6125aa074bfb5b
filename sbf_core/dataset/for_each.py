"""``ForEach``: a dataset that is asked for once for each row of a query over silver of other datasets."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from sbf_core.dataset.series_name import parts_of
from sbf_core.errors import UsageError
from sbf_core.unicode_text import half_letter_in
from sbf_core.value import Value
from sbf_core.vocabulary import texts

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@attrs.frozen(kw_only=True)
class ForEach(Value):
    """Rows for each of which a dataset is asked once: filings, releases, ids that another dataset lists.

    The datasets that the query reads are fetched and promoted before, in the same run. Each row is a series of its own,
    as a ticker is: with its coverage, its failures, and the days for which it was asked.

    Attributes:
        query: one SELECT over silver tables, written as ``silver.x``; it gives the columns of ``key``, and ``changed``.
        key: the columns that say which row it is, as texts, whole numbers, UUIDs or dates; ``{each.NAME}`` stands for
            one in an address or a body, ``source="request.each.NAME"`` for one in a column. Of a single one
            ``{ticker}`` and ``request.ticker`` say the same.
        changed: a column of the query, a TIMESTAMP in UTC: a row is due, too, where it lies after the last answer, e.g.
            ``recorded_at``, when what silver knows of it last changed. What is still to come counts once it has come.
        once: a row that was answered is not due again, unless it changed. One that the vendor did not have, or whose
            answer could not be read, was not answered.
    """

    query: str
    key: tuple[str, ...] = attrs.field(converter=texts)
    changed: str = ""
    once: bool = False

    def __attrs_post_init__(self) -> None:
        wrong = half_letter_in(self)
        if wrong:
            raise _fault(f"{wrong} holds half of a surrogate pair, which is no letter", "write the letter whole")
        if not self.query.strip():
            raise _fault("has no query", 'query="SELECT id FROM silver.filings"')
        if not self.key:
            raise _fault("has no key", 'name the columns of the query: key=("id",)')
        for name in (*self.key, *([self.changed] if self.changed else ())):
            if not _NAME.fullmatch(name):
                what = f"the column {name!r} has a name that cannot stand in braces"
                raise _fault(what, "use small letters, digits and _: SELECT id AS filing_id")
        if len({*self.key, self.changed}) <= len(self.key):
            raise _fault("names a column twice", "name each once, in key or as changed")

    def values(self, series: str) -> Mapping[str, str]:
        """The parts of a row by their name, out of the name of its series.

        Raises:
            UsageError: the series is of another key, as one that was recorded with an older declaration.
        """
        parts = parts_of(series)
        if len(parts) != len(self.key):
            raise _fault(
                f"{series!r} is no series of ({', '.join(self.key)})", "declare the key as it was, or ask anew"
            )
        return dict(zip(self.key, parts, strict=True))


def _fault(what: str, fix: str) -> UsageError:
    return UsageError(f"for_each {what}", fix=fix, code="FOR_EACH")
