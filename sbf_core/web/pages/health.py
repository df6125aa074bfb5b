"""What monitors ask: whether the warehouse is well, and figures for Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sbf_core.errors import HomeLocked, SbfError
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.health import Health
from sbf_core.reports.health_checks import health_of, watched_of
from sbf_core.reports.metrics import CONTENT_TYPE, metrics_text
from sbf_core.reports.overview import DatasetState, dataset_states
from sbf_core.web.site import Site


def healthz(site: Site, request: Request) -> Response:
    """Status 200 where the warehouse can be read, 503 where it cannot; whether its data is well stands in the answer,
    because to start the pages again mends no vendor.
    """
    del request
    try:
        health, _ = _looked(site)
    except HomeLocked:
        return JSONResponse({"readable": False, "why": "a run is at work, and there is no copy for readers"}, 503)
    except SbfError as error:
        return JSONResponse({"readable": False, "why": error.what}, 503)
    late, failing = len(health.late), len(health.failing)
    return JSONResponse({"readable": True, "well": health.is_well, "late": late, "failing": failing})


def metrics(site: Site, request: Request) -> Response:
    """Figures for Prometheus."""
    del request
    return PlainTextResponse(metrics_text(*_looked(site)), media_type=CONTENT_TYPE)


def _looked(site: Site) -> tuple[Health, list[DatasetState]]:
    now = site.clock.now()
    with site.readers.reading() as cursor:
        states = dataset_states(cursor, site.entries, bronze=site.home.config.bronze, now=now)
        gold = gold_states(cursor, site.home.gold_models(cursor)).table
        return health_of(cursor, watched_of(site.home, site.entries, states, gold), now=now), states
