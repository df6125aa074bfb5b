"""An answer for an operation: the example of its description, else one that is made up by its schema."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.openapi_document import Description
from sbf_core.scaffold.openapi_schema import type_of

#: How many rows are made up. From so many on a column is not taken for one that may be NULL because there are few.
ROWS = 20
_DEPTH_MAX = 6
_FIRST = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
_TOTALS = ("total", "count", "total_count", "total_results", "total_items", "total_elements", "total_records")
_ENDS = ("next", "cursor", "continuation", "token")


def example_of(description: Description, media: Mapping[str, Any]) -> bytes | None:
    """The answer that the description itself gives; None where it gives none."""
    examples = media.get("examples")
    schema = description.merged(media.get("schema"))
    listed = [media.get("example"), schema.get("example")]
    for one in description.resolved(examples).values() if isinstance(examples, Mapping) else ():
        listed.append(description.resolved(one).get("value"))
    found = next((one for one in listed if isinstance(one, (dict, list)) and one), None)
    return None if found is None else _bytes(found)


def made_up(description: Description, schema: Any, *, ticker: str) -> bytes:
    """An answer of some rows that differ, by a schema. Nothing in it is of the service."""
    return _bytes(_value(description, description.merged(schema), "", None, 0, ticker))


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, default=str).encode() + b"\n"


def _value(
    description: Description, schema: Mapping[str, Any], name: str, row: int | None, depth: int, ticker: str
) -> Any:
    """A value; ``row``: the number of the row that it stands in, None beside the rows."""
    kind, is_null = type_of(schema)
    if kind == "object":
        properties = description.resolved(schema.get("properties")) if depth < _DEPTH_MAX else {}
        return {
            str(word): _value(description, description.merged(one), str(word), row, depth + 1, ticker)
            for word, one in properties.items()
            if description.resolved(one).get("writeOnly") is not True
        }
    if kind == "array":
        items = description.merged(schema.get("items")) if depth < _DEPTH_MAX else {}
        is_rows = type_of(items)[0] == "object"
        count = ROWS if is_rows and row is None else int(not is_rows)  # rows within rows would be other rows
        return [
            _value(description, items, name, place if row is None else row, depth + 1, ticker) for place in range(count)
        ]
    word = as_name(name)
    if row is None and kind == "string" and set(_ENDS) & set(word.split("_")):
        return None if is_null else ""
    if row is None and word in _TOTALS and kind == "integer":
        return ROWS
    return _plain(schema, kind, word, row or 0, ticker)


def _plain(schema: Mapping[str, Any], kind: str, word: str, row: int, ticker: str) -> Any:
    enum = [one for one in schema.get("enum") or () if one is not None]
    if enum:
        return enum[row % len(enum)]
    if "const" in schema:
        return schema["const"]
    written = schema.get("format")
    if kind == "integer":
        return row + 1
    if kind == "number":
        return round(100 + row * 1.25, 2)
    if kind == "boolean":
        return row % 2 == 0
    day = _FIRST + dt.timedelta(days=row)
    if written == "date":
        return f"{day:%Y-%m-%d}"
    if written == "date-time":
        return f"{day:%Y-%m-%dT%H:%M:%SZ}"
    if written in ("decimal", "double", "float"):
        return f"{100 + row}.25"
    if ticker and word in ("symbol", "ticker", "tickers"):
        return ticker
    return f"{word}-{row + 1}"
