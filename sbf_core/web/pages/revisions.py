"""Every version of one key."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.reports import datasets
from sbf_core.reports.stale_tables import as_it_is
from sbf_core.reports.table import FactTable
from sbf_core.shell_words import typed
from sbf_core.web.grid import Grid, grid_of
from sbf_core.web.site import Site


def revisions_page(site: Site, request: Request) -> Response:
    """Every version of one key."""
    entry = site.entry_of(request.path_params["table"])
    with site.readers.reading() as cursor:
        entry = as_it_is(cursor, entry)
        key = {name: request.query_params.get(name, "") for name in entry.key_columns}
        if not datasets.has_rows(cursor, entry):
            raise UsageError(f"there is nothing of {entry.id} yet", fix="run `sbf run`", code="NO_ROWS")
        versions = datasets.revisions(cursor, entry, key)
    return site.rendering.page(
        "revisions.html", path="/datasets", title=f"Revisions of {', '.join(key.values())}",
        entry=entry, key=key, grid=revisions_grid(entry, versions),
        command=(
            f"sbf revisions {typed(entry.silver_table)} "
            f"{typed(','.join(f'{name}={value}' for name, value in key.items()))}"
        ),
    )  # fmt: skip


def revisions_grid(entry: DatasetKeymapEntry, versions: FactTable) -> Grid:
    """The versions of one key, each with the way to its payload."""
    payload_column, file_id = (datasets.own_header(entry, name) for name in ("payload", "bronze_file_id"))
    links = {payload_column: lambda row: f"/payloads/{row[file_id]}" if row[file_id] else ""}
    return grid_of(versions, links=links, hidden=(file_id,), values=entry.column_types)
