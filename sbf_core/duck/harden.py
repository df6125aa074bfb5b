"""What an open database refuses from then on."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import duckdb

from sbf_core.duck.identifiers import literal_list
from sbf_core.errors import HomeLocked

_ONE_AT_A_TIME = threading.Lock()


def harden(
    connection: duckdb.DuckDBPyConnection, database: Path, *, allowed: Iterable[Path], wants_files: bool
) -> None:
    """Files outside ``allowed``, ATTACH, COPY elsewhere and further settings are refused from here on.

    DuckDB shares one instance among all who open a file in one process: for the second reader it is done.

    Args:
        connection: on the database.
        database: its file.
        allowed: folders whose files may be read and written.
        wants_files: somebody else's folders do not do.

    Raises:
        HomeLocked: the instance is another reader's, who is allowed other files.
    """
    with _ONE_AT_A_TIME:
        settled = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
        if settled is not None and settled[0]:
            if wants_files:
                raise HomeLocked(
                    "this process has the database open for reading",
                    where=str(database),
                    fix="close what sbf_core.open gave you first",
                )
            return
        connection.execute(
            f"SET GLOBAL TimeZone = 'UTC'; SET allowed_directories = {literal_list(str(one) for one in allowed)}; "
            "SET enable_external_access = false; SET lock_configuration = true"
        )
