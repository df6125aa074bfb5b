"""Code of plugins in the process of sbf: how long it may take, that it cannot end the process, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from odd_plugins import HEAD, fetch_with, installed

from sbf_core import signals
from sbf_core.errors import PluginFault
from sbf_core.plugin.guard import EndsProcess, bounded, exit_refused

ROOT = Path(__file__).resolve().parents[2]
GOOD = (
    HEAD.replace('"odd"', '"good"').replace('"odd_eod"', '"good_eod"')
    + "\n@hookimpl\ndef fetch(entry, request, http):\n    return result(request)\n"
)
USUAL = fetch_with("return result(request)")


def sbf(tmp_path: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, with the plugins of the folder ``site``; one that does not end fails the test."""
    paths = os.pathsep.join([str(ROOT), str(tmp_path / "site")])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "SBF_HOME": str(tmp_path / "home"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "sbf_core", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )


def both(tmp_path: Path, text: str) -> None:
    installed(tmp_path / "site", "odd", text)
    installed(tmp_path / "site", "good", GOOD)


def hook(name: str, body: str) -> str:
    return USUAL + f"\n@hookimpl\ndef {name}():\n    {body}\n"


IMPORTS = {
    "ends the process": ("os._exit(0)", "os._exit(0), which would end sbf itself"),
    "sleeps": ("time.sleep(3600)", "its import did not end within 2 s and was stopped"),
    "spins": ("while True: pass", "its import did not end within 2 s and was stopped"),
    "raises at length": ("raise RuntimeError('x' * 5_000_000)", "characters left out"),
}


@pytest.mark.parametrize(("line", "told"), IMPORTS.values(), ids=IMPORTS)
def test_an_import_costs_its_own_plugin_only(tmp_path: Path, line: str, told: str) -> None:
    """Named beside a healthy one, which runs."""
    both(tmp_path, USUAL + f"\n{line}\n")
    done = sbf(tmp_path, "run", "--plugins", "odd,good", SBF_IMPORT_SECONDS_MAX="2")
    assert done.returncode == 1, done.stderr
    assert told in done.stderr
    assert "plugin odd (odd 1.0) is refused" in done.stderr
    assert len(done.stderr) < 10_000
    assert "prices/good/eod" in done.stdout + done.stderr
    alone = sbf(tmp_path, "run", "--plugins", "odd", SBF_IMPORT_SECONDS_MAX="2")
    assert (alone.returncode, "error[PLUGIN_REFUSED]" in alone.stderr) == (2, True)


DECLARES = {
    "datasets that end the process": (
        HEAD.replace("    return [Dataset", "    os._exit(0)\n    return [Dataset"),
        "hook datasets",
        "os._exit(0)",
    ),
    "datasets that sleep": (
        HEAD.replace("    return [Dataset", "    time.sleep(3600)\n    return [Dataset"),
        "hook datasets",
        "did not end within 2 s",
    ),
    "datasets one by one": (
        HEAD.replace("    return [Dataset", "    yield 1 / 0\n    return [Dataset"),
        "hook datasets",
        "ZeroDivisionError",
    ),
}


@pytest.mark.parametrize(("text", "where", "told"), DECLARES.values(), ids=DECLARES)
def test_declarations_cost_their_own_plugin_only(tmp_path: Path, text: str, where: str, told: str) -> None:
    both(tmp_path, text)
    done = sbf(
        tmp_path,
        "run",
        SBF_BLOCK="bls,ecb,eod,fmp,fred,iso4217,sdmx,sec,star,stooq,treasury,yahoo",
        SBF_ANSWER_SECONDS_MAX="2",
    )
    assert done.returncode == 1, done.stderr
    assert where in done.stderr and told in done.stderr and "plugin odd" in done.stderr
    assert "prices/good/eod" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["fetch", "promote", "build_gold"])
def test_a_hook_in_this_process_cannot_end_it(tmp_path: Path, name: str) -> None:
    text = fetch_with("os._exit(0)") if name == "fetch" else hook(name, "os._exit(0)")
    both(tmp_path, text)
    done = sbf(tmp_path, "run", "--plugins", "odd,good", SBF_ISOLATE="none")
    assert done.returncode == 1, done.stderr
    assert (
        f"hook {name}" in done.stderr
        and "plugin odd" in done.stderr
        and "os._exit(0), which would end sbf itself" in done.stderr
    )


@pytest.mark.skipif(sys.platform == "win32", reason="nothing interrupts the main thread there")
def test_what_catches_every_interruption_ends_the_command_by_its_name(tmp_path: Path) -> None:
    """The last resort: a hook in the main thread that even an exception does not stop."""
    stubborn = "\nwhile True:\n    try:\n        time.sleep(3600)\n    except BaseException:\n        pass\n"
    both(tmp_path, USUAL + stubborn)
    done = sbf(tmp_path, "plugins", "list", SBF_IMPORT_SECONDS_MAX="0.5")
    assert done.returncode == 1
    assert "error[PLUGIN_FAULT] plugin odd: its import did not end within 0.5 s, and cannot be stopped" in done.stderr


def test_a_command_does_not_wait_for_what_a_plugin_left(tmp_path: Path) -> None:
    left = (
        "\nimport threading, multiprocessing\n"
        "if __name__ == 'odd' and 'sbf_core.cli.main' in sys.modules:\n"
        "    threading.Thread(target=time.sleep, args=(3600,), name='busy').start()\n"
        "    if sys.platform != 'win32':\n"
        "        multiprocessing.get_context('fork').Process(target=time.sleep, args=(3600,), name='forked').start()\n"
    )
    both(tmp_path, USUAL + left)
    done = sbf(tmp_path, "run", "--plugins", "odd,good")
    assert done.returncode == 0, done.stderr
    assert "note: plugin odd left a thread 'busy' that is still at work" in done.stderr
    if sys.platform != "win32":
        assert "a plugin left a process 'forked'" in done.stderr
    assert "prices/odd/eod" in done.stdout + done.stderr


def test_what_hangs_at_the_end_of_the_process_is_left(tmp_path: Path) -> None:
    both(tmp_path, USUAL + "\nimport atexit\natexit.register(time.sleep, 3600)\n")
    assert sbf(tmp_path, "plugins", "list").returncode == 0


# within one process


def test_other_threads_end_the_process_as_they_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("sbf_core.plugin.guard._truly_exit", ended.append)
    with exit_refused():
        with pytest.raises(EndsProcess):
            os._exit(3)
        other = threading.Thread(target=lambda: os._exit(4))
        other.start()
        other.join()
    assert ended == [4]


def test_a_call_is_what_it_was_where_it_ends_in_time() -> None:
    usual = {"owner": "odd", "what": "hook datasets", "seconds_max": HANG_SECONDS, "fix": ""}
    assert bounded(lambda: 7, **usual) == 7  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        bounded(lambda: 1 / 0, **usual)  # type: ignore[arg-type]


def test_a_thread_that_takes_too_long_is_left_alone() -> None:
    over = threading.Event()
    with pytest.raises(PluginFault, match=r"hook datasets did not end within 0.1 s and was stopped; raise it"):
        bounded(lambda: over.wait(HANG_SECONDS), owner="odd", what="hook datasets", seconds_max=0.1, fix="raise it")
    over.set()


def test_the_rights_that_a_plugin_gives_its_own_files_are_not_those_of_the_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals._Asked, "installed", True)
    before = os.umask(0o077)
    try:
        bounded(lambda: os.umask(0o000), owner="odd", what="its import", seconds_max=60, fix="")
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
