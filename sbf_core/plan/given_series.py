"""The series that a query, or a folder, gives to a dataset."""

from __future__ import annotations

import attrs

from sbf_core.universe.members import Membership
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class GivenSeries(Value):
    """The series of one dataset.

    Attributes:
        membership: the series in their order, and when those changed of which that is known.
        notes: what the user should know.
    """

    membership: Membership
    notes: tuple[str, ...] = ()
