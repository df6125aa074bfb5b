"""Fields of JSON rows that no name alone leads to: lists beside each other, a header elsewhere, what stands beside the
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sbf_core.dataset.json_steps import step

NESTED_MAX = 2
_DEPTH_MAX = 6
#: An object with more names is no record of facts.
_MANY = 200


def plain_lists(value: Any, path: str) -> Iterator[tuple[str, list[Any]]]:
    """Lists of plain values in a row, with their paths from it; also through a list of one object."""
    if isinstance(value, dict) and path.count("[") + path.count(".") < _DEPTH_MAX:
        for name, inner in value.items():
            yield from plain_lists(inner, path + step(name))
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        yield from plain_lists(value[0], f"{path}[0]")
    elif isinstance(value, list) and path and not any(isinstance(item, (dict, list)) for item in value):
        yield path, value


def header_of(document: Any, width: int) -> tuple[str, list[str]] | None:
    """Where the names of rows that are lists stand in a document, and the names: a list of as many texts, or of objects
    with a name.
    """
    for path, node in _lists(document, "$", 0):
        if len(node) != width:
            continue
        for key in ("", "name", "id"):
            names = [item.get(key) if isinstance(item, dict) else item for item in node] if key else node
            if all(type(name) is str and name for name in names) and len(set(names)) == width:
                return (f"{path}[*].{key}" if key else path), list(names)
    return None


def _lists(node: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(node, list):
        yield path, node
    elif isinstance(node, dict) and depth < NESTED_MAX:
        for name, value in node.items():
            yield from _lists(value, path + step(name), depth + 1)


def quoted_name(name: str) -> str:
    """A name in quotes, as a path has it."""
    shown = step(name)
    return shown[1:-1] if shown.startswith("[") else f"'{name}'"


def is_plain_source(name: str) -> bool:
    """Whether a name can stand as a source as it is."""
    return bool(name) and name[:1] not in "$@" and not name.startswith("request.")


def plain_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """What stands beside the rows of a document: sources, words for them, and values; also one object deep."""
    for name, value in document.items():
        if isinstance(value, dict) and len(value) <= _MANY:
            for inner, deeper in value.items():
                yield f"${step(name)}{step(inner)}", inner, deeper
        else:
            yield f"${step(name)}", name, value
