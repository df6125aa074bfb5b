"""What an answer says to come back with."""

from __future__ import annotations

from sbf_core.dataset.exact_json import json_text, with_digits
from sbf_core.dataset.json_path import value_path
from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_walk import ABSENT, child
from sbf_core.unicode_text import is_unicode


def token_of(body: bytes, at: str, *, as_json: bool = False) -> str:
    """The text or number at a path of an answer in JSON; empty where it is null or an empty text.

    Args:
        body: the answer.
        at: the path.
        as_json: what is there as JSON, whatever it is, with numbers as they are written; empty where it is null or
            nothing is in it.

    Raises:
        PayloadRefused: there is no such place, or something else there.
    """
    try:
        value = with_digits(body)
    except (ValueError, RecursionError) as error:
        raise PayloadRefused(f"the cursor at {at} cannot be read: it is no JSON") from error
    for segment in value_path(at):
        value = child(value, segment)
        if value is ABSENT:
            raise PayloadRefused(f"there is no cursor at {at}")
    if value in (None, "", [], {}):
        return ""
    if as_json:
        try:
            text = json_text(value)
        except (ValueError, RecursionError) as error:
            raise PayloadRefused(f"the cursor at {at} is no JSON") from error
        if not is_unicode(text):
            raise PayloadRefused(f"the cursor at {at} holds half of a surrogate pair, which no body can")
        return text
    if isinstance(value, bool) or not isinstance(value, str):
        raise PayloadRefused(f"the cursor at {at} is no text and no number")
    if not is_unicode(str(value)):
        raise PayloadRefused(f"the cursor at {at} holds half of a surrogate pair, which no address can")
    return str(value)
