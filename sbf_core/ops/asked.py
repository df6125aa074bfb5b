"""What was asked for before, for the planner."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.ops.bulk import columns_as_json, rows_relation
from sbf_core.ops.coverage import Stretches
from sbf_core.ops.coverage_index import known_final
from sbf_core.ops.cursors import load_cursors
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Fresh(Value):
    """When the series of a dataset are not due.

    Attributes:
        base: the key of its series, without the ticker.
        since: one that was asked for after this is not; aware.
        unknown_since: one that the vendor does not know is not, if it was asked for after this; aware.
        tickers: of its series; None for a dataset without tickers.
    """

    base: str
    since: dt.datetime
    unknown_since: dt.datetime
    tickers: tuple[str, ...] | None


@attrs.frozen
class LedgerOfAsking(Value):
    """What the ledger says, looked up when it is wanted."""

    conn: duckdb.DuckDBPyConnection

    def fresh(self, wanted: Sequence[Fresh], now: dt.datetime) -> frozenset[str]:
        """The bases of the datasets of which no series is due; one statement for all that have the same tickers."""
        bases: set[str] = set()
        by_tickers: dict[tuple[str, ...] | None, list[Fresh]] = {}
        for one in wanted:
            by_tickers.setdefault(one.tickers, []).append(one)
        for tickers, group in by_tickers.items():
            if tickers == ():
                bases |= {one.base for one in group}
                continue
            key = "e.base" if tickers is None else "concat(e.base, '/', t.ticker)"
            types = {"base": "VARCHAR", "since": "TIMESTAMP", "unknown_since": "TIMESTAMP"}
            rows = self.conn.execute(
                f"SELECT e.base FROM {rows_relation(types)} AS e CROSS JOIN "
                "(SELECT unnest(from_json(CAST(? AS JSON), '[\"VARCHAR\"]')) AS ticker) AS t "
                f"JOIN ops.data_dates AS d ON d.key = {key} WHERE d.again_from IS NULL AND d.checked_at <= ? AND "
                "d.checked_at > CASE WHEN d.unknown_since IS NULL THEN e.since ELSE e.unknown_since END "
                "GROUP BY e.base HAVING count(*) = ?",
                [
                    columns_as_json({name: [getattr(one, name) for one in group] for name in types}),
                    json.dumps(list(tickers or ("",))),
                    to_naive_utc(now),
                    len(tickers or ("",)),
                ],
            ).fetchall()
            bases |= {base for (base,) in rows}
        return frozenset(bases)

    def final(self, entry: DatasetKeymapEntry) -> Stretches:
        """Per ticker the final days of a dataset."""
        return known_final(self.conn, entry)

    def cursors(self, entry: DatasetKeymapEntry) -> Mapping[str | None, str]:
        """Per ticker where the next request of a dataset goes on."""
        return load_cursors(self.conn, entry)
