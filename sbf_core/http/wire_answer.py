"""What comes of one request on the wire: a whole answer, or a fault."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sbf_core.failures import FailureKind
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class WireAnswer(Value):
    """An answer, whole.

    Attributes:
        status_code: of HTTP.
        headers: names in small letters; of a name that came twice the last, of ``link`` all, and of
            ``set-cookie`` each in a line.
        body: with its compression undone.
        wire_bytes: how many bytes of it arrived.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    wire_bytes: int


class WireFault(Exception):
    """There is no whole answer. The text holds no address, because addresses hold keys.

    Args:
        kind: what sort of thing went wrong.
        what: for readers.
        again: whether another attempt may bring it.
        evidence: what arrived before it went wrong.
        for_good: so will all other requests go wrong, as with a wrong key.
    """

    def __init__(
        self, kind: FailureKind, what: str, *, again: bool, evidence: bytes = b"", for_good: bool = False
    ) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.again = again
        self.evidence = evidence
        self.for_good = for_good
