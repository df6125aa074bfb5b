"""Checks that every way to sign in wants, and how the keys of another account stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sbf_core.errors import UsageError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def wrong(what: str, fix: str) -> UsageError:
    """What is wrong with a ``sign_in``, and how to mend it."""
    return UsageError(f"sign_in: {what}", fix=fix, code="RECIPE")


def is_protected(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def check_place(url: str, *, what: str) -> None:
    """Raise ``UsageError`` for an address to which keys must not go."""
    try:
        parts = urlsplit(url)
        is_one = bool(parts.hostname) and "{" not in url and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        is_one = False
    if not is_one or not is_protected(url):
        raise wrong(f"{what} {url!r} is no https address", f'{what}="https://auth.example.com/token"')


def is_token(name: str) -> bool:
    """Whether a text can name a header, a cookie or a parameter (RFC 9110, section 5.6.2)."""
    return _NAME.fullmatch(name) is not None


def check_header(header: str, scheme: str) -> None:
    """Raise ``UsageError`` for what is no name of a header, and no word."""
    if not is_token(header) or (scheme and not is_token(scheme)):
        raise wrong(f"header {header!r} with scheme {scheme!r} is none", 'header="authorization", scheme="Bearer"')


def renamed_keys(declared: object, fields: Sequence[str], names: Mapping[str, str]) -> dict[str, Any]:
    """These fields, which name keys, with the names of another account."""
    given = {field: getattr(declared, field) for field in fields}
    return {field: names.get(name, name) for field, name in given.items()}
