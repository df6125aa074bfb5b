"""Names of a dataset's table, and those that it had before: what they may look like."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

from sbf_core.errors import UsageError
from sbf_core.vocabulary import check_name

_ID = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*/[a-z][a-z0-9_]*(@.+)?")
_T = TypeVar("_T")
_TABLE = re.compile(r"silver\.[a-z][a-z0-9_]*")


#: What sbf makes beside each silver table: its history, and the macro that gives it as it was known.
_TAKEN_ENDINGS = ("_history", "_as_of")


def taken_ending(name: str) -> str:
    """The ending of a name that makes it that of something which sbf makes beside a silver table;
    empty for a free one.
    """
    return next((ending for ending in _TAKEN_ENDINGS if name.endswith(ending)), "")


def check_table_name(name: str, *, where: str) -> None:
    """Check the name of a silver table.

    Raises ``UsageError`` for one that is none, or could be the history of another.
    """
    check_name(name, what=f"{where}: silver table")
    taken = taken_ending(name)
    if taken:
        raise UsageError(
            f"silver table {name!r} ends in {taken}, as what sbf makes of each table does",
            where=where,
            fix=f'choose another name; a table that is there already moves with renamed_from=("silver.{name}",)',
            code="NAME",
        )


def is_identity(name: str) -> bool:
    """Whether a text may be the identity of a dataset."""
    return _ID.fullmatch(name) is not None


def check_former_names(names: Collection[str], *, now: Collection[str], where: str) -> None:
    """Check ``renamed_from`` of a dataset.

    Args:
        names: what it was called before.
        now: its identity, and its table with the schema.
        where: the dataset, for messages.

    Raises:
        UsageError: a name is neither an identity nor a silver table, or is in use.
    """
    for name in names:
        if not (is_identity(name) or _TABLE.fullmatch(name)):
            raise UsageError(
                f"renamed_from {name!r} is neither an identity nor a silver table",
                where=where,
                fix='write "domain/source/dataset", or "silver.table"',
                code="DATASET",
            )
        if name in now:
            raise UsageError(
                f"renamed_from holds {name!r}, which is its name now", where=where, fix="leave it out", code="DATASET"
            )


def under_present_names(
    known: Mapping[tuple[str, str], _T], ids: Collection[tuple[str, ...]]
) -> dict[tuple[str, str], _T]:
    """What is known of series under former identities, under the present ones. A series that has anything under its
    present name has gone on since: of it, what was known before holds no more.

    Args:
        known: by series and address; a series is the identity, and ``/ticker`` where there is one.
        ids: for each dataset its identity and those that it had.
    """
    present = dict(known)
    gone_on = {series for series, _ in known}
    for now, *former in ids:
        for name in former:
            for (series, address), value in known.items():
                if series == name or series.startswith(f"{name}/"):
                    renamed = now + series[len(name) :]
                    if renamed not in gone_on:
                        present.setdefault((renamed, address), value)
    return present
