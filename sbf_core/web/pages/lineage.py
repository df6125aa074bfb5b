"""Where a number comes from."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbf_core.reports.lineage import GoldInput, GoldOrigin, SilverOrigin, explain_gold, explain_silver
from sbf_core.web.grid import Link, grid_of
from sbf_core.web.links import lineage_link
from sbf_core.web.pages.revisions import revisions_grid
from sbf_core.web.site import Site


def lineage_page(site: Site, request: Request) -> Response:
    """One step back from a number: to rows of other tables, or to its payload."""
    asked = {name: request.query_params.get(name, "").strip() for name in ("table", "key", "column")}
    silver: SilverOrigin | None = None
    gold: GoldOrigin | None = None
    if all(asked.values()):
        with site.readers.reading() as cursor:
            if asked["table"].startswith("gold."):
                gold = explain_gold(cursor, site.home.gold_models(cursor).models, **asked)
            else:
                silver = explain_silver(cursor, site.settings.config.bronze, site.entries, **asked)
    content: dict[str, Any] = {"versions": None, "inputs": []}
    if silver is not None:
        content["versions"] = revisions_grid(silver.entry, silver.versions)
    if gold is not None:
        keys = {f"silver.{entry.silver_table}": entry.key_columns for entry in site.entries}
        content["inputs"] = [
            (one, grid_of(one.rows, links=_links(one, keys.get(one.table, ())), values=one.rows.headers))
            for one in gold.inputs
        ]
    return site.rendering.page(
        "lineage.html",
        path="/datasets",
        title="Where a number comes from",
        asked=asked,
        silver=silver,
        gold=gold,
        **content,
    )


def _links(one: GoldInput, key: tuple[str, ...]) -> dict[str, Link]:
    """Values of a silver input lead on."""

    def to(column: str) -> Link:
        return lambda row: lineage_link(one.table, {name: row[name] for name in key}, column)

    return (
        {column: to(column) for column in one.rows.headers if column not in (*key, "known_from", "recorded_at")}
        if key
        else {}
    )
