"""Overview, runs, one run, and what a run at work says."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sbf_core.errors import UsageError
from sbf_core.reports import overview, runs
from sbf_core.reports.form_days import day_of
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.problem import Problem
from sbf_core.reports.stale_tables import new_fields, problems_of_tables
from sbf_core.reports.table import FactTable
from sbf_core.runs.live import LiveRun, read_live
from sbf_core.web.grid import Cell, cell_of, grid_of
from sbf_core.web.site import Site, number_asked

_RUNS_A_PAGE = 50
_FILES_A_PAGE = 100
_WEEKS = 26
LAYERS = ("bronze", "silver", "gold")


def run_link(record: Any) -> str:
    """The page of the run of a row."""
    return f"/runs/{record['run_id']}"


def live_of(site: Site) -> dict[str, Any]:
    """What the run at work says of itself, for templates."""
    live = read_live(site.settings.config.live)
    working = live is not None and live.status == "running"
    return {
        "live": live if working else None,
        "silent": working and live is not None and live.is_silent(site.clock.now()),
        "live_age": _age(live, site.clock.now()),
    }


def _age(live: LiveRun | None, now: dt.datetime) -> float:
    return max(0.0, (now - dt.datetime.fromisoformat(live.updated_at)).total_seconds()) if live is not None else 0.0


def live(site: Site, request: Request) -> Response:
    """The part of a page that tells of the run at work; empty when none is."""
    del request
    return HTMLResponse(site.rendering.text("live.html", **live_of(site)))


def overview_page(site: Site, request: Request) -> Response:
    """The warehouse at a glance."""
    del request
    now = site.clock.now()
    since = now.date() - dt.timedelta(days=7 * _WEEKS + now.date().weekday() - 7)
    with site.readers.reading() as cursor:
        latest = runs.latest_runs(cursor, limit=8)
        states = overview.dataset_states(cursor, site.entries, now=now)
        days = overview.run_days(cursor, since=since).records
        last = latest.records[0] if latest.rows else None
        problems = overview.problems_of_run(cursor, last["run_id"], last["status"]) if last else []
        of_gold = gold_states(cursor, site.home.gold_models(cursor)).problems
        problems = [*problems_of_tables(cursor, site.entries), *of_gold, *problems]
        fields = new_fields(cursor, site.entries, now=now)
    for record in site.home.plugins.records.values():
        if record.state == "refused":
            problems.append(
                Problem(
                    what=f"plugin {record.name} was not loaded",
                    detail=record.reason,
                    fix="sbf plugins list",
                    href="/plugins",
                )
            )
    return site.rendering.page(
        "overview.html", path="/", title="Overview",
        last=last, last_status=cell_of("status", last["status"]) if last else Cell(text=""), problems=problems,
        states=states, badges=[cell_of("state", one.state) for one in states],
        runs=grid_of(latest, links={"run_id": run_link}), weeks=_calendar(days, since, now.date()),
        age=_since(last, now), fields=grid_of(fields, values=("field", "examples")), **live_of(site),
    )  # fmt: skip


def _since(last: Any, now: dt.datetime) -> float:
    return max(0.0, (now.replace(tzinfo=None) - last["started_at"]).total_seconds()) if last else 0.0


def _calendar(days: Any, since: dt.date, today: dt.date) -> list[list[dict[str, Any]]]:
    """Weeks of days, each with a sign for how its runs ended, so that it can be read without colour."""
    known = {record["day"]: record for record in days}
    weeks: list[list[dict[str, Any]]] = []
    day = since
    while day <= today:
        record = known.get(day)
        kind, sign, text = "none", "", "no run"
        if record is not None:
            kind, sign = (
                ("bad", "\u00d7") if record["failed"] else ("warn", "!") if record["partial"] else ("good", "·")
            )
            text = f"{record['runs']} runs, {record['failed']} failed, {record['partial']} partial"
        if day.weekday() == 0 or not weeks:
            weeks.append([])
        weeks[-1].append({"day": day, "kind": kind, "sign": sign, "text": text})
        day += dt.timedelta(days=1)
    return weeks


def runs_page(site: Site, request: Request) -> Response:
    """Runs, the last one first."""
    status, day = request.query_params.get("status", ""), request.query_params.get("day", "")
    page = number_asked(request, "page")
    with site.readers.reading() as cursor:
        found, total = runs.runs_between(
            cursor, status=status, day=day_of(day), limit=_RUNS_A_PAGE, offset=(page - 1) * _RUNS_A_PAGE
        )
    return site.rendering.page(
        "runs.html", path="/runs", title="Runs",
        grid=grid_of(found, links={"run_id": run_link}), status=status, day=day, page=page, total=total,
        pages=max(1, -(-total // _RUNS_A_PAGE)), statuses=("ok", "partial", "failed", "interrupted"), **live_of(site),
    )  # fmt: skip


def run_page(site: Site, request: Request) -> Response:
    """One run, in one of its layers."""
    layer = request.query_params.get("layer", "bronze")
    if layer not in LAYERS:
        raise UsageError(f"there is no layer {layer!r}", fix="bronze, silver or gold", code="LAYER")
    status, page = request.query_params.get("status", ""), number_asked(request, "page")
    with site.readers.reading() as cursor:
        found = runs.one_run(
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
                found.bronze,
                {"payload": lambda row: f"/payloads/{row['bronze_file_id']}" if row["bronze_file_id"] else ""},
            )
        )
    elif layer == "silver":
        tables.append(
            ("Promotions", found.silver, {"table_name": lambda row: f"/datasets/{row['table_name']}?tab=silver"})
        )
        tables.append(("Rejected rows", found.rejects, {}))
    else:
        tables.append(("", found.gold, {"table_name": lambda row: f"/gold/{row['table_name']}"}))
    run = found.run.records[0]
    return site.rendering.page(
        "run.html", path="/runs", title=f"Run {run['run_id']}", run=run, run_status=cell_of("status", run["status"]),
        layer=layer, layers=LAYERS, status=status, page=page, pages=max(1, -(-found.files // _FILES_A_PAGE)),
        counts={
            "bronze": found.files_in_all, "silver": len(found.silver.rows) if layer == "silver" else None,
            "gold": len(found.gold.rows) if layer == "gold" else None,
        },
        tables=[(name, grid_of(table, links=links, hidden=("bronze_file_id",))) for name, table, links in tables],
        **live_of(site),
    )  # fmt: skip
