"""Plugins, and questions in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.errors import UsageError
from sbf_core.web.grid import cell_of, grid_of
from sbf_core.web.questions import ROWS_MAX
from sbf_core.web.site import Site


def plugins_page(site: Site, request: Request) -> Response:
    """The installed plugins and how their loading went."""
    del request
    records = [{"record": record, "badge": cell_of("state", record.state)} for record in site.manager.records.values()]
    return site.rendering.page(
        "plugins.html",
        path="/plugins",
        title="Plugins",
        records=records,
        problem=site.problem,
        datasets=len(site.entries),
    )


def _newest(site: Site) -> Path | None:
    copy = site.door.publication()
    return None if copy is None else copy.path


def sql_page(site: Site, request: Request) -> Response:
    """One question, and what was asked before."""
    query = request.query_params.get("query", "").strip()
    content: dict[str, Any] = {"query": query, "error": "", "grid": None, "more": False, "rows_max": ROWS_MAX}
    copy = site.door.publication()
    if query and copy is None:
        content["error"] = (
            "Pages ask a copy of the database, and there is none: run `sbf run`, and leave run.publish at yes."
        )
    elif query and copy is not None:
        try:
            answer = site.questions.ask(query, database=copy.path, newest=lambda: _newest(site))
            content.update(grid=grid_of(answer.table, drop_empty=False, values=answer.table.headers), more=answer.more)
        except UsageError as error:
            content["error"] = str(error)
    return site.rendering.page(
        "sql.html",
        path="/sql",
        title="SQL",
        status_code=400 if content["error"] else 200,
        history=site.questions.history,
        **content,
    )
