"""Many clients at one moment: each gets its answer, with a copy for readers and without one."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest
from hang import HANG_SECONDS
from starlette.requests import Request
from starlette.responses import Response
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import client_of, seen, site_of
from web.serving import served, statuses

from sbf_core.api import GoldModel
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.web import readers as of_door
from sbf_core.web.pages import gold as of_gold
from sbf_core.web.site import Site

_CLIENTS = 200
_PATHS = (
    "/runs",
    "/runs/last?layer=silver",
    "/datasets/px?tab=rows",
    "/gold/lasts",
    "/gold/lasts/download.csv",
    "/charts",
    "/live",
    "/plugins",
    "/payloads/none",
)


def _home(tmp_path: Path, publish: str) -> Warehouse:
    vendor = FakeVendor(entry())
    vendor.models = [
        GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1")
    ]
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-02")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(run__publish=publish)
    assert (warehouse.home / "published" / "current.json").exists() == (publish == "yes")
    return warehouse


@pytest.mark.parametrize("publish", ["yes", "no"])
def test_two_hundred_clients_get_two_hundred_answers(tmp_path: Path, publish: str) -> None:
    """The first ones that ask, and later ones."""
    with served(site_of(_home(tmp_path, publish))) as pages:
        for _ in range(2):
            answers = pages.all_at_once([_PATHS[place % len(_PATHS)] for place in range(_CLIENTS)])
            of_nothing = sum(1 for place in range(_CLIENTS) if _PATHS[place % len(_PATHS)] == "/payloads/none")
            assert statuses(answers) == {"200": _CLIENTS - of_nothing, "404": of_nothing}


def test_two_hundred_clients_are_told_of_the_first_run(tmp_path: Path) -> None:
    warehouse = _home(tmp_path, "no")
    holder = DuckDbBootstrap(DuckDbConfig(home=warehouse.home)).open()
    with served(site_of(warehouse)) as pages:
        try:
            answers = pages.all_at_once(["/runs"] * _CLIENTS)
            assert statuses(answers) == {"200": _CLIENTS}
            assert all("A run is at work" in seen(answer.decode()).text for answer in answers)
        finally:
            holder.close()
        assert "A run is at work" not in seen(pages.get("/runs").decode()).text


def test_a_database_without_a_copy_is_opened_once_for_all_who_read_it(tmp_path: Path) -> None:
    site = site_of(_home(tmp_path, "no"))
    with site.readers.reading() as one, site.readers.reading() as another:
        assert site.readers._held is not None
        assert site.readers._held.readers == 2
        one.execute("CREATE TEMP TABLE own AS SELECT 1")
        with pytest.raises(duckdb.CatalogException):
            another.execute("FROM own")
    assert site.readers._held is None, "nobody reads it: a run may begin"


def test_a_page_without_a_copy_gets_more_memory_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = _home(tmp_path, "no")
    site, limits, page = site_of(warehouse), [], of_gold.gold_page

    def hungry(site: Site, request: Request) -> Response:
        with site.readers.reading() as cursor:
            limits.append(str(cursor.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]))
        if len(limits) == 1:
            raise duckdb.OutOfMemoryException("too little")
        return page(site, request)

    monkeypatch.setattr(of_gold, "gold_page", hungry)
    assert client_of(site).get("/gold").status_code == 200
    assert limits == ["38.1 MiB", "488.2 MiB"]


def test_readers_without_end_leave_the_database_for_a_run_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next reader of a database that was open for its turn waits for those before, and then opens it anew."""
    monkeypatch.setattr(of_door, "_TURN_SECONDS", -1.0)
    monkeypatch.setattr(of_door, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(of_door, "_WAIT_FOR_READERS_SECONDS", HANG_SECONDS)
    site = site_of(_home(tmp_path, "no"))
    first, is_in, was_alone = site.readers.reading(), threading.Event(), []

    def second() -> None:
        with site.readers.reading():
            assert site.readers._held is not None
            was_alone.append(site.readers._held.readers == 1)
            is_in.set()

    with first:
        reader = threading.Thread(target=second)
        reader.start()
        assert not is_in.wait(0.2), "it joined the one before"
    reader.join(HANG_SECONDS)
    assert was_alone == [True]


def test_downloads_take_no_place_of_a_page(tmp_path: Path) -> None:
    site = site_of(_home(tmp_path, "yes"))
    download = of_gold._csv(site, "lasts")
    assert next(download).startswith("symbol,close\n")
    assert site.readers._places._value == of_door._READERS_AT_ONCE
    download.close()


def test_a_download_that_cannot_be_made_is_told_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> object:
        raise duckdb.OutOfMemoryException("too little")
        yield ""

    monkeypatch.setattr(of_gold, "_csv", broken)
    answer = client_of(site_of(_home(tmp_path, "yes"))).get("/gold/lasts/download.csv")
    assert answer.status_code == 500
    assert "needs more memory" in seen(answer.text).text
