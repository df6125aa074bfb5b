"""The processes of a plugin: they end with all that they started, and what they print is kept within bounds."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

import pytest
from hang import HANG_SECONDS, wait_until
from odd_plugins import alive, fetch_with, promote_with, run
from typer.exceptions import Exit
from warehouse import Warehouse

from sbf_core import signals
from sbf_core.child.group import ChildProcess
from sbf_core.cli.commands.doctor import doctor
from sbf_core.plugin.output import LINES_SHOWN, PluginOutput, log_of
from sbf_core.secret import Secret

posix = pytest.mark.skipif(sys.platform == "win32", reason="processes are looked for as POSIX does")


@pytest.fixture(autouse=True)
def _as_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals._Asked, "installed", True)


def pids_in(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()]


@posix
def test_a_pool_of_processes_ends_with_its_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "from concurrent.futures import ProcessPoolExecutor; import multiprocessing\n"
        "    globals().setdefault('pool', ProcessPoolExecutor(2)); list(pool.map(abs, [1, -2, 3]))\n"
        f"    open({str(tmp_path / 'pids')!r}, 'w').write("
        "' '.join(str(one.pid) for one in multiprocessing.active_children()))\n"
        "    return result(request)"
    )
    context = run(tmp_path, monkeypatch, fetch_with(body), plugins__isolate="all")
    assert context.errors == []
    found = pids_in(tmp_path / "pids")
    assert found
    wait_until(lambda: not any(alive(pid) for pid in found))


@posix
@pytest.mark.parametrize("leaves", [False, True], ids=["in the group", "in a session of its own"])
def test_nobody_waits_for_a_process_that_keeps_the_pipes_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    """What is in the group ends; what left it goes on, and the run ends all the same."""
    body = (
        "import subprocess; one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(900)'], "
        f"start_new_session={leaves}, close_fds=False)\n"
        f"    open({str(tmp_path / 'pids')!r}, 'w').write(str(one.pid)); os._exit(3)"
    )
    try:
        context = run(tmp_path, monkeypatch, fetch_with(body), plugins__isolate="all")
    finally:
        (pid,) = pids_in(tmp_path / "pids")
        if leaves:
            os.kill(pid, signal.SIGKILL)
    assert "its process ended with code 3" in context.errors[0]
    wait_until(lambda: not alive(pid))


@posix
def test_a_hook_that_is_stopped_ends_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "import subprocess; one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(900)'])\n"
        f"    open({str(tmp_path / 'pids')!r}, 'w').write(str(one.pid)); time.sleep(3600)"
    )
    context = run(tmp_path, monkeypatch, promote_with(body), plugins__isolate="all", plugins__answer_seconds_max=5.0)
    assert "did not answer for 5 s and was stopped" in context.errors[0]
    wait_until(lambda: not alive(pids_in(tmp_path / "pids")[0]))


def test_an_import_that_hangs_in_its_own_process_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = fetch_with("return result(request)") + "\nif 'pytest' not in sys.modules:\n    time.sleep(3600)\n"
    context = run(tmp_path, monkeypatch, text, plugins__isolate="all", plugins__import_seconds_max=5.0)
    assert "was not imported within 5 s and was stopped" in context.errors[0]
    assert "plugins.import_seconds_max" in context.errors[0]


@pytest.mark.parametrize(
    ("body", "told"),
    [("time.sleep(3600)", "did not answer for 3 s and was stopped"), ("os._exit(0)", "its process ended with code 0"),
     ("return 7", "answered int instead of GoldModel"),
     ("raise ValueError('no')", "raised ValueError: no")],
)  # fmt: skip
def test_build_gold_has_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
) -> None:
    text = fetch_with("return result(request)") + f"\n@hookimpl\ndef build_gold():\n    {body}\n"
    context = run(tmp_path, monkeypatch, text, plugins__isolate="all", plugins__answer_seconds_max=3.0)
    assert len(context.errors) == 1, context.errors
    assert told in context.errors[0]
    assert "plugin odd" in context.errors[0] and "build_gold" in context.errors[0]
    assert Warehouse(tmp_path / "home").ask("SELECT symbol FROM silver.odd_eod") == [("A",)]


def test_gold_models_are_the_same_from_either_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = fetch_with("return result(request)") + (
        "\nclass Own(GoldModel):\n    more = open\n\n@hookimpl\ndef build_gold(options):\n"
        "    tests = [NotNull(column='close'), AcceptedRange(column='close', low=0), Unique(columns=('symbol',))]\n"
        "    linked = [ForeignKey(columns=('symbol',), to='dim', to_columns=('symbol',))]\n"
        "    rows = {'bars': [GoldSource(table='silver.other_eod'), GoldSource(table='silver.odd_eod')]}\n"
        "    return [GoldModel(name='dim', key=('symbol',), kind='dimension', "
        "sql='SELECT symbol, close FROM bars', tests=tests, sources=rows, surrogate_key='id'),\n"
        "            Own(name='fact', key=('symbol', 'date'), sql='SELECT symbol, date FROM silver.odd_eod', "
        "date_column='date', tests=linked)]\n"
    )
    found = []
    for isolate in ("all", "none"):
        context = run(tmp_path, monkeypatch, text, home=isolate, plugins__isolate=isolate)
        assert (context.errors, context.gold_tables) == ([], 2)
        warehouse = Warehouse(tmp_path / isolate)
        found.append(
            [warehouse.ask(f"SELECT * FROM gold.{name}") for name in ("dim", "fact")]
            + [warehouse.ask("SELECT table_name, inputs FROM ops.gold_watermarks WHERE table_name <> '*' ORDER BY 1")]
        )
    assert found[0][:2] == found[1][:2]
    assert [name for name, _ in found[0][2]] == ["dim", "fact"]
    assert found[0][2] == found[1][2], "a run with the other setting would build them again"


PRINTS = (
    "\n    for number in range(5000):\n"
    "        print(f'line {number} \\x1b[31m' + 'x' * 200)\n    return result(request)"
)


def test_what_a_hook_prints_is_kept_in_a_file_with_a_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="sbf"):
        assert (
            run(tmp_path, monkeypatch, fetch_with(PRINTS), plugins__isolate="all", plugins__output_kibibytes=64).errors
            == []
        )
    log = log_of(tmp_path / "home" / "logs", "odd")
    lines = log.read_text().splitlines()
    assert lines[0].startswith("line 0 \\x1b[31mxxx")
    assert 64 * 1024 <= log.stat().st_size < 68 * 1024
    assert lines[-1].endswith("bytes more were not kept")
    shown = [record.getMessage() for record in caplog.records if "plugin odd print" in record.getMessage()]
    assert len(shown) == LINES_SHOWN + 1
    assert str(log) in shown[-1] and "more than 3" in shown[-1]


def test_the_file_of_what_was_printed_begins_anew_when_it_is_full(tmp_path: Path) -> None:
    log = log_of(tmp_path, "a/b")
    assert log.name == "plugin-a_b.log"
    for text in ("first", "second", "third"):
        output = PluginOutput("a/b", tmp_path, bytes_max=8)
        output.take(f"{text}\nand mo".encode())
        output.take(b"re")
        output.close()
    assert log.read_text().startswith("third")
    assert log.with_suffix(".log.1").read_text().startswith("second")
    if sys.platform != "win32":
        assert log.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_printed_is_taken_out(tmp_path: Path) -> None:
    Secret("canary-of-a-printer")
    output = PluginOutput("odd", tmp_path, bytes_max=1 << 20)
    output.take(b"the key is canary-of-a")
    output.take(b"-printer\n")
    output.close()
    assert log_of(tmp_path, "odd").read_text() == "the key is ***\n"


def test_a_disk_that_cannot_keep_it_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    output = PluginOutput("odd", tmp_path / "logs", bytes_max=1 << 20)
    output.take(b"one\ntwo\n")
    output.close()


def test_a_child_that_does_not_read_is_ended(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(3600)")
    child = ChildProcess("sleeper", environment={**os.environ, "PYTHONPATH": str(tmp_path)}, output=lambda chunk: None)
    with child.source:
        assert not child.write(b"x" * (1 << 22), seconds_max=0.2)
        assert child.end() == child.ended() != 0
        assert not child.write(b"x", seconds_max=0.2)
    child.drain(HANG_SECONDS)


def test_doctor_shows_where_it_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = PluginOutput("odd", tmp_path / "home" / "logs", bytes_max=1 << 20)
    output.take(b"x" * 2_047 + b"\n")
    output.close()
    with pytest.raises(Exit):
        doctor(str(tmp_path / "home"))
    assert f"{tmp_path / 'home' / 'logs'}: 2 KiB of what plugins printed" in capsys.readouterr().out
