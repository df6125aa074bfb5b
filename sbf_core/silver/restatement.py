"""Whether a vendor restated the past of a series: after a split all earlier prices are divided by one factor.

A request for the last days brings only some of them in their new measure. Where rows that are there already come back
changed by one factor, those before them are of the old measure, and the whole series must be fetched again.
"""

from __future__ import annotations

import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal_list, matches, quoted
from sbf_core.ops.queries import DATASET_ID
from sbf_core.silver.tables import current_table, history_table

#: Two rows and more: one alone is a correction.
_ROWS_MIN = 2
#: Prices are rounded by the vendor, so that the factors of two rows differ a little.
_SPREAD_MAX = 0.01
#: What is nearer to 1 may be rounding.
_DEVIATION_MIN = 0.002


def restated_tickers(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, float]:
    """Tickers whose past the payloads in the temporary table ``promoted`` restate, with the factor; none for a dataset without ``restated_column``.

    A series that was asked for from its first day on, after the superseded rows were recorded, has been fetched again already: so a
    rebuild, which sees all payloads, comes to the same result.
    """
    if not entry.restated_column:
        return {}
    price = quoted(entry.restated_column)
    same = f"list_contains({literal_list(entry.ids)}, {DATASET_ID})"
    rows = conn.execute(
        f"WITH pair AS (SELECT p.ticker, CAST(t.{price} AS DOUBLE) / CAST(h.{price} AS DOUBLE) AS factor, h.recorded_at FROM {current_table(entry)} AS t "
        f"JOIN promoted AS p ON p.bronze_file_id = t._bronze_file_id JOIN {history_table(entry)} AS h ON {matches(entry.key_columns, 't', 'h')} "
        f"AND h.known_to = t.known_from AND NOT h._deleted WHERE p.ticker IS NOT NULL AND t.{price} > 0 AND h.{price} > 0 AND t.{price} <> h.{price}), "
        "moved AS (SELECT ticker, median(factor) AS factor, max(recorded_at) AS recorded_at FROM pair GROUP BY ticker "
        f"HAVING count(*) >= {_ROWS_MIN} AND max(factor) / min(factor) <= {1 + _SPREAD_MAX} AND abs(median(factor) - 1) >= {_DEVIATION_MIN}) "
        f"SELECT ticker, factor FROM moved WHERE NOT EXISTS (SELECT 1 FROM ops.bronze_manifest AS m WHERE {same} AND m.ticker = moved.ticker "
        "AND m.from_date <= CAST(? AS DATE) AND m.fetched_at > moved.recorded_at)",
        [entry.first_date],
    ).fetchall()
    return dict(rows)
