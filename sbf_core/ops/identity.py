"""SQL of identities: which dataset, and which series, a row of the ledger is of. Nothing else puts them together."""

from __future__ import annotations


def dataset_id_in(table: str = "") -> str:
    """The identity of the dataset of a row, as ``DatasetKeymapEntry.id``.

    Args:
        table: the alias of a table that has the columns domain, source, dataset and discriminator; empty where only
            one has.
    """
    of = f"{table}." if table else ""
    return (
        f"concat({of}domain, '/', {of}source, '/', {of}dataset, "
        f"CASE WHEN {of}discriminator = '' THEN '' ELSE '@' || {of}discriminator END)"
    )


def series_key_in(table: str = "") -> str:
    """The key of the series of a row, as ``RunRequest.key``: the dataset, and the ticker where there is one."""
    of = f"{table}." if table else ""
    return f"concat({dataset_id_in(table)}, '/' || {of}ticker)"


#: Of a statement in which one table alone has these columns.
DATASET_ID = dataset_id_in()
SERIES_KEY = series_key_in()
