"""What breaks promises on purpose still finds what it breaks: a list that nobody runs rots with each change."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_break_finds_its_line_and_its_tests() -> None:
    spec = importlib.util.spec_from_file_location("break_promises", ROOT / "tests" / "break_promises.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert len({name for name, *_ in module.BREAKS}) == len(module.BREAKS)
    for name, file, text, broken, tests in module.BREAKS:
        assert text in (ROOT / file).read_text(encoding="utf-8"), name
        assert text != broken, name
        assert all((ROOT / place).exists() for place in tests.split() if place.startswith("tests/")), name
