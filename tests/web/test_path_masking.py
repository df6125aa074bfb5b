"""No answer says where on this machine something is."""

from __future__ import annotations

import os
import sys
import tempfile
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.responses import Response
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import client_of, everything_linked, seen, site_of

from sbf_core.api import GoldModel
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, EnvironmentFault
from sbf_core.reports.table import FactTable
from sbf_core.runner.options import RunOptions
from sbf_core.runs.live import LiveRun, write_live
from sbf_core.web.grid import grid_of
from sbf_core.web.pages import gold as of_gold
from sbf_core.web.path_masking import PathMasking
from sbf_core.web.site import Site

_ROOT = str(Path(__file__).resolve().parents[2])


def _told_of(html: str, *more: str) -> list[str]:
    """The places of this machine that a page names."""
    ways = {_ROOT, sys.prefix, sys.base_prefix, str(Path.home()), tempfile.gettempdir() + os.sep, *more}
    return sorted(way for way in ways if len(Path(way).parts) > 1 and way in html)


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the folder of the home is."""
    return tmp_path_factory.mktemp("around")


@pytest.fixture(scope="module")
def warehouse(around: Path) -> Warehouse:
    """For tests that only look."""
    return full_of_paths(around)


def full_of_paths(around: Path) -> Warehouse:
    """One whose path has what paths may have, and whose errors are full of paths."""
    home = around / "my [home] (1)" / "ware house"
    vendor, failing = FakeVendor(entry()), FakeVendor(entry(dataset="other", source="other", silver_table="others"))
    vendor.models = [
        GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1"),
        GoldModel(
            name="broken",
            key=("symbol",),
            sql=f"SELECT error(chr(47) || '{str(home)[1:]}/bronze/x and ' || chr(47) || "
            f"'{str(around)[1:]}/other/y.csv') AS symbol FROM silver.px",
        ),
    ]
    vendor.says([price("A", "2024-01-01"), price("B", "/bronze/x")])
    failing.says(OSError(2, "No such file or directory", f"{around}/elsewhere/vendor.csv"), dataset="other")
    warehouse = Warehouse(home, vendor)
    warehouse.plugins["other"] = failing
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "2.5")])
    warehouse.run(hours_later=24, options=RunOptions(force=True))
    now = warehouse.clock.now().isoformat(timespec="seconds")
    write_live(
        home / "live.json",
        LiveRun(
            run_id="r9",
            pid=1,
            started_at=now,
            updated_at=now,
            stage="fetch",
            done=3,
            total=4,
            errors=[f"{home}/bronze/a.csv: {around}/b.csv is not there"],
        ),
    )
    return warehouse


def test_no_page_tells_where_the_home_is(warehouse: Warehouse, around: Path) -> None:
    site = site_of(warehouse)
    assert site.entries, "known before one of them is told to be refused"
    record = next(iter(site.home.plugins.records.values()))
    record.state, record.reason = (
        "refused",
        f"ImportError: cannot import name 'x' from 'odd' ({_ROOT}/sbf_plugins/odd.py); {around}/my own/odd.py",
    )
    found = everything_linked(
        client_of(site), "/sql?query=" + quote("SELECT path FROM duckdb_databases() WHERE NOT internal")
    )
    assert len(found) > 20
    assert {
        path: _told_of(html, str(around), "/my [home] (1)")
        for path, html in found.items()
        if _told_of(html, str(around), "/my [home] (1)")
    } == {}
    assert "ware house" in seen(found["/"]).text
    assert "bronze/a.csv: b.csv is not there" in seen(found["/live"]).text
    assert "cannot import name 'x' from 'odd' (odd.py)" in seen(found["/plugins"]).text


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/runs/nosuch", "/datasets/nosuch", "/payloads/nosuch", "/gold/nosuch",
     "/charts/silver.px/nosuch.json", "/sql?query=SELECT+*+FROM+read_csv('x.csv')", "/sql?query=ATTACH+'x.duckdb'",
     "/lineage?table=silver.nosuch&key=a%3D1&column=x"],
)  # fmt: skip
def test_no_page_of_a_mistake_does(warehouse: Warehouse, around: Path, path: str) -> None:
    answer = client_of(site_of(warehouse)).get(path)
    assert answer.status_code in (400, 404)
    assert _told_of(answer.text, str(around)) == []


def test_no_page_of_a_fault_does(warehouse: Warehouse, around: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[Exception] = [
        EnvironmentFault(
            "the copy cannot be written",
            where=f"{warehouse.home}/published/x.duckdb (3 MiB free)",
            fix=f"chmod 700 {str(warehouse.home)!r}",
        ),
        DamageFound("a block cannot be read", where=str(warehouse.home / "sbf.duckdb"), fix=f"see {around}/log/x.log"),
        ZeroDivisionError(f"{around}/x"),
    ]

    def failing(site: Site, request: Request) -> Response:
        raise faults[0]

    monkeypatch.setattr(of_gold, "gold_page", failing)
    client = client_of(site_of(warehouse))
    while faults:
        answer = client.get("/gold")
        assert answer.status_code == 500
        assert _told_of(answer.text, str(around)) == []
        faults.pop(0)


def test_no_page_of_an_empty_or_held_home_does(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "ware house", FakeVendor(entry()))
    client = client_of(site_of(warehouse))
    assert _told_of(client.get("/").text, str(tmp_path)) == []
    holder = DuckDbBootstrap(DuckDbConfig(home=warehouse.home)).open()
    try:
        held = client.get("/")
    finally:
        holder.close()
    assert "A run is at work" in held.text
    assert _told_of(held.text, str(tmp_path)) == []


def test_what_a_vendor_sent_and_what_was_asked_stays_as_it_is(tmp_path: Path) -> None:
    """A way to the home in a question, or in a payload, was there before the page."""
    warehouse = full_of_paths(tmp_path)
    (vendor,) = (plugin for name, plugin in warehouse.plugins.items() if name != "other")
    vendor.says([price("A", f"{warehouse.home}/bronze/x")])
    warehouse.run(hours_later=24, options=RunOptions(force=True))
    site = site_of(warehouse)
    client = client_of(site)
    question = f"SELECT '{warehouse.home}/x' AS x"
    assert f"required>{question}</textarea>" in unescape(client.get("/sql?query=" + quote(question)).text)
    with site.readers.reading() as cursor:
        ((file_id,),) = cursor.execute(
            "SELECT bronze_file_id FROM ops.bronze_manifest WHERE dataset = 'eod' ORDER BY fetched_at DESC LIMIT 1"
        ).fetchall()
    assert f"{warehouse.home}/bronze/x" in seen(client.get(f"/payloads/{file_id}").text).text


@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("it is at {home}/bronze/a b/c.json; mend it", "it is at bronze/a b/c.json; mend it"),
        ("the home is {home}", "the home is h (1)"), ("{home}2 is another", "h (1)2 is another"),
        ("file://{top}/x/y.csv", "y.csv"),
        ("see https://vendor.example{top}/x and /runs/last", "see https://vendor.example{top}/x and /runs/last"),
        ("3/4 and a/b/c", "3/4 and a/b/c"),
        ("'{top}/one/two.py', {top}/three/four", "'two.py', four"),
    ],
)  # fmt: skip
def test_a_place_is_told_from_the_home_on_or_by_its_name(tmp_path: Path, said: str, told: str) -> None:
    home, top = tmp_path / "h (1)", "/" + Path("/usr").name
    assert PathMasking(home).told(said.replace("{home}", str(home)).replace("{top}", top)) == told.replace("{top}", top)


def test_the_address_of_a_file_is_told_by_its_name(warehouse: Warehouse) -> None:
    """A vendor's address stays whole."""
    rendering = site_of(warehouse).rendering
    grid = grid_of(FactTable(("address",), (("/usr/own files/in.csv",), ("https://vendor.example/usr/x/in.csv",))))
    text = " ".join(rendering._told(cell.text) for (cell,) in grid.rows if cell.is_said)
    assert text == "own files/in.csv https://vendor.example/usr/x/in.csv"
