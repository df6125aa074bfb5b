"""The pages behind a real socket, and clients that speak to it byte by byte."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs
from hang import HANG_SECONDS, wait_until

from sbf_core.web.connection_limits import ConnectionLimits
from sbf_core.web.server import listen, make_server
from sbf_core.web.site import Site


@attrs.frozen
class Served:
    """Pages that answer at a port of this machine."""

    port: int

    def connect(self) -> socket.socket:
        """A connection that has sent nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=HANG_SECONDS)

    def request(self, path: str, *, method: str = "GET", more: str = "Connection: close\r\n") -> bytes:
        """A whole request."""
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{more}\r\n".encode()

    def get(self, path: str) -> bytes:
        """All that comes back for a page."""
        with self.connect() as client:
            client.sendall(self.request(path))
            return everything(client)

    def all_at_once(self, paths: Sequence[str]) -> list[bytes]:
        """What comes back for each of many pages, each asked for by a client of its own at one moment."""
        answers = [b""] * len(paths)
        together = threading.Barrier(len(paths))

        def ask(place: int) -> None:
            together.wait(HANG_SECONDS)
            answers[place] = self.get(paths[place])

        clients = [threading.Thread(target=ask, args=(place,)) for place in range(len(paths))]
        for client in clients:
            client.start()
        for client in clients:
            client.join(HANG_SECONDS)
        return answers


def everything(client: socket.socket) -> bytes:
    """What comes until the other side closes the connection."""
    parts = []
    while part := client.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def statuses(answers: Sequence[bytes]) -> Counter[str]:
    """How many answers have which status; an empty text for those that were lost."""
    return Counter(answer.split(b" ", 2)[1].decode() if answer else "" for answer in answers)


@contextmanager
def served(site: Site, limits: ConnectionLimits | None = None) -> Iterator[Served]:
    """Serve pages in a thread of this process."""
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        server = make_server(site, host="127.0.0.1", port=port, limits=limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            yield Served(port)
        finally:
            server.should_exit = True
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()
