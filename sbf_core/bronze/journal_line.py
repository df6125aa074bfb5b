"""One line of a journal as a value, as text, and back from text: the border for all that is read from journals."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any

import attrs

from sbf_core.errors import PayloadRefused
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.secret import redacted
from sbf_core.value import Value

_ROW_FIELDS = tuple(attrs.fields_dict(BronzeManifestRow))
_TEXT, _TEXT_OR_NONE = (str,), (str, type(None))
#: What JSON must hold for each field; all others are texts.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "ticker": _TEXT_OR_NONE, "from_date": _TEXT_OR_NONE, "to_date": _TEXT_OR_NONE,
    "etag": _TEXT_OR_NONE, "last_modified": _TEXT_OR_NONE, "content_length_bytes": (int,),
    "status_code": (int, type(None)), "part": (int,), "parts": (int,), "elapsed_seconds": (int, float),
    "pack_offset": (int,),
}  # fmt: skip
#: Names and types of lines that were found right, with the names of their texts and numbers: most lines have those of
#: the one before.
_shapes: dict[tuple[tuple[str, ...], tuple[type, ...]], tuple[tuple[str, ...], tuple[str, ...]]] = {}
_SHAPES_MAX = 1000


@attrs.frozen(kw_only=True)
class JournalLine(Value):
    """One payload as the journal knows it.

    Attributes:
        row: as the ledger knows it.
        headers: of the answer, those that are kept.
        masked: fields of the body whose values were taken out before it was kept, see ``RestRecipe.secret_fields``; the
            hash in ``row`` is of what is kept.
    """

    row: BronzeManifestRow
    headers: Mapping[str, str]
    masked: tuple[str, ...] = ()


def as_text(line: JournalLine) -> str:
    """A line as JSON, without its chain and without keys."""
    return redacted(_json(_facts(line)))


def _facts(line: JournalLine) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in _ROW_FIELDS:
        value = getattr(line.row, name)
        facts[name] = value.isoformat() if isinstance(value, dt.date) else value
    if not facts["cursor"]:
        del facts["cursor"]  # as in journals of before there were any
    if not facts["pack"]:
        del facts["pack"], facts["pack_offset"]
    facts["headers"] = dict(line.headers)
    if line.masked:
        facts["masked"] = list(line.masked)
    return facts


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def placed_text(text: str, row: BronzeManifestRow) -> str:
    """The text of a line whose payload was packed since: its row has the place, which the text has not."""
    # a mark of quotation in a text follows a backslash, so this is the name of the field; names stand in order
    before, name, after = text.rpartition(',"part":')
    return f'{before},"pack":"{row.pack}","pack_offset":{row.pack_offset}{name}{after}'


def checked(line: JournalLine) -> str:
    """A line as text, looked at before it is written. Raises ``PayloadRefused`` for what nobody could read later."""
    try:
        facts = _facts(line)
        plain = _json(facts)
        text = redacted(plain)
        if text == plain:  # nothing was taken out of it: JSON gives back what it was given
            _check(facts)
            why = line.row.why_unsafe
            if why:
                raise ValueError(why)
            return text
        back = as_line(json.loads(text))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise PayloadRefused(
            f"its line of the journal could not be read again: {error}", where=f"dataset {line.row.dataset_id}"
        ) from None
    if (back.row.rel_path, back.row.part, back.row.parts) != (line.row.rel_path, line.row.part, line.row.parts):
        raise PayloadRefused("its line of the journal would say something else", where=f"dataset {line.row.dataset_id}")
    return text


def as_line(facts: Any) -> JournalLine:
    """A line back from JSON, if sbf can have written it.

    Raises:
        ValueError, KeyError, TypeError: it lacks a field, or one is of another kind, or would lead out of Bronze.
    """
    headers, masked, moment = _check(facts)
    days = {
        name: None if facts[name] is None else dt.date.fromisoformat(facts[name]) for name in ("from_date", "to_date")
    }
    row = BronzeManifestRow(**{**facts, **days, "fetched_at": moment})
    why = row.why_unsafe
    if why:
        raise ValueError(why)
    return JournalLine(row=row, headers=headers, masked=masked)


def _check(facts: dict[str, Any]) -> tuple[Mapping[str, str], tuple[str, ...], dt.datetime]:
    """What a line says beside its row, and its moment, once they, and the kinds of the others, were found right."""
    headers, masked = facts.pop("headers"), tuple(facts.pop("masked", ()))
    if not all(isinstance(text, str) for text in (*headers, *headers.values(), *masked)):
        raise ValueError("headers or masked hold what is no text")
    _check_kinds(facts)
    moment = dt.datetime.fromisoformat(facts["fetched_at"])
    if moment.tzinfo is None:
        raise ValueError("fetched_at has no time zone")
    if moment.utcoffset():
        try:
            moment.astimezone(dt.UTC)
        except OverflowError:
            raise ValueError("fetched_at is out of range") from None
    return headers, masked, moment


def _check_kinds(facts: Mapping[str, Any]) -> None:
    shape = (tuple(facts), tuple(map(type, facts.values())))
    known = _shapes.get(shape)
    if known is None:
        for name, value in facts.items():
            _check_kind(name, value)
        if len(_shapes) < _SHAPES_MAX:
            texts = [name for name, value in facts.items() if isinstance(value, str)]
            numbers = [name for name, value in facts.items() if isinstance(value, (int, float))]
            _shapes[shape] = (tuple(texts), tuple(numbers))
        return
    texts_named, numbers_named = known
    "".join([facts[name] for name in texts_named]).encode()
    for name in numbers_named:
        _check_number(name, facts[name])


def _check_kind(name: str, value: Any) -> None:
    kinds = _KINDS.get(name, _TEXT)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise ValueError(f"{name[:40]} is {type(value).__name__}")
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair is no letter: UnicodeEncodeError is a ValueError
    elif isinstance(value, (int, float)):
        _check_number(name, value)


def _check_number(name: str, value: float) -> None:
    if not (math.isfinite(value) and abs(value) < 2**63):
        raise ValueError(f"{name[:40]} is no number that can be")
