"""Declared secrets out of the body of an answer before it is kept: some vendors send the key back in it.

Only the values go. Every other byte stays as the vendor sent it, because the text is cut and not written anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence

import attrs

from sbf_core.dataset.json_steps import Index, Name, Segment
from sbf_core.dataset.secret_fields import fields_path
from sbf_core.failures import FailureKind
from sbf_core.http.loop import LOOP_BYTES_MAX
from sbf_core.http.wire_answer import WireAnswer

MASK = b'"***"'
_BLANKS = " \t\r\n"
_BOM = b"\xef\xbb\xbf"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # digits of any number


def masked(body: bytes, fields: Sequence[str]) -> tuple[bytes, tuple[str, ...]]:
    """A JSON body in which the values of some fields are ``"***"``, whatever they were; null stays null.

    Args:
        body: in UTF-8, with or without a mark of byte order.
        fields: paths, see ``RestRecipe.secret_fields``.

    Returns:
        The body, and the paths at which there was a value.

    Raises:
        ValueError: the body is no JSON, so that nobody can say where the fields are.
    """
    mark, text = (_BOM, body[len(_BOM) :]) if body.startswith(_BOM) else (b"", body)
    document = text.decode("utf-8")
    try:
        _DECODER.decode(document)
        spans = {field: list(_Finder(document).spans(_skipped(document, 0), fields_path(field))) for field in fields}
    except RecursionError:
        raise ValueError("brackets without end") from None
    cuts = sorted({span for field_spans in spans.values() for span in field_spans})
    pieces, at = [], 0
    for start, end in cuts:
        if start >= at:  # else it is part of a value that went already
            pieces += [document[at:start].encode(), MASK]
            at = end
    return mark + b"".join(pieces) + document[at:].encode(), tuple(
        field for field, field_spans in spans.items() if field_spans
    )


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


class _Finder:
    """Finds where values stand in the text of a JSON document that is known to be whole."""

    def __init__(self, text: str) -> None:
        self._text = text

    def spans(self, at: int, steps: Sequence[Segment]) -> Iterator[tuple[int, int]]:
        """Beginning and end of each value that the steps lead to from the value at ``at``."""
        if not steps:
            end = self._end(at)
            if self._text[at:end] != "null":
                yield at, end
            return
        first, rest = steps[0], steps[1:]
        opening = self._text[at]
        if opening == "{" and not isinstance(first, Index):
            for name, place in self._members(at):
                if not isinstance(first, Name) or first.name == name:
                    yield from self.spans(place, rest)
        elif opening == "[" and not isinstance(first, Name):
            places = list(self._elements(at))
            if isinstance(first, Index):
                places = places[first.index :][:1] if first.index >= -len(places) else []
            for place in places:
                yield from self.spans(place, rest)

    def _members(self, at: int) -> Iterator[tuple[str, int]]:
        at = _skipped(self._text, at + 1)
        while self._text[at] != "}":
            name, at = _DECODER.raw_decode(self._text, at)
            place = _skipped(self._text, _skipped(self._text, at) + 1)
            yield name, place
            at = self._next(place)

    def _elements(self, at: int) -> Iterator[int]:
        at = _skipped(self._text, at + 1)
        while self._text[at] != "]":
            yield at
            at = self._next(at)

    def _next(self, at: int) -> int:
        """Where the member or element behind the value at ``at`` begins, or the bracket that closes."""
        at = _skipped(self._text, self._end(at))
        return _skipped(self._text, at + 1) if self._text[at] == "," else at

    def _end(self, at: int) -> int:
        return _DECODER.raw_decode(self._text, at)[1]


async def masked_answer(
    answer: WireAnswer, fields: Sequence[str]
) -> tuple[WireAnswer, tuple[str, ...], tuple[FailureKind, str] | None]:
    """An answer without its declared secrets, which fields they were in, and why it cannot be told."""
    try:
        body, masked_fields = (
            masked(answer.body, fields)
            if len(answer.body) <= LOOP_BYTES_MAX
            else await asyncio.to_thread(masked, answer.body, fields)
        )
    except ValueError as error:
        what = f"its secret fields cannot be taken out, because it is no JSON: {error}"
        return answer, (), (FailureKind.NOT_DATA, what)
    return attrs.evolve(answer, body=body), masked_fields, None
