"""``sbf clean``: removes what is left over, while nobody else is at work in the home."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.transaction import transaction
from sbf_core.errors import UsageError, environment_fault
from sbf_core.faults import fault_point
from sbf_core.home.home import Home
from sbf_core.ops.service import OpsService
from sbf_core.silver.tables import drop_tables

_VIEWS = (
    "SELECT view_name, sql FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'silver' AND "
    "NOT internal"
)


@contextmanager
def home_alone(home: Home) -> Iterator[OpsService]:
    """The ledger of a home in which nobody else is at work until the block ends.

    Raises:
        UsageError: there is no database: what looks left over may be all that there is.
        HomeLocked, DamageFound, VersionRefused, EnvironmentFault: see ``DuckDbBootstrap.open``.
    """
    config = home.config
    if not config.database.exists():
        what = "there is no database, so nothing is sure to be left over"
        raise UsageError(what, where=str(config.home), fix="run `sbf run` or `sbf rebuild` first", code="NO_DATABASE")
    bootstrap = DuckDbBootstrap(config, clock=home.clock)
    bootstrap.open(wait_seconds=home.settings["run.wait_seconds"])
    before = bootstrap.cursor().execute(_STATE).fetchall()
    rows_changed = True
    try:
        yield OpsService.over(bootstrap, clock=home.clock)
        rows_changed = bootstrap.cursor().execute(_STATE).fetchall() != before
    finally:
        bootstrap.close(rows_changed=rows_changed)


#: Which tables there are.
_STATE = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY ALL"


def remove_left_over_tables(ops: OpsService, *, silver: Sequence[str], gold: Sequence[str]) -> None:
    """Drop tables, by their names without schema, in one transaction. Their payloads and promotions stay: a plugin that
    declares a table again makes it again. Writes ops.table_declarations, ops.held and ops.gold_watermarks. Idempotent.
    """
    conn = ops.cursor()
    with transaction(conn):
        for table in silver:
            for view in _views_over(conn, table):
                conn.execute(f"DROP VIEW silver.{quoted(view)}")
            drop_tables(conn, table)
            ops.tables.forget(conn, table)
        for table in gold:
            conn.execute(f"DROP TABLE IF EXISTS gold.{quoted(table)}")
            ops.tables.forget_gold(conn, table)
        fault_point("clean.dropped")
    conn.execute("CHECKPOINT")


def _views_over(conn: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Views that a table has under its former names."""
    reads = re.compile(rf'\bsilver\.(?:{re.escape(table)}|{re.escape(quoted(table))})(?![\w"])')
    views: Iterable[tuple[str, str]] = conn.execute(_VIEWS).fetchall()
    return [name for name, sql in views if reads.search(sql)]


def remove_left_over_files(paths: Iterable[Path]) -> None:
    """Remove files, folders with all that is in them, and databases with their logs. Of a symbolic link the link is
    removed, and not what it leads to. Idempotent.

    Raises:
        EnvironmentFault: one cannot be removed; those before it are gone.
    """
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
                path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        except OSError as error:
            raise environment_fault(error, doing="what is left over cannot be removed", where=str(path)) from error
        fault_point("clean.removed")
