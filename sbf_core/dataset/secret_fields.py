"""Where an answer repeats a key: paths of fields of a JSON document."""

from __future__ import annotations

from sbf_core.dataset.json_path import rows_path
from sbf_core.dataset.json_steps import Decode, Name, Segment
from sbf_core.errors import UsageError

_FIX = "write names with dots between, e.g. request.apikey, or a path from the document, e.g. $.rows[*]['api key']"


def fields_path(text: str) -> tuple[Segment, ...]:
    """The steps to some fields: names with dots between, or a path from ``$``, with wildcards.

    Raises:
        UsageError: it is neither, or names no field.
    """
    if text.startswith("$"):
        steps = rows_path(text).segments
        if not steps or any(isinstance(step, Decode) for step in steps):
            raise UsageError(f"secret_fields: {text!r} names no field of the document", fix=_FIX, code="PATH")
        return steps
    names = text.split(".")
    if any(not name or any(mark in name for mark in "[]*") for name in names):
        raise UsageError(
            f"secret_fields: {text!r} is neither names with dots between nor a path", fix=_FIX, code="PATH"
        )
    return tuple(Name(name) for name in names)
