"""The SQL page: what it refuses, and what the system refuses for it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hang import HANG_SECONDS, wait_until
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import current_publication
from sbf_core.errors import UsageError
from sbf_core.web.sql_queries import SqlQueries


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """One for all questions, which change nothing."""
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01", None)])
    warehouse = Warehouse(tmp_path_factory.mktemp("asked") / "home", vendor)
    warehouse.run()
    return warehouse


@pytest.fixture
def database(warehouse: Warehouse) -> Iterator[Path]:
    copy = current_publication(DuckDbConfig(home=warehouse.home))
    assert copy is not None
    before = copy.path.read_bytes()
    yield copy.path
    assert copy.path.read_bytes() == before


def test_a_question_is_answered(warehouse: Warehouse, database: Path) -> None:
    questions = SqlQueries(warehouse.home, seconds_max=HANG_SECONDS)
    answer = questions.ask(
        "SELECT symbol, close, date, 'NaN'::DOUBLE AS n FROM silver.px ORDER BY 1", database=database
    )
    assert answer.table.headers == ("symbol", "close", "date", "n")
    assert answer.table.rows == (("A", "1.5000", "2024-01-01", "nan"), ("B", None, "2024-01-01", "nan"))
    assert not answer.more
    assert len(questions.ask("FROM range(10)", database=database, limit=4).table.rows) == 4
    assert questions.history == [
        "FROM range(10)",
        "SELECT symbol, close, date, 'NaN'::DOUBLE AS n FROM silver.px ORDER BY 1",
    ]


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO silver.px VALUES (1)", "DELETE FROM silver.px", "UPDATE silver.px SET close = 1",
        "DROP TABLE silver.px", "CREATE TABLE x (i INT)", "ALTER TABLE silver.px ADD COLUMN x INT",
        "ATTACH '/tmp/x.duckdb' AS x", "ATTACH ':memory:' AS x", "COPY silver.px TO '/tmp/x.csv'",
        "EXPORT DATABASE '/tmp/x'", "INSTALL httpfs", "LOAD httpfs", "SET memory_limit = '10GB'",
        "RESET lock_configuration", "SELECT 1; DROP TABLE silver.px", "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')", "FROM '/etc/passwd'", "FROM glob('/*')", "SELECT getenv('HOME')",
        "CALL pragma_version()", "CHECKPOINT", "BEGIN", "", "SELECT", "SELECT * FROM df", "PRAGMA enable_profiling",
        "EXPLAIN ANALYZE COPY silver.px TO '/tmp/x.csv'",
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(warehouse: Warehouse, database: Path, query: str) -> None:
    with pytest.raises(UsageError):
        SqlQueries(warehouse.home, seconds_max=HANG_SECONDS).ask(query, database=database)


def test_a_question_that_never_ends_is_stopped(warehouse: Warehouse, database: Path) -> None:
    with pytest.raises(UsageError, match=r"longer than 1 s|was stopped"):
        SqlQueries(warehouse.home, seconds_max=1).ask(
            "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 11",
            database=database,
        )


def test_a_question_that_sleeps_is_stopped(warehouse: Warehouse, database: Path) -> None:
    """It uses no processor, so only the clock can tell."""
    with pytest.raises(UsageError, match="longer than 1 s"):
        SqlQueries(warehouse.home, seconds_max=1).ask("SELECT sleep_ms(20000)", database=database)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT repeat('x', 3000000000)",
        "SELECT list(range) FROM range(2000000000)",
        "SELECT length(list_sort(range(500000000))::VARCHAR)",
    ],
)
def test_a_question_that_wants_all_memory_is_stopped(warehouse: Warehouse, database: Path, query: str) -> None:
    with pytest.raises(UsageError):
        SqlQueries(warehouse.home, seconds_max=HANG_SECONDS).ask(query, database=database)


def test_a_question_gets_no_keys_along(warehouse: Warehouse, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    begin = subprocess.Popen

    def watched(*args: object, **kwargs: object) -> object:
        given.update(kwargs["env"])  # type: ignore[call-overload]
        return begin(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setenv("FMP_API_KEY", "very-secret")
    monkeypatch.setattr(subprocess, "Popen", watched)
    SqlQueries(warehouse.home, seconds_max=HANG_SECONDS).ask("SELECT 1", database=database)
    assert "PATH" in given
    assert "FMP_API_KEY" not in given


def _slow_to_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Python that starts only once somebody writes into a pipe."""
    gate = folder / "gate"
    os.mkfifo(gate)
    (folder / "sitecustomize.py").write_text(f"open({str(gate)!r}).read()\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")])))
    return gate


@pytest.mark.skipif(os.name != "posix", reason="a pipe with a name holds up the start")
def test_a_question_has_its_time_from_when_it_begins(
    warehouse: Warehouse, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _slow_to_start(tmp_path, monkeypatch)
    answers: list[object] = []
    asker = threading.Thread(
        target=lambda: answers.append(
            SqlQueries(warehouse.home, seconds_max=2.0).ask("SELECT 42 AS n", database=database).table.rows
        )
    )
    asker.start()
    asker.join(2.5)
    assert asker.is_alive(), answers
    gate.write_text("go")
    asker.join(HANG_SECONDS)
    assert answers == [((42,),)]


@pytest.mark.skipif(os.name != "posix", reason="a pipe with a name holds up the start")
def test_a_question_that_cannot_begin_is_given_up(
    warehouse: Warehouse, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slow_to_start(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match=r"could not begin within 0.2 s"):
        SqlQueries(warehouse.home, start_seconds_max=0.2).ask("SELECT 1", database=database)


def test_questions_are_not_waited_for_when_the_pages_end(warehouse: Warehouse, database: Path) -> None:
    questions = SqlQueries(warehouse.home, seconds_max=HANG_SECONDS)
    faults: list[str] = []

    def ask() -> None:
        with pytest.raises(UsageError) as fault:
            questions.ask("SELECT sleep_ms(200000)", database=database)
        faults.append(fault.value.code)

    asker = threading.Thread(target=ask)
    asker.start()
    wait_until(lambda: questions._running)
    questions.close()
    asker.join(HANG_SECONDS)
    assert faults == ["SQL_LIMIT"]


def test_a_copy_that_gave_way_to_a_newer_one_is_no_loss(warehouse: Warehouse, database: Path) -> None:
    """A run puts its copy in the place of the one that a question was given: nothing is gone,
    and nothing to be made again.
    """
    questions = SqlQueries(warehouse.home, seconds_max=HANG_SECONDS)
    replaced = database.with_name("sbf-20231231T120000Z-000000.duckdb")
    told = iter([replaced.with_name("sbf-20231231T130000Z-000000.duckdb"), database])
    assert questions.ask("SELECT 42 AS n", database=replaced, newest=lambda: next(told)).table.rows == ((42,),)
    with pytest.raises(UsageError, match=r"gave way to a newer one; ask again"):
        questions.ask("SELECT 42 AS n", database=replaced, newest=lambda: replaced)
    with pytest.raises(UsageError, match=r"gave way to a newer one"):
        questions.ask("SELECT 42 AS n", database=replaced)
