"""A panel: what was known of each series on each of many days, in one query, without a look ahead.

A row counts from the moment at which its version was known and its day had come. Of each series the newest such row is
taken, as it was known at the moment; ASOF joins find both, so that a panel of hundreds of days costs a few passes over
the table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sbf_core.clock import to_naive_utc
from sbf_core.dataset.columns import Column
from sbf_core.duck.identifiers import literal, quoted, quoted_list

#: Columns of a dataset begin with a letter.
_AT, _NEWEST, _SINCE, _UNTIL, _ONE = "_at", "_newest", "_since", "_until", "_one"


def panel_sql(
    table: str, columns: Sequence[Column], moments: Sequence[dt.datetime], *, wanted: Sequence[str], at_name: str
) -> str:
    """A SELECT of one row for each moment and series of which something was known.

    Args:
        table: the silver table, without schema.
        columns: all of it.
        moments: aware.
        wanted: the columns of the answer.
        at_name: the name of the column with the moment, a TIMESTAMP in UTC.
    """
    keys = [column.name for column in columns if column.key]
    day = next((column for column in columns if column.row_date), None)
    series = [name for name in keys if day is None or name != day.name]
    rest = [name for name in wanted if name not in series]
    shown = ", ".join([f"p.{_AT} AS {quoted(at_name)}", *(f"p.{quoted(name)}" for name in wanted)])
    sources = quoted_list([column.name for column in columns], prefix="v.")
    days = (
        "SELECT unnest(["
        + ", ".join(f"TIMESTAMP {literal(to_naive_utc(one).isoformat(sep=' '))}" for one in sorted(set(moments)))
        + f"]::TIMESTAMP[]) AS {_AT}"
    )
    versions = (
        f"SELECT {sources}, v.known_from, NULL::TIMESTAMP AS known_to FROM silver.{quoted(table)} AS v UNION ALL "
        f"SELECT {sources}, v.known_from, v.known_to FROM silver.{quoted(f'{table}_history')} AS v "
        "WHERE NOT v._deleted AND v.known_to > v.known_from"
    )
    same = " AND ".join(["true", *(f"a.{quoted(name)} IS NOT DISTINCT FROM b.{quoted(name)}" for name in series)])
    of_series = quoted_list(series, prefix="v.") if series else f"1 AS {_ONE}"
    grid = f"SELECT d.{_AT}, s.* FROM days AS d CROSS JOIN (SELECT DISTINCT {of_series} FROM versions AS v) AS s"
    taken = ", ".join([f"a.{_AT}", *(f"a.{quoted(name)}" for name in series), *(f"b.{quoted(n)}" for n in rest)])
    if day is None:
        return (
            f"WITH days AS ({days}), versions AS ({versions}), grid AS ({grid}), "
            f"p AS (SELECT {taken} FROM grid AS a ASOF JOIN versions AS b ON {same} AND a.{_AT} >= b.known_from "
            f"WHERE b.known_to IS NULL OR b.known_to > a.{_AT}) SELECT {shown} FROM p ORDER BY ALL"
        )
    since = f"greatest(v.known_from, CAST(v.{quoted(day.name)} AS TIMESTAMP))"
    over = f"PARTITION BY {quoted_list(series, prefix='v.')} " if series else ""
    return (
        f"WITH days AS ({days}), versions AS ({versions}), grid AS ({grid}), "
        f"counting AS (SELECT v.*, {since} AS {_SINCE} FROM versions AS v), "
        f"frontier AS (SELECT v.{_SINCE}, {of_series}, max(v.{quoted(day.name)}) OVER ({over}ORDER BY v.{_SINCE} "
        f"RANGE UNBOUNDED PRECEDING) AS {_NEWEST} FROM counting AS v), "
        f"place AS (SELECT a.*, b.{_NEWEST} FROM grid AS a ASOF JOIN frontier AS b ON {same} "
        f"AND a.{_AT} >= b.{_SINCE}), "
        f"found AS (SELECT {taken}, b.known_to AS {_UNTIL} FROM place AS a ASOF JOIN counting AS b ON {same} "
        f"AND a.{_NEWEST} = b.{quoted(day.name)} AND a.{_AT} >= b.{_SINCE}), "
        # the vendor took that row back, or this version was superseded before its day: what holds is looked for
        f"gone AS (SELECT a.* FROM found AS a WHERE a.{_UNTIL} <= a.{_AT}), "
        f"before AS (SELECT {taken} FROM gone AS a JOIN counting AS b ON {same} AND b.{_SINCE} <= a.{_AT} "
        f"AND (b.known_to IS NULL OR b.known_to > a.{_AT}) QUALIFY row_number() OVER (PARTITION BY "
        f"{', '.join([f'a.{_AT}', *(f'a.{quoted(name)}' for name in series)])} "
        f"ORDER BY b.{quoted(day.name)} DESC) = 1), "
        f"p AS (SELECT * EXCLUDE ({_UNTIL}) FROM found WHERE {_UNTIL} IS NULL OR {_UNTIL} > {_AT} "
        f"UNION ALL SELECT * FROM before) SELECT {shown} FROM p ORDER BY ALL"
    )
