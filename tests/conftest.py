from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import figures
import pytest
from hypothesis import HealthCheck, settings
from warehouse import FakeVendor, Warehouse, entry

from sbf_core import secret

#: How long an example takes, or is made, says something about the machine only. The same examples each time, so that a
#: change is judged by what it changes; a search (``SBF_MACHINE_EXAMPLES``, ``READING_EXAMPLES``, ...) takes others.
IS_SEARCH = any(name.endswith("_EXAMPLES") for name in os.environ)
settings.register_profile("sbf", deadline=None, derandomize=not IS_SEARCH, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sbf")

#: A file system in memory, where Linux has one, and how much of it must be free. Homes of tests take 1.5 GiB.
IN_MEMORY, FREE_BYTES_MIN = Path("/dev/shm"), 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Homes of tests lie in memory where there is room: they wait for no disk, which is a third of a run's time, and
    files, locks and kills are what they are anywhere. What a cut of power leaves is told from system calls.

    ``--basetemp`` and ``PYTEST_DEBUG_TEMPROOT`` lead them elsewhere.
    """
    if not config.option.basetemp and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= FREE_BYTES_MIN:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count passed tests by file, in the process that ran them."""
    if report.when == "call" and report.passed and not hasattr(report, "node"):
        figures.add("passed " + report.nodeid.partition("::")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a warehouse that takes seconds to make runs in one process, and begins early, whatever the order."""
    for item in items:
        folder, _, name = item.nodeid.partition("::")
        shared = f"{folder}::{name.partition('[')[0]}" if "promise" in dir(_param(item, "check")) else folder
        if shared != folder or folder.startswith("tests/crash/"):
            item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def _param(item: pytest.Item, name: str) -> object:
    return item.callspec.params.get(name) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own SBF_* variables must not reach a test."""
    for name in list(os.environ):
        if name.startswith("SBF_") and name not in ("SBF_FIGURES", "SBF_KILL_SEED"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_keys_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that one test used is an ordinary word in the next."""
    monkeypatch.setattr(secret, "_known", ())
    monkeypatch.setattr(secret, "_named", {})


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that prints its log sets up the logger of the process; the next test has one that nobody set up."""
    logger = logging.getLogger("sbf")
    kept = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = kept


@pytest.fixture
def vendor() -> FakeVendor:
    return FakeVendor(entry())


@pytest.fixture
def warehouse(tmp_path: Path, vendor: FakeVendor) -> Warehouse:
    return Warehouse(tmp_path / "home", vendor)
