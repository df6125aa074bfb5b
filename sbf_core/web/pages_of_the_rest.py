"""Gold tables, plugins, and questions in SQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import duckdb
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from sbf_core.duck.identifiers import quoted
from sbf_core.duck.publish_tables import published_tables
from sbf_core.errors import UsageError
from sbf_core.facts.models import installed_models
from sbf_core.facts.table import table_of
from sbf_core.gold.build import table_exists
from sbf_core.gold.model import GoldModel
from sbf_core.web.grid import Link, cell_of, grid_of
from sbf_core.web.links import lineage_link
from sbf_core.web.questions import ROWS_MAX
from sbf_core.web.site import Site, number_asked

_ROWS_A_PAGE = 50
_GOLD = """
SELECT table_name, arg_max(status, started_at) AS status, arg_max(rows_seen, started_at) FILTER (status = 'ok') AS rows,
    max(finished_at) FILTER (status = 'ok') AS built_at, arg_max(coalesce(error_message, ''), started_at) AS error
FROM ops.gold_manifest GROUP BY 1 ORDER BY 1
"""
_TESTS = """
SELECT test, status, failing_rows, tested_at FROM ops.gold_tests
WHERE table_name = ? AND gold_build_id = (SELECT max(gold_build_id) FROM ops.gold_tests WHERE table_name = ?) ORDER BY test
"""
_BUILDS = """
SELECT started_at, status, rows_seen AS rows, rows_written AS written, date_diff('millisecond', started_at, finished_at) / 1000 AS seconds, error_message AS error
FROM ops.gold_manifest WHERE table_name = ? ORDER BY started_at DESC LIMIT 10
"""
#: A cell that begins so would be a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def gold_page(site: Site, request: Request) -> Response:
    """The gold tables."""
    del request
    with site.door.reading() as cursor:
        found = table_of(cursor, _GOLD)
    return site.rendering.page("gold.html", path="/gold", title="Gold", grid=grid_of(found, links={"table_name": lambda row: f"/gold/{row['table_name']}"}))


def gold_table_page(site: Site, request: Request) -> Response:
    """One gold table: its rows, tests, builds and SQL."""
    name, page = request.path_params["table"], number_asked(request, "page")
    with site.door.reading() as cursor:
        _check_gold(cursor, name)
        counted = cursor.execute(f"SELECT count(*) FROM gold.{quoted(name)}").fetchone()
        total = counted[0] if counted else 0
        found = table_of(cursor, f"SELECT * FROM gold.{quoted(name)} ORDER BY ALL LIMIT {_ROWS_A_PAGE} OFFSET {(page - 1) * _ROWS_A_PAGE}")
        tests, builds = table_of(cursor, _TESTS, [name, name]), table_of(cursor, _BUILDS, [name])
    model = _model(site, name)
    links: dict[str, Link] = {}
    if model is not None and set(model.key) <= set(found.headers):
        key = model.key
        links = {column: _explained(f"gold.{name}", key, column) for column in found.headers if column not in key}
    return site.rendering.page(
        "gold_table.html", path="/gold", title=f"gold.{name}", name=name, grid=grid_of(found, links=links, drop_empty=False), tests=grid_of(tests), builds=grid_of(builds),
        page=page, total=total, pages=max(1, -(-total // _ROWS_A_PAGE)), parquet=f"gold.{name}" in published_tables(site.settings.config), model=model,
    )  # fmt: skip


def _explained(table: str, key: tuple[str, ...], column: str) -> Link:
    return lambda row: lineage_link(table, {name: row[name] for name in key}, column)


def _check_gold(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    if not table_exists(cursor, f"gold.{name}"):
        raise UsageError(f"there is no gold table {name!r}", fix="see the list of gold tables", code="UNKNOWN_TABLE")


def _model(site: Site, name: str) -> GoldModel | None:
    """The declaration of a gold table, as its plugin gives it now."""
    with site.door.reading() as cursor:
        return next((model for model in installed_models(cursor, site.manager) if model.name == name), None)


def download(site: Site, request: Request) -> Response:
    """A gold table as a file."""
    name, kind = request.path_params["table"], request.path_params["kind"]
    if kind == "parquet":
        one = published_tables(site.settings.config).get(f"gold.{name}")
        if one is None:
            raise UsageError(f"gold.{name} is not there as Parquet", fix="sbf run", code="UNKNOWN_TABLE")
        return FileResponse(site.settings.config.published / one.file, media_type="application/vnd.apache.parquet", filename=f"{name}.parquet")
    if kind != "csv":
        raise UsageError(f"there is no download as {kind!r}", fix="csv or parquet", code="KIND")
    with site.door.reading() as cursor:
        _check_gold(cursor, name)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(_csv(site, name), media_type="text/csv; charset=utf-8", headers=headers)


def _csv(site: Site, name: str) -> Iterator[str]:
    """Rows in parts; texts that a spreadsheet would calculate begin with an apostrophe."""
    with site.door.reading() as shared, shared.cursor() as cursor:
        found = cursor.execute(f"SELECT * FROM gold.{quoted(name)} ORDER BY ALL")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column[0] for column in found.description])
        while rows := found.fetchmany(5000):
            writer.writerows([[_safe(value) for value in row] for row in rows])
            yield text.getvalue()
            text.seek(0)
            text.truncate()
        yield text.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def plugins_page(site: Site, request: Request) -> Response:
    """The installed plugins and how their loading went."""
    del request
    records = [{"record": record, "badge": cell_of("state", record.state)} for record in site.manager.records.values()]
    return site.rendering.page("plugins.html", path="/plugins", title="Plugins", records=records, problem=site.problem, datasets=len(site.entries))


def sql_page(site: Site, request: Request) -> Response:
    """One question, and what was asked before."""
    query = request.query_params.get("query", "").strip()
    content: dict[str, Any] = {"query": query, "error": "", "grid": None, "more": False, "rows_max": ROWS_MAX}
    copy = site.door.publication()
    if query and copy is None:
        content["error"] = "Pages ask a copy of the database, and there is none: run `sbf run`, and leave run.publish at yes."
    elif query and copy is not None:
        try:
            answer = site.questions.ask(query, database=copy.path)
            content.update(grid=grid_of(answer.table, drop_empty=False), more=answer.more)
        except UsageError as error:
            content["error"] = str(error)
    return site.rendering.page("sql.html", path="/sql", title="SQL", status_code=400 if content["error"] else 200, history=site.questions.history, **content)
