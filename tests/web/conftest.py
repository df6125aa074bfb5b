from __future__ import annotations

from collections.abc import Iterator

import pytest
from web.pages import close_all


@pytest.fixture(autouse=True)
def _pages_are_closed() -> Iterator[None]:
    yield
    close_all()
