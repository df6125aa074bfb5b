"""Whether a vendor restated the past of a series, as after a split: settled rows of the look-back come back changed.

A request for the last days brings only some of the rows in their new measure; those before them are of the old one, and
no row tells. So where one row has changed that should not have, all days of its series are fetched again.
"""

from __future__ import annotations

import attrs
import duckdb

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import differs, literal, literal_list, matches, quoted
from sbf_core.ops.coverage import answers
from sbf_core.silver.tables import current_table, history_table, value_columns
from sbf_core.value import Value

_SECONDS_A_DAY = 86_400


@attrs.frozen(kw_only=True)
class Restatement(Value):
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
        rows = counted(self.row_count, "settled row")
        by = f" by a factor of {self.factor:.6g}" if self.factor is not None else ""
        return f"the vendor restated {rows}{by}; all of it is fetched again"


def restatements(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> list[Restatement]:
    """Series whose past the payloads in the temporary table ``promoted`` restate; none unless the dataset says that it
    happens.

    A row had settled where its day was asked for and answered once more after it was final, see ``settles_after_days``,
    and before the payload that changes it: what it said then was the vendor's last word. When the row was recorded does
    not matter, for of a day that was taken in time and never changed that is long before.

    A series of which one run asked for every day from the first to the changed one, the run that brought the change or
    a later one, has been fetched again already: so a rebuild, which sees all payloads, comes to the same result. The
    first is the earliest that anybody had asked for by then; days before it, of an earlier ``first_date``, came later,
    in the new measure. A run that asked for the first days and for the last ones, and not for those between, has not:
    they are of the old measure.
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
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_row AS SELECT p.ticker, p.run_id, {factor} AS factor, "
        f"{_day(entry)} AS day, t.recorded_at AS changed_at FROM {current_table(entry)} AS t "
        f"JOIN promoted AS p ON p.bronze_file_id = t._bronze_file_id JOIN {history_table(entry)} AS h ON "
        f"{matches(entry.key_columns, 't', 'h')} AND h.known_to = t.known_from AND NOT h._deleted WHERE {changed}"
    )
    if conn.execute("SELECT 1 FROM changed_row LIMIT 1").fetchone() is None:  # nearly always
        return []
    same = f"list_contains({literal_list(entry.ids)}, dataset_id)"
    rows = conn.execute(
        f"WITH answer AS MATERIALIZED (SELECT ticker, from_date, to_date, asked_at FROM ({answers(entry)})), "
        "asked AS (SELECT m.ticker, m.run_id, m.from_date AS a, coalesce(m.to_date, DATE '9999-12-30') AS z, "
        f"m.fetched_at FROM ops.bronze_manifest AS m WHERE {same} AND m.from_date IS NOT NULL), "
        "begun AS (SELECT *, a > max(z) OVER before + 1 AS is_new FROM asked WINDOW before AS ("
        "PARTITION BY ticker, run_id ORDER BY a, z ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), "
        "numbered AS (SELECT *, count(*) FILTER (is_new) OVER (PARTITION BY ticker, run_id ORDER BY a, z "
        "ROWS UNBOUNDED PRECEDING) AS island FROM begun), "
        "begin AS (SELECT ticker, run_id, min(a) AS since, max(z) AS until, max(fetched_at) AS fetched_at "
        "FROM numbered WHERE island = 0 GROUP BY ticker, run_id), "
        "whole AS MATERIALIZED (SELECT * FROM (SELECT *, min(since) OVER (PARTITION BY ticker ORDER BY fetched_at) "
        "AS earliest FROM begin) WHERE since <= greatest(CAST(? AS DATE), earliest)) "
        "SELECT c.ticker, count(*), median(c.factor) FROM changed_row AS c WHERE EXISTS (SELECT 1 FROM answer AS a "
        "WHERE a.ticker IS NOT DISTINCT FROM c.ticker AND c.day BETWEEN a.from_date AND a.to_date "
        f"AND a.asked_at >= {_settled(entry)} AND a.asked_at < c.changed_at) "
        "AND NOT EXISTS (SELECT 1 FROM whole AS w WHERE w.ticker IS NOT DISTINCT FROM c.ticker "
        "AND w.until >= c.day AND (w.run_id = c.run_id OR w.fetched_at >= c.changed_at)) GROUP BY c.ticker "
        "ORDER BY c.ticker",
        [entry.first_date],
    ).fetchall()
    return [Restatement(ticker=ticker, row_count=count, factor=factor) for ticker, count, factor in rows]


def _day(entry: DatasetKeymapEntry) -> str:
    """The day that the row ``h`` is of."""
    column = next(column for column in entry.columns if column.row_date)
    day = f"h.{quoted(column.name)}"
    if column.type == "DATE":
        return day
    return f"CAST(timezone({literal(entry.day_zone)}, timezone('UTC', CAST({day} AS TIMESTAMP))) AS DATE)"


def _settled(entry: DatasetKeymapEntry) -> str:
    """From when on the day ``c.day`` is final, as UTC without a zone."""
    over = f"timezone('UTC', timezone({literal(entry.day_zone)}, CAST(c.day + 1 AS TIMESTAMP)))"
    return f"{over} + to_seconds(CAST({entry.settle_days * _SECONDS_A_DAY!r} AS DOUBLE))"
