"""The installed plugins and how their loading went."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.web.grid import cell_of
from sbf_core.web.site import Site


def plugins_page(site: Site, request: Request) -> Response:
    """The installed plugins and how their loading went."""
    del request
    records = [
        {"record": record, "badge": cell_of("state", record.state)} for record in site.home.plugins.records.values()
    ]
    return site.rendering.page(
        "plugins.html",
        path="/plugins",
        title="Plugins",
        records=records,
        problem=site.problem,
        datasets=len(site.entries),
    )
