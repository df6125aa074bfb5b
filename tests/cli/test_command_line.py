"""The command line as a user meets it: in a process of its own, read line by line."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hang import HANG_SECONDS, wait_until
from typer.main import get_command
from warm_sbf import WARM

from sbf_core.cli import commands
from sbf_core.cli.app import COMMANDS, asked_for, whole_application
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.migrate import latest_version
from sbf_core.shell_words import HOMELESS, of_home, told_of_home, typed


class Shell:
    """Runs ``sbf`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "sbf-data"

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
        return WARM.run(arguments, cwd=self.folder, env={**environment, **variables}, timeout=HANG_SECONDS)


@pytest.fixture
def sbf(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("filled"))
    done = shell("run", "--replay", "sample")
    assert done.returncode == 0, done.stderr
    return shell


def tree(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.relative_to(folder).as_posix(), path.stat().st_size) for path in folder.rglob("*"))


def test_the_main_job_ends_with_a_table_and_what_to_try_next(sbf: Shell) -> None:
    done = sbf("run", "--replay", "sample")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["dataset", "files", "inserted", "updated", "unchanged", "rejected"]
    assert lines[2].split() == ["macro/bls/cpi", "2", "48905", "3793", "44331", "0"]
    assert "instrument_stats             5" in done.stdout
    hints = lines[lines.index("Try next:") + 1 :]
    assert hints[0].endswith(' sql "SELECT * FROM gold.instrument_stats LIMIT 10"')
    assert hints[1].endswith(" status")
    assert re.search(r"Ingestion complete\. run_id=\S+ \| elapsed_seconds=[0-9.]+", done.stderr)
    assert re.search(r"Orchestration complete\. Elapsed time: [0-9.]+ s", done.stderr)
    before = tree(sbf.home / "bronze")
    again = sbf("run", "--replay", "sample")
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing was due: no file, no silver row and no gold row was written (")
    assert tree(sbf.home / "bronze") == before


def test_what_to_try_next_works_as_it_is_printed(sbf: Shell, tmp_path: Path) -> None:
    """Of a home whose path has a blank, too."""
    home = tmp_path / "my home"
    done = sbf("run", "--replay", "sample", "--plugins", "iso4217", "--home", str(home))
    hint = next(line for line in done.stdout.splitlines() if " sql --home" in line)
    words = shlex.split(hint)
    assert words[words.index("--home") + 1] == str(home)
    assert sbf(*words[words.index("sql") :]).returncode == 0


def test_each_command_that_is_told_reaches_the_home_that_was_named(sbf: Shell, tmp_path: Path) -> None:
    """In lines of errors, in tables and at the end of a report; what a program gets is true wherever the home is."""
    home = tmp_path / "my home"
    at = f"--home {shlex.quote(str(home))}"
    near = sbf("status", "--home", "near").stderr  # as it was given
    assert "run `sbf run --home near` (or `sbf run --home near --replay sample`) first" in near
    assert f"run `sbf run {at}` (or `sbf run {at} --replay sample`) first" in sbf("status", "--home", str(home)).stderr
    assert sbf("run", "--replay", "sample", "--plugins", "iso4217", f"--home={home}").returncode == 0
    gone = next(path for path in sorted((home / "bronze").rglob("*")) if path.suffix == ".xml")
    kept = gone.read_bytes()
    gone.unlink()
    assert f"Try next: sbf repair {at} --from BACKUP" in sbf("verify", f"--home={home}").stdout
    gone.write_bytes(kept)
    with duckdb.connect(home / "sbf.duckdb") as database:
        database.execute("UPDATE ops.file_ingestions SET status = 'interrupted' WHERE kind = 'run'")
    assert f"  sbf run {at}" in sbf("status", "--home", str(home)).stdout
    (problem,) = json.loads(sbf("status", "--home", str(home), "--json").stdout)["problems"]
    assert problem["fix"] == "sbf run"
    assert "run `sbf run` (or" in sbf("status").stderr


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "ui"])
def test_a_program_that_asks_for_json_gets_one_object(sbf: Shell, name: str) -> None:
    """Of what cannot be done, too; the line for people stands beside it."""
    replay = ["--replay", "sample", "--plugins", "iso4217"]  # and no vendor is asked
    wants = {"run": replay, "sql": ["FROM x"]}
    wants |= {"explain": ["x", "y", "z"], "revisions": ["x", "y"], "plugins new": ["0"]}
    wants |= {one: ["x"] for one in ("rejects", "impact", "backup", "restore", "plugins check")}
    done = sbf(*name.split(), *wants.get(name, []), "--json")
    told = json.loads(done.stdout)
    assert ("error" in told) == (done.returncode not in (0, 1)), done.stderr
    if "error" in told:
        assert told["schema"] == "sbf.error/1"
        assert (told["error"]["exit_code"], told["error"]["kind"]) == (done.returncode, "declaration")
        assert f"sbf: error[{told['error']['code']}] {told['error']['what']}" in done.stderr
    assert json.loads(sbf(*name.split(), "--nonsense", "--json").stdout)["error"]["code"] == "USAGE"


@pytest.mark.parametrize(
    ("fault", "kind", "exit_code"),
    [
        ("run.started:1:full", "environment", 6),
        ("run.started:1:raise", "bug", 70),
        ("run.started:1:MemoryError", "memory", 6),
        ("run.started:1:int", "interrupted", 130),
    ],
)
def test_a_program_hears_of_what_the_machine_lacks(sbf: Shell, fault: str, kind: str, exit_code: int) -> None:
    done = sbf("run", "--replay", "sample", "--plugins", "iso4217", "--json", SBF_TESTING="1", SBF_FAULT=fault)
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["exit_code"], done.returncode) == (kind, exit_code, exit_code)


def test_a_result_that_was_printed_is_followed_by_no_error(sbf: Shell) -> None:
    """What the other datasets of a run did is the object; its failures are in it."""
    fault = {"SBF_TESTING": "1", "SBF_FAULT": "promote.staged:1:MemoryError"}
    done = sbf("run", "--replay", "sample", "--plugins", "iso4217,ecb", "--json", **fault)
    told = json.loads(done.stdout)
    assert (done.returncode, told["schema"], [one["kind"] for one in told["failures"]]) == (6, "sbf.run/1", ["memory"])
    assert "error[MEMORY]" in done.stderr
    sql = sbf("sql", "FROM nothing", "--format", "json")
    assert json.loads(sql.stdout)["error"]["code"] == "SQL"
    assert sbf("sql", "FROM nothing").stdout == ""


def test_only_commands_that_take_a_home_are_told_with_one() -> None:
    """And each that is told with one takes it."""
    taking = {
        name
        for name in COMMANDS
        if "home_folder"
        in inspect.signature(
            getattr(import_module(f"sbf_core.cli.commands.{name.replace(' ', '_')}"), name.replace(" ", "_"))
        ).parameters
    }
    assert set(COMMANDS) - taking == HOMELESS
    for name in COMMANDS:
        told = of_home(f"sbf {name} --json", "--home x")
        assert told == (f"sbf {name} --home x --json" if name in taking else f"sbf {name} --json")
    assert of_home("sbf restore y --home z", "--home x") == "sbf restore y --home z"
    assert of_home("sbf --help", "--home x") == "sbf --help"
    assert told_of_home("see `sbf runs`, or `sbf sql 'x'`", "--home y") == (
        "see `sbf runs --home y`, or `sbf sql --home y 'x'`"
    )


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("C:\\a", "C:\\a"),
        ("C:\\my home", '"C:\\my home"'),
        ("C:\\a&b", '"C:\\a&b"'),
        ("C:\\a [b] (c)", '"C:\\a [b] (c)"'),
        ("^GSPC", '"^GSPC"'),
    ],
)
def test_a_path_is_quoted_for_windows(word: str, quoted: str) -> None:
    assert typed(word, windows=True) == quoted


@pytest.mark.skipif(os.name != "posix", reason="commands are typed into a POSIX shell here")
def test_each_command_that_is_printed_works_as_it_is_typed(tmp_path: Path) -> None:
    """In a shell, of a home whose path has blanks, brackets, a quote and a dollar."""
    folder = tmp_path / "a [b] (c) d's $HOME"
    folder.mkdir()
    sbf = Shell(folder)
    home, keys = folder / "my home", folder / "my home" / "secrets.toml"

    def type_in(command: str) -> None:
        started = re.sub(r"^sbf ", f"{shlex.quote(sys.executable)} -m sbf_core ", command.strip())
        done = subprocess.run(
            ["sh", "-c", started],
            cwd=tmp_path,
            env={**os.environ, "EDITOR": "true"},
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
        )
        assert done.returncode == 0, (command, done.stderr)

    hints = sbf("init", "--home", str(home)).stdout.splitlines()
    type_in(next(line for line in hints if line.startswith("  edit ")).replace("edit ", "test -f ").strip())
    type_in(next(line for line in hints if line.startswith("  sbf run ")) + " --plugins iso4217")
    home.chmod(0o755)
    type_in(re.search("chmod 700 .*", sbf("doctor", "--home", str(home)).stdout)[0])  # type: ignore[index]
    assert home.stat().st_mode & 0o777 == 0o700
    keys.write_text('FMP_API_KEY = "abc"\n')
    keys.chmod(0o644)
    done = sbf("run", "--plugins", "fmp", "--tickers", "AAPL", "--home", str(home))
    assert "others may read the file with the keys" in done.stderr, done.stderr
    type_in(re.search("chmod 600 .*", done.stderr)[0])  # type: ignore[index]
    assert keys.stat().st_mode & 0o777 == 0o600


def test_reports_read_what_is_there(filled: Shell) -> None:
    status = json.loads(filled("status", "--json").stdout)
    assert status["schema"] == "sbf.status/1"
    assert {item["dataset"] for item in status["datasets"]} == {
        "fx/ecb/reference_rates", "macro/bls/cpi", "prices/wiki/eod",
        "reference/iso4217/currencies", "reference/sec/company_tickers",
    }  # fmt: skip
    assert "Last run" in filled("status").stdout
    runs = json.loads(filled("runs", "--json", "--limit", "1").stdout)["runs"]
    assert (runs[0]["status"], runs[0]["files"]) == ("ok", 10)
    datasets = filled("datasets", "--plugins", "ecb").stdout
    assert "\n\necb: Source: ECB. Free reuse with the source named. https://" in datasets
    searched = json.loads(filled("datasets", "--search", "Yield curve", "--json").stdout)["datasets"]
    assert [(item["dataset"], item["found_in"]) for item in searched] == [("rates/treasury/par_yield_curve", ["title"])]
    assert "found in" in filled("datasets", "--search", "curve").stdout
    assert "in no dataset stand all of these words: nosuchword" in filled("datasets", "--search", "nosuchword").stderr
    assert filled("datasets", "ecb", "--search", "x").returncode == 2
    plugins = [item["plugin"] for item in json.loads(filled("datasets", "--json").stdout)["datasets"]]
    assert list(dict.fromkeys(plugins)) == [
        "bls",
        "ecb",
        "eod",
        "fmp",
        "fred",
        "iso4217",
        "sec",
        "stooq",
        "treasury",
        "yahoo",
    ]
    plugins = json.loads(filled("plugins", "list", "--json").stdout)["plugins"]
    shown = next(item for item in plugins if item["name"] == "ecb")
    assert shown == {
        "name": "ecb",
        "distribution": "sbf",
        "version": shown["version"],
        "datasets": 1,
        "state": "loaded",
        "reason": "",
        "what": "Euro foreign exchange reference rates of the European Central Bank, since 1999",
        "deprecated": [],
    }
    doctor = filled("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "key SEC_USER_AGENT" in doctor.stdout
    digests = json.loads(filled("digest", "--json").stdout)["tables"]
    assert len(digests) == 17
    one = json.loads(filled("digest", "--json", "--table", "gold.dim_date").stdout)["tables"]
    assert one == [item for item in digests if item["table"] == "gold.dim_date"]


def test_plan_says_why(filled: Shell) -> None:
    plan = json.loads(filled("plan", "--replay", "sample", "--json").stdout)
    assert (plan["due"], len(plan["requests"])) == (0, 10)
    assert plan["requests"][0]["why"].endswith("in Bronze already")
    live = filled("plan", "--plugins", "ecb")
    assert "due after 12 h" in live.stdout
    assert "1 of 1 request is due" in live.stdout
    assert filled("run", "--plugins", "ecb", "--dry-run").stdout == live.stdout


def test_a_rebuild_says_beforehand_what_it_would_make_again(filled: Shell) -> None:
    def told(*arguments: str) -> list[str]:
        return [
            one["table"] for one in json.loads(filled("rebuild", "--dry-run", "--json", *arguments).stdout)["tables"]
        ]

    everything = told()
    assert len(everything) == 12
    assert told("--gold") == [name for name in everything if name.startswith("gold.")]
    assert told("macro/bls/cpi") == ["silver.bls_cpi"]
    assert "12 tables would be made again; nothing was changed." in filled("rebuild", "--dry-run").stdout


def test_sql_in_three_forms(filled: Shell) -> None:
    query = "SELECT ticker, returns, total_return_usd AS total FROM gold.instrument_stats WHERE ticker = 'FB'"
    assert filled("sql", query).stdout == "ticker  returns                total\nFB          195  -0.2733797519342537\n"
    assert filled("sql", query, "--format", "csv").stdout.startswith("ticker,returns,total\nFB,195,-0.27337975")
    apart = "SELECT NULL AS a, '' AS b, 'say \"x\", y' AS \"c,d\", true AS e, 1.50 AS f, 'p' || chr(10) || 'q' AS g"
    written = filled("sql", apart, "--format", "csv").stdout
    assert written == 'a,b,"c,d",e,f,g\n,"","say ""x"", y",true,1.50,"p\nq"\n'
    twice = filled("sql", "SELECT 1 AS a, 2 AS a", "--json")
    assert (twice.returncode, json.loads(twice.stdout)["error"]["what"]) == (2, "two columns are called 'a'")
    assert "two columns are called 'a'" in twice.stderr
    answer = json.loads(filled("sql", query, "--json").stdout)
    assert (answer["columns"], answer["rows"][0]["returns"], answer["more"]) == (
        ["ticker", "returns", "total"],
        195,
        False,
    )
    cut = filled("sql", "SELECT * FROM gold.dim_date", "--limit", "2")
    assert len(cut.stdout.splitlines()) == 3
    assert "only the first 2 rows" in cut.stderr


LOCKED_OUT = [
    "DELETE FROM ops.rejects", "DROP TABLE gold.dim_date", "SELECT 1; SELECT 2", "ATTACH 'x.duckdb'",
    "COPY (SELECT 1) TO 'x.csv'", "SELECT * FROM read_text('/etc/hostname')", "SELECT * FROM 'x.csv'",
    "SET memory_limit = '1GB'", "INSTALL httpfs", "SELEC 1", "SELECT * FROM nowhere", "SELECT getenv('HOME')",
    "EXPLAIN ANALYZE DELETE FROM ops.rejects", "WITH d AS (DELETE FROM ops.rejects RETURNING *) SELECT * FROM d",
]  # fmt: skip


@pytest.mark.parametrize("query", LOCKED_OUT)
def test_sql_is_locked_down(filled: Shell, query: str) -> None:
    done = filled("sql", query)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sbf: error[SQL] ")
    assert done.stderr.count("\n") == 1


USAGE = [
    (["rnu"], "did you mean 'run'|Did you mean 'run'"),
    (["run", "--plugin", "ecb"], "--plugins"),
    (["run", "--plugins", "nope", "--replay", "sample"], "there is no plugin 'nope'; --plugins; installed: .*ecb"),
    (["run", "--plugins", "ebc"], "did you mean 'ecb'"),
    (["run", "--plugins", ""], "holds an empty name"),
    (["run", "--plugins", "ecb,,sec"], "holds an empty name"),
    (
        ["run", "--select", "ecb:*", "--replay", "sample", "--select=bls:*"],
        "--select is given twice; sbf run; write --select A,B",
    ),
    (["status", "--json", "--json"], "--json is given twice; sbf status; give it once"),
    (["run", "--since", "2024-02-30"], "'2024-02-30' is no day; write YYYY-MM-DD"),
    (["run", "--since", "01/02/2024"], "write YYYY-MM-DD"),
    (["run", "--since", "2025-01-01", "--until", "2024-01-01"], "is after --until"),
    (["run", "--since", "9999-12-31"], "is not between"),
    (["run", "--workers", "0"], "use 1 to 64"),
    (["run", "--workers", "-1"], "use 1 to 64"),
    (["run", "--workers", "1e9"], "expected int"),
    (["run", "--workers", "abc"], "expected int"),
    (["run", "--only", "sliver"], "did you mean 'silver'"),
    (["run", "--replay", "sampel"], "did you mean 'sample'"),
    (["run", "--replay", "."], "no Bronze journal"),
    (["run", "--replay-until", "2025-01-01"], "needs --replay"),
    (["run", "--replay", "sample", "--replay-until", "2025-01-01T00:00:00"], "no time zone"),
    (["run", "--plugins", "eod"], "the universe is empty"),
    (["run", "--tickers", "A,../x"], "path step"),
    (["run", "--tickers", "A" * 300], "300 characters"),
    (["run", "--tickers", "A\x1b[31m"], "U\\+001B"),
    (["sql", "SELECT 1"], "there is no data yet"),
    (["status"], "there is no data yet"),
    (["sql", "SELECT 1", "--format", "xml"], "use table, csv or json"),
    (["universe"], "the universe is empty"),
    (["datasets", "--plugins", "x"], "no plugin 'x'"),
    (["sql", "SELECT 1", "--limit", "1" + "0" * 20], "0<=x<=1000000000"),
    (["rejects", "bls_cpi", "--limit", "1" + "0" * 20], "0<=x<=1000000000"),
    (["run", "--workers", "²"], "expected int"),
    (["run", "--workers", "9" * 5000], "run.workers is"),
    (["run", "--home", "what?"], r"DuckDB cannot open a file whose path holds '\?'"),
    (["init", "--home", "what?"], r"DuckDB cannot open a file whose path holds '\?'"),
    *(
        []
        if os.name == "nt"
        else [(["run", "--home", "what\udcff"], "DuckDB cannot open a file whose path is no UTF-8; .*what.udcff")]
    ),
    *([] if os.name == "nt" else [(["run", "--home", "what\\"], "DuckDB cannot open a file whose path holds")]),
]


@pytest.mark.parametrize(
    ("arguments", "message"), USAGE, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else ""
)
def test_mistakes_get_one_clear_line_and_nothing_is_written(sbf: Shell, arguments: list[str], message: str) -> None:
    done = sbf(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" or ("--json" in arguments and "error" in json.loads(done.stdout))
    assert re.match(r"sbf: error\[[A-Z_]+\] .+\n\Z", done.stderr)
    assert done.stderr.rstrip("\n").isprintable()
    assert re.search(message, done.stderr)
    assert not sbf.home.exists()


def _integer_options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in getattr(command, "commands", {}).items():
        yield from _integer_options(one, (*path, name))
    yield from ((path, option) for option in command.params if option.type.name.startswith("int"))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    """The list is shown without loading a command; its sentences are kept beside it."""
    module = name.replace(" ", "_")
    command = getattr(import_module(f"sbf_core.cli.commands.{module}"), module)
    first = " ".join(inspect.cleandoc(command.__doc__).split("\n\n")[0].split())
    assert re.match(r".*?\.(?= [A-Z]|$)", first)[0] == COMMANDS[name]  # type: ignore[index]


def test_no_command_is_left_out_of_the_list() -> None:
    files = {path.stem for path in Path(commands.__file__).parent.glob("[a-z]*.py")}
    assert files == {name.replace(" ", "_") for name in COMMANDS}


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["run", "--replay", "sample"], "run"), (["--debug", "plugins", "--json", "list"], "plugins list"),
        ([], ""), (["--help"], ""), (["plugins"], ""), (["plugins", "nosuch"], ""), (["nosuch", "run"], ""),
    ],
)  # fmt: skip
def test_only_the_command_that_is_asked_for_is_loaded(words: list[str], asked: str) -> None:
    assert asked_for(words) == asked


def test_each_number_of_a_command_has_an_end() -> None:
    """One that no machine counts to was handed to the engine, which took it for a bug of ours."""
    found = list(_integer_options(get_command(whole_application())))
    assert len(found) >= 6
    assert [(path, option.name) for path, option in found if getattr(option.type, "max", None) is None] == []


HOMES = {
    "file": "the home is a file",
    "csv": "no DuckDB database",
    "toml": r"not TOML.*sbf\.toml:1:",
    "unknown": "did you mean 'run.workers'",
}


@pytest.mark.parametrize(("kind", "message"), HOMES.items())
def test_homes_that_are_none(sbf: Shell, kind: str, message: str) -> None:
    if kind == "file":
        sbf.home.write_text("")
    else:
        sbf.home.mkdir()
        name, text = {
            "csv": ("sbf.duckdb", "a,b\n1,2\n"),
            "toml": ("sbf.toml", "run = \n"),
            "unknown": ("sbf.toml", "[run]\nworker = 1\n"),
        }[kind]
        (sbf.home / name).write_text(text)
    before = tree(sbf.folder)
    done = sbf("run", "--replay", "sample")
    assert done.returncode == 2
    assert re.search(message, done.stderr)
    assert tree(sbf.folder) == before


def test_a_database_of_a_newer_sbf_is_refused(sbf: Shell) -> None:
    bootstrap = DuckDbBootstrap(DuckDbConfig(home=sbf.home)).open()
    bootstrap.cursor().execute("INSERT INTO ops.schema_migrations VALUES (99, 'future', '', TIMESTAMP '2030-01-01')")
    bootstrap.close()
    before = tree(sbf.home)
    for arguments in (("run", "--replay", "sample"), ("status",)):
        done = sbf(*arguments)
        assert done.returncode == 5
        assert done.stderr.startswith(
            f"sbf: error[VERSION] the database has schema 99, this sbf knows up to {latest_version()}; "
            "nothing was touched"
        )
    assert tree(sbf.home) == before


@pytest.mark.skipif(os.name != "posix", reason="folders that cannot be written are made with POSIX means here")
def test_a_home_that_cannot_be_made_is_the_environments_fault(sbf: Shell) -> None:
    done = sbf("run", "--replay", "sample", "--home", "/proc/sbf-data")
    assert done.returncode == 6
    assert done.stderr.startswith("sbf: error[ENVIRONMENT] the home cannot be made")


def test_no_arguments_show_the_help(sbf: Shell) -> None:
    for arguments in ((), ("--help",), ("plugins",)):
        done = sbf(*arguments)
        assert done.returncode == 0
        assert "Usage:" in done.stdout
    assert sbf("--version").stdout.startswith("sbf ")


def test_init_writes_settings_to_fill_in_and_never_overwrites(sbf: Shell) -> None:
    done = sbf("init")
    assert done.returncode == 0
    text = (sbf.home / "sbf.toml").read_text()
    assert "[universe]" in text
    assert "# workers = 8" in text
    (sbf.home / "sbf.toml").write_text(
        re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    )  # every setting switched on is still valid
    assert sbf("doctor").returncode == 0
    again = sbf("init")
    assert again.returncode == 2
    assert "there is a home already" in again.stderr


def test_the_universe_can_come_from_silver(filled: Shell) -> None:
    query = "SELECT ticker FROM silver.sec_company_ticker WHERE exchange = 'NYSE' AND ticker LIKE 'IB%' ORDER BY 1"
    done = filled("universe", "--json", SBF_UNIVERSE_QUERY=query)
    assert {"ticker": "IBM", "valid_from": None, "valid_to": None} in json.loads(done.stdout)["members"]
    plan = json.loads(
        filled("plan", "--plugins", "eod", "--json", SBF_UNIVERSE_QUERY=query, SBF_TICKER_LIMIT="2").stdout
    )
    assert len(plan["requests"]) == 2


def test_a_rebuild_of_a_sound_home_recovers_nothing(sbf: Shell) -> None:
    """It reads the journals into a database that is new; nobody died."""
    assert sbf("run", "--replay", "sample", "--plugins", "iso4217").returncode == 0
    done = sbf("rebuild")
    assert done.returncode == 0, done.stderr
    assert "Recovered." not in done.stderr
    assert "Journals read. runs=1 | payloads=1" in done.stderr


def test_a_home_in_use_is_said_so(filled: Shell) -> None:
    script = f"""
import sys
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
held = DuckDbBootstrap(DuckDbConfig(home={str(filled.home)!r})).open()
print("open", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        done = filled("run", "--replay", "sample")
        assert done.returncode == 4
        assert f"in use by process {child.pid}" in done.stderr
        assert filled("status").returncode == 0, "a reader takes the published copy"
        (filled.home / "published" / "current.json").unlink()
        live = filled.home / "live.json"
        facts = json.loads(live.read_text())
        live.write_text(json.dumps({**facts, "status": "running", "updated_at": "1999-01-01T00:00:00+00:00"}))
        locked = filled("status")
        live.write_text(json.dumps(facts))
        assert (locked.returncode, "went silent" in locked.stderr, "steps" in locked.stderr) == (4, False, False)
    finally:
        child.communicate("")


@pytest.mark.skipif(os.name != "posix", reason="the run is held by a file")
def test_readers_of_the_first_run_are_told_at_once_how_far_it_is(sbf: Shell, tmp_path: Path) -> None:
    """Nothing can be read before its end; afterwards readers have its copy."""
    mark = tmp_path / "held"
    variables = {"SBF_TESTING": "1", "SBF_FAULT": "promote.begun:1:hold", "SBF_FAULT_MARK": str(mark)}
    command = [sys.executable, "-m", "sbf_core", "run", "--replay", "sample", "--plugins", "iso4217"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")} | variables
    first = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert first.stderr is not None
        wait_until(mark.exists, child=first)
        for words in (("status",), ("sql", "SELECT 1"), ("runs",)):
            done = sbf(*words)
            assert done.returncode == 4, done.stderr
            assert f"in use by process {first.pid} (__main__.py run, since " in done.stderr
            told = (
                r"\), and there is nothing to read before that ends: there is no copy for readers yet; "
                rf"run \S+ is at work(: \w+, \d+ of \d+ steps)?; {re.escape(str(sbf.home))}; wait for it"
            )
            assert re.search(told, done.stderr), done.stderr
    finally:
        mark.unlink()
        first.communicate(timeout=HANG_SECONDS)
    assert first.returncode == 0
    assert sbf("status").returncode == 0


def test_a_reader_that_goes_away_is_no_error(filled: Shell) -> None:
    if os.name == "posix":
        command = (
            f"{shlex.quote(sys.executable)} -m sbf_core sql 'SELECT * FROM gold.fact_fx_rate' "
            "--limit 0 --format csv | head -1"
        )
        done = subprocess.run(["sh", "-c", command], cwd=filled.folder, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("date,currency,currency_key,units_per_eur\n", "")


def test_coverage_has_what_a_universe_file_wants(filled: Shell, tmp_path: Path) -> None:
    listed = tmp_path / "members.csv"
    listed.write_text("ticker,valid_from,valid_to\nNVDA,2024-01-01,2024-01-05\n")
    told = filled("coverage", "fmp_eod", "--days", "--json", SBF_TICKERS_FILE=str(listed))
    (stretch,) = json.loads(told.stdout)["datasets"][0]["stretches"]
    assert (stretch["ticker"], stretch["first"], stretch["days"]) == ("NVDA", "2024-01-01", 5)
    listed.write_text("ticker,valid_from,valid_to\nNVDA,2024-01-05,2024-01-01\n")
    for command in ("coverage", "universe", "plan"):
        told = filled(command, SBF_TICKERS_FILE=str(listed))
        assert (told.returncode, "2024-01-05 to 2024-01-01" in told.stderr) == (2, True), told.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes")
def test_what_a_command_makes_is_its_owners_from_the_start() -> None:
    """Before any hook is called, after each of which it is set once more."""
    program = (
        "import os, sys; os.umask(0); import sbf_core.cli.main as m; sys.argv = ['sbf']; "
        "m.application = lambda words: lambda **_: print(oct(os.umask(0))); m.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert (done.stdout, done.returncode) == ("0o77\n", 0), done.stderr
