"""Clients that send half a request, or do not take their answer, are not waited for without end.
Real sockets; limits of a moment.
"""

from __future__ import annotations

import socket

import pytest
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import site_of
from web.serving import everything, served

from sbf_core.api import GoldModel
from sbf_core.web.connection_limits import ConnectionLimits
from sbf_core.web.site import Site

_SHORT = 0.3


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """With a table that takes long to be told."""
    vendor = FakeVendor(entry())
    vendor.models = [
        GoldModel(
            name="many",
            key=("n",),
            sql="SELECT n::INTEGER AS n, repeat('x', 100) AS x FROM range(300000) AS r(n), "
            "(SELECT count(*) FROM silver.px)",
        )
    ]
    vendor.says([price("A", "2024-01-01")])
    warehouse = Warehouse(tmp_path_factory.mktemp("long") / "home", vendor)
    warehouse.run()
    return warehouse


@pytest.fixture
def site(warehouse: Warehouse) -> Site:
    return site_of(warehouse)


@pytest.mark.parametrize("sent", ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", "GET", "GET / HTTP/1.1\r\n"])
def test_half_a_request_is_answered_with_408_and_closed(site: Site, sent: str) -> None:
    with served(site, ConnectionLimits(header_seconds=_SHORT)) as pages, pages.connect() as client:
        client.sendall(sent.encode())
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"\r\n\r\nThe request did not come in time.\n")


def test_a_connection_that_says_nothing_is_closed(site: Site) -> None:
    with served(site, ConnectionLimits(header_seconds=_SHORT)) as pages, pages.connect() as client:
        assert everything(client) == b""


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        ("GET / HTTP/1.1\r\n", "X-A: 1\r\n"),
        ("POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", "more"),
    ],
)
def test_what_trickles_in_gets_no_more_time(site: Site, head: str, drop: str) -> None:
    """Each drop is well within the limit, which is that of all headers, or of all of a body."""
    with served(site, ConnectionLimits(header_seconds=_SHORT, body_seconds=_SHORT)) as pages, pages.connect() as client:
        client.sendall(head.encode())
        client.settimeout(_SHORT / 10)
        for _ in range(1000):
            try:
                client.sendall(drop.encode())
                if not client.recv(1 << 16):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
        pytest.fail("it was let go on")


def test_half_a_second_request_is_closed_too(site: Site) -> None:
    with served(site, ConnectionLimits(header_seconds=_SHORT)) as pages, pages.connect() as client:
        client.sendall(pages.request("/live", more=""))
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"GET /live HTTP/1.1\r\n")
        assert b"HTTP/1.1 408 " in everything(client)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_half_a_body_is_not_waited_for(site: Site, method: str) -> None:
    with served(site, ConnectionLimits(body_seconds=_SHORT)) as pages, pages.connect() as client:
        client.sendall(pages.request("/live", method=method, more="Content-Length: 100\r\n") + b"half")
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 405 " if method == "POST" else b"HTTP/1.1 200 ")


def test_an_answer_that_nobody_takes_is_given_up(site: Site) -> None:
    """The answer is larger than what the system keeps for a connection."""
    with served(site, ConnectionLimits(answer_seconds=_SHORT)) as pages:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(60)
            client.connect(("127.0.0.1", pages.port))
            client.sendall(pages.request("/gold/many/download.csv"))
            assert client.recv(10).startswith(b"HTTP/1.1 2")
            held = site.readers._held
            assert held is not None
            with site.readers._lock:
                assert site.readers._lock.wait_for(lambda: not held.readers, timeout=60), "it is read for ever"
        assert pages.get("/live").startswith(b"HTTP/1.1 200 ")


def test_who_is_quick_enough_notices_nothing(site: Site) -> None:
    """Each request has its limit anew, and an answer as long as its client takes of it."""
    with (
        served(site, ConnectionLimits(header_seconds=60, body_seconds=60, answer_seconds=_SHORT)) as pages,
        pages.connect() as client,
    ):
        for _ in range(3):
            client.sendall(pages.request("/live", more=""))
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        answer = pages.get("/gold/many/download.csv")  # it needs more memory than pages begin with
        assert answer.count(b"x\n") == 1 + 300_000


def test_pages_end_although_a_client_does_not_take_its_answer(site: Site) -> None:
    with served(site, ConnectionLimits(leave_seconds=_SHORT)) as pages:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", pages.port))
        client.sendall(pages.request("/gold/many/download.csv"))
        assert client.recv(10).startswith(b"HTTP/1.1 2")
    client.close()
