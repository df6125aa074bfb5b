"""Folders in an object store, on an S3 server of the tests."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import localbucket  # type: ignore[import-untyped]
import pytest
from hang import HANG_SECONDS
from warehouse import Declared, Warehouse

from sbf_core.api import DatasetKeymapEntry, FileRecipe, UsageError, column
from sbf_core.care.verify import Verification
from sbf_core.failures import FailureKind
from sbf_core.http.remote_folder import StoredFile
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

SECRET = "s3-secret-that-nobody-may-see"
OLD = dt.datetime(2023, 12, 1, tzinfo=dt.UTC).timestamp()
SLOW_SECONDS = 60.0


@attrs.frozen
class Price:
    """One price of one day."""

    day: dt.date = column(key=True, source="request.each.day", date_format="%Y%m%d", row_date=True)
    symbol: str = column(key=True)
    close: float = column()


class Server:
    """A bucket in a folder, behind a socket."""

    def __init__(self, root: Path) -> None:
        self.bucket = root / "prices"
        self.bucket.mkdir(parents=True)
        self.asked: list[str] = []
        asked, server = self.asked, self
        #: What an address has in it that is not answered before ``released``; ``held`` once it was asked for.
        self.slow = ""
        self.held, self.released, self.answered = threading.Event(), threading.Event(), threading.Event()

        class Handler(localbucket.S3Handler):  # type: ignore[misc]
            data_root = root

            def do_GET(self) -> None:  # noqa: N802
                if server.slow and server.slow in self.path:
                    server.held.set()
                    server.released.wait(SLOW_SECONDS)
                    server.answered.set()
                super().do_GET()

            def log_message(self, text: str, *args: object) -> None:
                asked.append(str(args[0]))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put(self, name: str, *rows: str, at: float = OLD) -> Path:
        path = self.bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(("symbol,close", *rows)) + "\n")
        os.utime(path, (at, at))
        return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("STORE_ID", "an-access-key")
    monkeypatch.setenv("STORE_SECRET", SECRET)
    server = Server(tmp_path / "buckets")
    yield server
    server.close()


def declared(server: Server | None = None, **recipe: Any) -> DatasetKeymapEntry:
    endpoint = "http://127.0.0.1:9" if server is None else server.endpoint
    usual: dict[str, Any] = {
        "path": "s3://prices/drops/*.csv", "each": "file", "parts": r".*_(?P<day>\d{8})\.csv",
        "options": {"endpoint": endpoint, "region": "us-east-1"},
        "secrets": {"access_key_id": "STORE_ID", "secret_access_key": "STORE_SECRET"},
    }  # fmt: skip
    return DatasetKeymapEntry(
        domain="prices", source="bucket", dataset="eod", silver_table="px", columns=Price, scope="per_ticker",
        recipe=FileRecipe(**{**usual, **recipe}),
    )  # fmt: skip


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def files(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in warehouse.ask("SELECT address FROM ops.bronze_manifest ORDER BY fetched_at")]


def test_each_file_of_a_bucket_is_read_once_and_again_where_it_changed(tmp_path: Path, server: Server) -> None:
    for number in range(1, 21):
        server.put(f"drops/x_202401{number:02}.csv", f"A,{number}")
    server.put("drops/deeper/x_20240131.csv", "A,99")
    server.put("other/x_20240131.csv", "A,99")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    assert files(warehouse) == [f"s3://prices/drops/x_202401{number:02}.csv" for number in range(1, 21)], "in order"
    assert warehouse.ask("SELECT count(*), sum(close) FROM silver.px") == [(20, 210.0)]
    asked = [text.split()[1].rpartition("/")[2] for text in server.asked if "list-type" not in text]
    assert asked.index("x_20240120.csv") >= 12, "eight are on their way, those of the first names first"
    server.asked.clear()
    assert warehouse.run(hours_later=1).requests == 0
    assert len(server.asked) == 1, "one look at the list"
    server.put("drops/x_20240101.csv", "A,1.5")  # of the same age
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_updated) == (1, 1)
    server.put("drops/x_20240101.csv", "A,1.6", at=OLD + 0.25)  # of the same size and second
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_updated) == (1, 1)
    assert Verification(warehouse.opened()).run().findings == []


def test_of_two_files_with_one_key_the_later_name_counts(tmp_path: Path, server: Server) -> None:
    for number in range(30):
        server.put(f"drops/{number:02}_20240101.csv", f"A,{number}")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    assert warehouse.ask("SELECT close FROM silver.px") == [(29.0,)]


def test_folders_at_any_depth_and_odd_names(tmp_path: Path, server: Server) -> None:
    names = ("a_20240101.csv", "x/b c_20240102.csv", "x/y/é,#%_20240103.csv")
    for name in names:
        server.put(f"drops/{name}", "A,1")
    server.put("drops/.hidden/a_20240104.csv", "A,1")
    server.put("drops/x/notes.txt", "A,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server, path="s3://prices/drops/**/*.csv")))
    assert is_fine(warehouse.run())
    assert sorted(files(warehouse)) == sorted(f"s3://prices/drops/{name}" for name in names)


@pytest.mark.parametrize(("folder", "other"), [("drops#1", "drops"), ("a%20b", "a b"), ("a b", "a%20b")])
def test_a_folder_is_read_letter_by_letter(tmp_path: Path, server: Server, folder: str, other: str) -> None:
    server.put(f"{folder}/right_20240101.csv", "A,1")
    server.put(f"{other}/wrong_20240102.csv", "B,2")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server, path=f"s3://prices/{folder}/*.csv")))
    assert is_fine(warehouse.run())
    assert files(warehouse) == [f"s3://prices/{folder}/right_20240101.csv"]


def test_the_same_bytes_written_once_more_are_not_fetched(tmp_path: Path, server: Server) -> None:
    server.put("drops/x_20240101.csv", "A,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    server.put("drops/x_20240101.csv", "A,1", at=OLD + 86_400)
    assert warehouse.run(hours_later=1).requests == 0


def test_a_list_with_parts_of_seconds_says_nothing_new() -> None:
    """Some stores list moments to the millisecond, and answer with whole seconds in the header of a file."""
    listed, read, later = (
        StoredFile(name="x", byte_count=1, changed_at=dt.datetime(2024, 1, 1, 0, 0, second, part, dt.UTC), etag="")
        for second, part in ((0, 700_000), (0, 0), (1, 0))
    )
    assert listed.mark == read.mark != later.mark


def test_an_address_of_a_server_may_be_written_otherwise(tmp_path: Path, server: Server) -> None:
    server.put("drops/x_20240101.csv", "A,1")
    options = {"endpoint_url": server.endpoint, "region": "us-east-1"}
    assert is_fine(Warehouse(tmp_path / "home", Declared(declared(server, options=options))).run())


def test_a_replay_needs_neither_key_nor_server(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put("drops/x_20240101.csv", "A,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    monkeypatch.delenv("STORE_SECRET")
    again = Warehouse(tmp_path / "again", Declared(declared(None)))
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert again.ask("SELECT count(*) FROM silver.px") == [(1,)]


def test_without_its_key_it_is_left_out_unless_it_is_named(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORE_SECRET")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    assert server.asked == []
    assert any("STORE_SECRET" in note for note in warehouse.runner().plan().notes)


def test_no_key_is_kept_or_told(tmp_path: Path, server: Server) -> None:
    server.put("drops/x_20240101.csv", f"A,1\n{SECRET},2")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    assert is_fine(warehouse.run())
    kept = [path for path in warehouse.home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert {path.suffix for path in kept} <= {".csv", ".duckdb"}, "what the store sent, and the row that it made"
    broken = Warehouse(tmp_path / "broken", Declared(declared(None)))
    assert SECRET not in str(broken.run().failures)


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"path": "s3://nowhere/drops/*.csv"}, "NoSuchBucket"),
        ({"options": {"endpoint": "http://127.0.0.1:9", "region": "x"}}, "its folder cannot be read: Generic S3 error"),
        ({"options": {"bucket_colour": "red"}}, "'bucket_colour' is not valid"),
        ({"options": {"client_options": "x"}}, "'client_options' is not valid"),
        ({"secrets": {"secret_access_key": "NOT_SET_ANYWHERE"}}, "the key NOT_SET_ANYWHERE is not set"),
    ],
)
def test_what_cannot_be_read_is_a_failure_of_the_dataset(
    tmp_path: Path, server: Server, recipe: dict[str, Any], told: str
) -> None:
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server, **recipe)))
    context = warehouse.run(options=RunOptions(plugins=("fake",)))
    (failure,) = context.failures
    assert told in str(failure)
    assert "; ;" not in str(failure)
    assert context.status != "ok"


def test_a_file_that_goes_meanwhile_costs_itself(tmp_path: Path, server: Server) -> None:
    server.put("drops/a_20240101.csv", "A,1")
    gone = server.put("drops/b_20240101.csv", "A,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    runner = warehouse.runner()
    start = runner._progress.start

    def started(stage: str, count: int) -> None:
        gone.unlink(missing_ok=True)  # between the list and the first file
        start(stage, count)

    runner._progress.start = started  # type: ignore[method-assign]
    context = runner.run()
    assert [one.kind for one in context.failures] == [FailureKind.FILE]
    assert warehouse.ask("SELECT close FROM silver.px") == [(1.0,)]


class PanicException(BaseException):
    """As what a library in another language raises where its core gives up."""


def test_a_library_that_gives_up_costs_its_dataset(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_up(*_: object, **__: object) -> None:
        raise PanicException("it gave up")

    monkeypatch.setattr("obstore.store.from_url", gives_up)
    context = Warehouse(tmp_path / "home", Declared(declared(server))).run()
    assert "its folder cannot be read: it gave up" in str(context.failures[0])


@pytest.mark.parametrize("is_listing", [True, False])
def test_an_interrupt_waits_for_no_slow_server(tmp_path: Path, server: Server, is_listing: bool) -> None:
    """A store may take minutes to answer, and its library knows no signals."""
    server.put("drops/a_20240101.csv", "A,1")
    server.put("drops/b_20240101.csv", "B,1")
    server.slow = "list-type" if is_listing else "b_2024"
    warehouse = Warehouse(tmp_path / "home", Declared(declared(server)))
    main = threading.get_ident()
    interrupter = threading.Thread(
        target=lambda: server.held.wait(HANG_SECONDS) and signal.pthread_kill(main, signal.SIGINT)
    )
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        warehouse.run()
    for thread in [one for one in threading.enumerate() if one.name.startswith("sbf-")]:
        thread.join(HANG_SECONDS)  # else the process would wait for it
    assert not server.answered.is_set(), "nobody waited for the server"
    server.released.set()
    interrupter.join()
    assert is_fine(warehouse.run(hours_later=1))
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(2,)]


def test_a_notebook_has_a_loop_of_its_own(tmp_path: Path, server: Server) -> None:
    server.put("drops/a_20240101.csv", "A,1")

    async def cell() -> RunContext:
        return Warehouse(tmp_path / "home", Declared(declared(server))).run()

    assert is_fine(asyncio.run(cell()))


def test_without_the_library_it_is_told_what_to_install(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.exceptions", None)
    context = Warehouse(tmp_path / "home", Declared(declared(server))).run()
    assert 'pip install "sbf[stores]"' in str(context.failures[0])


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"path": "s3:///drops/*.csv"}, "names no bucket"),
        ({"path": "s3://pri*es/drops/*.csv"}, "names no bucket"),
        ({"path": "s3://prices/drops/a.csv"}, "found by a pattern"),
        ({"path": "s3://prices/../*.csv"}, "** and .. are no part"),
        ({"path": "drops/*.csv"}, "options and secrets belong to an object store"),
        ({"each": "", "parts": ""}, "is read as each file of a folder"),
        ({"options": {"skip_signature": True}}, "options and secrets are texts"),
        ({"options": {"access_key_id": "x"}}, "'access_key_id' is an option and a secret"),
        ({"options": {"endpoint": "storage.example.com"}}, "the option 'endpoint' is no address"),
        ({"options": {"aws_endpoint_url": "https:///"}}, "the option 'aws_endpoint_url' is no address"),
    ],
)
def test_what_does_not_go_together_is_refused(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        declared(None, **recipe)
    assert told in str(error.value)
