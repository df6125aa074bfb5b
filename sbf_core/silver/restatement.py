"""Whether a vendor restated the past of a series, as after a split: settled rows of the look-back come back changed.

A request for the last days brings only some of the rows in their new measure; those before them are of the old one, and
no row tells. So where one row has changed that should not have, all days of its series are fetched again.
"""

from __future__ import annotations

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import differs, literal, literal_list, matches, quoted
from sbf_core.ops.queries import DATASET_ID
from sbf_core.silver.tables import current_table, history_table, value_columns

_SECONDS_A_DAY = 86_400


@attrs.frozen(kw_only=True)
class Restatement:
    """A series whose past was restated.

    Attributes:
        ticker: whose; None for a dataset without tickers.
        row_count: how many settled rows came back changed.
        factor: the median by which the ``restated_column`` changed; None without one.
    """

    ticker: str | None
    row_count: int
    factor: float | None

    def __str__(self) -> str:
        rows = "1 settled row" if self.row_count == 1 else f"{self.row_count} settled rows"
        by = f" by a factor of {self.factor:.6g}" if self.factor is not None else ""
        return f"the vendor restated {rows}{by}; all of it is fetched again"


def restatements(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> list[Restatement]:
    """Series whose past the payloads in the temporary table ``promoted`` restate; none unless the dataset says that it
    happens.

    A row had settled where it was recorded after its day was final, see ``settles_after_days``. A series that was asked
    for from its first day on, after the superseded rows were recorded, has been fetched again already: so a rebuild,
    which sees all payloads, comes to the same result.
    """
    if not entry.is_restated:
        return []
    price = quoted(entry.restated_column) if entry.restated_column else ""
    factor = (
        f"CASE WHEN t.{price} > 0 AND h.{price} > 0 THEN CAST(t.{price} AS DOUBLE) / CAST(h.{price} AS DOUBLE) END"
        if price
        else "CAST(NULL AS DOUBLE)"
    )
    changed = differs([entry.restated_column] if price else value_columns(entry), "t", "h")
    same = f"list_contains({literal_list(entry.ids)}, {DATASET_ID})"
    rows = conn.execute(
        f"WITH pair AS (SELECT p.ticker, {factor} AS factor, h.recorded_at FROM {current_table(entry)} AS t "
        f"JOIN promoted AS p ON p.bronze_file_id = t._bronze_file_id JOIN {history_table(entry)} AS h ON "
        f"{matches(entry.key_columns, 't', 'h')} AND h.known_to = t.known_from AND NOT h._deleted "
        f"WHERE {changed} AND h.recorded_at >= {_settled(entry)}), moved AS (SELECT ticker, count(*) AS n, "
        "median(factor) AS factor, max(recorded_at) AS recorded_at FROM pair GROUP BY ticker) "
        "SELECT ticker, n, factor FROM moved WHERE NOT EXISTS (SELECT 1 FROM ops.bronze_manifest AS m WHERE "
        f"{same} AND m.ticker IS NOT DISTINCT FROM moved.ticker "
        "AND m.from_date <= CAST(? AS DATE) AND m.fetched_at > moved.recorded_at) ORDER BY ticker",
        [entry.first_date],
    ).fetchall()
    return [Restatement(ticker=ticker, row_count=count, factor=factor) for ticker, count, factor in rows]


def _settled(entry: DatasetKeymapEntry) -> str:
    """From when on the row ``h`` is final, as UTC without a zone."""
    column = next(column for column in entry.columns if column.row_date)
    zone, day = literal(entry.day_zone), f"h.{quoted(column.name)}"
    if column.type != "DATE":
        day = f"CAST(timezone({zone}, timezone('UTC', CAST({day} AS TIMESTAMP))) AS DATE)"
    over = f"timezone('UTC', timezone({zone}, CAST({day} + 1 AS TIMESTAMP)))"
    return f"{over} + to_seconds(CAST({entry.settles_after_days * _SECONDS_A_DAY!r} AS DOUBLE))"
