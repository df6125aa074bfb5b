"""The kit on a plugin with many datasets: what is cheap by default, in one test; the whole of it behind ``slow``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sbf_core.testing.kit import CHECKS, checked, exemptions_of
from sbf_core.testing.outcome import FAILED
from sbf_core.testing.subject import Subject
from sbf_core.testing.suite import conformance

#: Those that replay the recording once at most; the others do so several times over, or for each dataset.
CHEAP = {
    "declaration", "hooks", "nothing_is_unsure", "docs", "recorded", "rows_are_asked_for", "columns_are_filled",
    "rows_are_taken", "keys_are_unique", "gold_builds", "charts_draw",
}  # fmt: skip


def kit_of(
    name: str,
    recording: Callable[[Path], Path],
    options: Mapping[str, Any] | None = None,
    exempt: Mapping[str, str] | None = None,
) -> tuple[Callable[[Path], None], Any]:
    """A test of the cheap checks, and the whole kit for those who ask for what is slow."""

    def test_cheap_checks(tmp_path: Path) -> None:
        subject = Subject(name, tmp_path, recording=recording(tmp_path / "recording"), options=options)
        assert subject.record.loaded, subject.record.reason
        exemptions = exemptions_of(subject, exempt)
        outcomes = {check.name: checked(subject, check, exemptions) for check in CHECKS if check.name in CHEAP}
        failed = [f"{check}: {outcome.text}" for check, outcome in outcomes.items() if outcome.state == FAILED]
        if failed:
            pytest.fail("\n".join(failed), pytrace=False)

    whole = conformance(name, recording=recording, options=options, exempt=exempt)
    return test_cheap_checks, pytest.mark.slow(whole)
