"""A vendor on a real socket that does whatever a script says, byte for byte."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain, repeat
from types import TracebackType
from typing import Self

#: What one answer does with its connection; True keeps it open for the next request.
Script = Callable[[socket.socket], bool]
#: How long a vendor keeps a request waiting: much longer than the deadline of any that is to be late,
#: on a busy machine, too.
STALL_SECONDS = 60.0


def raw(content: bytes) -> Script:
    """Send these bytes and close."""

    def send(connection: socket.socket) -> bool:
        connection.sendall(content)
        return False

    return send


def answer(
    body: bytes = b"", *, status: int = 200, headers: Sequence[tuple[str, str]] = (), length: int | None = -1
) -> Script:
    """An answer of HTTP; ``length`` None says none, -1 the right one."""
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers)]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(connection: socket.socket) -> bool:
        connection.sendall(head + body)
        return length == -1

    return send


def zipped(body: bytes, *, change: Callable[[bytes], bytes] = lambda content: content, coding: str = "gzip") -> Script:
    """An answer compressed on the way, changed after that, with the length of what is sent."""
    return answer(change(gzip.compress(body, mtime=0)), headers=[("Content-Encoding", coding)])


def chunked(body: bytes, *, end: bool = True) -> Script:
    """An answer in chunks, with or without the last one."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return raw(head + f"{len(body):x}\r\n".encode() + body + b"\r\n" + (b"0\r\n\r\n" if end else b""))


def reset(before: bytes = b"") -> Script:
    """Send some bytes, then break the connection with RST."""

    def send(connection: socket.socket) -> bool:
        if before:
            connection.sendall(before)
            time.sleep(0.05)  # Linux gives the reader what came before a reset; elsewhere it may be taken away unread
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return send


def drip(content: bytes, *, every_seconds: float = 0.05) -> Script:
    """One byte at a time, the last one again and again, until the other side closes the connection
    or the time is over.
    """

    def send(connection: socket.socket) -> bool:
        end = time.monotonic() + STALL_SECONDS
        for byte in chain(content, repeat(content[-1])):
            if time.monotonic() > end:
                break
            connection.sendall(bytes([byte]))
            time.sleep(every_seconds)
        return False

    return send


def stall(before: bytes = b"", *, seconds: float = STALL_SECONDS) -> Script:
    """Send some bytes, then nothing, until the other side closes the connection or the time is over."""

    def send(connection: socket.socket) -> bool:
        connection.sendall(before)
        connection.settimeout(seconds)
        with suppress(OSError):
            connection.recv(1)
        return False

    return send


class FaultyVendor:
    """Answers each path with the next of its scripts, the last one again and again."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._scripts: dict[str, list[Script]] = {}
        self.requests: dict[str, list[dict[str, str]]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._listener.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, path: str, *scripts: Script) -> str:
        """What a path answers from now on; returns its address."""
        with self._lock:
            self._scripts[path] = list(scripts)
        return self.url(path)

    def count(self, path: str) -> int:
        """How often a path was asked, whatever its query."""
        return len(self.requests[path])

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            stream = connection.makefile("rb")
            try:
                while line := stream.readline():
                    target = line.split()[1].decode()
                    headers = {"target": target}
                    while (header := stream.readline().strip()) != b"":
                        name, _, value = header.decode("latin-1").partition(":")
                        headers[name.lower()] = value.strip()
                    if not self._script(target, headers)(connection):
                        return
            except (OSError, IndexError):
                return
            finally:
                stream.close()

    def _script(self, target: str, headers: dict[str, str]) -> Script:
        path = target.partition("?")[0]
        with self._lock:
            self.requests[path].append(headers)
            scripts = self._scripts.get(path, [answer(b"nothing here", status=404)])
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]
