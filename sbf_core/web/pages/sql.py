"""One query in SQL, and what was asked before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.errors import UsageError
from sbf_core.web.grid import grid_of
from sbf_core.web.site import Site
from sbf_core.web.sql_queries import ROWS_MAX


def _newest(site: Site) -> Path | None:
    copy = site.readers.publication()
    return None if copy is None else copy.path


def sql_page(site: Site, request: Request) -> Response:
    """One query, and what was asked before."""
    query = request.query_params.get("query", "").strip()
    content: dict[str, Any] = {"query": query, "error": "", "grid": None, "more": False, "rows_max": ROWS_MAX}
    copy = site.readers.publication()
    if query and copy is None:
        content["error"] = (
            "Pages ask a copy of the database, and there is none: run `sbf run`, and leave run.publish at yes."
        )
    elif query and copy is not None:
        try:
            answer = site.queries.ask(query, database=copy.path, newest=lambda: _newest(site))
            content.update(grid=grid_of(answer.table, drop_empty=False, values=answer.table.headers), more=answer.more)
        except UsageError as error:
            content["error"] = str(error)
    return site.rendering.page(
        "sql.html",
        path="/sql",
        title="SQL",
        status_code=400 if content["error"] else 200,
        history=site.queries.history,
        **content,
    )
