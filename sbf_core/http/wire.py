"""One request on the wire, and nothing else: no redirect, no cookie, no retry. Bytes as they came, under caps and a deadline."""

from __future__ import annotations

import ssl
import threading
import time
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs
import httpcore2

from sbf_core.http.coding import AnswerRefused, BodyReader, SizeCaps
from sbf_core.http.deadline import AddressRefused, Deadline, DeadlineBackend, DeadlinePassed

_STEP_SECONDS_MAX = 30.0
_KEEPALIVE_SECONDS = 30.0


@attrs.frozen(kw_only=True)
class WireAnswer:
    """An answer, whole.

    Attributes:
        status_code: of HTTP.
        headers: names in small letters; of a name that came twice the last.
        body: with its compression undone.
        wire_bytes: how many bytes of it arrived.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    wire_bytes: int


class WireFault(Exception):
    """There is no whole answer. The text holds no address, because addresses hold keys.

    Args:
        kind: a short stable word, e.g. ``connect``, ``truncated``, ``deadline``, ``tls``.
        what: for readers.
        again: whether another attempt may bring it.
        evidence: what arrived before it went wrong.
    """

    def __init__(self, kind: str, what: str, *, again: bool, evidence: bytes = b"") -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.again = again
        self.evidence = evidence


class Wire:
    """Connections to vendors. Each thread that asks has connections of its own: shared ones make threads wait for a lock."""

    def __init__(self) -> None:
        self._deadline = Deadline()
        self._backend = DeadlineBackend(self._deadline)
        self._pools = threading.local()
        self._all_pools: list[httpcore2.ConnectionPool] = []
        self._lock = threading.Lock()
        self._proxies: dict[tuple[str, str], str] = {}
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    def close(self) -> None:
        """Close every connection; requests under way fail."""
        with self._lock:
            self._closed = True
            for pool in self._all_pools:
                pool.close()
            self._all_pools.clear()

    def get(self, url: str, headers: Mapping[str, str], *, deadline: float, caps: SizeCaps, public_only: bool = False) -> WireAnswer:
        """Ask once.

        Args:
            url: complete, secrets included.
            headers: what is sent.
            deadline: moment of ``time.monotonic()`` at which the answer must be whole.
            caps: the most that it may have.
            public_only: connect to public addresses only, because a vendor and not the user chose this one.

        Raises:
            WireFault: there is no whole answer.
        """
        self._deadline.at, self._deadline.public_only = deadline, public_only
        reader: BodyReader | None = None
        steps = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_SECONDS_MAX)
        try:
            with self._pool(url).stream("GET", _encoded(url), headers=list(headers.items()), extensions={"timeout": steps}) as answer:
                told = {name.decode("ascii", "replace").lower(): value.decode("latin-1") for name, value in answer.headers}
                reader = BodyReader(told, caps)
                for piece in answer.iter_stream():
                    reader.add(piece)
                    self._deadline.left()
                body = reader.finish()
                return WireAnswer(status_code=answer.status, headers=told, body=body, wire_bytes=reader.wire_bytes)
        except AnswerRefused as error:
            evidence = reader.evidence if reader is not None else b""
            raise WireFault(error.kind, error.what, again=error.kind == "truncated", evidence=evidence) from None
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, httpcore2.ProxyError, httpcore2.UnsupportedProtocol, ssl.SSLError) as error:
            raise self._fault(error, begun=reader is not None and reader.wire_bytes > 0) from None

    def _fault(self, error: Exception, *, begun: bool) -> WireFault:
        text = str(error)
        if isinstance(error, DeadlinePassed) or time.monotonic() >= self._deadline.at:
            return WireFault("deadline", "the answer was not whole in time", again=False)
        if isinstance(error, AddressRefused):
            return WireFault("redirect", text, again=False)
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in text:
            reason = text.partition("verify failed: ")[2].partition(" (_ssl")[0] or "not verified"
            return WireFault("tls", f"the certificate of the vendor is not valid ({reason})", again=False)
        if isinstance(error, httpcore2.ConnectTimeout):
            return WireFault("connect", "no connection in time", again=True)
        if isinstance(error, httpcore2.TimeoutException):
            return WireFault("timeout", "the vendor stopped in the middle of its answer" if begun else "the vendor did not answer in time", again=True)
        if isinstance(error, httpcore2.ConnectError):
            return WireFault("connect", f"no connection: {text.rpartition('] ')[2] or 'refused'}", again=True)
        if isinstance(error, httpcore2.RemoteProtocolError):
            if begun or "without sending complete message body" in text or "incomplete chunked read" in text:
                return WireFault("truncated", "the answer was cut", again=True)
            if "disconnected without sending" in text:
                return WireFault("connection", "the vendor closed the connection", again=True)
            return WireFault("protocol", f"the answer is no HTTP: {text}", again=False)
        if isinstance(error, (httpcore2.LocalProtocolError, httpcore2.UnsupportedProtocol)):
            return WireFault("request", f"the request cannot be sent: {text}", again=False)
        return WireFault("truncated" if begun else "connection", "the answer was cut" if begun else "the connection broke", again=True)

    def _pool(self, url: str) -> httpcore2.ConnectionPool:
        """This thread's connections, through the proxy that the system names for the address, if any."""
        parts = urlsplit(url)
        pools: dict[str, httpcore2.ConnectionPool] | None = getattr(self._pools, "pools", None)
        if pools is None:
            pools = self._pools.pools = {}
        place = parts.scheme, parts.hostname or ""
        proxy = self._proxies.get(place)
        if proxy is None:  # the system is asked once: that goes through its whole environment
            proxy = self._proxies[place] = _proxy_of(*place)
        if proxy not in pools:
            with self._lock:
                if self._closed:
                    raise WireFault("closed", "the session is closed", again=False)
                if self._tls is None and (parts.scheme == "https" or proxy):
                    self._tls = httpcore2.default_ssl_context()
                pool = httpcore2.ConnectionPool(
                    ssl_context=self._tls, proxy=httpcore2.Proxy(proxy) if proxy else None, max_connections=4, keepalive_expiry=_KEEPALIVE_SECONDS, network_backend=self._backend
                )
                self._all_pools.append(pool)
            pools[proxy] = pool
        return pools[proxy]


def _proxy_of(scheme: str, host: str) -> str:
    proxies = urllib.request.getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    return "" if not found or urllib.request.proxy_bypass(host) else found


def _encoded(url: str) -> str:
    """The address with its host in ASCII, as DNS wants it."""
    parts = urlsplit(url)
    if parts.netloc.isascii():
        return url
    return parts._replace(netloc=parts.netloc.encode("idna").decode("ascii")).geturl()
