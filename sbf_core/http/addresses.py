"""Addresses: where they lead, and with parameters that are no part of what is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_same_place(url: str, other: str) -> bool:
    """Whether two addresses lead to one place; one that leads nowhere does not."""
    try:
        return origin(url) == origin(other)
    except ValueError:
        return False


def with_hidden(url: str, parameters: Mapping[str, str]) -> str:
    """An address with these parameters at the end of its query, which replace those of the same name."""
    if not parameters:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    query = parts.query if len(kept) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(kept)
    return parts._replace(query="&".join(part for part in (query, urlencode(parameters)) if part)).geturl()
