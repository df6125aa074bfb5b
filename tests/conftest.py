from __future__ import annotations

from pathlib import Path

import pytest
from warehouse import FakeVendor, Warehouse, entry


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own SBF_* variables must not reach a test."""
    import os

    for name in list(os.environ):
        if name.startswith("SBF_"):
            monkeypatch.delenv(name)


@pytest.fixture
def vendor() -> FakeVendor:
    return FakeVendor(entry())


@pytest.fixture
def warehouse(tmp_path: Path, vendor: FakeVendor) -> Warehouse:
    return Warehouse(tmp_path / "home", vendor)
