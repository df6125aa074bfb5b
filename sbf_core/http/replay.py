"""The session that answers from a recording instead of a vendor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from sbf_core.dataset.request_body import RequestBody
from sbf_core.failures import FailureKind
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

#: How a failure begins that asks for what nobody recorded.
UNRECORDED = "the recording holds no answer of"
#: Gives the recorded answer of an address, as if it came back for the request; None where there is none.
Recorded = Callable[[RunRequest, str], RunResult | None]


class ReplaySession:
    """Answers what one recorded fetch answered; any other address fails with its name.

    Args:
        recorded: looks an address up.
        fetched_at: when the recorded fetch took place.
    """

    def __init__(self, recorded: Recorded, *, fetched_at: dt.datetime) -> None:
        self._recorded = recorded
        self._fetched_at = fetched_at

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
        """See ``FetchSession.get``; only ``url``, ``body`` and ``mirrors`` count."""
        del headers, secrets, secret_headers
        if body is None:
            return self._answer(request, url, mirrors, extension)
        elsewhere = (*map(body.address, mirrors), *mirrors)  # a mirror is asked by POST, too, or was by GET before
        return self._answer(request, body.address(url), elsewhere, extension)

    def read(
        self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()
    ) -> RunResult:
        """See ``FetchSession.read``."""
        return self._answer(request, path, mirrors, extension)

    def recorded(self, request: RunRequest, address: str, *, extension: str) -> RunResult | None:
        """See ``FetchSession.recorded``."""
        return self._answer(request, address, (), extension)

    def _answer(self, request: RunRequest, address: str, mirrors: tuple[str, ...], extension: str) -> RunResult:
        for candidate in (address, *mirrors):
            result = self._recorded(request, candidate)
            if result is not None:
                return result
        error = f"{UNRECORDED} {address}"
        moment = self._fetched_at
        return RunResult(
            request=request,
            address=address,
            extension=extension,
            fetched_at=moment,
            error=error,
            kind=FailureKind.NOT_RECORDED,
        )
