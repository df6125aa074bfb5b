"""Where a vendor may send us: within its own hosts and those that the recipe names, never to a worse place, without
keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

import attrs

from sbf_core.errors import excerpt
from sbf_core.failures import FailureKind
from sbf_core.http.public_addresses import is_public
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.value import Value

HOPS_MAX = 5
_STATUSES = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})


@attrs.frozen(kw_only=True)
class Hop(Value):
    """One address on the way.

    Attributes:
        url: complete; the first one with its secrets.
        headers: what is sent.
        secret_headers: names of those that hold a key, in small letters.
        number: how many redirects led here.
        foreign: the vendor chose the host, and not the recipe.
        body: what is posted, with its keys; None for a GET.
    """

    url: str
    headers: Mapping[str, str]
    secret_headers: frozenset[str] = frozenset()
    number: int = 0
    foreign: bool = False
    body: bytes | None = attrs.field(default=None, repr=False)


def next_hop(here: Hop, answer: WireAnswer, *, hosts: Sequence[str]) -> Hop | None:
    """Where an answer sends us on; None where it does not.

    What is posted goes on to the same place only, and only where the status says that it does (307, 308): after any
    other, a client asks by GET, whose answer is another one (RFC 9110, section 15.4). A key in the query stays behind,
    for the vendor's new address is its own; one in a header goes along on the same host only.

    Raises:
        WireFault: to another host than the vendor's or those named, to a private address, from https to http, or too
            often.
    """
    if answer.status_code not in _STATUSES or "location" not in answer.headers:
        return None
    try:
        target = urljoin(here.url, answer.headers["location"])
        parts, was = urlsplit(target), urlsplit(here.url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("to an address that is none") from None
    if parts.scheme not in ("http", "https"):
        raise _refused(f"to {parts.scheme or 'nothing'}:")
    if was.scheme == "https" and parts.scheme == "http":
        raise _refused("from https to http")
    if host != was.hostname and host not in hosts:
        raise _refused(f"to another host, {excerpt(host, 80)}")
    if host != was.hostname and _is_private(host):
        raise _refused("to a private address")
    if (host, port) == (was.hostname, was.port) and target == here.url:
        raise _refused("to itself")
    if here.number >= HOPS_MAX:
        raise _refused(f"more than {HOPS_MAX} times")
    same = (parts.scheme, host, port) == (was.scheme, was.hostname, was.port)
    if here.body is not None and not (same and answer.status_code in _KEEPS_METHOD):
        raise _refused(f"a POST with status {answer.status_code}{'' if same else ' to another place'}")
    headers = {name: value for name, value in here.headers.items() if same or name not in here.secret_headers}
    return Hop(
        url=target,
        headers=headers,
        secret_headers=here.secret_headers,
        number=here.number + 1,
        foreign=here.foreign or host != was.hostname,
        body=here.body,
    )


def _is_private(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not is_public(host)


def _refused(where: str) -> WireFault:
    return WireFault(FailureKind.REDIRECT, f"the vendor redirects {where}, which is refused", again=False)
