"""A PostgreSQL server on loopback, of the binaries that the system has; what needs it skips where there are none."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "a-password-of-the-tests"


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, of the newest version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else folders
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """Its address, with a user and without the password. It listens on one port, and is gone behind the block."""
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    place = Path(tempfile.mkdtemp(prefix="sbf-postgres-"))
    account = next((one for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody")), None)
    as_user: dict[str, object] = {}
    if os.getuid() == 0:  # it refuses to run as root
        assert account is not None
        os.chown(place, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (place / "password").write_text(PASSWORD)
    (place / "password").chmod(0o644)
    plain = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    data = place / "data"
    subprocess.run(
        [folder / "initdb", "-D", data, "-U", "reader", "-A", "scram-sha-256", "--pwfile", place / "password", "-N",
         "--no-locale", "-E", "UTF8"], check=True, **plain, **as_user,
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    start = [folder / "pg_ctl", "-D", data, "-w", "-o", options]
    subprocess.run([*start, "start"], check=True, **plain, **as_user)
    try:
        yield f"postgresql://reader@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([folder / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, **plain, **as_user)
        shutil.rmtree(place, ignore_errors=True)
