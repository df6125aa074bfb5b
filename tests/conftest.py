from __future__ import annotations

from pathlib import Path

import figures
import pytest
from hypothesis import HealthCheck, settings
from warehouse import FakeVendor, Warehouse, entry

from sbf_core import secret

#: How long an example takes, or is made, says something about the machine only.
settings.register_profile("sbf", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sbf")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count passed tests by file, in the process that ran them."""
    if report.when == "call" and report.passed and not hasattr(report, "node"):
        figures.add("passed " + report.nodeid.partition("::")[0])


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own SBF_* variables must not reach a test."""
    import os

    for name in list(os.environ):
        if name.startswith("SBF_") and name not in ("SBF_FIGURES", "SBF_KILL_SEED"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_keys_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that one test used is an ordinary word in the next."""
    monkeypatch.setattr(secret, "_known", ())
    monkeypatch.setattr(secret, "_named", {})


@pytest.fixture
def vendor() -> FakeVendor:
    return FakeVendor(entry())


@pytest.fixture
def warehouse(tmp_path: Path, vendor: FakeVendor) -> Warehouse:
    return Warehouse(tmp_path / "home", vendor)
