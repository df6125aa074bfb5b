"""The pages of a warehouse as a web application."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sbf_core.errors import HomeLocked, SbfError, UsageError, printable
from sbf_core.web.pages.live import live_of
from sbf_core.web.security import Guard
from sbf_core.web.site import Site

#: Module and function of each page. They are loaded when they are first asked for: the first page need not wait for all
#: others (60 ms of 500).
_PAGES = {
    "/": "overview:overview_page",
    "/live": "live:live",
    "/healthz": "health:healthz",
    "/metrics": "health:metrics",
    "/runs": "runs:runs_page",
    "/runs/{run_id}": "runs:run_page",
    "/catalogue": "catalogue:catalogue_page",
    "/datasets": "datasets:datasets_page",
    "/datasets/{table}": "datasets:dataset_page",
    "/datasets/{table}/revisions": "revisions:revisions_page",
    "/payloads/{file_id}": "payload:payload_page",
    "/gold": "gold:gold_page",
    "/gold/{table}": "gold:gold_table_page",
    "/gold/{table}/download.{kind}": "gold:download",
    "/charts": "charts:charts_page",
    "/charts/{table}/{name}.{kind}": "charts:chart_file",
    "/charts/{table}/{name}": "charts:chart_page",
    "/lineage": "lineage:lineage_page",
    "/plugins": "plugins:plugins_page",
    "/sql": "sql:sql_page",
}
Page = Callable[[Site, Request], Response]
_logger = logging.getLogger("sbf.web")


def page_of(place: str) -> Page:
    """The function of a page, e.g. of ``gold:gold_page``."""
    module, _, name = place.partition(":")
    page: Page = getattr(import_module(f"sbf_core.web.pages.{module}"), name)
    return page


def _answering(site: Site, place: str) -> Callable[[Request], Any]:
    """A page with its errors told on a page; it works in a thread, so that one that takes long holds up no other."""

    def answer(request: Request) -> Response:
        was_roomy = site.readers.is_roomy
        try:
            try:
                return page_of(place)(site, request)
            except duckdb.OutOfMemoryException:
                if was_roomy:
                    raise
                site.readers.make_room()
                return page_of(place)(site, request)
        except UsageError as error:
            if error.code in ("NO_DATA", "NO_DATABASE"):
                template, title, status = "empty.html", "No data yet", 200
            elif error.code.startswith(("UNKNOWN", "NO_ROWS")):
                template, title, status = "message.html", "Not found", 404
            else:
                template, title, status = "message.html", "This cannot be asked so", 400
            return site.rendering.page(
                template,
                path="",
                title=title,
                status_code=status,
                error=error,
                **live_of(site),
            )
        except HomeLocked as error:
            return site.rendering.page(
                "empty.html", path="", title="A run is at work", status_code=200, error=error, **live_of(site)
            )
        except SbfError as error:
            return site.rendering.page(
                "message.html",
                path="",
                title="This cannot be shown",
                status_code=500,
                error=error,
                **live_of(site),
            )
        except duckdb.OutOfMemoryException:
            fault = UsageError(
                "this page needs more memory than pages may have", fix="ask for less, or ask `sbf sql`", code="MEMORY"
            )
            return site.rendering.page(
                "message.html",
                path="",
                title="This cannot be shown",
                status_code=500,
                error=fault,
                **live_of(site),
            )
        except Exception as error:  # a bug: one line in the terminal, all of it with --debug
            return _fault(site, request, error)

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return endpoint


def _fault(site: Site, request: Request, error: Exception) -> Response:
    said = printable(f"{type(error).__name__}: {error}")
    _logger.error(
        "A page failed. path=%s | error=%s",
        printable(request.url.path),
        said,
        exc_info=error if os.environ.get("SBF_DEBUG") else None,
    )
    fault = SbfError("this page has a fault", fix="please report it; `sbf --debug ui` says more in its terminal")
    return site.rendering.page(
        "message.html", path="", title="A fault", status_code=500, error=fault, live=None, silent=False, live_age=0.0
    )


def make_app(site: Site, *, hosts: frozenset[str]) -> ASGIApp:
    """The application; it answers only requests for one of ``hosts``, e.g. ``127.0.0.1:8420``."""

    async def not_found(request: Request, error: Exception) -> Response:
        del error
        fault = UsageError(f"there is no page {request.url.path!r}", code="UNKNOWN_PAGE")
        return site.rendering.page(
            "message.html", path="", title="Not found", status_code=404, error=fault, **live_of(site)
        )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        del app
        yield
        site.close()

    routes = [Route(path, _answering(site, place), methods=["GET"]) for path, place in _PAGES.items()]
    static = Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app = Starlette(routes=[*routes, static], exception_handlers={404: not_found}, lifespan=lifespan)
    return Guard(app, hosts=hosts)
