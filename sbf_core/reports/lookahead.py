"""Whether a gold table says of a day what nobody knew on that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import duckdb

from sbf_core.duck.identifiers import differs, matches, quoted, quoted_list
from sbf_core.errors import UsageError, nearest
from sbf_core.fetching.progress import Progress
from sbf_core.gold.model import GoldModel
from sbf_core.gold.tables import columns_of, table_exists
from sbf_core.home.home import Home
from sbf_core.reports.as_of import look_back
from sbf_core.value import Value

#: A column beside those of the model, which may have any name but hardly this one.
_UNKNOWN = quoted("sbf: not known")


@attrs.frozen(kw_only=True)
class LookedAhead(Value):
    """The rows of one day, as they are and as they were known.

    Attributes:
        day: their day.
        known_at: until when what was known counts.
        rows: how many there are now.
        unknown: of those, the ones that were not there then.
        changed: those that were there with other values.
        gone: rows that were there then, and are not any more.
        example: of what was not known: the key, and, where the row was there, a column with its value now and then.
    """

    day: dt.date
    known_at: dt.datetime
    rows: int
    unknown: int
    changed: int
    gone: int
    example: str

    @property
    def is_clean(self) -> bool:
        """Whether the day says what was known, and nothing else."""
        return not (self.unknown or self.changed or self.gone)


def looks_ahead(
    home: Home,
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    *,
    days: int,
    days_later: int,
    progress: Progress,
) -> list[LookedAhead]:
    """Compare rows of some days of a gold table with what its SQL gives over silver as it was known at their end.

    Args:
        home: whose plugins declare the table.
        cursor: on the warehouse, which is only read.
        table: the gold table, with or without schema.
        days: how many days are looked at, evenly among those that have rows, the last one included.
        days_later: so many days after its day a row may have been known first.
        progress: told what goes on.

    Raises:
        UsageError: there is no such table, or nothing says of which day its rows are.
    """
    model = _model(home, cursor, table)
    column = quoted(model.date_column)
    sql = f"SELECT DISTINCT CAST(t.{column} AS DATE) FROM gold.{quoted(model.name)} AS t WHERE t.{column} IS NOT NULL"
    there = sorted(day for (day,) in cursor.execute(sql).fetchall())
    compared, chosen = [], _sample(there, days)
    progress.start("days", len(chosen))
    for day in chosen:
        known_at = dt.datetime.combine(day + dt.timedelta(days=days_later), dt.time.max, dt.UTC)
        compared.append(_compared(home, cursor.cursor(), model, day, known_at))
        progress.advance()
    progress.finish()
    return compared


def _model(home: Home, cursor: duckdb.DuckDBPyConnection, table: str) -> GoldModel:
    models = {model.name: model for model in home.gold_models(cursor).models}
    name = table.removeprefix("gold.")
    dated = sorted(one.name for one in models.values() if one.date_column)
    if name not in models or not table_exists(cursor, f"gold.{name}"):
        built = [one for one in models if table_exists(cursor, f"gold.{one}")]
        fix = nearest(name, built) or "there are " + ", ".join(sorted(built))
        raise UsageError(f"there is no gold table {name!r} that a plugin declares", fix=fix, code="UNKNOWN_TABLE")
    if not models[name].date_column:
        fix = "GoldModel(date_column=...) says it" + (f"; it is said of {', '.join(dated)}" if dated else "")
        raise UsageError(f"nothing says of which day a row of gold.{name} is", fix=fix, code="GOLD")
    return models[name]


def _sample(there: Sequence[dt.date], count: int) -> Sequence[dt.date]:
    if len(there) <= count:
        return there
    last = len(there) - 1
    return [there[last - (last * place) // max(count - 1, 1)] for place in reversed(range(count))]


def _compared(
    home: Home, cursor: duckdb.DuckDBPyConnection, model: GoldModel, day: dt.date, known_at: dt.datetime
) -> LookedAhead:
    name, column = quoted(model.name), quoted(model.date_column)
    looked = look_back(home, cursor, known_at)
    now, then = f"{looked.database}.gold.{name}", f"gold.{name}"
    names = [one for one, _ in columns_of(cursor, now)]
    others = [one for one in names if one not in model.key]
    of_day = f"CAST(t.{column} AS DATE) = $1"
    cursor.execute(f"CREATE TEMP TABLE now AS SELECT t.* FROM {now} AS t WHERE {of_day}", [day])
    if model.name in looked.lacking:  # a table that it reads was not there: nothing was known
        cursor.execute("CREATE TEMP TABLE known AS SELECT t.* FROM now AS t WHERE false")
    else:
        cursor.execute(f"CREATE TEMP TABLE known AS SELECT t.* FROM {then} AS t WHERE {of_day}", [day])
    on, key = matches(model.key, "n", "k"), quoted_list(model.key, prefix="n.")
    cursor.execute(
        f"CREATE TEMP TABLE ahead AS SELECT n.*, k.{quoted(model.key[0])} IS NULL AS {_UNKNOWN} FROM now AS n "
        f"LEFT JOIN known AS k ON {on} WHERE k.{quoted(model.key[0])} IS NULL OR {differs(others, 'n', 'k')}"
    )
    row = cursor.execute(
        f"SELECT (SELECT count(*) FROM now), count(*) FILTER ({_UNKNOWN}), count(*) FILTER (NOT {_UNKNOWN}), "
        f"(SELECT count(*) FROM (SELECT k.* FROM known AS k ANTI JOIN now AS n ON {on})) FROM ahead"
    ).fetchone()
    assert row is not None
    first = cursor.execute(
        f"SELECT {key}, n.{_UNKNOWN} FROM ahead AS n ORDER BY n.{_UNKNOWN}, {key} LIMIT 1"
    ).fetchone()
    example = "" if first is None else _example(cursor, model, others, first)
    cursor.close()
    rows, unknown, changed, gone = row
    return LookedAhead(
        day=day, known_at=known_at, rows=rows, unknown=unknown, changed=changed, gone=gone, example=example
    )


def _example(cursor: duckdb.DuckDBPyConnection, model: GoldModel, others: Sequence[str], first: Sequence[Any]) -> str:
    key = ", ".join(f"{name}={value}" for name, value in zip(model.key, first, strict=False))
    if first[-1]:
        return f"{key} was not known"
    on = " AND ".join(f"n.{quoted(name)} = ${place}" for place, name in enumerate(model.key, start=1))
    pairs = ", ".join(f"CAST(n.{quoted(name)} AS VARCHAR), CAST(k.{quoted(name)} AS VARCHAR)" for name in others)
    row = cursor.execute(
        f"SELECT {pairs} FROM now AS n JOIN known AS k ON {matches(model.key, 'n', 'k')} WHERE {on}",
        list(first[: len(model.key)]),
    ).fetchone()
    assert row is not None
    place = next(place for place in range(len(others)) if row[2 * place] != row[2 * place + 1])
    now, then = (one if one is not None else "NULL" for one in row[2 * place : 2 * place + 2])
    return f"{key}: {others[place]} is {now}, then it was {then}"
