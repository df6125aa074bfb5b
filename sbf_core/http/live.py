"""The session that asks vendors. Only this room imports httpx2, stamina and pyrate-limiter."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from sbf_core.clock import Clock
from sbf_core.errors import UsageError
from sbf_core.run.request import RunRequest
from sbf_core.run.result import RunResult
from sbf_core.settings.keys import Keys

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

_RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
_KEPT_HEADERS = ("content-type", "last-modified", "etag", "date")
_ATTEMPTS_MAX = 4
_WAIT_SECONDS_MAX = 20.0
_TIMEOUT_SECONDS = 30.0
_USER_AGENT = "sbf"


class _TryAgain(Exception):
    """A fault that may be gone at the next attempt. Its text holds no address, because addresses hold keys."""


class LiveSession:
    """Asks vendors over HTTP, and reads files.

    Transport faults, 429 and 5xx are tried again with growing, jittered waits; other statuses are final. Redirects
    are not followed. What comes back is stored as it came, so no compression is asked for. Each thread that asks has
    connections of its own.

    Args:
        clock: for the fetch times.
        files: where relative paths of file recipes start.
        keys: gives keys by name; those of the environment when absent.
    """

    def __init__(self, clock: Clock, *, files: Path, keys: Keys | None = None) -> None:
        self._keys = keys or Keys(files.parent)
        self._clock = clock
        self._files = files
        self._tls = httpx2.create_ssl_context()
        self._clients = threading.local()
        self._all_clients: list[httpx2.Client] = []
        self._closed = False
        self._limiters: dict[tuple[str, float], Limiter] = {}
        self._lock = threading.Lock()
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # below, they log full addresses, and those hold keys

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            for client in self._all_clients:
                client.close()
            self._all_clients.clear()

    def _client(self) -> httpx2.Client:
        """This thread's client: threads that share one wait for its lock (0.40 instead of 0.32 ms a request)."""
        client: httpx2.Client | None = getattr(self._clients, "client", None)
        if client is None:
            headers = {"user-agent": _USER_AGENT, "accept-encoding": "identity"}
            client = self._clients.client = httpx2.Client(verify=self._tls, timeout=_TIMEOUT_SECONDS, follow_redirects=False, headers=headers)
            with self._lock:
                self._all_clients.append(client)
        return client

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
        requests_per_second: float = 0.0,
    ) -> RunResult:
        """See ``FetchSession.get``. Raises ``UsageError`` where a key is not set."""
        del mirrors  # they are for replays
        sent = {**(headers or {}), **self._revealed(secret_headers or {})}
        wrong = next((name for name, value in sent.items() if not value.isascii()), None)
        if wrong is not None:
            raise UsageError(f"header {wrong} holds a character that a header cannot", where=url, fix="set that key again", code="KEY")
        parameters = self._revealed(secrets or {})
        full = url if not parameters else str(httpx2.URL(url).copy_merge_params(parameters))
        if requests_per_second:
            self._limiter(url, requests_per_second).try_acquire(urlsplit(url).netloc)
        began = time.monotonic()
        try:
            answer = self._attempts(full, sent)
        except _TryAgain as error:
            return self._failed(request, url, str(error), began)
        except httpx2.HTTPError as error:
            return self._failed(request, url, type(error).__name__, began)
        if answer.status_code != 200:
            return self._failed(request, url, f"HTTP {answer.status_code}", began, status_code=answer.status_code)
        return RunResult(
            request=request,
            address=url,
            payload=answer.content,
            extension=extension,
            fetched_at=self._clock.now(),
            status_code=answer.status_code,
            headers={name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers},
            elapsed_seconds=time.monotonic() - began,
        )

    def read(self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()) -> RunResult:
        """See ``FetchSession.read``."""
        del mirrors
        began = time.monotonic()
        target = self._files / path
        try:
            payload = target.read_bytes()
        except OSError as error:
            return self._failed(request, path, f"file {target}: {error.strerror}", began)
        return RunResult(
            request=request, address=path, payload=payload, extension=extension, fetched_at=self._clock.now(), elapsed_seconds=time.monotonic() - began
        )

    def _attempts(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        try:
            return self._once(url, headers)
        except _TryAgain:
            import stamina  # 60 ms that only a fault has to pay

            stamina.instrumentation.set_on_retry_hooks([])  # the default hook logs exceptions, and their text may hold addresses
            for attempt in stamina.retry_context(on=_TryAgain, attempts=_ATTEMPTS_MAX, wait_initial=0.5, wait_max=_WAIT_SECONDS_MAX, timeout=120.0):
                with attempt:
                    return self._once(url, headers)
            raise

    def _once(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        if self._closed:
            raise httpx2.CloseError("the session is closed")
        try:
            answer = self._client().get(url, headers=headers)
        except httpx2.TransportError as error:
            raise _TryAgain(type(error).__name__) from None
        if answer.status_code in _RETRY_STATUSES:
            raise _TryAgain(f"HTTP {answer.status_code}")
        return answer

    def _revealed(self, names: Mapping[str, str]) -> dict[str, str]:
        return {name: self._keys.get(key).reveal() for name, key in names.items()}

    def _limiter(self, url: str, requests_per_second: float) -> Limiter:
        from pyrate_limiter import Duration, Limiter, Rate  # 100 ms that only a vendor with a limit has to pay

        key = (urlsplit(url).netloc, requests_per_second)
        with self._lock:
            if key not in self._limiters:
                self._limiters[key] = Limiter(Rate(max(1, int(requests_per_second)), Duration.SECOND))
            return self._limiters[key]

    def _failed(self, request: RunRequest, address: str, error: str, began: float, *, status_code: int | None = None) -> RunResult:
        return RunResult(
            request=request,
            address=address,
            fetched_at=self._clock.now(),
            status_code=status_code,
            elapsed_seconds=time.monotonic() - began,
            error=error,
        )
