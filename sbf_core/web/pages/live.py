"""What the run at work says of itself, on every page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sbf_core.runs.live import LiveRun, read_live
from sbf_core.web.site import Site


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
