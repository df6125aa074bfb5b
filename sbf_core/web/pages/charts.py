"""Charts: all of them, one, and the pictures, numbers and stops of one."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import duckdb
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from sbf_core.charts.catalog import TableChart, chart_named, charts_of_tables
from sbf_core.charts.hover_points import stops_of, stops_of_scene
from sbf_core.charts.plotted_rows import Plotted, plotted
from sbf_core.charts.table import all_rows_of_chart, table_of_chart
from sbf_core.charts.theme import Size, Theme
from sbf_core.charts.vega import specification
from sbf_core.dataset.chart import ChartKind
from sbf_core.errors import UsageError
from sbf_core.web.chart_figure import Figure, chart_address, figure_of, query_of, view_of
from sbf_core.web.download import CsvDownload
from sbf_core.web.grid import grid_of
from sbf_core.web.site import Site, number_asked
from sbf_core.web.spreadsheet import csv_text

_ROWS_A_PAGE = 50
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def charts_of(site: Site, cursor: duckdb.DuckDBPyConnection) -> list[TableChart]:
    """The charts of all tables that are there."""
    return charts_of_tables(cursor, site.entries, site.home.gold_models(cursor).models)


def chosen_figure(
    site: Site, cursor: duckdb.DuckDBPyConnection, table: str, asked: QueryParams
) -> tuple[list[tuple[str, str, bool]], Figure | None, str]:
    """The chart of a table that a page of it shows: links to all of them, the one that was asked for or the first,
    and why it cannot be drawn.
    """
    charts = [known for known in charts_of(site, cursor) if known.table == table]
    if not charts:
        return [], None, ""
    name = asked.get("chart", "")
    chosen = next((known for known in charts if known.chart.name == name), charts[0])
    links = [(known.title, known.chart.name, known is chosen) for known in charts]
    if chosen.fault:
        return links, None, f"{chosen.id}: {chosen.fault}"
    return links, figure_of(_plotted(site, cursor, chosen, QueryParams()), ""), ""


def _plotted(
    site: Site, cursor: duckdb.DuckDBPyConnection, known: TableChart, asked: QueryParams, *, with_values: bool = False
) -> Plotted:
    with site.one_chart:
        return plotted(cursor, known, view_of(asked), with_values=with_values)


def charts_page(site: Site, request: Request) -> Response:
    """All charts, small."""
    del request
    with site.readers.reading() as cursor:
        known = charts_of(site, cursor)
    return site.rendering.page(
        "charts.html", path="/charts", title="Charts", charts=[(one, chart_address(one)) for one in known]
    )


def _named(site: Site, cursor: duckdb.DuckDBPyConnection, request: Request) -> TableChart:
    return chart_named(f"{request.path_params['table']}/{request.path_params['name']}", charts_of(site, cursor))


def chart_page(site: Site, request: Request) -> Response:
    """One chart, with its numbers."""
    page = number_asked(request, "page")
    with site.readers.reading() as cursor:
        drawing = _plotted(site, cursor, _named(site, cursor, request), request.query_params)
        table, total = table_of_chart(cursor, drawing, limit=_ROWS_A_PAGE, offset=(page - 1) * _ROWS_A_PAGE)
    figure = figure_of(drawing, query_of(request.query_params))
    schema, _, name = drawing.known.table.partition(".")
    return site.rendering.page(
        "chart.html", path="/charts", title=drawing.known.title, figure=figure,
        grid=grid_of(table, drop_empty=False, values=table.headers), page=page, total=total,
        pages=max(1, -(-total // _ROWS_A_PAGE)),
        of_table=f"/gold/{name}" if schema == "gold" else f"/datasets/{name}?tab=rows",
    )  # fmt: skip


def chart_file(site: Site, request: Request) -> Response:
    """The picture of a chart, its numbers as CSV, or the stops of a pointer as JSON."""
    kind = request.path_params["kind"]
    if kind not in (*_TYPES, "csv", "json"):
        raise UsageError(f"there is no chart as {kind!r}", fix="svg, png, csv or json", code="KIND")
    theme, size = (_one_of(request, name, words) for name, words in (("theme", Theme), ("size", Size)))
    if kind == "csv":
        return _numbers(site, request)
    with site.readers.reading() as cursor:
        drawing = _plotted(
            site, cursor, _named(site, cursor, request), request.query_params, with_values=kind == "json"
        )
    if kind == "json":
        return Response(json.dumps(_stops(site, drawing, size)), media_type="application/json")
    saved = request.query_params.get("save", "") == "1"
    picture = site.renderer.draw(specification(drawing, theme=theme, size=size, titled=saved), kind)
    headers = {"content-disposition": f'attachment; filename="{drawing.known.chart.name}.{kind}"'} if saved else {}
    return Response(picture, media_type=_TYPES[kind], headers=headers)


def _one_of(request: Request, name: str, words: Any) -> Any:
    text = request.query_params.get(name, "") or next(iter(words))
    if text not in set(words):
        raise UsageError(f"there is no {name} {text!r}", fix=" or ".join(words), code="KIND")
    return words(text)


def _stops(site: Site, drawing: Plotted, size: Size) -> dict[str, Any]:
    if drawing.chart.kind is not ChartKind.OWN:
        return stops_of(drawing, size)
    return stops_of_scene(json.loads(site.renderer.draw(specification(drawing, size=size), "scene")))


def _numbers(site: Site, request: Request) -> Response:
    with site.readers.reading() as cursor:  # what cannot be told is refused before the answer begins
        name = _plotted(site, cursor, _named(site, cursor, request), request.query_params).chart.name
    return CsvDownload(_csv(site, request), name=name)


def _csv(site: Site, request: Request) -> Generator[str, None, None]:
    with site.readers.reading(as_long_as_it_takes=True) as cursor:
        drawing = _plotted(site, cursor, _named(site, cursor, request), request.query_params)
        names, parts = all_rows_of_chart(cursor, drawing)
        yield from csv_text(names, parts)
