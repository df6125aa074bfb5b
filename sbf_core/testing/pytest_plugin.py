"""What pytest gets from sbf wherever it is installed: a warehouse to try things in,
and a list of what plugins are exempt from.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sbf_core.testing.scratch import ScratchHome

EXEMPT_MARK = "exempt from conformance:"


@pytest.fixture
def sbf_home(tmp_path: Path) -> ScratchHome:
    """An empty warehouse of the test's own, with the installed plugins: ``sbf_home.replay("sample")`` fills it,
    ``sbf_home.ask("SELECT ...")`` reads it.
    """
    from sbf_core.testing.scratch import ScratchHome  # a test session that does not use it must not pay for it

    return ScratchHome(tmp_path / "sbf-home")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Exemptions are shown at the end, whatever pytest was asked to show."""
    reports = terminalreporter.getreports("skipped")
    reasons = [
        report.longrepr[2]
        for report in reports
        if isinstance(report.longrepr, tuple) and EXEMPT_MARK in report.longrepr[2]
    ]
    if reasons:
        terminalreporter.section("sbf conformance")
        for reason in sorted(reasons):
            terminalreporter.write_line(reason.removeprefix("Skipped: "))
