"""Folders that are on another machine: how a path names them, and what may be said of each kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote, urlsplit

#: Letters that stand for themselves in a path of an address (RFC 3986, section 3.3).
_PLAIN = "/!$&'()*+,;=:@-._~"
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class RemoteKind(StrEnum):
    """How the files of a folder are reached."""

    STORE = "store"
    HTTP = "http"
    FTP = "ftp"
    SFTP = "sftp"


#: By the scheme of a path.
SCHEMES = {
    "s3": RemoteKind.STORE, "gs": RemoteKind.STORE, "az": RemoteKind.STORE, "https": RemoteKind.HTTP,
    "http": RemoteKind.HTTP, "ftp": RemoteKind.FTP, "ftps": RemoteKind.FTP, "sftp": RemoteKind.SFTP,
}  # fmt: skip
#: What may be secret, where that is no header.
_SECRETS = {
    RemoteKind.FTP: frozenset({"user", "password"}),
    RemoteKind.SFTP: frozenset({"user", "password", "private_key_file", "passphrase"}),
}
_OPTIONS: Mapping[RemoteKind, frozenset[str]] = {
    RemoteKind.FTP: frozenset(),
    RemoteKind.SFTP: frozenset({"host_key", "known_hosts"}),
}


def remote_kind(path: str) -> RemoteKind | None:
    """How a path is reached; None for one on this machine."""
    scheme, mark, _ = path.partition("://")
    return SCHEMES.get(scheme) if mark else None


def quoted_path(path: str) -> str:
    """A path as an address has it."""
    return quote(path, safe=_PLAIN)


def why_no_place(
    path: str, place: str, options: Mapping[str, str], secrets: Mapping[str, str], quiet_seconds: float
) -> tuple[str, str]:
    """What is wrong with the path of a remote folder, its options and its secrets, and how to mend it.

    Args:
        path: the whole of it.
        place: its scheme and its host, or bucket.
        options: what is said of it.
        secrets: the same, as names of keys.
        quiet_seconds: see ``FileRecipe``.
    """
    kind = remote_kind(path)
    if kind is None or kind is RemoteKind.STORE:
        return "", ""
    try:
        parts = urlsplit(place)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return f"{place!r} is no address of a server", f'path="{kind}://files.example.com/drops/*.csv"'
    if not has_host:
        return f"{path!r} names no server", f'path="{kind}://files.example.com/drops/*.csv"'
    if parts.password is not None or (kind is RemoteKind.HTTP and parts.username is not None):
        key = (
            '{"Authorization": "DROPS_AUTHORIZATION"}' if kind is RemoteKind.HTTP else '{"password": "DROPS_PASSWORD"}'
        )
        return "the path holds a password, which would stand in the journal", f"name a key: secrets={key}"
    if kind is RemoteKind.HTTP:
        return _why_no_http(path, (*options, *secrets), quiet_seconds)
    wrong = next((name for name in secrets if name not in _SECRETS[kind]), None)
    if wrong is not None:
        return f"{wrong!r} is no secret of {kind}", f"they are {', '.join(sorted(_SECRETS[kind]))}"
    odd = next((name for name in options if name not in _OPTIONS[kind]), None)
    if odd is not None:
        known = ", ".join(sorted(_OPTIONS[kind])) or "none"
        return f"{odd!r} is no option of {kind}", f"there is {known}"
    return "", ""


def _why_no_http(path: str, headers: tuple[str, ...], quiet_seconds: float) -> tuple[str, str]:
    odd = next((name for name in headers if not _HEADER.fullmatch(name)), None)
    if odd is not None:
        return f"{odd!r} is no name of a header", 'options={"User-Agent": "example.com name@example.com"}'
    if _PERCENT.search(path) or "#" in path:
        return (
            f"the path {path!r} is written as an address",
            "write the letters of names as they are: 'a b', not 'a%20b'",
        )
    if quiet_seconds:
        return "a list of files on a web server does not say in which zone its times are", "leave quiet_seconds out"
    return "", ""
