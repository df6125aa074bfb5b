"""A key is put through every way to fail, and is found nowhere afterwards."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from hang import HANG_SECONDS
from pytest_httpserver import HTTPServer
from warm_sbf import WARM
from werkzeug import Request, Response

ROOT = Path(__file__).resolve().parents[2]
KEY = 'c4nary"+/=&%key'
PLUGIN = """
import datetime as dt, os
import attrs
from sbf_core.api import *

@attrs.frozen
class Row:
    symbol: str = column(key=True)

def entry(name, **more):
    recipe = RestRecipe(url=os.environ["WORLD_URL"] + "/" + name, secrets={"apikey": "WORLD_KEY"},
                        secret_headers={"x-api-key": "WORLD_KEY"})
    return DatasetKeymapEntry(domain="test", source="canary_" + name, dataset=name, silver_table="canary_" + name,
                              columns=Row, recipe=recipe)

@hookimpl
def datasets():
    return [entry(name) for name in ("good", "refused", "moved", "broken", "html", "raises", "claims")]

@hookimpl
def fetch(entry, request, http):
    key = os.environ.get("WORLD_KEY", "")
    if entry.dataset == "raises":
        print("nothing to see")
        raise ValueError(f"could not ask {entry.recipe.url}?apikey={key}")
    if entry.dataset == "claims":
        fetch_by_recipe(entry, request, http)
        return RunResult(request=request, address=entry.recipe.url + "?apikey=" + key, payload=b"[]",
                         fetched_at=dt.datetime.now(dt.timezone.utc), headers={"etag": key})
    return fetch_by_recipe(entry, request, http)
"""


def forms() -> list[bytes]:
    raw = KEY.encode()
    texts = [
        KEY,
        quote(KEY),
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        raw.hex(),
    ]
    texts += [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
    return [form for text in texts for form in (text.encode(), text.encode("utf-16-le"))]


def serve(server: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        name = request.path.rsplit("/", 1)[-1]
        assert request.args["apikey"] == KEY
        if name in ("good", "claims"):
            return Response('[{"symbol": "A"}]', content_type="application/json", headers={"etag": quote(KEY)})
        if name == "refused":
            return Response(f"bad key {KEY}", status=401)
        if name == "moved":
            return Response("", status=302, headers={"location": request.url})
        if name == "html":
            return Response("<html>log in</html>", content_type="text/html")
        return Response("", status=404)

    server.expect_request(re.compile("/.*")).respond_with_handler(answer)


@pytest.mark.parametrize("isolate", ["none", "all"])
def test_a_canary_is_found_nowhere(httpserver: HTTPServer, tmp_path: Path, isolate: str) -> None:
    serve(httpserver)
    site, home = tmp_path / "site", tmp_path / "home"
    info = site / "canary-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "canary.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: canary\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\ncanary = canary\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SBF_", "PYTHON", "COV"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)]), "SBF_HOME": str(home), "SBF_PLUGINS": "canary",
        "SBF_ISOLATE": isolate, "WORLD_URL": httpserver.url_for("").rstrip("/"), "WORLD_KEY": KEY,
    }  # fmt: skip
    seen = b""
    commands = (
        ("run",),
        ("run", "--force", "--json"),
        ("--debug", "run", "--force"),
        ("status",),
        ("status", "--json"),
        ("runs",),
        ("runs", "--json"),
        ("doctor",),
        ("verify",),
        ("plan",),
    )
    for arguments in commands:
        done = WARM.run(arguments, env=environment, timeout=HANG_SECONDS)
        assert done.returncode in (0, 1), done.stderr
        seen += (done.stdout + done.stderr).encode()
    bad = WARM.run(("run", "--force"), env={**environment, "WORLD_KEY": KEY + "\n2"}, timeout=HANG_SECONDS)
    seen += (bad.stdout + bad.stderr).encode()
    for path in home.rglob("*"):
        if path.is_file():
            seen += path.read_bytes() + str(path).encode()
    for database in home.rglob("*.duckdb"):
        with duckdb.connect(database, read_only=True) as conn:
            tables = conn.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
            ).fetchall()
            assert len(tables) > 10
            for schema, table in tables:
                seen += repr(conn.execute(f'FROM {schema}."{table}"').fetchall()).encode()
    with duckdb.connect(home / "sbf.duckdb", read_only=True) as conn:
        ways = dict(
            conn.execute(
                "SELECT dataset, string_agg(coalesce(error, status)) FROM ops.file_ingestions "
                "WHERE kind = 'file' GROUP BY 1"
            ).fetchall()
        )
    for name, end in {"good": "ok", "refused": "HTTP 401", "moved": "redirect", "broken": "HTTP 404"}.items():
        assert end in ways[name], "the key went no such way"
    if isolate == "none":
        assert "apikey=***" in ways["raises"]
        assert "ok" in ways["claims"]
    found = [form for form in forms() if form in seen]
    assert found == [], [seen[max(0, seen.find(form) - 150) : seen.find(form) + 80] for form in found]
