"""What the rows in the temporary table ``stage`` come to, by payload."""

from __future__ import annotations

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal, quoted
from sbf_core.payload.model import DOUBTFUL
from sbf_core.silver.cast import UNCLEAR
from sbf_core.silver.cut import asked_since
from sbf_core.silver.merge import live
from sbf_core.value import Value


@attrs.frozen
class Told(Value):
    """The rows of a payload.

    Attributes:
        rows: how many there are.
        rejected: how many of them have a reason.
        live: how many are neither rejected nor a copy.
        unclear: how many need a closer look, see ``plain_select``.
        doubtful: how many hold a text that the engine may have written itself.
        first, last: the days of those that are not rejected, as the engine writes them: its days go beyond Python's.
        since: the latest moment since which they were asked for; the same.
    """

    rows: int = 0
    rejected: int = 0
    live: int = 0
    unclear: int = 0
    doubtful: int = 0
    first: str | None = None
    last: str | None = None
    since: str | None = None


def told_of(conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, Told]:
    """What there is of each payload, by its id: all in one question, for planning one takes longer than the rows of a
    small file.
    """
    name, whole = entry.row_date_column, "FILTER (s._reason IS NULL)"
    day = f"CAST(s.{quoted(name)} AS DATE)" if name else "CAST(NULL AS DATE)"
    rows = conn.execute(
        f"SELECT s._bronze_file_id, count(*), count(s._reason), count(*) FILTER ({live('s')}), "
        f"count(*) FILTER (s._reason = {literal(UNCLEAR)}), count(*) FILTER (s._reason = {literal(DOUBTFUL)}), "
        f"CAST(min({day}) {whole} AS VARCHAR), CAST(max({day}) {whole} AS VARCHAR), "
        f"CAST(max({asked_since(entry)}) {whole} AS VARCHAR) FROM stage AS s GROUP BY 1"
    ).fetchall()
    return {file_id: Told(*facts) for file_id, *facts in rows}
