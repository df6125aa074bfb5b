"""What breaks promises on purpose still finds what it breaks: a list that nobody runs rots with each change."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _breaks() -> list[tuple[str, str, str, str, str]]:
    spec = importlib.util.spec_from_file_location("break_promises", ROOT / "tests" / "break_promises.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[tuple[str, str, str, str, str]] = module.BREAKS
    return found


def test_each_break_finds_its_line_and_its_tests() -> None:
    breaks = _breaks()
    assert len({name for name, *_ in breaks}) == len(breaks)
    for name, file, text, broken, tests in breaks:
        assert text in (ROOT / file).read_text(encoding="utf-8"), name
        assert text != broken, name
        assert all((ROOT / place).exists() for place in tests.split() if place.startswith("tests/")), name


def test_each_choice_of_tests_chooses_some() -> None:
    """A test that was called otherwise since notices nothing, and nobody is told."""
    chosen = {}
    for name, *_, tests in _breaks():
        words = shlex.split(tests)
        if "-k" in words:
            places = tuple(word for word in words if word.startswith("tests/"))
            chosen[name] = places, words[words.index("-k") + 1].lower()
    files = sorted({place for places, _ in chosen.values() for place in places})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    tests_there = [line.lower() for line in collected if "::" in line]
    assert len(tests_there) > len(files)

    def is_chosen(test: str, places: tuple[str, ...], words: str) -> bool:
        each = [all(word in test for word in part.split(" and ")) for part in words.split(" or ")]
        return test.startswith(places) and any(each)

    assert [name for name, asked in chosen.items() if not any(is_chosen(test, *asked) for test in tests_there)] == []
