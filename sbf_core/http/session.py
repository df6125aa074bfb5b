"""What fetchers get: sessions that answer with ``RunResult`` and never raise for what a vendor does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypedDict, Unpack

from sbf_core.dataset.request_body import RequestBody
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult


class FetchSession(Protocol):
    """Answers requests: from the vendor, from files, or from a recording."""

    def get(
        self,
        request: RunRequest,
        url: str,
        *,
        extension: str = "json",
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        mirrors: tuple[str, ...] = (),
        body: RequestBody | None = None,
    ) -> RunResult:
        """Ask one address: by GET, or by POST where there is a body.

        Arguments as in ``RestRecipe``; ``url`` is complete but for its secrets.
        """
        ...

    def read(
        self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()
    ) -> RunResult:
        """Read one file. Arguments as in ``FileRecipe``."""
        ...

    def recorded(self, request: RunRequest, address: str, *, extension: str) -> RunResult | None:
        """What the recording of a replay answers at an address; None where nothing is replayed."""
        ...


class Asking(TypedDict, total=False):
    """The keyword arguments of ``FetchSession.get``."""

    extension: str
    headers: Mapping[str, str] | None
    secrets: Mapping[str, str] | None
    secret_headers: Mapping[str, str] | None
    mirrors: tuple[str, ...]
    body: RequestBody | None


class AskingSession(Protocol):
    """As ``FetchSession``, for who asks in the loop of a run."""

    async def ask(self, request: RunRequest, url: str, **asking: Unpack[Asking]) -> RunResult:
        """See ``FetchSession.get``."""
        ...
