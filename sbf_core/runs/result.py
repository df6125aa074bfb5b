"""``RunResult``: what came back for one request."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.failures import FailureKind
from sbf_core.runs.request import RunRequest
from sbf_core.unicode_text import escaped
from sbf_core.value import Value

#: What ``RunResult.kind`` says where the vendor has nothing for what was asked: no failure, and so no kind of one.
NOTHING = "none"
#: They become one line of a journal.
_TOLD_CHARACTERS_MAX = 1_000_000
#: HTTP knows 100 to 599; other protocols count from 0.
_STATUS_MAX = 999
_PARTS_MAX = 2**31 - 1
_SECONDS_MAX = 10.0**9
#: It becomes part of a file name.
_EXTENSION = re.compile(r"[a-z0-9]{1,10}(\.[a-z0-9]{1,10})?")


def _aware(_: object, attribute: attrs.Attribute[dt.datetime], value: dt.datetime) -> None:
    if value.utcoffset() is None:
        raise UsageError(
            f"RunResult.{attribute.name} has no time zone", fix="use datetime.now(datetime.UTC)", code="NAIVE_TIME"
        )
    try:
        value.astimezone(dt.UTC)
    except OverflowError:
        raise UsageError(
            f"RunResult.{attribute.name} is out of range", fix="use datetime.now(datetime.UTC)", code="RESULT"
        ) from None


def is_extension(text: str) -> bool:
    """Whether a text can be what a payload is stored as."""
    return _EXTENSION.fullmatch(text) is not None


def _extension(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not _EXTENSION.fullmatch(value):
        raise UsageError(
            f"RunResult.{attribute.name} is {value!r}",
            fix="use letters and digits, such as json or csv.gz",
            code="EXTENSION",
        )


def _is(*kinds: type) -> Callable[[Any, Any, Any], None]:
    def check(_: object, attribute: Any, value: object) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"RunResult.{attribute.name} is {type(value).__name__}, expected {wanted}", code="RESULT")

    return check


def _seconds(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not abs(value) <= _SECONDS_MAX:  # no number is not within, either
        raise UsageError(f"RunResult.{attribute.name} is {value!r:.40}", fix="give seconds", code="RESULT")


def _within(least: int, most: int) -> Callable[[Any, Any, Any], None]:
    def check(_: object, attribute: Any, value: int | None) -> None:
        if value is not None and not least <= value <= most:
            raise UsageError(
                f"RunResult.{attribute.name} is {value!r:.40}", fix=f"give {least:,} to {most:,}", code="RESULT"
            )

    return check


def _told(text: object) -> object:
    """A text that is only told, in letters that a file can hold. What is no text is refused by its validator."""
    return escaped(text) if isinstance(text, str) else text


def _kind(given: object) -> str:
    """A word as the kind that it names: people group failures by it, so that there is one word for each."""
    if given in ("", NOTHING):
        return str(given)
    known = [str(kind) for kind in FailureKind]
    if not isinstance(given, str) or given not in known:
        fix = nearest(str(given), known) or 'leave it empty, or use "other"'
        raise UsageError(f"RunResult.kind is {given!r:.60}, which is none", fix=fix, code="RESULT")
    return FailureKind(given)


def _masked(given: object) -> tuple[str, ...]:
    if not isinstance(given, (tuple, list)) or not all(isinstance(name, str) for name in given):
        raise UsageError("RunResult.masked is no tuple of names", fix='write masked=("api_key",)', code="RESULT")
    return tuple(escaped(name) for name in given)


def _headers(given: Mapping[str, str]) -> Mapping[str, str]:
    """Headers as texts that a file can hold: a byte that is no letter is shown as an escape."""
    wrong = next((value for pair in given.items() for value in pair if not isinstance(value, str)), None)
    if wrong is not None:
        raise UsageError(f"RunResult.headers holds {type(wrong).__name__}, expected str", code="RESULT")
    return {escaped(name): escaped(value) for name, value in given.items()}


def check_length(request: RunRequest, *told: str) -> None:
    """Raise ``UsageError`` where a request and what else is told of its answer are more than a line of a journal."""
    if sum(map(len, (request.ticker or "", request.cursor, *told))) > _TOLD_CHARACTERS_MAX:
        what = f"address, tickers, cursor and headers have more than {_TOLD_CHARACTERS_MAX:,} characters together"
        raise UsageError(
            what,
            where=f"dataset {request.dataset_id}",
            fix="ask for fewer tickers at once, or keep fewer headers",
            code="RESULT",
        )


@attrs.frozen(kw_only=True)
class RunResult(Value):
    """What came back for one request.

    Attributes:
        request: what was asked.
        address: where it was asked, without secrets: a URL or a path.
        payload: the exact bytes, empty where there is an error.
        payload_file: a file with the exact bytes, in the place of ``payload``, for what is too large for memory. It is
            copied, stays where it is, and must not change meanwhile.
        extension: what the payload is stored as, e.g. ``json``.
        fetched_at: when the answer was complete; aware.
        status_code: the HTTP status, None for files.
        headers: the response headers worth keeping.
        elapsed_seconds: from asking to the complete answer.
        error: why there is no payload; None when there is one.
        kind: the kind of error, a ``FailureKind`` or its word, e.g. ``truncated`` or ``not_data``; without an error
            ``none``: the vendor has nothing for what was asked.
        part, parts: its place in a set of results that belong together, from 1, and how many there are; 0 where it
            stands alone. What a hook answers is numbered by sbf, by its place among those that are kept.
        not_modified: the vendor says that nothing changed since the last payload of this address.
        evidence: what came instead of data; it goes to quarantine, without keys.
        masked: fields of the body whose values were taken out of ``payload``, see ``RestRecipe.secret_fields``.
    """

    request: RunRequest = attrs.field(validator=_is(RunRequest))
    address: str = attrs.field(converter=_told, validator=_is(str))
    payload: bytes = attrs.field(default=b"", validator=_is(bytes), repr=lambda value: f"<{len(value)} bytes>")
    payload_file: Path | None = attrs.field(default=None, validator=_is(Path, type(None)))
    extension: str = attrs.field(default="json", validator=_extension)
    fetched_at: dt.datetime = attrs.field(validator=[_is(dt.datetime), _aware])
    status_code: int | None = attrs.field(default=None, validator=[_is(int, type(None)), _within(0, _STATUS_MAX)])
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_headers)
    elapsed_seconds: float = attrs.field(default=0.0, validator=[_is(float, int), _seconds])
    error: str | None = attrs.field(default=None, converter=_told, validator=_is(str, type(None)))

    kind: str = attrs.field(default="", converter=_kind)
    part: int = attrs.field(default=0, validator=_is(int))
    parts: int = attrs.field(default=0, validator=[_is(int), _within(0, _PARTS_MAX)])
    not_modified: bool = attrs.field(default=False, validator=_is(bool))
    evidence: bytes = attrs.field(default=b"", validator=_is(bytes), repr=lambda value: f"<{len(value)} bytes>")
    masked: tuple[str, ...] = attrs.field(default=(), converter=_masked)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.part <= self.parts or (self.parts and not self.part):
            what = f"RunResult says that it is part {self.part} of {self.parts}"
            raise UsageError(what, fix="count parts from 1, or leave both at 0", code="RESULT")
        if self.payload_file is not None and (self.payload or not self.payload_file.is_absolute()):
            what = "payload, too" if self.payload else f"no whole path: {self.payload_file}"
            fix = "give the one or the other" if self.payload else "give payload_file=path.absolute()"
            raise UsageError(f"RunResult holds payload_file, and {what}", fix=fix, code="RESULT")
        if self.has_payload and self.error is None and (self.not_modified or self.kind == NOTHING):
            said = "not_modified=True" if self.not_modified else 'kind="none"'
            raise UsageError(
                f"RunResult holds a payload, and {said} says that there is none",
                fix="give the one or the other",
                code="RESULT",
            )
        twice = (self.headers.get(name, "") for name in ("etag", "last-modified"))  # they stand in the row, too
        check_length(self.request, self.address, *self.headers, *self.headers.values(), *twice, *self.masked)

    @property
    def has_payload(self) -> bool:
        """Whether it holds bytes, or names a file of them."""
        return bool(self.payload) or self.payload_file is not None

    def whole_payload(self) -> bytes:
        """The exact bytes, read into memory. Raises ``OSError`` where ``payload_file`` cannot be read."""
        return self.payload if self.payload_file is None else self.payload_file.read_bytes()

    @property
    def is_none(self) -> bool:
        """Whether it says that there is nothing: no payload, and no failure."""
        return self.kind == NOTHING and self.error is None

    @property
    def ok(self) -> bool:
        """Whether there is a payload to keep."""
        return self.error is None
