"""What a plugin is, in one sentence, without importing it."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

import pytest

from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.plugin.sentence import sentence_of

TEXTS = {
    '"""Prices of a bank. And more."""': "Prices of a bank",
    '# by us\n\n"""Rates of the U.S. Treasury, as it is.\n\nMore."""\n': "Rates of the U.S. Treasury, as it is",
    "'''One line\nand another\n\nand more'''": "One line and another",
    '"""Of the Bank of St. Louis, e.g. ``GDP``."""': "Of the Bank of St. Louis, e.g. GDP",
    "'Short'": "Short",
    "import os\n": "What the package says",
    '"""' + "x" * 9000: "What the package says",
    "": "What the package says",
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_first_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Of a package that raises when it is imported."""
    package = tmp_path / "sbf_of_tests_here"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it must not be imported')")
    (package / "plugin.py").write_text(text, encoding="utf-8")
    info = tmp_path / "of_tests-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: of-tests\nVersion: 1\nSummary: What the package says.\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("x", "sbf_of_tests_here.plugin", "sbf.plugins")
    vars(point).update(dist=PathDistribution(info))
    assert sentence_of(PluginRecord(name="x", point=point)) == TEXTS[text]
    assert "sbf_of_tests_here" not in sys.modules


def test_each_bundled_plugin_has_one_and_none_is_imported_for_it() -> None:
    records = PluginManager().records.values()
    before = set(sys.modules)
    told = {record.name: sentence_of(record) for record in records}
    assert all(10 < len(text) <= 160 and not text.endswith(("...", "St", "U.S")) for text in told.values()), told
    assert not {name for name in set(sys.modules) - before if name.startswith("sbf_plugins")}
    assert sentence_of(PluginRecord(name="by_hand")) == ""
