"""``import sbf_core``: what notebooks and programs use."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import duckdb
import pytest

import sbf_core
from sbf_core.care.digest import digest_tables
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import HomeLocked, UsageError
from sbf_core.settings.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
HOLDS_THE_HOME = """
import sys
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.settings.settings import Settings
holder = DuckDbBootstrap(Settings(sys.argv[1]).config).open()
holder.cursor().execute("CREATE TABLE silver.half_way AS SELECT 1 AS n")
holder.cursor().execute("CHECKPOINT")
print("held", flush=True)
sys.stdin.read()
holder.close()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("library") / "home"
    context = sbf_core.run(place, plugins=["ecb", "iso4217"], replay="sample")
    assert (context.status, context.errors, context.files) == ("ok", [], 2)
    assert isinstance(context, sbf_core.RunContext)
    return place


def test_a_run_is_that_of_the_command(home: Path, tmp_path: Path) -> None:
    code = (
        f"import sbf_core; assert sbf_core.run({str(home)!r}, plugins=['ecb', 'iso4217'], replay='sample').files == 0"
    )
    quiet = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", ""), "a library says nothing on the screen"
    other = tmp_path / "command"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "sbf_core",
            "run",
            "--home",
            str(other),
            "--plugins",
            "ecb,iso4217",
            "--replay",
            "sample",
        ],
        check=True,
        capture_output=True,
    )
    found = []
    for place in (home, other):
        with sbf_core.open(place) as warehouse:
            found.append([item.sha256 for item in digest_tables(warehouse, keys={})])
    assert found[0] == found[1]


def test_what_is_open_reads_and_nothing_else(home: Path, tmp_path: Path) -> None:
    with sbf_core.open(home) as warehouse:
        assert isinstance(warehouse, duckdb.DuckDBPyConnection)
        assert warehouse.sql("SELECT count(*) FROM silver.ecb_reference_rate").fetchall() == [(292_166,)]
        assert warehouse.execute(
            "SELECT count(*) FROM silver.ecb_reference_rate_as_of(TIMESTAMP '1999-01-01')"
        ).fetchone() == (0,)
        for query in (
            "CREATE TABLE silver.mine (a INT)",
            "DELETE FROM silver.ecb_reference_rate",
            f"COPY silver.ecb_reference_rate TO '{tmp_path / 'out.csv'}'",
        ):
            with pytest.raises(duckdb.Error):
                warehouse.execute(query)
    with pytest.raises(duckdb.ConnectionException):
        warehouse.execute("SELECT 1")


def test_a_notebook_that_stays_open_does_not_keep_a_run_out(tmp_path: Path) -> None:
    place = tmp_path / "home"
    sbf_core.run(place, plugins=["iso4217"], replay="sample")
    for _ in range(2):  # the second time after a run that found nothing to do, and left no copy
        with sbf_core.open(place) as warehouse:
            assert sbf_core.run(place, plugins=["iso4217"], replay="sample").files == 0
            assert warehouse.execute("SELECT count(*) FROM silver.iso4217_currency").fetchone() == (280,)
            command = [
                sys.executable,
                "-m",
                "sbf_core",
                "run",
                "--home",
                str(place),
                "--plugins",
                "iso4217",
                "--replay",
                "sample",
            ]
            assert subprocess.run(command, capture_output=True).returncode == 0
    assert sbf_core.run(place, plugins=["ecb"], replay="sample").files == 1
    with sbf_core.open(place) as warehouse:
        assert warehouse.execute("SELECT count(*) FROM silver.ecb_reference_rate").fetchone() == (292_166,)


def test_without_a_copy_the_database_itself_is_read_and_a_run_says_so(tmp_path: Path) -> None:
    place, nothing = tmp_path / "home", {"run.publish": "no"}
    sbf_core.run(place, plugins=["iso4217"], replay="sample", settings=nothing)
    with sbf_core.open(place), pytest.raises(HomeLocked, match="close what sbf_core"):
        sbf_core.run(place, plugins=["ecb"], replay="sample", settings=nothing)


def test_a_copy_that_lacks_rows_is_not_read(tmp_path: Path) -> None:
    place, nothing = tmp_path / "home", {"run.publish": "no"}
    sbf_core.run(place, plugins=["iso4217"], replay="sample")
    assert [path.suffix for path in (place / "published").glob("sbf-*")] == [".duckdb"]
    for _ in range(2):  # the second one finds nothing to do
        sbf_core.run(place, plugins=["ecb"], replay="sample", settings=nothing)
    with sbf_core.open(place) as warehouse:
        assert warehouse.execute("SELECT count(*) FROM silver.ecb_reference_rate").fetchone() == (292_166,)


def test_a_copy_that_lacks_no_row_is_still_read_after_a_run_that_made_none(tmp_path: Path) -> None:
    place, nothing = tmp_path / "home", {"run.publish": "no"}
    sbf_core.run(place, plugins=["iso4217"], replay="sample")
    assert sbf_core.run(place, plugins=["iso4217"], replay="sample", settings=nothing).files == 0
    with sbf_core.open(place):  # else it would be the database, and keep the next run out
        assert sbf_core.run(place, plugins=["iso4217"], replay="sample", settings=nothing).status == "ok"


def test_while_a_run_is_at_work_the_state_of_the_last_one_is_read(tmp_path: Path) -> None:
    place = tmp_path / "home"
    sbf_core.run(place, plugins=["iso4217"], replay="sample")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_HOME, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.warns(UserWarning, match="a run is at work; this is the state of run"),
            sbf_core.open(place) as warehouse,
        ):
            assert warehouse.execute("SELECT count(*) FROM silver.iso4217_currency").fetchone() == (280,)
            assert warehouse.execute(
                "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half_way'"
            ).fetchone() == (0,)
        with pytest.raises(HomeLocked):
            sbf_core.run(place, plugins=["iso4217"], replay="sample", settings={"run.wait_seconds": 0})
        holder.communicate("")


def test_what_makes_no_sense_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    place = tmp_path / "home"
    with pytest.raises(UsageError, match="there is no data yet"):
        sbf_core.open(place)
    for wrong in (
        {"only": "platinum"},
        {"plugins": ["nope"]},
        {"settings": {"run.wrokers": 3}},
        {"settings": {"run.workers": 0}},
        {"select": ["tag:none"]},
    ):
        with pytest.raises(UsageError):
            sbf_core.run(place, replay="sample", **wrong)  # type: ignore[arg-type]
    assert not place.exists()


def test_settings_and_tickers_hold(tmp_path: Path) -> None:
    context = sbf_core.run(
        tmp_path / "home", plugins=["eod"], replay="sample", tickers=["AAPL"], settings={"run.workers": 1}
    )
    assert context.tickers == ("AAPL",)
    with sbf_core.open(tmp_path / "home") as warehouse:
        assert warehouse.execute("SELECT DISTINCT ticker FROM silver.eod_bar").fetchall() == [("AAPL",)]


def test_asking_for_the_version_loads_nothing() -> None:
    code = (
        "import sys, sbf_core; sbf_core.__version__; "
        "print([name for name in ('duckdb', 'pluggy', 'aiohttp', 'cattrs') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    code = (
        "import sbf_core; import sbf_core.runs.context; "
        "assert callable(sbf_core.run) and callable(sbf_core.open); "
        "from sbf_core import run, open, RunContext"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        sbf_core.opne  # type: ignore[attr-defined]  # noqa: B018


def test_the_notebook_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "warehouse_in_a_notebook.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [], "clear the outputs before you commit"
                exec(compile("".join(cell["source"]), "cell", "exec"), names)
    text = said.getvalue()
    assert "AAPL" in text
    assert "2025-12-31 [('CUSR0000SA0E', 'M03', Decimal('285.463'))]" in text
    assert "2026-10-31 [('CUSR0000SA0E', 'M03', Decimal('288.688'))]" in text
    assert names["again"].files == 0  # type: ignore[attr-defined]


def test_the_example_reads_what_the_sample_holds(tmp_path: Path) -> None:
    sbf_core.run(tmp_path / "home", replay="sample")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "read_gold.py"), str(tmp_path / "home")], capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].split()[0] == "AAPL"
    assert Settings(str(tmp_path / "home")).config.home.is_dir()


def test_a_warehouse_is_opened_as_often_as_one_likes(home: Path) -> None:
    with sbf_core.open(home) as one, sbf_core.open(home) as two:
        assert (
            one.execute("SELECT current_setting('TimeZone')").fetchone()
            == two.execute("SELECT current_setting('TimeZone')").fetchone()
            == ("UTC",)
        )
        for warehouse in (one, two):
            with pytest.raises(duckdb.Error):
                warehouse.execute("SELECT * FROM read_text('/etc/hostname')")


@pytest.mark.parametrize("publish", ["no", "yes"])
def test_looking_at_a_home_does_not_let_another_run_in(home: Path, tmp_path: Path, publish: str) -> None:
    """A process at a run, and what it may do beside it: another process's run is refused all the while."""
    place = tmp_path / "home"
    shutil.copytree(home, place)
    (place / "sbf.toml").write_text(f'[run]\npublish = "{publish}"\n')
    command = [sys.executable, "-m", "sbf_core", "run", "--home", str(place), "--plugins", "ecb", "--replay", "sample"]
    at_work = DuckDbBootstrap(Settings(str(place)).config).open()
    try:
        (place / "sbf.duckdb").read_bytes()  # as a copy of the folder would
        (place / "sbf.lock").read_bytes()
        with contextlib.suppress(HomeLocked), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sbf_core.open(place).close()
        with pytest.raises(HomeLocked, match="this process is at work in the home"):
            sbf_core.run(place, plugins=["ecb"], replay="sample")
        refused = subprocess.run(command, capture_output=True, text=True)
        assert (refused.returncode, f"in use by process {os.getpid()}" in refused.stderr) == (4, True)
    finally:
        at_work.close()
    assert subprocess.run(command, capture_output=True, text=True).returncode == 0


def test_a_reader_keeps_a_run_out_by_the_lock_of_the_home(home: Path, tmp_path: Path) -> None:
    """DuckDB's own lock is gone as soon as the process reads the file in another way."""
    place = tmp_path / "home"
    shutil.copytree(home, place)
    command = [sys.executable, "-m", "sbf_core", "run", "--home", str(place), "--plugins", "ecb", "--replay", "sample"]
    reader = DuckDbBootstrap(Settings(str(place)).config, read_only=True).open()
    try:
        (place / "sbf.duckdb").read_bytes()
        refused = subprocess.run(command, capture_output=True, text=True)
        assert (refused.returncode, "in use by a process that reads it" in refused.stderr) == (4, True), refused.stderr
    finally:
        reader.close()
    assert subprocess.run(command, capture_output=True, text=True).returncode == 0


def test_what_was_opened_keeps_a_run_out_until_it_is_closed(home: Path, tmp_path: Path) -> None:
    """Where there is no copy. However often the process looks at the database meanwhile."""
    place = tmp_path / "home"
    shutil.copytree(home, place)
    shutil.rmtree(place / "published")
    (place / "sbf.toml").write_text('[run]\npublish = "no"\n')
    command = [sys.executable, "-m", "sbf_core", "run", "--home", str(place), "--plugins", "ecb", "--replay", "sample"]
    warehouse = sbf_core.open(place)
    sbf_core.open(place).close()
    with pytest.raises(HomeLocked, match="this process has the database open"):
        sbf_core.run(place, plugins=["ecb"], replay="sample")
    refused = subprocess.run(command, capture_output=True, text=True)
    assert (refused.returncode, f"in use by process {os.getpid()}" in refused.stderr) == (4, True)
    warehouse.close()
    assert subprocess.run(command, capture_output=True, text=True).returncode == 0
    assert sbf_core.run(place, plugins=["ecb"], replay="sample").status == "ok"


def test_of_runs_in_threads_each_works_or_is_told(home: Path, tmp_path: Path) -> None:
    place, begin = tmp_path / "home", threading.Barrier(6)
    shutil.copytree(home, place)
    found: list[str] = []

    def work() -> None:
        begin.wait()
        try:
            found.append(sbf_core.run(place, plugins=["iso4217"], replay="sample", force=True).status)
        except HomeLocked as error:
            found.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), set(found) <= {"ok", "LOCKED"}, "ok" in found) == (6, True, True)
    verified = subprocess.run(
        [sys.executable, "-m", "sbf_core", "verify", "--home", str(place)], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
