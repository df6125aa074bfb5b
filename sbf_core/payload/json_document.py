"""A JSON document for SQL of other people: the same document, in which each number is a text with the vendor's digits.

The engine's JSON functions read numbers through a double; what a text holds they give as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sbf_core.errors import PayloadRefused


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        raise PayloadRefused(
            f"holds an object with the name {next(name for name in names if names.count(name) > 1)!r} twice"
        )
    return members


def document_text(path: Path) -> str:
    """The document of a payload with its numbers as texts, in ASCII.

    Raises:
        PayloadRefused: it is no JSON in UTF-8, or holds an object with a name twice, of which no value could be right.
    """
    try:
        document = json.loads(
            path.read_bytes().decode("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError as error:
        raise PayloadRefused(f"is no UTF-8: byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise PayloadRefused(f"is no JSON: {error or type(error).__name__}") from error
    return json.dumps(document)
