"""Gold tables: all of them, one with its chart, rows, tests, builds and SQL, and one as a file."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import duckdb
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from sbf_core.duck.identifiers import quoted
from sbf_core.duck.publish_tables import published_tables
from sbf_core.errors import UsageError
from sbf_core.reports.gold import check_gold_table, gold_table
from sbf_core.reports.gold_states import gold_states
from sbf_core.web.download import CsvDownload
from sbf_core.web.grid import Link, grid_of
from sbf_core.web.links import lineage_link
from sbf_core.web.pages.charts import chosen_figure
from sbf_core.web.site import Site, number_asked
from sbf_core.web.spreadsheet import csv_text

_ROWS_A_PAGE = 50


def gold_page(site: Site, request: Request) -> Response:
    """The gold tables."""
    del request
    with site.readers.reading() as cursor:
        table = gold_states(cursor, site.home.gold_models(cursor)).table
    return site.rendering.page(
        "gold.html",
        path="/gold",
        title="Gold",
        grid=grid_of(table, links={"table_name": lambda row: f"/gold/{row['table_name']}"}),
    )


def gold_table_page(site: Site, request: Request) -> Response:
    """One gold table."""
    name = request.path_params["table"]
    with site.readers.reading() as cursor:
        content = gold_content(site, cursor, name, request)
    return site.rendering.page(
        "gold_table.html", path="/gold", title=f"gold.{name}", address=f"/gold/{name}?", **content
    )


def gold_content(site: Site, cursor: duckdb.DuckDBPyConnection, name: str, request: Request) -> dict[str, Any]:
    """What pages say of a gold table. Raises ``UsageError`` where there is none."""
    page = number_asked(request, "page")
    facts = gold_table(cursor, name, limit=_ROWS_A_PAGE, offset=(page - 1) * _ROWS_A_PAGE)
    known = site.home.gold_models(cursor)
    model = next((model for model in known.models if model.name == name), None)
    problems = [one for one in gold_states(cursor, known).problems if one.href == f"/gold/{name}"]
    links: dict[str, Link] = {}
    if model is not None and set(model.key) <= set(facts.rows.headers):
        key = model.key
        links = {column: _explained(f"gold.{name}", key, column) for column in facts.rows.headers if column not in key}
    charts, figure, fault = chosen_figure(site, cursor, f"gold.{name}", request.query_params)
    return {
        "name": name, "grid": grid_of(facts.rows, links=links, drop_empty=False, values=facts.rows.headers),
        "tests": grid_of(facts.tests), "builds": grid_of(facts.builds), "page": page, "total": facts.total,
        "pages": max(1, -(-facts.total // _ROWS_A_PAGE)),
        "parquet": f"gold.{name}" in published_tables(site.settings.config), "model": model,
        "charts": charts, "figure": figure, "chart_fault": fault, "gold_problems": problems,
    }  # fmt: skip


def _explained(table: str, key: tuple[str, ...], column: str) -> Link:
    return lambda row: lineage_link(table, {name: row[name] for name in key}, column)


def download(site: Site, request: Request) -> Response:
    """A gold table as a file."""
    name, kind = request.path_params["table"], request.path_params["kind"]
    if kind == "parquet":
        one = published_tables(site.settings.config).get(f"gold.{name}")
        if one is None:
            raise UsageError(f"gold.{name} is not there as Parquet", fix="run `sbf run`", code="UNKNOWN_TABLE")
        return FileResponse(
            site.settings.config.published / one.file,
            media_type="application/vnd.apache.parquet",
            filename=f"{name}.parquet",
        )
    if kind != "csv":
        raise UsageError(f"there is no download as {kind!r}", fix="csv or parquet", code="KIND")
    with site.readers.reading() as cursor:
        check_gold_table(cursor, name)
    return CsvDownload(_csv(site, name), name=name)


def _csv(site: Site, name: str) -> Generator[str, None, None]:
    with site.readers.reading(as_long_as_it_takes=True) as cursor:
        result = cursor.execute(f"SELECT * FROM gold.{quoted(name)} ORDER BY ALL")
        yield from csv_text([column[0] for column in result.description], iter(lambda: result.fetchmany(5000), []))
