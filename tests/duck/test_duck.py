"""The database is opened hardened, at the right version, and no transaction ends in silence."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from warehouse import START

from sbf_core.clock import FixedClock
from sbf_core.duck import create, empty, migrate
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.home_folder import check_place
from sbf_core.duck.transaction import TransactionBroken, transaction
from sbf_core.errors import HomeLocked, UsageError, VersionRefused


@pytest.fixture
def config(tmp_path: Path) -> DuckDbConfig:
    return DuckDbConfig(home=tmp_path / "home")


def test_a_new_home_gets_the_latest_schema(config: DuckDbConfig) -> None:
    bootstrap = DuckDbBootstrap(config).open()
    assert migrate.schema_version(bootstrap.cursor()) == migrate.latest_version()
    assert (
        not config.database.with_suffix(".duckdb.wal").exists()
        or config.database.with_suffix(".duckdb.wal").stat().st_size == 0
    )
    bootstrap.close()
    assert not config.holder.exists()


def _laid_out(home: Path, moment: dt.datetime) -> tuple[set[tuple[object, ...]], list[tuple[object, ...]]]:
    """The columns of a new home's ledger, and the migrations in it with their moments; a row is left in it."""
    bootstrap = DuckDbBootstrap(DuckDbConfig(home=home), clock=FixedClock(moment)).open()
    cursor = bootstrap.cursor()
    columns = cursor.execute("SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns()").fetchall()
    migrations = cursor.execute("FROM ops.schema_migrations ORDER BY ALL").fetchall()
    cursor.execute("INSERT INTO ops.schema_migrations VALUES (0, 'of this home', '', now()::TIMESTAMP)")
    bootstrap.close()
    return set(columns), migrations


def test_the_next_home_of_a_process_is_as_the_first_but_for_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is laid out from the bytes of the first, without a statement."""
    monkeypatch.setattr(empty, "_kept", {})
    first, later = _laid_out(tmp_path / "first", START), _laid_out(tmp_path / "later", START + dt.timedelta(days=1))
    assert later[0] == first[0]
    assert {row[-1] for row in first[1]} == {dt.datetime(2024, 1, 2, 12)}
    assert {row[-1] for row in later[1]} == {dt.datetime(2024, 1, 3, 12)}

    def no_statement(*_: object, **__: object) -> None:
        pytest.fail("the schema is made once a moment")

    monkeypatch.setattr(create, "make_schema", no_statement)
    assert _laid_out(tmp_path / "second", START) == first


def test_a_database_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    """Whoever comes second, because two made one at once where locks do not hold, takes the other's."""
    fresh, database = tmp_path / "fresh", tmp_path / "sbf.duckdb"
    fresh.write_bytes(b"second")
    database.write_bytes(b"first")
    create.put_in_place(fresh, database)
    assert database.read_bytes() == b"first"
    database.unlink()
    create.put_in_place(fresh, database)
    assert database.read_bytes() == b"second"


REFUSED = [
    "SELECT * FROM read_text('{outside}')",
    "COPY (SELECT 1) TO '{outside}'",
    "ATTACH '{outside}.duckdb'",
    "SET enable_external_access = true",
    "SET memory_limit = '100GB'",
    "INSTALL httpfs",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_the_open_database_is_locked_down(config: DuckDbConfig, tmp_path: Path, statement: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    bootstrap = DuckDbBootstrap(config).open()
    with pytest.raises(duckdb.Error):
        bootstrap.cursor().execute(statement.format(outside=outside))
    assert outside.read_text() == "secret"
    bootstrap.close()


def test_a_swallowed_error_does_not_commit(config: DuckDbConfig) -> None:
    bootstrap = DuckDbBootstrap(config).open()
    conn = bootstrap.cursor()
    with pytest.raises(TransactionBroken), transaction(conn):
        conn.execute("INSERT INTO ops.data_dates (key, to_date, checked_at) VALUES ('k', NULL, TIMESTAMP '2024-01-01')")
        with pytest.raises(duckdb.Error):
            conn.execute("SELECT * FROM nowhere")
            raise AssertionError
        with pytest.raises(duckdb.Error):
            conn.execute("INSERT INTO ops.data_dates (key, to_date, checked_at) VALUES (NULL, NULL, NULL)")
    assert conn.execute("SELECT count(*) FROM ops.data_dates").fetchone() == (0,)
    bootstrap.close()


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"])
def test_a_transaction_ended_from_inside_is_noticed(config: DuckDbConfig, ending: str) -> None:
    bootstrap = DuckDbBootstrap(config).open()
    conn = bootstrap.cursor()
    with pytest.raises(TransactionBroken), transaction(conn):
        conn.execute(ending)
    bootstrap.close()


def test_an_older_schema_is_copied_first_and_brought_forward(
    config: DuckDbConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DuckDbBootstrap(config).open().close()
    latest = migrate.latest_version()
    second = tmp_path / "0099_more.sql"
    second.write_text("CREATE TABLE ops.more (a INTEGER);")
    files = (*migrate.migration_files(), (99, second))
    monkeypatch.setattr(migrate, "migration_files", lambda: files)
    bootstrap = DuckDbBootstrap(config, clock=FixedClock(START)).open()
    assert bootstrap.cursor().execute("SELECT count(*) FROM ops.more").fetchone() == (0,)
    bootstrap.close()
    copies = list(config.backups.iterdir())
    assert [copy.name for copy in copies] == [f"sbf-schema{latest}-20240102T120000Z.duckdb"]
    with duckdb.connect(copies[0], read_only=True) as old:
        assert migrate.schema_version(old) == latest


def test_a_newer_schema_is_refused_and_not_touched(config: DuckDbConfig) -> None:
    bootstrap = DuckDbBootstrap(config).open()
    bootstrap.cursor().execute("INSERT INTO ops.schema_migrations VALUES (99, 'future', '', TIMESTAMP '2030-01-01')")
    bootstrap.close()
    before = config.database.read_bytes()
    for read_only in (True, False):
        with pytest.raises(VersionRefused, match=f"schema 99, this sbf knows up to {migrate.latest_version()}"):
            DuckDbBootstrap(config, read_only=read_only).open()
    assert config.database.read_bytes() == before


@pytest.mark.parametrize("content", [b"a,b\n1,2\n" * 4000, b"", b"SQLite format 3\0" + b"\0" * 8192])
def test_a_file_that_is_no_duckdb_is_refused_and_not_touched(config: DuckDbConfig, content: bytes) -> None:
    config.home.mkdir()
    config.database.write_bytes(content)
    with pytest.raises(UsageError, match="no DuckDB database"):
        DuckDbBootstrap(config).open()
    assert config.database.read_bytes() == content


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    with pytest.raises(UsageError, match="the home is a file"):
        DuckDbBootstrap(DuckDbConfig(home=home)).open()


def test_a_home_in_use_names_its_holder(config: DuckDbConfig) -> None:
    script = f"""
import sys
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
held = DuckDbBootstrap(DuckDbConfig(home={str(config.home)!r})).open()
print("open", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(HomeLocked) as caught:
            DuckDbBootstrap(config).open()
        assert f"process {child.pid}" in str(caught.value)
        assert "since 20" in str(caught.value)
    finally:
        child.communicate("")
    DuckDbBootstrap(config).open().close()


def test_each_thread_has_its_own_cursor(config: DuckDbConfig) -> None:
    from concurrent.futures import ThreadPoolExecutor

    bootstrap = DuckDbBootstrap(config).open()
    mine = bootstrap.cursor()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(bootstrap.cursor).result()
    assert mine is bootstrap.cursor()
    assert other is not mine
    bootstrap.close()


def test_home_is_private(config: DuckDbConfig) -> None:
    DuckDbBootstrap(config).open().close()
    if os.name == "posix":
        assert config.home.stat().st_mode & 0o077 == 0


def test_a_copy_that_is_replaced_between_two_looks_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that read the old name just before a run removed the old copy must not believe that there is none."""

    from sbf_core.duck import publish

    config = DuckDbConfig(home=tmp_path)
    config.published.mkdir()
    config.database.write_bytes(b"x")
    (config.published / "sbf-new.duckdb").write_bytes(b"x")
    names = ["sbf-old.duckdb", "sbf-new.duckdb"]

    def read(config: DuckDbConfig) -> tuple[dict[str, object], Path]:
        name = names.pop(0)
        return {"file": name, "run_id": "r", "published_at": "", "database": []}, config.published / name

    monkeypatch.setattr(publish, "_named", read)
    found = publish.current_publication(config)
    assert found is not None
    assert found.path.name == "sbf-new.duckdb"
    monkeypatch.setattr(publish, "_named", lambda config: ({"file": "gone"}, config.published / "gone"))
    assert publish.current_publication(config) is None


def test_a_log_that_goes_between_two_looks_is_none(config: DuckDbConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run removes the database's log at its end: a command that saw it a moment before called it no file."""
    config.home.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    check_place(config, config.database)
    config.database.with_name("sbf.duckdb.wal").mkdir()
    with pytest.raises(UsageError, match="no file"):
        check_place(config, config.database)
