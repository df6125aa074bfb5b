"""``[expected_by."DATASET"]`` of ``sbf.toml``: when rows of a dataset are there at the latest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.dataset.expected_by import ExpectedBy
from sbf_core.errors import UsageError, nearest

_KINDS: Mapping[str, tuple[type, ...]] = {"days_later": (int,), "within_hours": (int, float)}


def own_expectation(dataset: str, table: Mapping[str, Any], file: Path) -> ExpectedBy:
    """What a table says.

    Args:
        dataset: an identity, or a pattern such as ``prices/*``.
        table: what ``ExpectedBy`` takes.
        file: the settings.

    Raises:
        UsageError: it says what nobody knows, or what does not go together.
    """
    where = f'{file}: [expected_by."{dataset}"]'
    known = [field.name for field in attrs.fields(ExpectedBy)]
    for name, value in table.items():
        if name not in known:
            fix = nearest(name, known) or "use " + ", ".join(known)
            raise UsageError(f"there is no setting {name!r}", where=where, fix=fix, code="SETTING")
        if type(value) not in _KINDS.get(name, (str,)):
            fix = "write a number" if name in _KINDS else f'write {name} = "..."'
            raise UsageError(f"{name} is {value!r}", where=where, fix=fix, code="SETTING")
    try:
        return ExpectedBy(**table)
    except UsageError as error:
        raise UsageError(error.what, where=where, fix=error.fix, code=error.code) from error
