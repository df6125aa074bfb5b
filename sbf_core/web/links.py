"""Addresses that several pages lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode


def lineage_link(table: str, key: Mapping[str, Any], column: str) -> str:
    """The page that says where a number comes from; none for a key that the page could not read back."""
    values = [str(value) for value in key.values()]
    if any("," in value for value in values):
        return ""
    return "/lineage?" + urlencode(
        {
            "table": table,
            "key": ",".join(f"{name}={value}" for name, value in zip(key, values, strict=True)),
            "column": column,
        }
    )


def run_link(record: Any) -> str:
    """The page of the run of a row."""
    return f"/runs/{record['run_id']}"
