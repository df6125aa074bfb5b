"""How long the SQL of a gold model may take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from sbf_core.duck.engine_errors import ENGINE_ERRORS
from sbf_core.errors import DatasetFailure


class TookTooLong(DatasetFailure):
    """SQL of a plugin that was stopped."""

    default_code = "GOLD_TIME"


@contextmanager
def time_limit(conn: duckdb.DuckDBPyConnection, seconds_max: float, *, where: str) -> Iterator[None]:
    """Stop the statements inside after so many seconds, together. The transaction around them is lost then.

    Args:
        conn: the connection that they run on, and nothing else.
        seconds_max: how long they may take.
        where: whose they are, e.g. ``gold.dim_date``.

    Raises:
        TookTooLong: they took longer.
    """
    is_over = threading.Event()

    def stop() -> None:
        is_over.set()
        conn.interrupt()

    timer = threading.Timer(seconds_max, stop)
    timer.name, timer.daemon = "sbf-gold-limit", True
    timer.start()
    fault = TookTooLong(
        f"its SELECT and tests did not end within {seconds_max:g} s and were stopped",
        where=where,
        fix="raise gold.select_seconds_max if they need longer",
    )
    try:
        yield
    except ENGINE_ERRORS as error:
        if is_over.is_set():
            raise fault from error
        raise
    finally:
        timer.cancel()
        timer.join()  # it must not stop a later statement
    if is_over.is_set():  # between two of them
        raise fault
