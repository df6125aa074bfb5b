"""The conformance kit as tests: ``test_rates = conformance("rates")`` in a plugin's test file is the whole suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sbf_core.testing.kit import CHECKS, checked, exemptions_of
from sbf_core.testing.outcome import EXEMPT, FAILED, Check
from sbf_core.testing.pytest_plugin import EXEMPT_MARK
from sbf_core.testing.subject import Subject


def conformance(
    name: str,
    *,
    plugin: object | None = None,
    recording: str | Path | Callable[[Path], Path] = "",
    options: Mapping[str, Any] | None = None,
    exempt: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """A test function with one case for each check of the kit.

    Args:
        name: the plugin's entry point, e.g. ``ecb``.
        plugin: the module or object itself, where no package brings it.
        recording: a Bronze folder, a home, or the name of a recording, or a function that is given a folder and makes
            one in it; that of the plugin's package when absent.
        options: what ``[options.NAME]`` would say to it.
        exempt: checks that it need not pass, each with the reason, e.g.
            ``{"recorded:fundamentals/*": "the vendor allows no copies"}``. They are run all the same, and an exemption
            that is needed no more fails. What holds for every user of the kit belongs into ``CONFORMANCE_EXEMPT`` of
            the plugin's module, where ``sbf plugins check`` sees it, too.

    Returns:
        A function to bind to a name that begins with ``test_``.
    """
    subjects: list[Subject] = []

    def subject(factory: pytest.TempPathFactory) -> Subject:
        if not subjects:
            folder = factory.mktemp(f"conformance-{name}")
            given = recording(folder / "recording") if callable(recording) else recording
            subjects.append(Subject(name, folder, plugin=plugin, recording=given, options=options))
        return subjects[0]

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_conformance(check: Check, tmp_path_factory: pytest.TempPathFactory) -> None:
        here = subject(tmp_path_factory)
        if check is not CHECKS[0] and not here.record.loaded:
            pytest.fail(f"the plugin is {here.record.state}: {here.record.reason}", pytrace=False)
        outcome = checked(here, check, exemptions_of(here, exempt))
        if outcome.state == FAILED:
            pytest.fail(f"{check.promise}:\n{outcome.text}", pytrace=False)
        if outcome.state == EXEMPT:
            pytest.skip(f"{EXEMPT_MARK} {name}: " + "; ".join(outcome.notes))

    return test_conformance
