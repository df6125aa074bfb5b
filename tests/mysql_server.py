"""A MySQL or MariaDB server on loopback, of the binaries that the system has; what needs it skips where there are
none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from hang import HANG_SECONDS

PASSWORD = "a-password-of-the-tests"


@contextmanager
def server(*options: str) -> Iterator[int]:
    """Its port; the user ``reader`` with the password may do all. It is gone behind the block."""
    program, maker = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if program is None:
        program = shutil.which("mysqld", path=_PATH)
    if program is None:
        pytest.skip("no MySQL server on this machine: apt-get install mariadb-server")
    place = Path(tempfile.mkdtemp(prefix="sbf-mysql-"))
    account = next((one for one in pwd.getpwall() if one.pw_name in ("mysql", "nobody")), None)
    as_user: dict[str, object] = {}
    if os.getuid() == 0:  # it refuses to run as root
        assert account is not None
        os.chown(place, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, start = place / "data", place / "start.sql"
    user = "reader@127.0.0.1"  # an anonymous one of localhost would go before `reader`
    statements = (
        f"CREATE USER {user} IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON *.* TO {user}",
        "CREATE DATABASE shop",
    )
    start.write_text("".join(f"{statement};\n" for statement in statements))
    start.chmod(0o644)
    plain = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    filled = [maker, "--no-defaults", f"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=normal"]
    if maker is None:
        filled = [program, "--no-defaults", f"--datadir={data}", "--initialize-insecure"]
    subprocess.run(filled, check=True, **plain, **as_user)  # type: ignore[call-overload]
    command = [
        program, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
        f"--socket={place / 'socket'}", f"--pid-file={place / 'pid'}", f"--init-file={start}",
        "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", "--character-set-server=utf8mb4", *options,
    ]  # fmt: skip
    process = subprocess.Popen(command, **plain, **as_user)  # type: ignore[call-overload]
    try:
        _wait_for(process, port)
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(place, ignore_errors=True)


_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/bin"))


def connected(port: int) -> pymysql.Connection:
    return pymysql.connect(
        host="127.0.0.1", port=port, user="reader", password=PASSWORD.encode(), database="shop", charset="utf8mb4",
        autocommit=True,
    )  # fmt: skip


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + HANG_SECONDS
    while True:
        assert process.poll() is None, "the server did not start"
        try:
            connected(port).close()
            return
        except pymysql.err.Error:
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
