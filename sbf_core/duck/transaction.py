"""A transaction that cannot end in silence.

DuckDB's COMMIT of an aborted transaction succeeds and keeps nothing. So the transaction's id is asked for again
just before COMMIT: the question raises in an aborted transaction, and the answer differs if somebody committed
and began another one in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from sbf_core.errors import SbfError


class TransactionBroken(SbfError):
    """The transaction was aborted or replaced before its COMMIT; nothing of it is kept."""

    default_code = "TRANSACTION"


def transaction_number(conn: duckdb.DuckDBPyConnection) -> int:
    """The number of the transaction under way.

    It grows by one with each transaction of this process, whoever begins it; asking for it outside of one begins one.
    """
    row = conn.execute("SELECT txid_current()").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def transaction(conn: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """BEGIN, then COMMIT if the block ends and the transaction is still the same, else ROLLBACK.

    Raises:
        TransactionBroken: an error inside was swallowed, or the block ended the transaction itself.
    """
    conn.execute("BEGIN")
    try:
        began = transaction_number(conn)
        yield conn
        try:
            same = transaction_number(conn) == began
        except duckdb.Error as error:
            raise TransactionBroken(
                "an SQL error inside the transaction was swallowed", fix="report this with --debug"
            ) from error
        if not same:
            raise TransactionBroken("the transaction was ended from inside", fix="report this with --debug")
        conn.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # already gone: that is what we wanted
            conn.execute("ROLLBACK")
        raise
