"""Datasets: the list, and one with its payloads, columns, rows and coverage."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import duckdb
from starlette.requests import Request
from starlette.responses import Response

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.gold.tables import table_exists
from sbf_core.home.gold_models import gold_over
from sbf_core.reports import dataset_rows as rows
from sbf_core.reports import datasets, overview
from sbf_core.reports.coverage import coverage_of, coverage_table
from sbf_core.reports.form_days import moment_of
from sbf_core.reports.rejects import reject_counts
from sbf_core.reports.stale_tables import as_it_is, problems_of_tables, undeclared_fields
from sbf_core.reports.table import FactTable
from sbf_core.runner.run_universe import RunUniverse, counts_on_universe
from sbf_core.universe.members import Membership
from sbf_core.web.grid import Link, cell_of, grid_of
from sbf_core.web.links import lineage_link
from sbf_core.web.pages.charts import chosen_figure
from sbf_core.web.pages.gold import gold_content
from sbf_core.web.site import Site, number_asked

TABS = ("bronze", "silver", "rows", "chart", "coverage", "gold")
_TEMPLATES = {
    "rows": "dataset_rows.html",
    "coverage": "dataset_coverage.html",
    "chart": "dataset_chart.html",
    "gold": "dataset_gold.html",
}
_PAYLOADS = 100
_FILTERS_SHOWN = 8


def datasets_page(site: Site, request: Request) -> Response:
    """All datasets: those with payloads first, then those that were never asked for."""
    del request
    with site.readers.reading() as cursor:
        states = overview.dataset_states(cursor, site.entries, bronze=site.home.config.bronze, now=site.clock.now())
    known = {one.id for one in states}
    return site.rendering.page(
        "datasets.html",
        path="/datasets",
        title="Datasets",
        states=states,
        badges=[cell_of("state", one.state) for one in states],
        others=[entry for entry in site.entries if entry.id not in known],
        problem=site.problem,
    )


def dataset_page(site: Site, request: Request) -> Response:
    """One dataset, in one of its tabs."""
    entry = site.entry_of(request.path_params["table"])
    tab = request.query_params.get("tab", "bronze")
    if tab not in TABS:
        raise UsageError(f"there is no tab {tab!r}", fix=", ".join(TABS), code="TAB")
    with site.readers.reading() as cursor:
        problems = [
            one
            for one in problems_of_tables(cursor, [entry], site.home.config.bronze)
            if one.href == f"/datasets/{entry.silver_table}"
        ]
        entry = as_it_is(cursor, entry)
        filled = datasets.has_rows(cursor, entry)
        if tab == "bronze" or not filled:
            content = _bronze(cursor, entry, request)
        elif tab == "silver":
            content = {
                "grid": grid_of(datasets.columns_of_table(cursor, entry)),
                "undeclared": grid_of(undeclared_fields(cursor, entry)),
            }
        elif tab == "rows":
            content = _rows(cursor, entry, request)
        elif tab == "chart":
            charts, figure, fault = chosen_figure(site, cursor, f"silver.{entry.silver_table}", request.query_params)
            content = {"charts": charts, "figure": figure, "chart_fault": fault}
        elif tab == "gold":
            content = _gold(site, cursor, entry, request)
        else:
            content = {**_coverage(cursor, entry, request), **_days(site, cursor, entry)}
    template = _TEMPLATES.get(tab, "dataset.html") if filled else "dataset.html"
    return site.rendering.page(
        template,
        path="/datasets",
        title=entry.title or entry.id,
        entry=entry,
        tab=tab,
        tabs=TABS,
        filled=filled,
        problems=problems,
        **content,
    )


def _bronze(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, request: Request) -> dict[str, Any]:
    page, total = number_asked(request, "page"), datasets.count_payloads(cursor, entry)
    payloads = datasets.payloads_of(cursor, entry, limit=_PAYLOADS, offset=(page - 1) * _PAYLOADS)
    pages = max(1, -(-total // _PAYLOADS))
    rejects = grid_of(reject_counts(cursor, entry))
    grid = grid_of(
        payloads, links={"payload": lambda row: f"/payloads/{row['bronze_file_id']}"}, hidden=("bronze_file_id",)
    )
    return {"page": page, "pages": pages, "rejects": rejects, "grid": grid}


def _gold(site: Site, cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, request: Request) -> dict[str, Any]:
    """The gold tables that are made of it, and one of them."""
    over = gold_over(cursor, site.home.gold_models(cursor).models, f"silver.{entry.silver_table}")
    names = [name.removeprefix("gold.") for name in over if table_exists(cursor, name)]
    asked = request.query_params.get("table", "")
    if asked and asked not in names:
        raise UsageError(
            f"gold.{asked} is not made of {entry.id}",
            fix=", ".join(names) or "there is no such table",
            code="UNKNOWN_TABLE",
        )
    facts_first = sorted(names, key=lambda name: (name.startswith("dim_"), name))
    name = asked or next(iter(facts_first), "")
    tables = [(one, one == name) for one in facts_first]
    return {"tables": tables, **(gold_content(site, cursor, name, request) if name else {})}


def _rows(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, request: Request) -> dict[str, Any]:
    asked = request.query_params
    names = [*entry.column_types, "known_from", "recorded_at"]
    filters = {name: asked[f"is.{name}"] for name in names if asked.get(f"is.{name}")}
    wanted = rows.RowsWanted(
        as_of=moment_of(asked.get("as_of", "")),
        filters=filters,
        sort=asked.get("sort", ""),
        descending=asked.get("down", "") == "1",
        page=number_asked(request, "page"),
    )
    rows_found = rows.rows_of(cursor, entry, wanted)
    kept = {name: value for name, value in asked.items() if value and (name == "as_of" or name.startswith("is."))}
    heads = []
    for name in names:
        now = wanted.sort == name
        other_way = {"sort": name, "down": "1" if now and not wanted.descending else ""}
        heads.append(
            {
                "name": name,
                "sorted": now,
                "down": wanted.descending,
                "href": "?" + urlencode({"tab": "rows", **kept, **other_way}),
            }
        )
    key = entry.key_columns[0]
    links = (
        {}
        if wanted.as_of is not None
        else {one.name: _explained(entry, one.name) for one in entry.columns if not one.key}
    )
    links |= {
        key: lambda row: _revisions_link(entry, row),
        "recorded_at": lambda row: f"/payloads/{row['_bronze_file_id']}",
    }
    grid = grid_of(
        rows_found.table, links=links, hidden=("_bronze_file_id",), drop_empty=False, values=entry.column_types
    )
    order = {"sort": wanted.sort, "down": "1" if wanted.descending else ""} if wanted.sort else {}
    return {
        "grid": grid, "heads": heads, "total": rows_found.total, "page": wanted.page, "more": rows_found.more,
        "as_of": asked.get("as_of", ""), "filters": filters,
        "filter_names": names[:_FILTERS_SHOWN], "other_names": names[_FILTERS_SHOWN:],
        "link": lambda page: "?" + urlencode({"tab": "rows", **kept, **order, "page": page}),
        "order": order,
    }  # fmt: skip


def _explained(entry: DatasetKeymapEntry, column: str) -> Link:
    return lambda row: lineage_link(
        f"silver.{entry.silver_table}", {name: row[name] for name in entry.key_columns}, column
    )


def _revisions_link(entry: DatasetKeymapEntry, row: Any) -> str:
    return f"/datasets/{entry.silver_table}/revisions?" + urlencode(
        {name: str(row[name]) for name in entry.key_columns}
    )


def _coverage(cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, request: Request) -> dict[str, Any]:
    by = request.query_params.get("by", "year")
    if by not in datasets.PERIODS:
        raise UsageError(f"{by!r} is no period", fix="year, quarter or month", code="PERIOD")
    if entry.row_date_column is None:
        return {"heat": None, "by": by, "periods": datasets.PERIODS}
    table = datasets.coverage(cursor, entry, by=by, ticker_column=datasets.ticker_column(entry))
    return {"heat": _heat(table), "by": by, "periods": datasets.PERIODS}


def _days(site: Site, cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry) -> dict[str, Any]:
    """The days that were asked for, by how they stand; nothing for a dataset whose address names none."""
    if not entry.is_asked_by_days:
        return {"days": None}
    belonging, unknown = _belonging(site, cursor, entry)
    stretches = coverage_of(cursor, entry, belonging=belonging, today=site.clock.now().date())
    shown = stretches[:_STRETCHES_SHOWN]
    days = grid_of(coverage_table(shown))
    return {"days": days, "cut_stretches": len(stretches) - len(shown), "unknown_universe": unknown}


def _belonging(
    site: Site, cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry
) -> tuple[Membership | None, str]:
    """The tickers that a run asks for, and when; None where that is not known, and why, if it should be.

    A plugin is not asked for them: its hook would run again at each look at the page, in a thread which nothing stops,
    beside readers whose database it could not be seen to use. The series that were asked for are shown then.
    """
    if not counts_on_universe(entry):
        return None, ""
    try:
        universe = RunUniverse(site.settings, site.home.plugins, None, datasets=[entry])
        plugin = universe.settings_of(entry.source).plugin
        if plugin:
            return None, f"it is given by plugin {plugin}, which pages do not ask"
        return universe.membership(entry.source, cursor, limit=site.settings["universe.ticker_limit"]), ""
    except (UsageError, EnvironmentFault) as error:  # what was asked for can be shown all the same
        return None, str(error)


_STRETCHES_SHOWN = 100
_SERIES_SHOWN = 60
_PERIODS_SHOWN = 60


def _heat(table: FactTable) -> dict[str, Any]:
    """Cells in five steps of the fullest cell of their row, each with its number;
    a hole between full cells has a sign of its own.
    """
    first = max(1, len(table.headers) - _PERIODS_SHOWN)
    lines = []
    for row in table.rows[:_SERIES_SHOWN]:
        counts = [int(count) for count in row[first:]]
        most = max(counts, default=0) or 1
        filled = [place for place, count in enumerate(counts) if count]
        cells = []
        for place, count in enumerate(counts):
            hole = not count and bool(filled) and filled[0] < place < filled[-1]
            cells.append({"count": count, "step": "hole" if hole else f"h{-(-4 * count // most)}"})
        lines.append({"name": str(row[0]), "cells": cells})
    return {
        "what": table.headers[0], "periods": table.headers[first:], "lines": lines, "cut_periods": first - 1,
        "cut_series": max(0, len(table.rows) - _SERIES_SHOWN),
    }  # fmt: skip
