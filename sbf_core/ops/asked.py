"""What was asked for before, for the planner."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.coverage import Stretches, final_stretches
from sbf_core.ops.cursors import load_cursors


@attrs.frozen
class LedgerOfAsking:
    """What the ledger says, looked up when it is wanted."""

    conn: duckdb.DuckDBPyConnection

    def final(self, entry: DatasetKeymapEntry) -> Stretches:
        """Per ticker the final days of a dataset."""
        return final_stretches(self.conn, entry)

    def cursors(self, entry: DatasetKeymapEntry) -> Mapping[str | None, str]:
        """Per ticker where the next request of a dataset goes on."""
        return load_cursors(self.conn, entry)
