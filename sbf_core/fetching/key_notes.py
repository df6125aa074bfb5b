"""A vendor that sends the user's key back: where it stands in a payload, and what the user is told."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.json_steps import step
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.runs.result import RunResult
from sbf_core.secret import holds_key, redacted

#: Larger payloads are not parsed to say where.
_PARSED_BYTES_MAX = 16 * 1024**2
_PLACES_MAX = 3
_AS_NAME = " as a name"
#: No key is longer in any of its forms.
_KEY_BYTES_MAX = 65_536


def where_key_is(results: Sequence[RunResult], names: Collection[str]) -> str:
    """Where payloads repeat a key of one of these names, in words; empty where none does.

    The first that does is told.
    """
    first = next((result for result in results if result.has_payload and _holds_key(result, names)), None)
    if first is None:
        return ""
    if first.payload_file is not None:
        return "some place"
    if first.extension == "json" and len(first.payload) <= _PARSED_BYTES_MAX:
        try:
            places = list(dict.fromkeys(_places(json.loads(first.payload))))
        except (ValueError, RecursionError):
            places = []
        if places:
            return ", ".join(places[:_PLACES_MAX]) + (
                f" and {counted(len(places) - _PLACES_MAX, 'more place')}" if len(places) > _PLACES_MAX else ""
            )
    lines = first.payload.split(b"\n") if len(first.payload) <= _PARSED_BYTES_MAX else []
    number = next((number for number, line in enumerate(lines, start=1) if holds_key(line, names)), 0)
    return f"line {number}" if number else "some place"


def _holds_key(result: RunResult, names: Collection[str]) -> bool:
    if result.payload_file is None:
        return holds_key(result.payload, names)
    return bool(names) and _file_holds_key(result.payload_file, names)


def _file_holds_key(path: Path, names: Collection[str]) -> bool:
    """Piece by piece, each with the end of the one before. Of a file that cannot be read nothing is kept."""
    rest = b""
    with suppress(OSError), path.open("rb") as file:
        while piece := file.read(_PARSED_BYTES_MAX):
            if holds_key(rest + piece, names):
                return True
            rest = piece[-_KEY_BYTES_MAX:]
    return False


def _places(document: Any) -> Iterator[str]:
    """Paths of the values that hold a key, with ``[*]`` for the elements of lists; in the order of the document."""
    waiting: list[tuple[str, Any]] = [("$", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            yield from (f"{path},{_AS_NAME}" for name in value if redacted(name) != name)
            waiting.extend((path + step(redacted(name)), each) for name, each in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((f"{path}[*]", each) for each in reversed(value))
        elif value is not None and not isinstance(value, bool) and redacted(str(value)) != str(value):
            yield path


def notes_of_keys(entries: Mapping[str, DatasetKeymapEntry], places: Mapping[str, str]) -> list[str]:
    """One line for each dataset whose payloads repeat a key; ``places`` says where, by dataset."""
    return [_note(name, place, entries.get(name)) for name, place in sorted(places.items())]


def _note(name: str, place: str, entry: DatasetKeymapEntry | None) -> str:
    fix = "keep the folder bronze to yourself"
    path, _, rest = place.partition(",")
    is_value = path.startswith("$") and "***" not in path and not rest.startswith(_AS_NAME)  # else it names other data
    if is_value and entry is not None and isinstance(entry.recipe, RestRecipe):
        path = path.partition(" and ")[0]
        fix += f"; secret_fields=({json.dumps(path)},) in its recipe takes it out of what comes from now on"
    return (
        f"{name}: the vendor repeats your key in its answer, at {place}; Bronze keeps what came, byte for byte: {fix}"
    )
