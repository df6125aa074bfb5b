"""Folders on other machines: listed by a web server, by FTP, by SFTP. Each file once, and again where it changed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import file_servers
import pytest
from file_servers import PASSWORD, Place
from hang import HANG_SECONDS
from warehouse import Declared, Warehouse

from sbf_core.api import DatasetKeymapEntry, FileRecipe, UsageError, column
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.failures import FailureKind
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext

OLD = dt.datetime(2023, 12, 1, tzinfo=dt.UTC).timestamp()
ODD = "b c&d#é%20'+<1>;=@~_20240102.csv"
SERVERS: dict[str, Any] = {"web": file_servers.web, "nginx": file_servers.nginx, "ftp": file_servers.ftp,
                           "sftp": file_servers.sftp}  # fmt: skip


@attrs.frozen
class Price:
    """One price of one day."""

    day: dt.date = column(key=True, source="request.each.day", date_format="%Y%m%d", row_date=True)
    symbol: str = column(key=True)
    close: float = column()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROPS_PASSWORD", PASSWORD)


@pytest.fixture(params=list(SERVERS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "root" / "drops").mkdir(parents=True)
    with SERVERS[request.param](tmp_path / "root") as one:
        yield one


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "drops").mkdir(parents=True)
    return tmp_path / "root"


def put(root: Path, name: str, *rows: str, at: float = OLD) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("symbol,close", *rows)) + "\n")
    os.utime(path, (at, at))
    return path


def declared(place: Place, path: str = "drops/*.csv", **recipe: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {"each": "file", "parts": r"(?s:.*)_(?P<day>\d{8})\.csv", **place.recipe}
    return DatasetKeymapEntry(
        domain="prices", source="drops", dataset="eod", silver_table="px", columns=Price, scope="per_ticker",
        recipe=FileRecipe(**{**usual, "path": f"{place.address}/{path}", **recipe}),
    )  # fmt: skip


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def names(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in warehouse.ask("SELECT ticker FROM ops.bronze_manifest ORDER BY fetched_at")]


def test_each_file_is_read_once_and_again_where_it_changed(place: Place, tmp_path: Path) -> None:
    for number in range(1, 13):
        put(place.root, f"drops/x_202401{number:02}.csv", f"A,{number}")
    put(place.root, "drops/deeper/x_20240131.csv", "A,99")
    put(place.root, "other/x_20240131.csv", "A,99")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
    assert is_fine(warehouse.run())
    assert names(warehouse) == [f"x_202401{number:02}.csv" for number in range(1, 13)], "in order"
    assert warehouse.ask("SELECT count(*), sum(close) FROM silver.px") == [(12, 78.0)]
    place.asked.clear()
    assert warehouse.run(hours_later=1).requests == 0
    assert len(place.asked) <= 1, "one look at the list"
    put(place.root, "drops/x_20240101.csv", "A,1.5")  # of the same age
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_updated) == (1, 1)
    put(place.root, "drops/x_20240101.csv", "A,1.6", at=OLD - 86_400)  # of the same size, and older than it was
    context = warehouse.run(hours_later=1)
    assert (context.requests, context.rows_updated) == (1, 1)
    (place.root / "drops/x_20240102.csv").unlink()
    assert warehouse.run(hours_later=1).requests == 0
    assert Verification(warehouse.opened()).run().findings == []
    before = warehouse.ask("SELECT day, symbol, close FROM silver.px ORDER BY ALL")
    rebuild(warehouse.opened())
    assert warehouse.ask("SELECT day, symbol, close FROM silver.px ORDER BY ALL") == before
    assert warehouse.run(hours_later=2).requests == 0, "a rebuild knows what it has"


def test_folders_at_any_depth_and_odd_names(place: Place, tmp_path: Path) -> None:
    found = ("a_20240101.csv", f"x y/{ODD}", "x y/z/c_20240103.csv")
    for name in found:
        put(place.root, f"drops/{name}", f"{name[0]},1")
    put(place.root, "drops/.hidden/a_20240104.csv", "A,1")
    put(place.root, "drops/x y/notes.txt", "A,1")
    (place.root / "drops/loop").symlink_to(place.root / "drops")
    (place.root / "drops/nowhere_20240105.csv").symlink_to(place.root / "drops/none")
    path = "drops/[!l]*/**/*.csv" if place.address.startswith(("http", "ftp")) else "drops/**/*.csv"
    # neither HTTP nor FTP tells a link from what it leads to
    warehouse = Warehouse(tmp_path / "home", Declared(declared(place, path)))
    assert is_fine(warehouse.run())
    expected = [name for name in found if "/" in name or path.startswith("drops/**")]
    shown = [name.replace("%25", "%").replace("%2C", ",") for name in names(warehouse)]
    assert sorted(shown) == sorted(expected)


def test_a_folder_that_is_not_there_is_a_failure(place: Place, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", Declared(declared(place, "nowhere/*.csv")))
    (failure,) = warehouse.run().failures
    assert "its folder cannot be read" in str(failure) and "nowhere" in str(failure)


def test_a_file_that_goes_meanwhile_costs_itself(place: Place, tmp_path: Path) -> None:
    put(place.root, "drops/a_20240101.csv", "A,1")
    gone = put(place.root, "drops/b_20240101.csv", "B,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
    runner = warehouse.runner()
    start = runner._progress.start

    def started(stage: str, count: int) -> None:
        gone.unlink(missing_ok=True)  # between the list and the first file
        start(stage, count)

    runner._progress.start = started  # type: ignore[method-assign]
    context = runner.run()
    assert [one.kind for one in context.failures] in ([FailureKind.FILE], [FailureKind.HTTP_STATUS])
    assert warehouse.ask("SELECT close FROM silver.px") == [(1.0,)]


def test_a_replay_needs_neither_key_nor_server(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(place.root, f"drops/{ODD}", "A,1")
    warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
    assert is_fine(warehouse.run())
    monkeypatch.delenv("DROPS_PASSWORD")
    again = Warehouse(tmp_path / "again", Declared(declared(place)))
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert again.ask("SELECT count(*) FROM silver.px") == [(1,)]
    secret = PASSWORD.encode()
    assert not [one for one in warehouse.home.rglob("*") if one.is_file() and secret in one.read_bytes()]


def test_a_list_without_times_leads_to_the_question_whether_it_changed(root: Path, tmp_path: Path) -> None:
    with file_servers.web(root, has_times=False) as place:
        put(root, "drops/x_20240101.csv", "A,1")
        put(root, "drops/y_20240101.csv", "B,1")
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        assert is_fine(warehouse.run())
        put(root, "drops/y_20240101.csv", "B,2")
        place.asked.clear()
        context = warehouse.run(hours_later=1)
        assert (context.requests, context.files, context.unchanged_files) == (2, 1, 1)
        assert all('"' in text for text in place.asked if ".csv" in text), "with the mark of the vendor"
        assert warehouse.ask("SELECT close FROM silver.px ORDER BY symbol") == [(1.0,), (2.0,)]


def test_a_change_within_the_minute_of_a_list_is_seen(root: Path, tmp_path: Path) -> None:
    """The list says the same, and the answer was as young as that."""
    with file_servers.web(root) as place:
        now = dt.datetime.now(dt.UTC).timestamp() - 1
        put(root, "drops/x_20240101.csv", "A,1", at=now)
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        assert is_fine(warehouse.run())
        put(root, "drops/x_20240101.csv", "A,2", at=now)
        context = warehouse.run(hours_later=0.001)
        assert (context.requests, context.rows_updated) == (1, 1)
        context = warehouse.run(hours_later=1)
        assert context.requests == 1, "once more, because that was too soon, too"
        assert warehouse.run(hours_later=1).requests == 0


def test_a_server_without_marks_is_asked_for_each_file(root: Path, tmp_path: Path) -> None:
    with file_servers.web(root, has_marks=False) as place:
        put(root, "drops/x_20240101.csv", "A,1")
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        assert is_fine(warehouse.run())
        context = warehouse.run(hours_later=1)
        assert (context.requests, context.files, context.unchanged_files) == (1, 0, 1), "the same bytes are no news"


def test_headers_and_keys_go_with_the_list_and_the_files(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROPS_AUTHORIZATION", "Basic c2VjcmV0LW9mLXRlc3Rz")
    seen: list[tuple[str, str]] = []
    get = file_servers._Web.do_GET

    def noted(self: Any) -> None:
        seen.append((self.headers.get("Authorization", ""), self.headers.get("X-Contact", "")))
        get(self)

    monkeypatch.setattr(file_servers._Web, "do_GET", noted)
    with file_servers.web(root) as place:
        put(root, "drops/x_20240101.csv", "A,1")
        entry = declared(place, options={"X-Contact": "me"}, secrets={"Authorization": "DROPS_AUTHORIZATION"})
        assert is_fine(Warehouse(tmp_path / "home", Declared(entry)).run())
    assert set(seen) == {("Basic c2VjcmV0LW9mLXRlc3Rz", "me")}


def test_lists_of_nginx_in_json(root: Path, tmp_path: Path) -> None:
    with file_servers.nginx(root, form="json") as place:
        put(root, f"drops/{ODD}", "A,1")
        put(root, "drops/deep/x_20240101.csv", "A,1")
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place, "drops/**/*.csv")))
        assert is_fine(warehouse.run())
        assert warehouse.ask("SELECT count(*) FROM silver.px") == [(2,)]
        assert warehouse.run(hours_later=1).requests == 0


@pytest.mark.parametrize("is_listing", [True, False])
def test_an_interrupt_waits_for_no_slow_server(root: Path, tmp_path: Path, is_listing: bool) -> None:
    with file_servers.web(root) as place:
        put(root, "drops/a_20240101.csv", "A,1")
        put(root, "drops/b_20240101.csv", "B,1")
        place.slow = "drops/" if is_listing else "b_2024"
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        main = threading.get_ident()
        interrupter = threading.Thread(
            target=lambda: place.held.wait(HANG_SECONDS) and signal.pthread_kill(main, signal.SIGINT)
        )
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            warehouse.run()
        interrupter.join()
        place.released.set()


def test_ftp_with_tls_shows_its_certificate(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = file_servers.certificate_in(tmp_path)
    with file_servers.ftp(root, certificate=certificate) as place:
        put(root, "drops/a_20240101.csv", "A,1")
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        assert "CERTIFICATE_VERIFY_FAILED" in str(warehouse.run().failures[0])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert is_fine(warehouse.run(hours_later=1))
        assert warehouse.ask("SELECT close FROM silver.px") == [(1.0,)]
        plain = Place(root, place.address.replace("ftps:", "ftp:"), **place.recipe)
        context = Warehouse(tmp_path / "plain", Declared(declared(plain))).run()
        assert "its folder cannot be read" in str(context.failures[0]), "a server that wants TLS gets no password"


def test_a_password_that_is_wrong_is_told_of_without_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROPS_PASSWORD", "not-the-password-of-it")
    for kind in (file_servers.ftp, file_servers.sftp):
        with kind(root) as place:
            told = str(Warehouse(tmp_path / kind.__name__, Declared(declared(place))).run().failures[0])
            assert "its folder cannot be read" in told and "not-the-password-of-it" not in told


def test_an_ftp_server_that_knows_no_list_for_programs(root: Path, tmp_path: Path) -> None:
    with file_servers.ftp(root, without=("MLSD",)) as place:
        put(root, "drops/a_20240101.csv", "A,1")
        (root / "drops/folder").mkdir()
        warehouse = Warehouse(tmp_path / "home", Declared(declared(place)))
        assert is_fine(warehouse.run())
        assert warehouse.run(hours_later=1).requests == 0
        deep = Warehouse(tmp_path / "deep", Declared(declared(place, "drops/**/*.csv")))
        assert "folders cannot be told from files" in str(deep.run().failures[0])


def test_whoever_asks_without_a_name_is_anonymous(root: Path, tmp_path: Path) -> None:
    with file_servers.ftp(root) as place:
        put(root, "drops/a_20240101.csv", "A,1")
        anonymous = Place(root, place.address.replace("reader@", ""))
        assert is_fine(Warehouse(tmp_path / "home", Declared(declared(anonymous))).run())


def test_a_host_whose_key_is_not_known_gets_no_password(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with file_servers.sftp(root) as place, file_servers.sftp(root) as other:
        put(root, "drops/a_20240101.csv", "A,1")
        for number, options in enumerate(({}, {"host_key": other.recipe["options"]["host_key"]})):
            context = Warehouse(tmp_path / f"home{number}", Declared(declared(place, options=options))).run()
            told = str(context.failures[0])
            assert "the key of the host is not known" in told and 'options={"host_key"' in told
        host = place.address.rpartition("@")[2]
        known = tmp_path / ".ssh" / "known_hosts"
        known.parent.mkdir()
        known.write_text(f"[{host.replace(':', ']:')} {place.recipe['options']['host_key']}\n")
        assert is_fine(Warehouse(tmp_path / "known", Declared(declared(place, options={}))).run())
        known.rename(tmp_path / "hosts")
        entry = declared(place, options={"known_hosts": str(tmp_path / "hosts")})
        assert is_fine(Warehouse(tmp_path / "file", Declared(entry)).run())


def test_a_key_signs_in(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_servers.sftp(root) as place:
        put(root, "drops/a_20240101.csv", "A,1")
        file = tmp_path / "id"
        file.write_text(place.user_key)  # type: ignore[attr-defined]
        monkeypatch.setenv("DROPS_KEY", str(file))
        entry = declared(place, secrets={"private_key_file": "DROPS_KEY"})
        assert is_fine(Warehouse(tmp_path / "home", Declared(entry)).run())
        file.write_text("no key at all")
        told = str(Warehouse(tmp_path / "wrong", Declared(entry)).run().failures[0])
        assert "cannot be read" in told and "no key at all" not in told


def test_a_server_that_is_not_there_is_waited_for_once(root: Path, tmp_path: Path) -> None:
    for number, scheme in enumerate(("http", "ftp", "ftps", "sftp")):
        place = Place(root, f"{scheme}://127.0.0.1:{file_servers.free_port()}")
        (failure,) = Warehouse(tmp_path / f"home{number}", Declared(declared(place))).run().failures
        assert "its folder cannot be read" in str(failure)


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"path": "https:///drops/*.csv"}, "names no server"),
        ({"path": "https://host:port/*.csv"}, "is no address of a server"),
        ({"path": "https://a:hidden@host/*.csv"}, "the path holds a password"),
        ({"path": "sftp://a:hidden@host/*.csv"}, "the path holds a password"),
        ({"path": "https://host/a%20b/*.csv"}, "is written as an address"),
        ({"path": "https://host/*.csv", "quiet_seconds": 5}, "leave quiet_seconds out"),
        ({"path": "https://host/*.csv", "options": {"a b": "c"}}, "is no name of a header"),
        ({"path": "ftp://host/*.csv", "options": {"region": "c"}}, "'region' is no option of ftp"),
        ({"path": "sftp://host/*.csv", "options": {"accept": "all"}}, "'accept' is no option of sftp"),
        ({"path": "sftp://host/*.csv", "secrets": {"token": "X"}}, "'token' is no secret of sftp"),
        ({"path": "ftp://host/x.csv"}, "found by a pattern"),
        ({"path": "ftp://host/x.csv", "each": ""}, "is read as each file of a folder"),
    ],
)
def test_what_does_not_go_together_is_refused(recipe: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        FileRecipe(**{"each": "file", **recipe})
    assert told in str(error.value)
