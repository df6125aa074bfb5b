"""A vendor on a socket that takes questions by POST, and a warehouse of what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, entry
from werkzeug import Request, Response

from sbf_core.api import RestRecipe
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.care.digest import digest_tables
from sbf_core.runs.context import RunContext

Answer = Callable[[Request], Response]


class Vendor:
    """A server on a socket, which answers as a test says, and remembers what it was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.asked: list[Request] = []
        self.answer: Answer = lambda request: told([])
        server.expect_request("/odd").respond_with_handler(self._handle)

    def _handle(self, request: Request) -> Response:
        request.get_data()  # it is gone with the connection
        self.asked.append(request)
        return self.answer(request)

    @property
    def url(self) -> str:
        return self.server.url_for("/odd")

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.get_data()) for request in self.asked]


def told(rows: Sequence[object] | dict[str, object], *, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(rows), status=status, headers=headers, content_type="application/json")


def warehouse_of(home: Path, vendor: Vendor, *, declared: dict[str, Any] | None = None, **recipe: Any) -> Warehouse:
    return Warehouse(home, Declared(entry(recipe=RestRecipe(url=vendor.url, **recipe), **(declared or {}))))


def symbols(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1")]


def addresses(warehouse: Warehouse) -> list[str]:
    journals = [read_journal(path) for path in journal_files(warehouse.home / "bronze")]
    return [line.row.address for lines in journals for line in lines]


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def digests(warehouse: Warehouse) -> dict[str, str]:
    """The hash of each table."""
    with warehouse.open() as cursor:
        return {item.table: item.sha256 for item in digest_tables(cursor, keys={})}
