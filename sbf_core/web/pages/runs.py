"""Runs, and one run."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.errors import UsageError
from sbf_core.reports import runs
from sbf_core.reports.form_days import day_of
from sbf_core.reports.table import FactTable
from sbf_core.web.grid import cell_of, grid_of
from sbf_core.web.links import run_link
from sbf_core.web.pages.live import live_of
from sbf_core.web.site import Site, number_asked

_RUNS_A_PAGE = 50
_FILES_A_PAGE = 100
LAYERS = ("bronze", "silver", "gold")


def runs_page(site: Site, request: Request) -> Response:
    """Runs, the last one first."""
    status, day = request.query_params.get("status", ""), request.query_params.get("day", "")
    page = number_asked(request, "page")
    with site.readers.reading() as cursor:
        table, total = runs.runs_between(
            cursor, status=status, day=day_of(day), limit=_RUNS_A_PAGE, offset=(page - 1) * _RUNS_A_PAGE
        )
    return site.rendering.page(
        "runs.html", path="/runs", title="Runs",
        grid=grid_of(table, links={"run_id": run_link}), status=status, day=day, page=page, total=total,
        pages=max(1, -(-total // _RUNS_A_PAGE)), statuses=("ok", "partial", "failed", "interrupted"), **live_of(site),
    )  # fmt: skip


def run_page(site: Site, request: Request) -> Response:
    """One run, in one of its layers."""
    layer = request.query_params.get("layer", "bronze")
    if layer not in LAYERS:
        raise UsageError(f"there is no layer {layer!r}", fix="bronze, silver or gold", code="LAYER")
    status, page = request.query_params.get("status", ""), number_asked(request, "page")
    with site.readers.reading() as cursor:
        run_facts = runs.one_run(
            cursor,
            request.path_params["run_id"],
            limit=_FILES_A_PAGE,
            offset=(page - 1) * _FILES_A_PAGE,
            status=status,
            only=layer,
        )
    tables: list[tuple[str, FactTable, Any]] = []
    if layer == "bronze":
        tables.append(
            (
                "",
                run_facts.bronze,
                {"payload": lambda row: f"/payloads/{row['bronze_file_id']}" if row["bronze_file_id"] else ""},
            )
        )
    elif layer == "silver":
        tables.append(
            ("Promotions", run_facts.silver, {"table_name": lambda row: f"/datasets/{row['table_name']}?tab=silver"})
        )
        tables.append(("Rejected rows", run_facts.rejects, {}))
    else:
        tables.append(("", run_facts.gold, {"table_name": lambda row: f"/gold/{row['table_name']}"}))
    run = run_facts.run.records[0]
    return site.rendering.page(
        "run.html", path="/runs", title=f"Run {run['run_id']}", run=run, run_status=cell_of("status", run["status"]),
        layer=layer, layers=LAYERS, status=status, page=page, pages=max(1, -(-run_facts.files // _FILES_A_PAGE)),
        counts={
            "bronze": run_facts.files_in_all, "silver": len(run_facts.silver.rows) if layer == "silver" else None,
            "gold": len(run_facts.gold.rows) if layer == "gold" else None,
        },
        tables=[(name, grid_of(table, links=links, hidden=("bronze_file_id",))) for name, table, links in tables],
        **live_of(site),
    )  # fmt: skip
