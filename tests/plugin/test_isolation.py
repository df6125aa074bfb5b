"""Plugins in processes of their own, and plugins that do what they must not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hang import HANG_SECONDS, wait_until
from odd_plugins import alive, fetch_with, promote_with, run
from warehouse import Warehouse

from sbf_core import signals
from sbf_core.errors import OutOfMemory, PluginFault
from sbf_core.failures import FailureKind


@pytest.fixture(params=["all", "none"])
def isolate(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _as_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command takes over signals, and so knows an interrupt from a plugin that raises one."""
    monkeypatch.setattr(signals._Asked, "installed", True)


def test_a_good_plugin_does_the_same_either_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.json").write_text('[{"symbol": "A", "date": "2024-01-02", "close": 1.5}]')
    reading = f"return http.read(request, {str(tmp_path / 'data.json')!r}, extension='json')"
    for answer in (
        "return ParseRows(json.loads)",
        (
            'return SelectRows("SELECT _file, '
            'unnest(document::STRUCT(symbol TEXT, date TEXT, close TEXT)[], recursive := true) FROM batch")'
        ),
    ):
        homes = []
        for isolate in ("all", "none"):
            home = f"{isolate}-{len(answer)}"
            context = run(
                tmp_path,
                monkeypatch,
                promote_with(answer).replace("return result(request)", reading),
                home=home,
                plugins__isolate=isolate,
            )
            assert context.errors == []
            homes.append(
                Warehouse(tmp_path / home).ask("SELECT symbol, date, close, _bronze_file_id FROM silver.odd_eod")
            )
        assert homes[0] == homes[1]
        assert homes[0][0][0] == "A"


MISDEEDS = {
    "raises": "raise ValueError('no')",
    "leaves": "sys.exit(3)",
    "interrupts": "raise KeyboardInterrupt",
    "recurses": "f = lambda: f(); return f()",
    "generator exit": "raise GeneratorExit",
    "text": "return 'rows'",
    "dict": "return {'a': 1}",
    "prints": "print('x' * 100000); return 7",
}


def test_a_promote_that_answers_none_leaves_it_to_the_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str
) -> None:
    """In this process and in one of the plugin's own, also after it asked for the fields."""
    for number, text in enumerate(("return None", "assert batch.fields; return None")):
        folder = tmp_path / f"leaving{number}"
        folder.mkdir()
        context = run(folder, monkeypatch, promote_with(text), plugins__isolate=isolate)
        assert context.errors == []
        assert Warehouse(folder / "home").ask("SELECT symbol FROM silver.odd_eod") == [("A",)]


def test_a_failure_keeps_its_kind_on_its_way_through_a_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str
) -> None:
    """From the session to the hook, from its answer to the ledger: the kind is a value, in whatever process."""
    context = run(tmp_path, monkeypatch, fetch_with("return http.read(request, 'gone.csv')"), plugins__isolate=isolate)
    assert [(failure.kind, failure.dataset) for failure in context.failures] == [(FailureKind.FILE, "prices/odd/eod")]
    kinds = Warehouse(tmp_path / "home").ask("SELECT error_kind FROM ops.file_ingestions WHERE status = 'failed'")
    assert kinds == [("file",)]


def test_a_kind_that_is_none_is_refused_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str
) -> None:
    said = "return RunResult(request=request, address='x', fetched_at=NOW, error='no', kind='fille')"
    text = fetch_with(said.replace("NOW", "__import__('datetime').datetime.now(__import__('datetime').timezone.utc)"))
    context = run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert "did you mean 'file'?" in context.errors[0]
    assert context.failures[0].kind in (FailureKind.PLUGIN, FailureKind.DECLARATION)


@pytest.mark.parametrize("misdeed", MISDEEDS)
@pytest.mark.parametrize("hook", ["fetch", "promote"])
def test_a_hook_that_misbehaves_costs_only_its_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str, hook: str, misdeed: str
) -> None:
    text = (fetch_with if hook == "fetch" else promote_with)(MISDEEDS[misdeed])
    context = run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert len(context.errors) == 1
    assert (
        f"plugin odd, hook {hook}" in context.errors[0]
        or "plugin odd" in context.errors[0]
        or "promote answered" in context.errors[0]
    )
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(1,)]
    assert warehouse.ask("SELECT status FROM ops.file_ingestions WHERE kind = 'run'") == [("partial",)]
    assert (hook == "promote") == (
        "prices/odd/eod/_global/20240102T120000000000Z-" in "".join(warehouse.bronze_files())
    )


RESULTS = {
    "text payload": ("payload='text'", "payload is str, expected bytes"),
    "no time zone": ("fetched_at=dt.datetime(2024, 1, 2)", "has no time zone"),
    "path as extension": ("extension='/../../../x'", "RunResult.extension is"),
    "other request": ("request=attrs.evolve(request, dataset='other')", "answered a request that nobody made"),
}


@pytest.mark.parametrize(("change", "reason"), RESULTS.values(), ids=RESULTS)
def test_a_result_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str, change: str, reason: str
) -> None:
    context = run(
        tmp_path,
        monkeypatch,
        fetch_with(f"return result(**{{'request': request, **dict({change})}})"),
        plugins__isolate=isolate,
    )
    assert len(context.errors) == 1
    assert reason in context.errors[0]
    assert all("odd" not in name for name in Warehouse(tmp_path / "home").bronze_files())


PARSERS = {
    "not a mapping": ("return ParseRows(lambda payload: [1])", "parse gave int instead of a mapping as row 1"),
    "naive time": (
        "return ParseRows(lambda payload: [{'symbol': dt.datetime(2024, 1, 1)}])",
        "a time without zone for 'symbol' in row 1",
    ),
    "half way": (
        "return ParseRows(lambda payload: ({'symbol': 'A', 'date': '2024-01-01'} if n else 1 / 0 for n in (1, 1, 0)))",
        "ZeroDivisionError",
    ),
    "leaves": ("return ParseRows(lambda payload: sys.exit(2))", "SystemExit"),
}


@pytest.mark.parametrize(("answer", "reason"), PARSERS.values(), ids=PARSERS)
def test_a_parser_that_fails_gives_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str, answer: str, reason: str
) -> None:
    context = run(tmp_path, monkeypatch, promote_with(answer), plugins__isolate=isolate)
    assert len(context.errors) == 1
    assert reason in context.errors[0]
    assert Warehouse(tmp_path / "home").ask("SELECT count(*) FROM silver.odd_eod") == [(0,)]


@pytest.mark.parametrize("hook", ["fetch", "promote"])
def test_a_hook_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    hang = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(100)"
    context = run(
        tmp_path,
        monkeypatch,
        (fetch_with if hook == "fetch" else promote_with)(hang),
        plugins__isolate="all",
        plugins__answer_seconds_max=3.0,
    )
    assert len(context.errors) == 1
    assert "did not answer for 3 s and was stopped" in context.errors[0]
    assert (hook == "promote") == any("odd" in name for name in Warehouse(tmp_path / "home").bronze_files())


BROKEN = {
    "fetch": (fetch_with("return deeper()") + "\ndef deeper():\n    return {}['x']\n", "KeyError: 'x'", "deeper"),
    "in a library": (fetch_with("return json.loads('?')"), "JSONDecodeError: Expecting value", "fetch"),
    "promote": (promote_with("return batch.nothing"), "has no attribute 'nothing'", "promote"),
    "parse": (
        promote_with("return ParseRows(parse)") + "\ndef parse(payload):\n    yield {}['y']\n",
        "KeyError: 'y'",
        "parse",
    ),
    "build_gold": (
        fetch_with("return result(request)") + "\n@hookimpl\ndef build_gold():\n    return [nowhere]\n",
        "NameError: name 'nowhere' is not defined",
        "build_gold",
    ),
    "datasets": (
        fetch_with("return 1").replace("def datasets():", "def datasets():\n    1 / 0\n"),
        "ZeroDivisionError: division by zero",
        "datasets",
    ),
    "import": (
        fetch_with("return 1") + "\nimport sbf_never\n",
        "ModuleNotFoundError: No module named 'sbf_never'",
        "",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_code_of_a_plugin_raises_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolate: str, what: str
) -> None:
    """Of its own code, wherever the error was raised, and without the folders of the machine."""
    text, said, function = BROKEN[what]
    marks = {
        "fetch": "{}['x']",
        "in a library": "json.loads",
        "promote": "batch.nothing",
        "parse": "{}['y']",
        "build_gold": "[nowhere]",
        "datasets": "1 / 0",
        "import": "import sbf_never",
    }
    line = next(number for number, code in enumerate(text.splitlines(), start=1) if marks[what] in code)
    (error,) = run(tmp_path, monkeypatch, text, plugins__isolate=isolate).errors
    at = f"odd_{tmp_path.name.replace('-', '_')}.py, line {line}" + (f", in {function}" if function else "")
    assert re.search(rf"{re.escape(said)}.*; {re.escape(at)}[,;]?", error), error
    assert error.count(" line ") - error.count(": line ") == 1
    assert str(tmp_path) not in error
    told = Warehouse(tmp_path / "home").ask("SELECT error FROM ops.file_ingestions WHERE error IS NOT NULL")
    assert all(str(tmp_path) not in text for (text,) in told)


@pytest.mark.skipif(sys.platform != "linux", reason="the system cannot limit a process's memory")
def test_a_hook_that_eats_memory_dies_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        OutOfMemory,
        match=r"raised MemoryError; odd_.*\.py, line 27, in fetch, dataset prices/odd/eod, plugin odd, hook fetch; .*"
        r"memory_mebibytes",
    ):
        run(
            tmp_path,
            monkeypatch,
            fetch_with("return result(request, payload=b'x' * (8 << 30))"),
            plugins__isolate="all",
            plugins__memory_mebibytes=1024,
        )
    assert Warehouse(tmp_path / "home").ask("SELECT count(*) FROM silver.px") == [(1,)]


def test_a_process_that_dies_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = run(tmp_path, monkeypatch, fetch_with("os._exit(7)"), plugins__isolate="all")
    assert "its process ended with code 7" in context.errors[0]


@pytest.mark.skipif(sys.platform == "win32", reason="kills with signals that only POSIX knows")
def test_a_hook_that_hangs_does_not_outlive_sbf(tmp_path: Path) -> None:
    """Neither when sbf is stopped in order, nor when it is killed."""
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (tmp_path / "odd.py").write_text(
        fetch_with(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep({10 * HANG_SECONDS})")
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbf.plugins]\nodd = odd\n")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2]), str(tmp_path)]),
        "SBF_HOME": str(tmp_path / "home"),
        "SBF_PLUGINS": "odd",
    }
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        (tmp_path / "pid").unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-m", "sbf_core", "run"], env=environment, stderr=subprocess.PIPE)
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), child=child)
        child.send_signal(number)
        _, err = child.communicate(timeout=HANG_SECONDS)
        assert (child.returncode, b"Traceback" in err) == (code, False)
        pid = int((tmp_path / "pid").read_text())
        wait_until(lambda pid=pid: not alive(pid))


def test_a_process_of_its_own_sees_no_key_and_cannot_open_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "canary")
    monkeypatch.setenv("VENDOR_REGION", "north")
    database = str(tmp_path / "home" / "sbf.duckdb")
    body = (
        "import duckdb; assert 'VENDOR_KEY' not in os.environ; assert os.environ['VENDOR_REGION'] == 'north'\n"
        f"    try:\n        duckdb.connect({database!r})\n"
        "    except duckdb.Error as error:\n"
        "        raise ValueError('refused: ' + str(error)[:40])\n    return result(request)"
    )
    text = fetch_with(body).replace(
        "columns=Price,", "columns=Price, recipe=RestRecipe(url='http://127.0.0.1:9/', secrets={'k': 'VENDOR_KEY'}),"
    )
    context = run(tmp_path, monkeypatch, text, plugins__isolate="all")
    assert "refused: IO Error: Could not set lock" in context.errors[0]


def test_a_process_may_send_values_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        fetch_with("return Evil()")
        + "\nclass Evil:\n    def __reduce__(self):\n        return (os.system, ('touch "
        + str(tmp_path / "owned")
        + "',))\n"
    )
    context = run(tmp_path, monkeypatch, text, plugins__isolate="all")
    assert "which is no value" in context.errors[0]
    assert not (tmp_path / "owned").exists()


SELECTS = {
    "two statements": "SELECT 1; DROP SCHEMA ops CASCADE",
    "breaks out": "SELECT 1) AS a; DROP SCHEMA ops CASCADE; SELECT * FROM (SELECT 1",
    "writes": "INSERT INTO ops.rejects SELECT * FROM ops.rejects",
    "modifies in a with": "WITH x AS (DELETE FROM ops.rejects RETURNING *) SELECT * FROM x",
    "attaches": "ATTACH '/tmp/x.duckdb'",
    "copies": "COPY (SELECT 1) TO '/tmp/x.csv'",
    "sets": "SET memory_limit = '1GB'",
    "explains": "EXPLAIN ANALYZE DELETE FROM ops.rejects",
    "commits": "COMMIT",
    "reads a file": "SELECT 'f' AS _file, content AS symbol FROM read_text('/etc/hostname')",
    "installs": "INSTALL httpfs",
    "calls": "CALL force_checkpoint()",
}


@pytest.mark.parametrize("sql", SELECTS.values(), ids=SELECTS)
def test_sql_that_is_no_single_select_is_refused_and_the_ledger_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    context = run(tmp_path, monkeypatch, promote_with(f"return SelectRows({sql!r})"), plugins__isolate="none")
    assert len(context.errors) == 1, context.errors
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(1,)]
    assert warehouse.ask("SELECT count(*) FROM ops.bronze_manifest") == [(2,)]
    assert not (tmp_path / "x.csv").exists()


HELPS_ITSELF = (
    "import gc; from sbf_core.duck.bootstrap import DuckDbBootstrap\n"
    "    held = next(thing for thing in gc.get_objects() "
    "if isinstance(thing, DuckDbBootstrap) and thing._connection is not None)\n"
    "    held._connection.cursor().execute('DELETE FROM ops.file_ingestions')\n    "
)


@pytest.mark.parametrize("hook", ["fetch", "promote", "build_gold"])
def test_a_plugin_that_opens_the_database_by_itself_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    """In the process of sbf nothing keeps it from that; it is noticed at the end of its hook."""
    texts = {
        "fetch": fetch_with(HELPS_ITSELF + "return result(request)"),
        "promote": promote_with(HELPS_ITSELF + "return ParseRows(json.loads)"),
        "build_gold": fetch_with("return result(request)")
        + f"\n@hookimpl\ndef build_gold():\n    {HELPS_ITSELF}return []\n",
    }
    context = run(tmp_path, monkeypatch, texts[hook], plugins__isolate="none")
    found = [error for error in context.errors if "used the database by itself" in error]
    assert len(found) == 1, context.errors
    assert "odd" in found[0]
    assert hook in found[0]


def test_a_universe_plugin_that_opens_the_database_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        fetch_with("return result(request)")
        + f"\n@hookimpl\ndef universe_members():\n    {HELPS_ITSELF}return [UniverseMember(ticker='A')]\n"
    )
    with pytest.raises(PluginFault, match=r"used the database by itself; plugin odd, hook universe_members"):
        run(tmp_path, monkeypatch, text, universe__plugin="odd")


def test_only_third_party_plugins_get_a_process_by_default() -> None:
    from sbf_core.plugin.limits import Isolation
    from sbf_core.plugin.record import PluginRecord

    class Bundled(PluginRecord):
        distribution = "sbf"  # type: ignore[assignment]

    point = EntryPoint(name="x", value="x", group="sbf.plugins")
    assert Isolation().applies_to(PluginRecord(name="x", point=point))
    assert not Isolation().applies_to(Bundled(name="x", point=point))
    assert not Isolation().applies_to(PluginRecord(name="x"))
    assert not Isolation(trusted=("x",)).applies_to(PluginRecord(name="x", point=point))
