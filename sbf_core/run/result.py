"""``RunResult``: what came back for one request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from sbf_core.errors import UsageError
from sbf_core.run.request import RunRequest


def _aware(_: object, attribute: attrs.Attribute[dt.datetime], value: dt.datetime) -> None:
    if value.tzinfo is None:
        raise UsageError(f"RunResult.{attribute.name} has no time zone", fix="use datetime.now(datetime.UTC)", code="NAIVE_TIME")


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
    """

    request: RunRequest
    address: str
    payload: bytes = attrs.field(default=b"", repr=lambda value: f"<{len(value)} bytes>")
    extension: str = "json"
    fetched_at: dt.datetime = attrs.field(validator=_aware)
    status_code: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    elapsed_seconds: float = 0.0
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a payload to keep."""
        return self.error is None
