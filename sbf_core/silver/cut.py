"""Vendors that cut days of publication to what was asked for, and payloads that fill a gap behind younger ones.

Such an answer says of each key what held on its first day. Where that is what was known already it makes no version,
and nobody remembers that it was said. It matters again once a payload brings another value for days before: so the
answers behind a gap are read once more, beside the one that fills it.
"""

from __future__ import annotations

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.ops import manifest
from sbf_core.ops.promotions import promotions_of
from sbf_core.ops.rows import BronzeManifestRow


def asked_since(entry: DatasetKeymapEntry) -> str:
    """Since when the answer of a row of ``stage``, called ``s``, was asked for; NULL of vendors that cut nothing."""
    cut = entry.cut_column
    return f"CAST({'NULL' if cut is None else 's.' + quoted(cut.cut_at)} AS TIMESTAMP)"


def promoted_beyond(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> list[BronzeManifestRow]:
    """Payloads that were promoted before, are not in the batch, and were asked for since later than some of it.

    Args:
        conn: on the ledger, with the temporary tables ``stage`` and ``batch_file`` of the batch.
        entry: the dataset.
    """
    if entry.cut_column is None:
        return []
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE bound AS SELECT b.ticker, min({asked_since(entry)}) AS since "
        "FROM stage AS s JOIN batch_file AS b ON s._bronze_file_id = b.file_code "
        "WHERE NOT s._context AND s._reason IS NULL GROUP BY b.ticker"
    )
    return manifest.promoted_beyond(
        conn, entry.payload_ids, promotions=promotions_of(entry), any_ticker=entry.tickers_at_once > 1
    )
