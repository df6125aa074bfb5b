"""What a run leaves for readers: a copy of the database, and tables as Parquet."""

from __future__ import annotations

from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import environment_fault
from sbf_core.ops.service import OpsService

#: A run that only added to the ledger copies the database, too, as long as that is a matter of milliseconds.
_BYTES_COPIED_FOR_NOTHING = 32 * 1024**2
_SCHEMAS = {"yes": ("gold",), "all": ("gold", "silver")}


def wants_copy(config: DuckDbConfig, *, how: str, rows_changed: bool) -> bool:
    """Whether readers get a new copy.

    Args:
        config: of the home.
        how: the setting ``run.publish``.
        rows_changed: whether silver or gold hold other rows than before.
    """
    if how == "no" or config.bronze_folder is not None:
        return False
    return rows_changed or config.database.stat().st_size <= _BYTES_COPIED_FOR_NOTHING


def publish_changed_tables(ops: OpsService, config: DuckDbConfig, run_id: str, *, how: str) -> None:
    """Write the tables that changed as Parquet, and the views over them.

    Raises:
        EnvironmentFault: the disk does not take them.
    """
    from sbf_core.duck.publish_tables import publish_tables  # a run with nothing to do need not load it

    try:
        publish_tables(
            ops.cursor(), config, run_id, schemas=_SCHEMAS[how], versions=ops.load_table_versions(ops.cursor())
        )
    except OSError as error:
        raise environment_fault(
            error,
            doing="the tables for readers cannot be written; the database itself is whole",
            where=str(config.published),
        ) from error
