"""One payload."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.reports import payload
from sbf_core.web.grid import grid_of
from sbf_core.web.site import Site


def payload_page(site: Site, request: Request) -> Response:
    """One payload: what became of it, its first bytes, and how it differs from the one before."""
    compared = request.query_params.get("difference", "") == "1"
    _ = site.entries  # with them their keys are known: a payload may repeat one
    with site.readers.reading() as cursor:
        payload_facts = payload.payload_facts(
            cursor, site.settings.config.bronze, request.path_params["file_id"], compared=compared
        )
    facts = payload_facts.facts.records[0]
    links = {
        "run_id": lambda row: f"/runs/{row['run_id']}",
        "silver_table": lambda row: f"/datasets/{row['silver_table']}",
    }
    grid = grid_of(payload_facts.facts, links=links)
    return site.rendering.page(
        "payload.html", path="/datasets", title="Payload",
        facts=list(zip(grid.headers, grid.rows[0], strict=True)),
        path_on_disk=facts["payload"], found=payload_facts, compared=compared,
        readings=grid_of(payload_facts.readings, links={"table_name": lambda row: f"/datasets/{row['table_name']}"}),
        rejects=grid_of(payload_facts.rejects), file_id=facts["bronze_file_id"],
    )  # fmt: skip
