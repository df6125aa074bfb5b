"""Series that a dataset has of its own, and that change: rows of a query, and files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import DatasetFailure
from sbf_core.failures import Failure, failure_of
from sbf_core.universe.members import Membership
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class OwnSeries(Value):
    """The series of several datasets.

    Attributes:
        series: by the identity of a dataset; of one that failed nothing.
        notes: what the user should know.
        faults: why there are none of a dataset.
        lacking: what the machine lacked for some, by the identity of the dataset.
    """

    series: Mapping[str, Membership] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    faults: tuple[Failure, ...] = ()
    lacking: Mapping[str, Exception] = attrs.field(factory=dict)


def own_series(
    cursor: Callable[[], duckdb.DuckDBPyConnection] | None,
    entries: Sequence[DatasetKeymapEntry],
    *,
    files: Path,
    limit: int,
    seconds_max: float,
) -> OwnSeries:
    """The series of datasets that are asked for each row of a query, or read each file of a folder; one that fails
    costs nothing but itself.

    Args:
        cursor: gives a connection of its own; None where there is no database yet, and so no row.
        entries: the datasets; others have none.
        files: where relative paths start.
        limit: of so many series each at most; 0: of all.
        seconds_max: how long a query may take.
    """
    asking = [entry for entry in entries if entry.parts]
    if not asking:
        return OwnSeries()
    from sbf_core.duck.engine_errors import ENGINE_ERRORS, costs_only_its_own  # few runs have such a dataset
    from sbf_core.ops.queries import latest_marks
    from sbf_core.plan.folder_files import files_of
    from sbf_core.plan.row_queries import rows_of
    from sbf_core.settings.keys import Keys

    series: dict[str, Membership] = {}
    notes: list[str] = []
    faults: list[Failure] = []
    lacking: dict[str, Exception] = {}
    for entry in asking:
        try:
            if entry.each_file is not None:
                marks = latest_marks(cursor(), entry.ids) if cursor is not None else {}
                given = files_of(entry, files, Keys(files.parent), marks, limit=limit)
            else:
                given = rows_of(cursor() if cursor is not None else None, entry, limit=limit, seconds_max=seconds_max)
        except DatasetFailure as error:
            faults.append(failure_of(error, dataset=entry.id))
            continue
        except ENGINE_ERRORS as error:
            if not costs_only_its_own(error):
                raise
            lacking[entry.id] = error
            continue
        series[entry.id] = given.membership
        notes += given.notes
    return OwnSeries(series=series, notes=tuple(notes), faults=tuple(faults), lacking=lacking)
