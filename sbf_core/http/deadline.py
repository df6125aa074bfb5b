"""Connections that keep a deadline at every step: looking the name up, connecting, TLS, each read and each write.

Timeouts of a client hold for one step each, so a vendor that sends a byte a second is never out of time. Here each
step gets what is left until the deadline of the thread that asks.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore2


class DeadlinePassed(httpcore2.TimeoutException):
    """The time for the whole request is over."""


class AddressRefused(httpcore2.NetworkError):
    """A name leads to an address that a redirect must not reach."""


class Deadline(threading.local):
    """When the request of this thread must be over, and whether its address was chosen by a vendor."""

    at: float = float("inf")
    public_only: bool = False

    def left(self) -> float:
        """Seconds that are left. Raises ``DeadlinePassed`` where none are."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise DeadlinePassed("the deadline of the request")
        return seconds

    def within(self, timeout: float | None) -> float:
        """The timeout of a step."""
        left = self.left()
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.within(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.within(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections under the deadline of the thread that asks.

    Args:
        deadline: of each thread.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of a name that answers. Raises ``AddressRefused`` where only public ones are allowed."""
        addresses = _looked_up(host, port, self._deadline.within(timeout))
        if self._deadline.public_only:
            refused = next((address for address in addresses if not is_public(address)), None)
            if refused is not None:
                raise AddressRefused(f"{host} leads to {refused}")
        fault: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = self._backend.connect_tcp(address, port, self._deadline.within(timeout), local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: not this machine, its network, or a cloud's metadata."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)


def _looked_up(host: str, port: int, seconds_max: float) -> list[str]:
    """The addresses of a name. The system's own look-up knows no timeout, so it has a thread that may be left behind."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(item[4][0]) for item in found)))
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look_up, name="sbf-dns", daemon=True).start()
    try:
        found = answer.get(timeout=seconds_max)
    except queue.Empty:
        raise httpcore2.ConnectTimeout("the name was not found in time") from None
    if isinstance(found, OSError):
        raise httpcore2.ConnectError(f"{host} is not known") from None
    return found
