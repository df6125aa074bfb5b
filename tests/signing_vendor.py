"""A vendor that wants one to sign in, on a socket: it gives tokens, and answers who has one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, entry, price
from werkzeug import Request, Response

from sbf_core.api import RestRecipe
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.runs.context import RunContext

ROWS = [price("S01", "2024-01-01")]


class SigningVendor:
    """Tokens at ``/token``, rows at ``/rows``; a test says what is answered."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.tokens: list[Request] = []
        self.asked: list[Request] = []
        self.given = 0
        self.valid: set[str] = set()
        self.rows: Callable[[Request], Response] = lambda request: told(ROWS)
        self.gives: Callable[[Request], Response] = self.fresh
        self._lock = threading.Lock()
        server.expect_request("/token").respond_with_handler(self._give)
        server.expect_request("/rows").respond_with_handler(self._answer)

    @property
    def url(self) -> str:
        return self.server.url_for("/rows")

    @property
    def token_url(self) -> str:
        return self.server.url_for("/token")

    def fresh(self, request: Request, **more: object) -> Response:
        """A token that was never given before."""
        with self._lock:
            self.given += 1
            token = f"t0ken-number-{self.given}-for-the-vendor"
        self.valid.add(f"Bearer {token}")
        return told({"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more})

    def _give(self, request: Request) -> Response:
        request.get_data()
        with self._lock:
            self.tokens.append(request)
        return self.gives(request)

    def _answer(self, request: Request) -> Response:
        request.get_data()
        with self._lock:
            self.asked.append(request)
        if self.valid and request.headers.get("Authorization") not in self.valid:
            return told({"error": "who are you"}, status=401)
        return self.rows(request)


def told(document: object, *, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(document), status=status, headers=headers, content_type="application/json")


def warehouse_of(home: Path, url: str, *, declared: Mapping[str, Any] | None = None, **recipe: Any) -> Warehouse:
    return Warehouse(home, Declared(entry(recipe=RestRecipe(url=url, **recipe), **(declared or {}))))


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def addresses(warehouse: Warehouse) -> list[str]:
    journals = [read_journal(path) for path in journal_files(warehouse.home / "bronze")]
    return [line.row.address for lines in journals for line in lines]


def files_with(home: Path, *secrets: str) -> list[Path]:
    """The files below a home that hold one of these texts."""
    paths = [path for path in home.rglob("*") if path.is_file()]
    assert len(paths) > 3, "there is something to look into"
    return [path for path in paths if any(secret.encode() in path.read_bytes() for secret in secrets)]
