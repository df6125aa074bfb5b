"""Servers on loopback that give a folder of files: by HTTP with lists, by FTP, by SFTP."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import html
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import asyncssh
import pytest
from hang import HANG_SECONDS

PASSWORD = "a-password-of-the-tests"


class Place:
    """A folder, and how to reach it.

    Attributes:
        address: of the folder.
        root: where its files are.
        asked: requests that came, of HTTP.
        held, released: set when a request came for what ``slow`` is part of, and when it may be answered.
    """

    def __init__(self, root: Path, address: str = "", **recipe: Any) -> None:
        self.root = root
        self.address = address
        self.recipe = recipe
        self.asked: list[str] = []
        self.slow = ""
        self.held, self.released = threading.Event(), threading.Event()


class _Web(BaseHTTPRequestHandler):
    """Answers as nginx does, with lists in its form."""

    protocol_version = "HTTP/1.1"
    place: Place
    has_marks = True
    has_times = True

    def do_GET(self) -> None:
        conditional = self.headers.get("If-None-Match") or self.headers.get("If-Modified-Since") or ""
        self.place.asked.append(f"{self.path} {conditional}".strip())
        if self.place.slow and self.place.slow in self.path:
            self.place.held.set()
            self.place.released.wait(HANG_SECONDS)
        path = self.place.root / unquote(urlsplit(self.path).path).lstrip("/")
        if path.is_dir():
            self._answer(200, _page(path, has_times=self.has_times).encode(), {"content-type": "text/html"})
        elif path.is_file():
            facts = path.stat()
            etag = f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}-{facts.st_mtime:.0f}"'
            marks = {"etag": etag, "last-modified": formatdate(facts.st_mtime, usegmt=True)} if self.has_marks else {}
            if self.has_marks and self.headers.get("If-None-Match") == etag:
                self._answer(304, b"", marks)
            else:
                self._answer(200, path.read_bytes(), {"content-type": "text/csv", **marks})
        else:
            self._answer(404, b"no such file", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _page(folder: Path, *, has_times: bool) -> str:
    lines = ['<a href="../">../</a>']
    for one in sorted(each for each in folder.iterdir() if each.exists()):
        name = f"{one.name}/" if one.is_dir() else one.name
        moment = dt.datetime.fromtimestamp(one.stat().st_mtime, dt.UTC).strftime("%d-%b-%Y %H:%M")
        facts = f"     {moment}     {'-' if one.is_dir() else one.stat().st_size}" if has_times else ""
        lines.append(f'<a href="{html.escape(quote(name))}">{html.escape(name)}</a>{facts}')
    return "<html><head><title>Index of</title></head><body><pre>" + "\n".join(lines) + "\n</pre></body></html>"


@contextmanager
def web(root: Path, *, has_marks: bool = True, has_times: bool = True) -> Iterator[Place]:
    place = Place(root)
    handler = type("Handler", (_Web,), {"place": place, "has_marks": has_marks, "has_times": has_times})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    place.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield place
    finally:
        place.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def nginx(root: Path, *, form: str = "html") -> Iterator[Place]:
    """The real one, where the system has it."""
    program = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    if program is None:
        pytest.skip("no nginx on this machine: apt-get install nginx-light")
    place, port = Path(tempfile.mkdtemp(prefix="sbf-nginx-")), free_port()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {place}/{kind}; " for kind in kinds)
    user = "user root; " if os.getuid() == 0 else ""
    (place / "conf").write_text(
        f"{user}daemon off; pid {place}/pid; error_log {place}/errors; events {{}} http {{ {temporary}access_log off; "
        f"server {{ listen 127.0.0.1:{port}; root {root}; autoindex on; autoindex_format {form}; }} }}"
    )
    process = subprocess.Popen([program, "-e", f"{place}/errors", "-c", f"{place}/conf", "-p", str(place)])
    try:
        wait_for(port)
        yield Place(root, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def ftp(root: Path, *, certificate: Path | None = None, without: tuple[str, ...] = ()) -> Iterator[Place]:
    """By pyftpdlib; with a ``certificate`` all of it, control and data, must be encrypted."""
    import logging

    with warnings.catch_warnings():  # it imports what Python 3.12 does not have any more
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyftpdlib.authorizers import DummyAuthorizer  # type: ignore[import-untyped]
        from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler  # type: ignore[import-untyped]
        from pyftpdlib.ioloop import IOLoop  # type: ignore[import-untyped]
        from pyftpdlib.servers import FTPServer  # type: ignore[import-untyped]

    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    users = DummyAuthorizer()
    users.add_user("reader", PASSWORD, str(root), perm="elr")
    users.add_anonymous(str(root))
    kinds = {
        "authorizer": users,
        "proto_cmds": _commands(FTPHandler if certificate is None else TLS_FTPHandler, without),
    }
    if certificate is not None:
        secured = {"certfile": str(certificate), "tls_control_required": True, "tls_data_required": True}
        handler = type("Handler", (TLS_FTPHandler,), {**kinds, **secured, "ssl_context": None})
    else:
        handler = type("Handler", (FTPHandler,), kinds)
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), handler, ioloop=loop)
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            loop.loop(timeout=0.02, blocking=False)

    thread = threading.Thread(target=serve)
    thread.start()
    scheme = "ftp" if certificate is None else "ftps"
    try:
        yield Place(root, f"{scheme}://reader@localhost:{server.address[1]}", secrets={"password": "DROPS_PASSWORD"})
    finally:
        stopped.set()
        thread.join()
        server.close_all()


def _commands(handler: Any, without: tuple[str, ...]) -> dict[str, Any]:
    return {name: facts for name, facts in handler.proto_cmds.items() if name not in without}


class _Users(asyncssh.SSHServer):
    """Knows one user, by a password or a key."""

    key: asyncssh.SSHKey

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("reader", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "reader" and key.public_data == self.key.public_data


@contextmanager
def sftp(root: Path) -> Iterator[Place]:
    """By asyncssh; ``place.key`` is a key that its user may sign in with."""
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    users = type("Users", (_Users,), {"key": user})

    def rooted(chan: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(chan, chroot=str(root).encode())

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen("127.0.0.1", 0, server_factory=users, server_host_keys=[host], sftp_factory=rooted)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(HANG_SECONDS)
    public = host.export_public_key().decode().strip()
    place = Place(
        root, f"sftp://reader@127.0.0.1:{server.get_port()}", secrets={"password": "DROPS_PASSWORD"},
        options={"host_key": public},
    )  # fmt: skip
    place.host_key, place.user_key = public, user.export_private_key().decode()  # type: ignore[attr-defined]

    async def end() -> None:
        server.close()
        await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield place
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(HANG_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def certificate_in(folder: Path) -> Path:
    """A certificate of localhost that is its own authority, and its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    until = time.monotonic() + HANG_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)
