"""What agents may ask a warehouse: each tool reads, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import duckdb

from sbf_core.agents.answer import answer, answer_of
from sbf_core.charts.catalog import chart_named, charts_of_tables
from sbf_core.charts.plotted_rows import plotted
from sbf_core.charts.table import table_of_chart
from sbf_core.charts.view import View
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.duck.identifiers import quoted
from sbf_core.duck.publish import current_publication
from sbf_core.errors import UsageError, nearest
from sbf_core.home.home import Home
from sbf_core.reports.as_of import look_back
from sbf_core.reports.datasets import columns_of_table, has_rows
from sbf_core.reports.health import record_of
from sbf_core.reports.health_here import health_here
from sbf_core.reports.lineage import explain_gold, explain_silver
from sbf_core.reports.sql_query import asked
from sbf_core.reports.table import FactTable, table_of
from sbf_core.user_dates import moment as moment_of
from sbf_core.web.sql_queries import SqlQueries

ROWS_MAX = 1000
_SECONDS_MAX = 20.0
_COLUMNS = (
    'SELECT column_name AS "column", data_type AS type, comment AS doc FROM duckdb_columns() '
    "WHERE schema_name = 'gold' AND table_name = ? AND database_name = current_database() ORDER BY column_index"
)


class Tools:
    """The tools of one warehouse. They run in threads; each has a cursor of its own.

    Each answers JSON text, and raises ``SbfError`` where a question makes no sense.

    Args:
        home: the warehouse.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._queries = SqlQueries(home.folder)
        self._loading = threading.Lock()

    def close(self) -> None:
        """Stop what is being answered."""
        self._queries.close()

    def tables(self, words: str = "") -> str:
        """The tables that hold rows: silver (typed rows as the vendor gave them) and gold (facts and dimensions made of
        them), each with its dataset, title, terms of use, and whether they let rows be passed on.

        Args:
            words: only those in whose name, title or tags each of these words stands.
        """
        wanted = words.lower().split()
        with self._reading() as cursor:
            found = [_of_silver(entry) for entry in self._entries() if has_rows(cursor, entry)]
            found += [
                {"table": f"gold.{model.name}", "title": model.doc, "key": list(model.key)}
                for model in self._home.gold_models(cursor).models
            ]
        chosen = [one for one in found if all(word in " ".join(map(str, one.values())).lower() for word in wanted)]
        return answer(tables=chosen)

    def describe(self, table: str) -> str:
        """What a table holds: each column with its type, unit, meaning, role, and smallest and largest value; its key,
        where it comes from, and its terms of use.

        Args:
            table: e.g. ``silver.ecb_reference_rate`` or ``gold.fact_fx_rate``.
        """
        schema, _, name = table.lower().partition(".")
        with self._reading() as cursor:
            if schema == "silver":
                entry = next((one for one in self._entries() if one.silver_table == name), None)
                if entry is not None:
                    facts = _of_silver(entry) | {"as_of": f"silver.{name}_as_of(TIMESTAMP '2026-01-31 23:59:59')"}
                    return answer(**facts, columns=columns_of_table(cursor, entry).records)
            model = next((one for one in self._home.gold_models(cursor).models if one.name == name), None)
            if schema == "gold" and model is not None:
                columns = table_of(cursor, _COLUMNS, [name]).records
                return answer(table=f"gold.{name}", title=model.doc, key=model.key, sql=model.sql, columns=columns)
            raise self._unknown(cursor, table)

    def sql(self, query: str, limit: int = 100) -> str:
        """The rows that one SELECT gives, in DuckDB's SQL. It reads the tables of silver, gold and ops, and no file; it
        is stopped after five seconds.

        Args:
            query: one SELECT; ``FROM silver.NAME_as_of(TIMESTAMP '2026-01-31')`` reads what was known then.
            limit: so many rows at most, up to 1,000.
        """
        copy = current_publication(self._home.config)
        if copy is None:
            raise UsageError("there is no copy for readers yet", fix="run `sbf run`", code="NO_ROWS")
        given = self._queries.ask(query, database=copy.path, newest=self._newest, limit=_limit(limit))
        return answer_of(given.table, more=given.more, state=f"as run {copy.run_id} left it")

    def as_of(self, table: str, moment: str, limit: int = 100) -> str:
        """The rows of a table as they were known at a moment; gold is made of silver as it was known.

        Args:
            table: e.g. ``gold.fact_macro``.
            moment: ``2026-01-31`` (its end in UTC) or ``2026-01-31T18:00:00Z``.
            limit: so many rows at most, up to 1,000.
        """
        when = moment_of(moment, what="moment")
        with self._reading() as cursor:
            schema, _, name = table.lower().partition(".")
            if schema not in ("silver", "gold") or table.lower() not in self._known(cursor):
                raise self._unknown(cursor, table)
            with _stopped_after(cursor, _SECONDS_MAX):
                look_back(self._home, cursor, when)
                given = asked(cursor, f"FROM {schema}.{quoted(name)}", limit=_limit(limit), nested=True)
        rows = FactTable(tuple(given.headers), tuple(given.rows))
        return answer_of(rows, more=given.more, as_of=when)

    def explain(self, table: str, key: str, column: str) -> str:
        """Where one value comes from: of gold its SQL and the rows that it reads; of silver its versions, the payload,
        the place in it, and the request.

        Args:
            table: e.g. ``silver.bls_cpi``.
            key: e.g. ``CUSR0000SA0,2024,M02``, or ``ticker=IBM,date=2012-05-01``.
            column: whose value is explained.
        """
        home = self._home
        with self._reading() as cursor:
            if table.lower().startswith("gold."):
                models = home.gold_models(cursor).models
                gold = explain_gold(cursor, models, table=table, key=key, column=column)
                inputs = [{"table": one.table, "rows": one.count, "first": one.rows.records} for one in gold.inputs]
                return answer(table=table, key=gold.key, value=gold.value, sql=gold.model.sql.strip(), inputs=inputs)
            told = explain_silver(cursor, home.config.bronze, self._entries(), table=table, key=key, column=column)
        return answer(
            table=f"silver.{told.entry.silver_table}", key=told.key, value=told.value, versions=told.versions.records,
            payload=told.payload, place=attrs.asdict(told.place), terms=told.entry.terms,
        )  # fmt: skip

    def health(self) -> str:
        """Whether the warehouse is well: what is late, what fails, since when, and the command that mends it."""
        with self._loading:
            return answer(**record_of(health_here(self._home)))

    def charts(self, name: str = "") -> str:
        """The charts that there are; or the numbers behind one of them.

        Args:
            name: e.g. ``gold.fact_price_eod/price``; empty for the list.
        """
        with self._reading() as cursor:
            known = charts_of_tables(cursor, self._entries(), self._home.gold_models(cursor).models)
            if not name:
                return answer(charts=[{"chart": one.id, "title": one.title} for one in known if not one.fault])
            drawing = plotted(cursor, chart_named(name, known), View())
            table, total = table_of_chart(cursor, drawing, limit=ROWS_MAX)
        return answer_of(table, more=total > len(table.rows), chart=drawing.known.id, notes=list(drawing.notes))

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._entries()
        with self._home.reading() as database:
            yield database.cursor

    def _entries(self) -> list[DatasetKeymapEntry]:
        with self._loading:  # plugins are loaded once; what they print goes where logs go, see ``server``
            self._home.learn_keys()
            return self._home.entries

    def _newest(self) -> Any:
        copy = current_publication(self._home.config)
        return None if copy is None else copy.path

    def _known(self, cursor: duckdb.DuckDBPyConnection) -> list[str]:
        silver = [f"silver.{entry.silver_table}" for entry in self._entries() if has_rows(cursor, entry)]
        return [*silver, *(f"gold.{model.name}" for model in self._home.gold_models(cursor).models)]

    def _unknown(self, cursor: duckdb.DuckDBPyConnection, table: str) -> UsageError:
        fix = nearest(table, self._known(cursor)) or "ask `tables` for those that there are"
        return UsageError(f"there is no table {table!r}", fix=fix, code="UNKNOWN_TABLE")


def _of_silver(entry: DatasetKeymapEntry) -> dict[str, Any]:
    return {
        "table": f"silver.{entry.silver_table}", "dataset": entry.id, "title": entry.title,
        "key": list(entry.key_columns), "terms": entry.terms, "source_url": entry.source_url,
        "passing_on": None if entry.passing_on is None else str(entry.passing_on), "tags": list(entry.tags),
        **entry.about,
    }  # fmt: skip


def _limit(limit: int) -> int:
    if not 1 <= limit <= ROWS_MAX:
        raise UsageError(f"limit is {limit}", fix=f"use 1 to {ROWS_MAX}", code="USAGE")
    return limit


@contextmanager
def _stopped_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Stop what the cursor does after so long. Raises ``UsageError`` then, and where it fails."""
    is_over = threading.Event()

    def stop() -> None:
        is_over.set()
        cursor.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except ENGINE_ERRORS as error:
        what = f"the answer took longer than {seconds:g} s" if is_over.is_set() else f"it fails: {first_line(error)}"
        raise UsageError(what, fix="ask for less", code="SQL") from error
    finally:
        timer.cancel()
        timer.join()


#: The tools, by their names.
def tools_of(tools: Tools) -> dict[str, Callable[..., str]]:
    """The tools, by the names that agents call them."""
    return {
        "tables": tools.tables, "describe": tools.describe, "sql": tools.sql, "as_of": tools.as_of,
        "explain": tools.explain, "health": tools.health, "charts": tools.charts,
    }  # fmt: skip
