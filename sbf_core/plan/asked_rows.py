"""What the queries of rows gave."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sbf_core.failures import Failure
from sbf_core.universe.members import Membership
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class AskedRows(Value):
    """What a query gave.

    Attributes:
        membership: the series, in the order of their names, and when those changed of which the query says so.
        notes: what the user should know.
    """

    membership: Membership
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RowsOfRun(Value):
    """What the queries of several datasets gave.

    Attributes:
        series: by the identity of a dataset; of one whose query failed nothing.
        notes: what the user should know.
        faults: why queries failed.
        lacking: what the machine lacked for some, by the identity of the dataset.
    """

    series: Mapping[str, Membership] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    faults: tuple[Failure, ...] = ()
    lacking: Mapping[str, Exception] = attrs.field(factory=dict)
