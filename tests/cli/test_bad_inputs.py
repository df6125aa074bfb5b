"""Bad inputs of every kind: the exit code, one clear line, and a home that is byte for byte what it was."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from world import World

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    return World(tmp_path_factory.mktemp(f"bad-{worker_id}"))


def state(home: Path) -> dict[str, str]:
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def toml(text: str | bytes) -> Change:
    return lambda home: (home / "sbf.toml").write_bytes(text if isinstance(text, bytes) else text.encode()) and None


def tickers(text: str | bytes) -> Change:
    def change(home: Path) -> None:
        (home / "tickers.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        (home / "sbf.toml").write_text('[universe]\nfile = "tickers.txt"\n')

    return change


def database(content: Callable[[bytes], bytes]) -> Change:
    def change(home: Path) -> None:
        path = home / "sbf.duckdb"
        path.write_bytes(content(path.read_bytes()))

    return change


def sql(*statements: str) -> Change:
    def change(home: Path) -> None:
        with duckdb.connect(home / "sbf.duckdb") as conn:
            for statement in statements:
                conn.execute(statement)

    return change


def nothing(home: Path) -> None:
    """The home is as it should be; what is asked is not."""


def no_file(home: Path) -> None:
    (home / "sbf.duckdb").unlink()
    (home / "sbf.duckdb").mkdir()


RUN = ["run"]
CASES: dict[str, tuple[list[str], Change, int, str]] = {
    # the command
    "unknown command": (["rnu"], nothing, 2, "run"),
    "unknown option": (["run", "--api-key", "hidden-value"], nothing, 2, "--api-key"),
    "empty plugins": (["run", "--plugins", ""], nothing, 2, "empty name"),
    "unknown plugin": (["run", "--plugins", "nope"], nothing, 2, "installed: .*world"),
    "hole in plugins": (["run", "--plugins", "world,,world"], nothing, 2, "empty name"),
    "no such day": (["run", "--since", "2024-02-30"], nothing, 2, "YYYY-MM-DD"),
    "days turned round": (["run", "--since", "2024-01-03", "--until", "2024-01-01"], nothing, 2, "is after --until"),
    "future": (["run", "--since", "9999-12-31"], nothing, 2, "is not between"),
    "no workers": (["run", "--workers", "0"], nothing, 2, "1 to 64"),
    "workers are no number": (["run", "--workers", "many"], nothing, 2, "expected int"),
    "negative wait": (["run", "--wait", "-1"], nothing, 2, "0 to"),
    "wait is no number": (["run", "--wait", "nan"], nothing, 2, "wait"),
    "unknown layer": (["run", "--only", "sliver"], nothing, 2, "did you mean 'silver'"),
    "unknown format": (["sql", "SELECT 1", "--format", "xlsx"], nothing, 2, "table, csv or json"),
    "two statements": (["sql", "SELECT 1; SELECT 2"], nothing, 2, "2 statements"),
    "sql writes": (["sql", "DELETE FROM ops.rejects"], nothing, 2, "DELETE is not allowed"),
    "sql reads a file": (["sql", "FROM read_text('/etc/hostname')"], nothing, 2, "the query fails"),
    "unknown table": (["digest", "--table", "silver.world_eo"], nothing, 2, "did you mean 'silver.world_eod'"),
    "sample of nothing": (["verify", "--sample", "0"], nothing, 2, "percentage"),
    "no time to verify": (["verify", "--max-seconds", "0"], nothing, 2, "above 0"),
    "repair from nowhere": (["repair", "--from", "/no/such/folder"], nothing, 2, "no such folder"),
    "no such backup": (["restore", "/no/such/folder"], nothing, 2, "this is no backup"),
    "rebuild into the home": (["rebuild", "--into", "."], nothing, 2, "lies in the home"),
    "home is the root": (["run", "--home", "/"], nothing, 2, "no folder for a warehouse"),
    "home is everything": (["run", "--home", "~"], nothing, 2, "no folder for a warehouse"),
    # the settings
    "no toml": (RUN, toml("run = \n"), 2, r"sbf\.toml:1:"),
    "toml twice": (RUN, toml("[run]\nworkers = 1\n[run]\n"), 2, r"sbf\.toml"),
    "unknown setting": (RUN, toml("[run]\nworker = 1\n"), 2, "did you mean 'run.workers'"),
    "setting without section": (RUN, toml("workers = 1\n"), 2, "stands in no section"),
    "setting of the wrong kind": (RUN, toml('[run]\nworkers = "8"\n'), 2, "run.workers is str '8', expected int"),
    "setting out of range": (RUN, toml("[run]\nworkers = 65\n"), 2, "use 1 to 64"),
    "setting of a truth": (RUN, toml("[run]\nworkers = true\n"), 2, "expected int"),
    "no such choice": (RUN, toml('[bronze]\nfsync = "sometimes"\n'), 2, "none, batch, each"),
    "utf-16": (RUN, toml("[run]\nworkers = 1\n".encode("utf-16")), 2, "not UTF-8"),
    "huge": (RUN, toml("# " + "x" * (1 << 20) + "\n"), 2, "keep it below"),
    "two universes": (RUN, toml('[universe]\nfile = "a.txt"\ntickers = ["A"]\n'), 2, "two sources"),
    # the universe
    "no such file of tickers": (RUN, toml('[universe]\nfile = "nowhere.txt"\n'), 2, "nowhere.txt"),
    "empty file of tickers": (RUN, tickers(""), 2, "empty"),
    "bad lines": (RUN, tickers("AAA\n../x\nBBB\na\0b\n"), 2, "line"),
    "escape": (RUN, tickers("A\x1b[31mB\n"), 2, r"x1b"),
    "right to left": (RUN, tickers("A\u202eB\n"), 2, r"u202e"),
    "long": (RUN, tickers("A" * 300 + "\n"), 2, "300 characters"),
    "latin-1": (RUN, tickers(b"AAA\n\xe4\n"), 2, "UTF-8"),
    # the database
    "database is a folder": (RUN, no_file, 2, "the database is a folder"),
    "database is empty": (RUN, database(lambda _: b""), 3, "does not begin as a DuckDB file does"),
    "database is a table of text": (
        RUN,
        database(lambda _: b"a,b\n1,2\n" * 4000),
        3,
        "does not begin as a DuckDB file does",
    ),
    "database is SQLite": (
        RUN,
        database(lambda _: b"SQLite format 3\0" + b"\0" * 8192),
        3,
        "does not begin as a DuckDB file does",
    ),
    "newer schema": (
        RUN,
        sql("INSERT INTO ops.schema_migrations VALUES (99, 'x', '', TIMESTAMP '2030-01-01')"),
        5,
        "schema 99",
    ),
    "broken header": (RUN, database(lambda content: content[:4096] + b"\xff" * 64 + content[4160:]), 3, "sbf rebuild"),
    "cut off": (RUN, database(lambda content: content[:5000]), 3, "sbf rebuild"),
    "a table of the ledger is gone": (RUN, sql("DROP TABLE ops.file_ingestions"), 3, "sbf rebuild"),
    "no schema at all": (["status"], sql("DROP SCHEMA ops CASCADE"), 2, "no sbf schema"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(world: World, tmp_path: Path, name: str) -> None:
    arguments, change, code, message = CASES[name]
    home = tmp_path / "home"
    world.first_day(home)
    (home / "published" / "current.json").unlink()
    (home / "tickers.txt").touch()
    change(home)
    before = state(home)
    variables = {"SBF_TICKERS": ""} if (home / "sbf.toml").exists() else {}
    variables |= {"SBF_FSYNC": ""} if "fsync" in name or name == "no such choice" else {}
    done = world.sbf(home, *[argument if argument != "." else str(home) for argument in arguments], **variables)
    errors = [line for line in done.stderr.splitlines() if line.startswith("sbf: error")]
    assert done.returncode == code, done.stderr
    assert len(errors) == 1
    assert done.stderr.splitlines()[-1] == errors[0]
    assert re.match(r"sbf: error\[[A-Z_]+\] \S", errors[0])
    assert re.search(message, errors[0]), errors[0]
    assert errors[0].isprintable()
    assert "hidden-value" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert state(home) == before


@pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
def test_homes_that_the_system_does_not_let_in(world: World, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    done = world.sbf(loop, "run")
    assert (done.returncode, done.stderr.count("sbf: error[")) == (6, 1), done.stderr
    done = world.sbf(tmp_path / ("x" * 300), "run")
    assert (done.returncode, done.stderr.count("sbf: error[")) == (6, 1), done.stderr


ACCEPTED = "BRK.B,^GSPC,EURUSD=X,BF/B,0005.HK,7203.T,CON,NUL,NA,TRUE,ON,NO,1e3,aapl,AAPL"


def test_awkward_tickers_are_accepted(world: World, tmp_path: Path) -> None:
    done = world.sbf(tmp_path / "home", "plan", "--json", SBF_TICKERS=ACCEPTED)
    assert done.returncode == 0, done.stderr
    assert all(f'"ticker": "{ticker}"' in done.stdout for ticker in ACCEPTED.split(","))


def test_what_is_doubled_is_taken_once(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "tickers.txt").write_bytes(b"\xef\xbb\xbfticker\r\n AAA \r\nAAA\r\n")
    done = world.sbf(home, "plan", "--json", SBF_TICKERS="", SBF_TICKERS_FILE="tickers.txt", SBF_PLUGINS="world,world")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"ticker": "AAA"') == 1
