"""Serves the pages on this machine."""

from __future__ import annotations

import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from sbf_core.errors import UsageError
from sbf_core.web.app import make_app
from sbf_core.web.connection_limits import ConnectionLimits, limited_protocol
from sbf_core.web.site import Site

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Server(uvicorn.Server):
    """Ends in peace when it is asked to: for pages an interrupt is the usual way, and no error."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end.

        SqlQueries and charts are not waited for; a handler of signals takes no lock, so a thread ends them.
        """
        threading.Thread(target=self._site.close, name="sbf-end", daemon=True).start()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM, and put back what was there before.

        Only the main thread of a process hears them.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for browsers; port 0 takes a free one.

    Raises:
        UsageError: the address is taken, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)  # from here on a browser waits instead of being refused
    except (OSError, OverflowError) as error:
        bound.close()
        raise UsageError(
            f"pages cannot be shown at {host}:{port}: {error}",
            fix="choose another with --port, or --port 0 for any",
            code="PORT",
        ) from error
    return bound


def address(host: str, port: int) -> str:
    """What to type into a browser."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def hosts_of(host: str, port: int) -> frozenset[str]:
    """What the header Host of a request may say."""
    names = {host, *(_LOOPBACK if host in _LOOPBACK else ())}
    return frozenset(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)


def make_server(site: Site, *, host: str, port: int, limits: ConnectionLimits | None = None) -> uvicorn.Server:
    """The server of the pages, to be run with a socket of ``listen``."""
    app = make_app(site, hosts=hosts_of(host, port))
    protocol = limited_protocol(limits or ConnectionLimits())
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
    return _Server(config, site)


def serve(site: Site, bound: socket.socket, *, host: str, open_browser: bool, told: Callable[[str], None]) -> None:
    """Answer until the user stops it."""
    port = bound.getsockname()[1]
    place = address(host, port)
    server = make_server(site, host=host, port=port)
    try:
        with server.capture_signals():  # from when the address is told on, a Ctrl-C is how pages end
            told(place)
            threading.Thread(
                target=lambda: site.entries, name="sbf-plugins", daemon=True
            ).start()  # the first page finds them loaded
            if open_browser:
                threading.Timer(0.3, webbrowser.open, [place]).start()
            server.run(sockets=[bound])
    finally:
        site.close()
