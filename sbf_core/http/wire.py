"""One request on the wire, and nothing else: no redirect, no cookie, no retry.

Bytes as they came, under caps and a deadline.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
import urllib.request
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
import attrs
import truststore
from yarl import URL

from sbf_core.errors import excerpt
from sbf_core.failures import FailureKind
from sbf_core.http.coding import AnswerRefused, BodyReader, SizeCaps
from sbf_core.http.names import AddressRefused, NameResolver
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.value import Entity

_STEP_SECONDS_MAX = 30.0
_KEEPALIVE_SECONDS = 30.0
_BUFFER_BYTES = 256 * 1024
#: Of one header; some vendors' policies for browsers are longer than the usual 8 KB.
_HEADER_BYTES_MAX = 64 * 1024


class Wire:
    """Connections to vendors. Everything in it belongs to one event loop."""

    def __init__(self) -> None:
        self._clients: dict[bool, aiohttp.ClientSession] = {}
        self._proxies: dict[tuple[str, str], str] = {}
        self._closed = False

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        for client in self._clients.values():
            await client.close()

    async def get(
        self, url: str, headers: Mapping[str, str], *, deadline: float, caps: SizeCaps, public_only: bool = False,
        body: bytes | None = None,
    ) -> WireAnswer:  # fmt: skip
        """Ask once.

        Args:
            url: complete, secrets included.
            headers: what is sent.
            deadline: moment of ``time.monotonic()`` at which the answer must be whole.
            caps: the most that it may have.
            public_only: connect to public addresses only, because a vendor and not the user chose this one.
            body: what is posted; None for a GET.

        Raises:
            WireFault: there is no whole answer.
        """
        if self._closed:
            raise WireFault(FailureKind.CLOSED, "the session is closed", again=False)
        arrived = _Arrived()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._whole(url, headers, caps, arrived, public_only=public_only, body=body)
        except AnswerRefused as error:
            raise WireFault(
                error.kind, error.what, again=error.kind is FailureKind.TRUNCATED, evidence=arrived.evidence
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _fault(error, begun=arrived.begun, late=time.monotonic() >= deadline) from None

    async def _whole(
        self, url: str, headers: Mapping[str, str], caps: SizeCaps, arrived: _Arrived, *, public_only: bool,
        body: bytes | None,
    ) -> WireAnswer:  # fmt: skip
        parts = urlsplit(url)
        place = parts.scheme, parts.hostname or ""
        proxy = self._proxies.get(place)
        if proxy is None:  # the system is asked once: that goes through its whole environment
            proxy = self._proxies[place] = _proxy_of(*place)
        client = self._clients.get(public_only)
        if client is None:
            client = self._clients[public_only] = _client(public_only=public_only)
        method = "GET" if body is None else "POST"
        place_asked = URL(_encoded(url), encoded=True)
        data = None if body is None else BytesIO(body)  # of more than 1 MiB of bytes the client warns
        async with client.request(
            method, place_asked, headers=headers, data=data, proxy=proxy or None, allow_redirects=False
        ) as answer:
            told = {name.lower(): value for name, value in answer.headers.items()}
            if "link" in told:
                told["link"] = ", ".join(answer.headers.getall("Link"))
            if "set-cookie" in told:
                told["set-cookie"] = "\n".join(answer.headers.getall("Set-Cookie"))  # a comma may be within one
            reader = arrived.reader = BodyReader(told, caps)
            async for piece in answer.content.iter_any():
                reader.add(piece)
            return WireAnswer(
                status_code=answer.status, headers=told, body=reader.finish(), wire_bytes=reader.wire_bytes
            )


@attrs.define
class _Arrived(Entity):
    """What came of an answer before it went wrong."""

    reader: BodyReader | None = None

    @property
    def begun(self) -> bool:
        return self.reader is not None and self.reader.wire_bytes > 0

    @property
    def evidence(self) -> bytes:
        return self.reader.evidence if self.reader is not None else b""


def _client(*, public_only: bool) -> aiohttp.ClientSession:
    """A client that adds nothing of its own: no cookie, no redirect, no decoding."""
    trusted = truststore.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )  # the certificates of the system, as company networks need it
    connector = aiohttp.TCPConnector(
        limit=0, ssl=trusted, resolver=NameResolver(public_only=public_only), keepalive_timeout=_KEEPALIVE_SECONDS
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_STEP_SECONDS_MAX, sock_read=_STEP_SECONDS_MAX),
        skip_auto_headers=("content-type",),  # of a POST without a body, which is of no type
        read_bufsize=_BUFFER_BYTES,
        max_line_size=_HEADER_BYTES_MAX,
        max_field_size=_HEADER_BYTES_MAX,
    )


def _fault(error: Exception, *, begun: bool, late: bool) -> WireFault:
    """What an error of the client means. Its own text may hold the address, so little of it is shown."""
    cause = getattr(error, "os_error", None)
    if late or type(error) is TimeoutError:
        return WireFault(FailureKind.DEADLINE, "the answer was not whole in time", again=False)
    if isinstance(cause, AddressRefused):
        return WireFault(FailureKind.REDIRECT, str(cause), again=False)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return WireFault(
            FailureKind.TLS,
            f"the certificate of the vendor is not valid ({_reason(error.certificate_error)})",
            again=False,
        )
    if isinstance(error, (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError)):
        return _no_connection(error, cause)
    if isinstance(error, aiohttp.ServerTimeoutError):
        return WireFault(
            FailureKind.TIMEOUT,
            "the vendor stopped in the middle of its answer" if begun else "the vendor did not answer in time",
            again=True,
        )
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return WireFault(FailureKind.CONNECTION, "the vendor closed the connection", again=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return WireFault(
            FailureKind.PROTOCOL,
            f"the answer is no HTTP: {excerpt(error.message.splitlines()[0].rstrip(':'), 80)}",
            again=False,
        )
    if isinstance(error, ValueError):
        return WireFault(FailureKind.REQUEST, "the request cannot be sent: the address is none", again=False)
    if begun or isinstance(error, aiohttp.ClientPayloadError):
        return WireFault(FailureKind.TRUNCATED, "the answer was cut", again=True)
    return WireFault(FailureKind.CONNECTION, "the connection broke", again=True)


def _no_connection(error: Exception, cause: OSError | None) -> WireFault:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return WireFault(FailureKind.CONNECT, "no connection in time", again=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return WireFault(
            FailureKind.CONNECT, f"no connection: the proxy answers HTTP {error.status}", again=error.status >= 500
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return WireFault(FailureKind.CONNECT, f"no connection: {cause}", again=True)
    said = os.strerror(cause.errno) if cause is not None and cause.errno and cause.errno > 0 else "refused"
    return WireFault(FailureKind.CONNECT, f"no connection: {said}", again=True)


def _reason(error: Exception) -> str:
    """The reason in the text of OpenSSL."""
    return str(error).partition("verify failed: ")[2].partition(" (_ssl")[0] or "not verified"


def _proxy_of(scheme: str, host: str) -> str:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    return "" if not proxy or urllib.request.proxy_bypass(host) else proxy


def _encoded(url: str) -> str:
    """The address with its host in ASCII, as DNS wants it."""
    parts = urlsplit(url)
    if parts.netloc.isascii():
        return url
    return parts._replace(netloc=parts.netloc.encode("idna").decode("ascii")).geturl()
