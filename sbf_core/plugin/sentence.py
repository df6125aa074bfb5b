"""What a plugin is, in one sentence, without importing it: the first of its module's docstring, else what its package
says of itself.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from sbf_core.errors import printable
from sbf_core.plugin.record import PluginRecord

_HEAD_BYTES = 8192
_DOCSTRING = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[rRuU]?(\"\"\"|'''|\"|')(.*?)(?<!\\)\1", re.DOTALL)
#: Up to a full stop that ends a sentence, and no abbreviation, or to an empty line.
_SENTENCE = re.compile(
    r"(.+?)(?:(?<![A-Z])(?<!\bSt)(?<!\bNo)(?<!\bDr)(?<!e\.g)(?<!i\.e)\.(?=\s+[A-Z`]|\s*$)|\n\s*\n|$)", re.DOTALL
)
_CHARACTERS_MAX = 160


def sentence_of(record: PluginRecord) -> str:
    """The sentence, without its full stop; empty where nobody says anything."""
    if record.point is None:
        return ""
    text = _docstring(record.point.module)
    if not text and record.point.dist is not None:
        summary = record.point.dist.metadata.json.get("summary")
        text = summary if isinstance(summary, str) and summary != "UNKNOWN" else ""
    match = _SENTENCE.match(text.strip())
    told = printable(" ".join(match[1].replace("``", "").split())) if match else ""
    return told if len(told) <= _CHARACTERS_MAX else told[: _CHARACTERS_MAX - 4].rstrip() + " ..."


def _docstring(module: str) -> str:
    """The docstring of a module's file, where it lies in a folder; nothing is imported, also no package above it."""
    parts = module.split(".")
    for root in sys.path:
        for place in (Path(root or ".", *parts).with_suffix(".py"), Path(root or ".", *parts, "__init__.py")):
            try:
                with place.open("rb") as file:
                    head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
            except (OSError, ValueError):  # not there, or a path that none can be
                continue
            match = _DOCSTRING.match(head)
            if match is None:
                return ""
            try:
                return str(ast.literal_eval(match[1] + match[2] + match[1]))
            except (SyntaxError, ValueError):
                return match[2]
    return ""
