"""Which addresses a vendor may send us to."""

from __future__ import annotations

import ipaddress


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: not this machine, its network, or a cloud's metadata."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (mapped is None or mapped.is_global)
