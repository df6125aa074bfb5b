"""A vendor that sends the user's key back, in every shape and by every way:
it is in the exact bytes of Bronze and nowhere else.

Real processes of the real command line, a real socket, and the pages over the home that they leave. Some outputs are
asked for without the key being set, so that nothing is taken out of them that was written before.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from hang import HANG_SECONDS
from pytest_httpserver import HTTPServer
from starlette.testclient import TestClient
from warm_sbf import WARM
from werkzeug import Request, Response

from sbf_core.clock import clock_of_process
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.settings.settings import Settings
from sbf_core.web.app import make_app
from sbf_core.web.site import Site

ROOT = Path(__file__).resolve().parents[2]
KEY = 'c4nary-Sup3r/Se+cr=et&"k3y'
SHAPES = {
    "plain": KEY, "address": quote(KEY, safe=""), "part of an address": quote(KEY),
    "form": KEY.replace("&", "%26").replace("+", "%2b"), "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 with a user": base64.b64encode(f"me:{KEY}".encode()).decode(), "JSON": json.dumps(KEY)[1:-1],
    "JSON of others": json.dumps(KEY)[1:-1].replace("/", "\\/").replace("&", "\\u0026"),
    "HTML": html.escape(KEY), "hexadecimal": KEY.encode().hex(),
}  # fmt: skip
#: What is looked for: each shape, and pieces that no escape changes.
CANARIES = [
    *(shape.encode() for shape in SHAPES.values()),
    b"c4nary",
    b"Sup3r",
    KEY.encode("utf-16-le"),
    base64.b64encode(KEY.encode())[4:-6],
]
WAYS = (
    "header",
    "denied",
    "down",
    "gone",
    "moved",
    "paged",
    "note",
    "page",
    "rows",
    "fields",
    "params",
    "drift",
    "csv",
)
PLUGIN = """
import os
import attrs
from sbf_core.api import *

@attrs.frozen
class Row:
    number: int = column(key=True)
    remark: str | None = column()

def entry(name, **more):
    extension = "csv" if name == "csv" else "json"
    secret_fields = ("$.request.params.*",) if name == "masked" else ()
    pages = Pages(by="next_url", next_at="next") if name == "paged" else None
    recipe = RestRecipe(url=os.environ["WORLD_URL"] + "/" + name, secrets={"apikey": "WORLD_KEY"},
                        secret_headers={"x-api-key": "WORLD_KEY"}, extension=extension, pages=pages,
                        secret_fields=secret_fields)
    rows_at = "rows" if name in ("paged", "params", "masked", "drift") else ""
    return DatasetKeymapEntry(domain="test", source="v_" + name, dataset=name, silver_table="v_" + name, columns=Row,
                              recipe=recipe, rows_at=rows_at, reject_share_max=1.0, refresh_after_hours=0,
                              is_data=DataRules(error_fields=("Note",)))

@hookimpl
def datasets():
    return [entry(name) for name in os.environ['WORLD_WAYS'].split()]
"""


def answer(request: Request) -> Response:
    name = request.path.rsplit("/", 1)[-1]
    assert request.args["apikey"] == KEY or name == "elsewhere"
    said = " | ".join(SHAPES.values())
    rows = [{"number": 1, "remark": "fine"}]
    if name in ("denied", "down", "gone"):
        return Response(
            json.dumps({"error": said}) if name != "gone" else said,
            status={"denied": 401, "down": 503, "gone": 404}[name],
            headers={"retry-after": "0"},
        )
    if name == "moved":
        return Response(
            said,
            status=302,
            headers={"location": f"http://elsewhere.example/{quote(KEY, safe='')}?apikey={quote(KEY)}"},
        )
    if name == "page":
        return Response(f"<html><title>{html.escape(KEY)}</title>{said}</html>", content_type="text/html")
    if name == "csv":
        return Response(
            f'number,remark\n1,fine\n{SHAPES["address"]},x\n"{KEY.replace(chr(34), chr(34) * 2)}",y\n',
            content_type="text/csv",
        )
    found: object = {
        "note": {"Note": said}, "rows": [*rows, *({"number": "x" + shape, "remark": "r"} for shape in SHAPES.values())],
        "fields": [{**row, KEY: 1, "also": said} for row in rows],
        "params": {"request": {"params": {"apikey": KEY, "all": said}}, "rows": rows},
        "masked": {"request": {"params": {"apikey": KEY, "all": said}}, "rows": rows},
        "drift": {
            "rows": [{"number": number, "remark": "r", "echo": shape} for number, shape in enumerate(SHAPES.values())],
        },
        "paged": {
            "rows": [{"number": int(request.args.get("page", 1)), "remark": "p"}],
            "next": f"/paged?page=2&apikey={quote(KEY, safe='')}" if "page" not in request.args else None,
        },
    }.get(name, rows)  # fmt: skip
    return Response(
        json.dumps(found),
        content_type="application/json",
        headers={
            "etag": f'"{quote(KEY)}"',
            "last-modified": base64.b64encode(KEY.encode()).decode(),
            "x-key": quote(KEY),
        },
    )


class World:
    """The home, and what was shown so far."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.home = folder, folder / "home"
        site = folder / "site"
        info = site / "canary-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "sent_back.py").write_text(PLUGIN)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: canary\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[sbf.plugins]\ncanary = sent_back\n")
        usual = {name: value for name, value in os.environ.items() if not name.startswith(("SBF_", "PYTHON", "COV"))}
        self.environment = {
            **usual, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)]), "SBF_PLUGINS": "canary", "SBF_TESTING": "1",
            "SBF_NOW": "2026-03-02T12:00:00+00:00", "WORLD_URL": url, "WORLD_WAYS": " ".join((*WAYS, "masked")),
        }  # fmt: skip
        self.shown: dict[str, bytes] = {}

    def sbf(self, *words: str, key: bool = True, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, "SBF_HOME": str(home or self.home), **({"WORLD_KEY": KEY} if key else {})}
        done = WARM.run(words, env=environment, timeout=HANG_SECONDS)
        assert done.returncode in (0, 1), (words, done.stderr[-2000:])
        self.shown[" ".join(words) + (" with the key" if key else "") + f" #{len(self.shown)}"] = (
            done.stdout + done.stderr
        ).encode()
        return done


@pytest.fixture
def world(tmp_path: Path, httpserver: HTTPServer) -> World:
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(answer)
    return World(tmp_path, httpserver.url_for("").rstrip("/"))


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything in a folder but the payloads, and the rows of every table as text."""
    for path in sorted(folder.rglob("*")):
        yield f"name of {path.name}", str(path.relative_to(folder)).encode()
        parts = path.relative_to(folder).parts
        if path.is_file() and ("bronze" not in parts or "_journal" in parts):
            yield str(path), path.read_bytes()
    for database in sorted(folder.rglob("*.duckdb")):
        with duckdb.connect(database, read_only=True) as conn:
            tables = conn.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
            ).fetchall()
            assert len(tables) > 10
            for schema, table in tables:
                yield (
                    f"{database.name}: {schema}.{table}",
                    "\n".join(
                        str(value) for row in conn.execute(f'FROM {schema}."{table}"').fetchall() for value in row
                    ).encode(),
                )


def pages_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, bytes]]:
    """Every page that links lead to."""
    monkeypatch.syspath_prepend(str(world.folder / "site"))
    monkeypatch.setenv("WORLD_URL", world.environment["WORLD_URL"])
    monkeypatch.setenv("WORLD_WAYS", world.environment["WORLD_WAYS"])
    monkeypatch.setenv("WORLD_KEY", KEY)
    import importlib

    manager = PluginManager(())
    manager.register(importlib.import_module("sent_back"), name="canary")
    site = Site(Home(Settings(world.home, environment={}), clock=clock_of_process(), plugins=manager))
    client = TestClient(
        make_app(site, hosts=frozenset({"127.0.0.1:8420"})),
        base_url="http://127.0.0.1:8420",
        raise_server_exceptions=False,
    )
    try:
        done, todo = set(), ["/", "/runs", "/datasets", "/live", "/plugins"]
        todo += [
            f"/datasets/v_{name}?tab={tab}"
            for name in (*WAYS, "masked")
            for tab in ("rows", "bronze", "silver", "coverage")
        ]
        with duckdb.connect(world.home / "sbf.duckdb", read_only=True) as conn:
            todo += [
                f"/payloads/{one}"
                for (one,) in conn.execute("SELECT bronze_file_id FROM ops.bronze_manifest").fetchall()
            ]
        while todo:
            path = todo.pop()
            if path in done or len(done) > 150:
                continue
            done.add(path)
            shown = client.get(path)
            assert shown.status_code in (200, 404), (path, shown.text[-300:])
            yield f"page {path}", shown.content
            if path in ("/runs", "/"):
                todo += re.findall(r'href="(/runs/[^"#?]+)', shown.text)
        assert sum(path.startswith("/payloads/") for path in done) > 5 and any(
            path.startswith("/runs/") for path in done
        )
    finally:
        site.renderer.close()
        site.readers.close()


def spilled(found: Iterator[tuple[str, bytes]]) -> list[str]:
    return [
        f"{canary!r} in {name}: ...{content[max(0, content.find(canary) - 60) : content.find(canary) + 60]!r}"
        for name, content in found
        for canary in CANARIES
        if canary in content
    ]


def test_a_key_that_is_sent_back_is_in_bronze_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.sbf("run")
    for name in ("rows", "fields", "params", "drift", "csv"):
        assert f"test/v_{name}/{name}: the vendor repeats your key" in first.stderr, name
    assert "v_masked/masked: the vendor repeats" not in first.stderr
    payloads = {
        path.parts[-3]: path.read_bytes()
        for path in (world.home / "bronze").rglob("*")
        if path.is_file() and "_journal" not in path.parts
    }
    assert KEY.encode() in payloads["csv"].replace(b'""', b'"') and json.dumps(KEY).encode() in payloads["params"], (
        "Bronze keeps the exact bytes"
    )
    assert not any(canary in payloads["masked"] for canary in CANARIES)
    for words in (
        ("run", "--force", "--json"),
        ("--debug", "run", "--force"),
        ("verify",),
        ("plan",),
        ("rebuild",),
        ("verify", "--json"),
        ("backup", str(tmp_path / "backup")),
    ):
        world.sbf(*words)
    world.sbf("run", "--replay", str(world.home), home=tmp_path / "again")
    world.sbf("restore", str(tmp_path / "backup"), home=tmp_path / "restored")
    for words in (
        ("status",),
        ("status", "--json"),
        ("runs",),
        ("runs", "last"),
        ("runs", "last", "--json"),
        ("rejects", "v_rows"),
        ("rejects", "v_csv", "--json"),
        ("doctor",),
    ):
        world.sbf(*words, key=False)
    for table in ("rejects", "schema_drift", "file_ingestions", "promotion_manifest", "bronze_manifest", "quarantine"):
        world.sbf("sql", "--json", "--limit", "0", f"SELECT * FROM ops.{table}", key=False)
    with duckdb.connect(world.home / "sbf.duckdb", read_only=True) as conn:
        rejected = conn.execute("SELECT silver_table, count(*) FROM ops.rejects GROUP BY 1 ORDER BY 1").fetchall()
        assert rejected == [("v_csv", 2), ("v_rows", len(SHAPES))], "the key went that way"
        ends = dict(
            conn.execute(
                "SELECT dataset, max(error) FROM ops.file_ingestions WHERE kind = 'file' GROUP BY 1"
            ).fetchall()
        )
        assert all(name in {**ends} for name in ("rows", "params")), ends
    assert {path.parts[-2 - 1] for path in (world.home / "quarantine" / "no_data").rglob("*") if path.is_file()} >= {
        "note",
        "page",
    }
    found = spilled(iter(world.shown.items()))
    for folder in (world.home, tmp_path / "backup", tmp_path / "again", tmp_path / "restored"):
        found += spilled(written(folder))
    found += spilled(pages_of(world, monkeypatch))
    assert found == []
