"""``RunResult``: what came back for one request."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from sbf_core.errors import UsageError
from sbf_core.runs.request import RunRequest

#: It becomes part of a file name.
EXTENSION = re.compile(r"[a-z0-9]{1,10}(\.[a-z0-9]{1,10})?")


def _aware(_: object, attribute: attrs.Attribute[dt.datetime], value: dt.datetime) -> None:
    if value.tzinfo is None:
        raise UsageError(f"RunResult.{attribute.name} has no time zone", fix="use datetime.now(datetime.UTC)", code="NAIVE_TIME")


def _extension(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not EXTENSION.fullmatch(value):
        raise UsageError(f"RunResult.{attribute.name} is {value!r}", fix="use letters and digits, such as json or csv.gz", code="EXTENSION")


def _is(*kinds: type) -> Callable[[Any, Any, Any], None]:
    def check(_: object, attribute: Any, value: object) -> None:
        if not isinstance(value, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"RunResult.{attribute.name} is {type(value).__name__}, expected {wanted}", code="RESULT")

    return check


@attrs.frozen(kw_only=True)
class RunResult:
    """What came back for one request.

    Attributes:
        request: what was asked.
        address: where it was asked, without secrets: a URL or a path.
        payload: the exact bytes, empty where there is an error.
        extension: what the payload is stored as, e.g. ``json``.
        fetched_at: when the answer was complete; aware.
        status_code: the HTTP status, None for files.
        headers: the response headers worth keeping.
        elapsed_seconds: from asking to the complete answer.
        error: why there is no payload; None when there is one.
        kind: a short stable word for the kind of error, e.g. ``truncated``, ``not_data``, ``plan``, ``deferred``; without
            an error ``none``: the vendor has nothing for what was asked.
        part, parts: its place in a set of results that belong together, from 1, and how many there are; 0 where it stands alone.
        not_modified: the vendor says that nothing changed since the last payload of this address.
        evidence: what came instead of data; it goes to quarantine.
    """

    request: RunRequest = attrs.field(validator=_is(RunRequest))
    address: str = attrs.field(validator=_is(str))
    payload: bytes = attrs.field(default=b"", validator=_is(bytes), repr=lambda value: f"<{len(value)} bytes>")
    extension: str = attrs.field(default="json", validator=_extension)
    fetched_at: dt.datetime = attrs.field(validator=[_is(dt.datetime), _aware])
    status_code: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    elapsed_seconds: float = 0.0
    error: str | None = attrs.field(default=None, validator=_is(str, type(None)))

    kind: str = ""
    part: int = 0
    parts: int = 0
    not_modified: bool = False
    evidence: bytes = attrs.field(default=b"", repr=lambda value: f"<{len(value)} bytes>")

    @property
    def is_none(self) -> bool:
        """Whether it says that there is nothing: no payload, and no failure."""
        return self.kind == "none" and self.error is None

    @property
    def ok(self) -> bool:
        """Whether there is a payload to keep."""
        return self.error is None
