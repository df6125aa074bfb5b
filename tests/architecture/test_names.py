"""What a test is called is the same in every process:
the parts of a suite that run side by side are told apart by it.
"""

import pytest

PACKED = {"a zip": "PK\\x03\\x04\\x14", "a gzip": "\\x1f\\x8b\\x08\\x00"}
"""How payloads begin that hold the time at which they were made, as pytest writes bytes into a name."""


def test_no_test_is_called_after_the_time_of_day(request: pytest.FixtureRequest) -> None:
    """A member of a zip or gzip carries the second it was packed in: two workers of one run would know two tests."""
    names = [item.nodeid.replace("\\\\", "\\") for item in request.session.items]
    assert not [name for name in names if any(start in name for start in PACKED.values())]
