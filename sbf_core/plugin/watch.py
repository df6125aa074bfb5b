"""Whether a hook that ran in the process of sbf used the database, which nobody gave to it.

The ledger cannot be locked against code in the same process. But each transaction has a number, so that a hook after
which the next number is not the next one is found out; what a checksum of the ledger would say costs more than a query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from sbf_core.duck.transaction import transaction_number
from sbf_core.errors import PluginFault

T = TypeVar("T")


class DatabaseWatch:
    """Notices transactions of others. It begins with the last look or ``start``, whichever came later.

    Args:
        cursor: gives the cursor of the thread that watches; that thread may use the database between ``used`` and
            ``start``.
    """

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._cursor = cursor
        self._last = 0
        self.start()

    def start(self) -> None:
        """Begin anew: what was before is allowed."""
        self._last = transaction_number(self._cursor())

    def used(self) -> bool:
        """Whether anybody began a transaction since the watch began."""
        before, self._last = self._last, transaction_number(self._cursor())
        return self._last != before + 1


def used_the_database(*, where: str) -> PluginFault:
    """The fault of a hook that was found out."""
    return PluginFault(
        "used the database by itself",
        where=where,
        fix="run `sbf verify`, and do not use this plugin before it is mended",
    )


@contextmanager
def watched(cursor: Callable[[], duckdb.DuckDBPyConnection], *, where: str) -> Iterator[Callable[[Callable[[], T]], T]]:
    """Call a hook inside; no other thread may use the database meanwhile.

    Yields:
        What calls a function of ours that may use the database, when the hook asks for it.

    Raises:
        PluginFault: somebody began a transaction.
    """
    watch = DatabaseWatch(cursor)

    def allowed(ours: Callable[[], T]) -> T:
        if watch.used():
            raise used_the_database(where=where)
        try:
            return ours()
        finally:
            watch.start()

    yield allowed
    if watch.used():
        raise used_the_database(where=where)
