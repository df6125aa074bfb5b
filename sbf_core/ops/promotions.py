"""What datasets made of payloads: those for which they were fetched, and those that read what others fetched.

``ops.promotion_manifest`` has a row a payload, ``ops.readings`` a row a payload and further table: so a payload counts
once, whoever reads it, and whoever joins payloads with their promotions finds one of each.
"""

from __future__ import annotations

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal_list

_COLUMNS = (
    "bronze_file_id, run_id, silver_table, status, rows_seen, rows_inserted, rows_updated, rows_unchanged, "
    "rows_rejected, rows_closed, rows_written, coverage_from, coverage_to, declaration, error, started_at, "
    "finished_at, asked_since"
)
#: A relation: what became of every payload in every table.
ALL_PROMOTIONS = f"(SELECT {_COLUMNS} FROM ops.promotion_manifest UNION ALL SELECT {_COLUMNS} FROM ops.readings)"


def ledger_of(entry: DatasetKeymapEntry) -> str:
    """The table, without schema, that has what became of the payloads of a dataset."""
    return "readings" if entry.payloads_of else "promotion_manifest"


def promotions_of(entry: DatasetKeymapEntry, database: str = "") -> str:
    """A relation: what became of payloads in the table of a dataset.

    Args:
        entry: the dataset. Of one that fetches, it is what became of all payloads that were fetched: those of others
            are told by their own dataset.
        database: a quoted name and a point.
    """
    table = f"{database}ops.{ledger_of(entry)}"
    if not entry.payloads_of:
        return table
    return f"(SELECT * FROM {table} WHERE list_contains({literal_list(tables_of(entry))}, silver_table))"


def tables_of(entry: DatasetKeymapEntry) -> list[str]:
    """The table of a dataset, and those that it filled before, without schema."""
    return [entry.silver_table, *entry.former_tables]
