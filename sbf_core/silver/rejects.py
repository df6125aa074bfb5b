"""What a user is told of rows that were rejected: how many, why, where the first one stands, and what to declare."""

from __future__ import annotations

import json
from collections.abc import Collection

import duckdb

from sbf_core.counted import counted
from sbf_core.duck.identifiers import literal_list
from sbf_core.errors import printable

_KINDS_SHOWN_MAX = 4
_TEXT_SHOWN_MAX = 60
#: What helps against a kind of reject; of the others the reason says it all.
FIXES = {
    "after_horizon": 'declare horizon=, the days ahead that a row may be of, or horizon="any" for projections',
    "before_first_date": "declare an earlier first_date",
    "no_zone": "declare zone= for the column",
    "repeated_hour": "declare fold= for the column",
    "thousands_mark": "declare thousands= in the format, if it is one",
    "too_precise": 'declare more decimals, or resolution="ns" for a moment',
    "ragged": "look at the line: fields are too many or too few",
}


def notes_of_rejects(conn: duckdb.DuckDBPyConnection, refused: Collection[str]) -> tuple[str, ...]:
    """One line for the rejects in ``stage``, or none.

    Args:
        conn: with a batch in ``stage``.
        refused: payloads that were refused whole, which is told elsewhere.
    """
    known = f"AND NOT list_contains({literal_list(sorted(refused))}, s._bronze_file_id)" if refused else ""
    kinds = conn.execute(
        f"SELECT s._reason, count(*), min_by(s._row, s.rowid) FROM stage AS s WHERE s._reason IS NOT NULL AND NOT "
        f"s._context {known} GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    if not kinds:
        return ()
    total = sum(number for _, number, _ in kinds)
    shown = "; ".join(_kind(reason, number, row) for reason, number, row in kinds[:_KINDS_SHOWN_MAX])
    more = f"; and {counted(len(kinds) - _KINDS_SHOWN_MAX, 'more reason')}" if len(kinds) > _KINDS_SHOWN_MAX else ""
    return (f"{total} {'row is' if total == 1 else 'rows are'} rejected: {shown}{more}; they are in ops.rejects",)


def _kind(reason: str, number: int, row: str | None) -> str:
    kind, _, column = reason.partition(":")
    facts = json.loads(row) if row else {}
    place = f" at {facts['_place']}" if facts.get("_place") else ""
    text = f" {printable(str(facts['_raw']))[:_TEXT_SHOWN_MAX]!r}" if facts.get("_raw") else ""
    fix = f" ({FIXES[kind]})" if kind in FIXES else ""
    return f"{number} {kind}{' of ' + column if column else ''}{place}{text}{fix}"
