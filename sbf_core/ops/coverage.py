"""Which days of a series were asked for, wholly answered, and cannot change by themselves any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.ops.queries import DATASET_ID
from sbf_core.runs.request import TICKER_SEPARATOR

_SECONDS_A_DAY = 86_400


@attrs.frozen
class Stretch:
    """Days from ``first`` to ``last``, both of them among them."""

    first: dt.date
    last: dt.date


def final_stretches(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> Mapping[str | None, Sequence[Stretch]]:
    """Per ticker the final days of a dataset, in stretches that neither meet nor overlap, oldest first.

    A day is final once a request that named it was answered, and all of its payloads promoted, no earlier than
    ``settles_after_days`` after the day was over in the dataset's zone. No row's date has a part in it. A rebuild finds
    the same, less the answers that brought no payload, which no journal holds: their days are asked for once more.
    """
    ids = literal_list(entry.ids)
    settled = (
        f"CAST(timezone({literal(entry.day_zone)}, timezone('UTC', asked_at)) - to_seconds("
        f"CAST({entry.settles_after_days * _SECONDS_A_DAY!r} AS DOUBLE)) AS DATE) - 1"
    )
    answer = "concat_ws(chr(10), run_id, ticker, from_date, to_date)"
    is_batched = isinstance(entry.recipe, RestRecipe) and entry.recipe.tickers_per_request > 1
    ticker = f"unnest(string_split(ticker, {literal(TICKER_SEPARATOR)}))" if is_batched else "ticker"
    rows = conn.execute(
        f"WITH m AS (SELECT * FROM ops.bronze_manifest WHERE list_contains({ids}, {DATASET_ID})), "
        "taken AS (SELECT bronze_file_id FROM ops.promotion_manifest WHERE status = 'ok'), "
        f"lacking AS (SELECT DISTINCT {answer} FROM m ANTI JOIN taken USING (bronze_file_id) WHERE parts > 0), "
        "answered AS (SELECT m.ticker, m.from_date, m.to_date, m.fetched_at AS asked_at FROM m SEMI JOIN taken USING "
        f"(bronze_file_id) WHERE m.parts = 0 OR {answer} NOT IN (FROM lacking) UNION ALL "
        "SELECT ticker, from_date, to_date, started_at FROM "
        f"ops.file_ingestions WHERE kind = 'file' AND status IN ('unchanged', 'none') AND list_contains({ids}, {DATASET_ID})), "
        f"final AS (SELECT {ticker} AS ticker, from_date AS a, least(to_date, {settled}) AS z FROM answered), "
        "begun AS (SELECT *, a > max(z) OVER before + 1 AS is_new FROM final WHERE a <= z WINDOW before AS (PARTITION BY "
        "ticker ORDER BY a, z ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), "
        "numbered AS (SELECT *, count(*) FILTER (is_new) OVER (PARTITION BY ticker ORDER BY a, z ROWS UNBOUNDED PRECEDING) "
        "AS island FROM begun) "
        "SELECT ticker, min(a), max(z) FROM numbered GROUP BY ticker, island ORDER BY ticker, min(a)"
    ).fetchall()
    found: dict[str | None, list[Stretch]] = {}
    for name, first, last in rows:
        found.setdefault(name, []).append(Stretch(first, last))
    return found


def left_of(wanted: Stretch, final: Sequence[Stretch]) -> list[Stretch]:
    """The days of a stretch that are in none of the others, which are in order and do not overlap."""
    found, first = [], wanted.first
    for each in final:
        if each.last < first:
            continue
        if each.first > wanted.last:
            break
        if each.first > first:
            found.append(Stretch(first, each.first - dt.timedelta(days=1)))
        first = each.last + dt.timedelta(days=1)
    if first <= wanted.last:
        found.append(Stretch(first, wanted.last))
    return found


def with_tail(stretches: Sequence[Stretch], tail: Stretch) -> list[Stretch]:
    """Stretches in order, and one that ends with or behind the last of them: those that meet are one."""
    kept = [each for each in stretches if each.last < tail.first - dt.timedelta(days=1)]
    met = stretches[len(kept) :]
    return [*kept, Stretch(min([each.first for each in met] + [tail.first]), max([each.last for each in met] + [tail.last]))]
