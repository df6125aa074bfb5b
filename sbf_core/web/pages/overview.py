"""The warehouse at a glance."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.counted import counted
from sbf_core.reports import overview, runs
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.health_checks import health_of, told_late, watched_of
from sbf_core.reports.problem import Problem
from sbf_core.reports.stale_tables import new_fields, problems_of_tables
from sbf_core.web.grid import Cell, cell_of, grid_of
from sbf_core.web.links import run_link
from sbf_core.web.pages.live import live_of
from sbf_core.web.site import Site

_WEEKS = 26


def overview_page(site: Site, request: Request) -> Response:
    """The warehouse at a glance."""
    del request
    now = site.clock.now()
    since = now.date() - dt.timedelta(days=7 * _WEEKS + now.date().weekday() - 7)
    with site.readers.reading() as cursor:
        latest = runs.latest_runs(cursor, limit=8)
        states = overview.dataset_states(cursor, site.entries, bronze=site.home.config.bronze, now=now)
        days = overview.run_days(cursor, since=since).records
        last = latest.records[0] if latest.rows else None
        problems = overview.problems_of_run(cursor, last["run_id"], last["status"]) if last else []
        gold = gold_states(cursor, site.home.gold_models(cursor))
        states = told_late(states, health_of(cursor, watched_of(site.home, site.entries, states, gold.table), now=now))
        problems = [*problems_of_tables(cursor, site.entries, site.home.config.bronze), *gold.problems, *problems]
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
            text = f"{counted(record['runs'], 'run')}, {record['failed']} failed, {record['partial']} partial"
        if day.weekday() == 0 or not weeks:
            weeks.append([])
        weeks[-1].append({"day": day, "kind": kind, "sign": sign, "text": text})
        day += dt.timedelta(days=1)
    return weeks
