"""Answers with status 200 that are notes of the vendor: a payload that is one, and where others would stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sbf_core.errors import PayloadRefused, UsageError, excerpt
from sbf_core.payload.json_text import Number, document_of
from sbf_core.scaffold.json_places import places_of
from sbf_core.scaffold.row_search import FoundRows

#: What fields of notes are called: ``error``, ``Error Message``, ``message``, ``Note``, ``Information``.
_ERROR = re.compile(r"errors?|error[ _-]?(?:message|msg|text|description|code)?s?|exceptions?|faults?|failure", re.I)
_NOTE = re.compile(r"(?:status_?)?messages?|msg|notes?|information|info|detail|reason|title|warnings?", re.I)
_NOTHING: tuple[Any, ...] = (None, "", False, 0, "0")
#: A document with more at its top is no note.
_FIELDS_MAX = 8
_SHOWN = 200


def refuse_note(payload: bytes, where: str) -> None:
    """Raise ``UsageError`` where a JSON payload is a note: no rows, and a field that is called so."""
    try:
        document = document_of(payload)
    except PayloadRefused:
        return
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict) or len(document) > _FIELDS_MAX:
        return
    heads = (place.steps[0] if place.steps else "" for place in places_of(document) if place.count)
    if any(not _ERROR.fullmatch(str(head)) for head in heads):
        return  # it has rows
    told = next((text for pattern in (_ERROR, _NOTE) for name, text in _texts(document) if pattern.fullmatch(name)), "")
    if told:
        fix = "mend what it says: a key, a parameter, a limit; nothing was written"
        raise UsageError(f"the vendor says {excerpt(told, _SHOWN)!r}", where=where, fix=fix, code="NO_DATA")


def _texts(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and texts at the top, and in an object that is called as an error."""
    for name, value in document.items():
        if isinstance(value, str) and not isinstance(value, Number) and value:
            yield name, str(value)
        elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            yield name, str(value[0])
        elif isinstance(value, dict) and _ERROR.fullmatch(name):
            told = {word: one for word, one in value.items() if isinstance(one, str) and not isinstance(one, Number)}
            texts = {word: str(one) for word, one in told.items() if one}
            notes = [text for word, text in texts.items() if _NOTE.fullmatch(word)]
            yield name, [*notes, *texts.values(), name][0]


def error_fields(payload: bytes, found: FoundRows) -> tuple[str, ...]:
    """Fields beside the rows of a good answer that are called as those of a bad one, and that hold nothing: what
    ``DataRules(error_fields=...)`` declares.
    """
    if found.extension != "json":
        return ()
    try:
        document = document_of(payload)
    except PayloadRefused:
        return ()
    if not isinstance(document, dict):
        return ()
    fields = []
    for name, value in document.items():
        is_nothing = value in ([], {}) if isinstance(value, (list, dict)) else value in _NOTHING
        if (_ERROR.fullmatch(name) or _NOTE.fullmatch(name)) and is_nothing and re.fullmatch(r"[\w -]+", name):
            fields.append(name)
    return tuple(fields)
