"""Signed requests: an HMAC over parts of a request, as it is declared, made anew for each attempt."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import email.utils
import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from sbf_core.dataset.request_body import RequestBody
from sbf_core.dataset.signature import Signature
from sbf_core.errors import UsageError
from sbf_core.http.addresses import with_hidden
from sbf_core.http.redirects import Hop
from sbf_core.http.signer import Shared
from sbf_core.secret import Secret

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PART = re.compile(r"\{(\w+)\}")
_SIGNATURE = "{signature}"
#: Words by which vendors say that a request is too old or from the future.
_SPEAKS_OF_TIME = re.compile(rb"time.?stamp|recv.?window|nonce|clock|time is (?:out|too)|expired", re.IGNORECASE)
_NOTE_BYTES_MAX = 4096
_SKEW_SECONDS_MIN = 1.0


class Signing:
    """Signs the requests of one vendor.

    Args:
        shared: gives keys and the time.
        declared: how it signs.
    """

    def __init__(self, shared: Shared, declared: Signature) -> None:
        self._shared = shared
        self._declared = declared

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return self._declared.key_names

    async def signed(self, hop: Hop, *, deadline: float) -> tuple[Hop, float]:
        """The request with its signature. Raises ``UsageError`` where a key is not set, or is not as declared."""
        del deadline
        declared, now = self._declared, self._shared.clock.now()
        last = self._shared.nonces.get(declared.secret, 0)
        nonce = max(last + 1, _milliseconds(now))  # two requests of one millisecond differ
        self._shared.nonces[declared.secret] = nonce
        key = self._shared.keys.get(declared.key).reveal() if declared.key else ""
        if not key.isascii():
            raise UsageError(
                f"the key {declared.key} holds a letter that no header can", fix="set it again", code="KEY"
            )
        secret = _decoded(self._shared.keys.get(declared.secret, blanks=True), declared)
        sent = {"key": key, "timestamp": _written(now, declared.timestamp), "nonce": str(nonce)}
        return signed_hop(hop, declared, sent, secret), 0.0

    def renews(self, sent: Hop) -> bool:
        """Nothing changes by asking again."""
        del sent
        return False


def signed_hop(hop: Hop, declared: Signature, sent: Mapping[str, str], secret: bytes) -> Hop:
    """A request with its signature.

    Args:
        hop: without.
        declared: how it is signed.
        sent: the key, the time and the nonce.
        secret: what signs.
    """
    before = {name: value for name, value in declared.parameters.items() if _SIGNATURE not in value}
    url = with_hidden(hop.url, {name: _filled(value, sent) for name, value in before.items()})
    body = hop.body
    if declared.fields:
        given = RequestBody(text=(body or b"").decode(), content_type=hop.headers.get("content-type", ""))
        body = given.with_fields({name: _filled(value, sent) for name, value in declared.fields.items()}).text.encode()
    parts = urlsplit(url)
    path = parts.path or "/"
    known: dict[str, bytes] = {name: value.encode() for name, value in sent.items()}
    known |= {
        "method": b"GET" if body is None else b"POST",
        "host": parts.netloc.encode(),
        "path": path.encode(),
        "query": parts.query.encode(),
        "target": f"{path}{'?' if parts.query else ''}{parts.query}".encode(),
        "body": body or b"",
    }
    inner = hashlib.new(declared.inner_digest, _bytes_of(declared.inner, known)).digest()
    known |= {"inner": inner, "inner_hex": inner.hex().encode()}
    digest = hmac.new(secret, _bytes_of(declared.message, known), declared.digest).digest()
    signature = digest.hex() if declared.encoding == "hex" else base64.b64encode(digest).decode()
    values = {**sent, "signature": signature}
    last = {name: value for name, value in declared.parameters.items() if name not in before}
    headers = {name.lower(): _filled(value, values) for name, value in declared.headers.items()}
    return attrs.evolve(
        hop,
        url=with_hidden(url, {name: _filled(value, values) for name, value in last.items()}),
        headers={**hop.headers, **headers},
        secret_headers=hop.secret_headers | headers.keys(),
        body=body,
    )


def clock_note(answer_date: str, body: bytes, now: dt.datetime) -> str:
    """What to add to a refusal of a signed request that speaks of time; empty where it does not."""
    if len(body) > _NOTE_BYTES_MAX or not _SPEAKS_OF_TIME.search(body):
        return ""
    try:
        ahead = (now - email.utils.parsedate_to_datetime(answer_date)).total_seconds()
    except (ValueError, TypeError, IndexError):
        ahead = 0.0
    if abs(ahead) <= _SKEW_SECONDS_MIN:
        return "; it speaks of the time at which the request was signed: is the clock of this machine right?"
    way = "ahead of" if ahead > 0 else "behind"
    return f"; the clock of this machine is {abs(ahead):.0f} s {way} the vendor's: set it"


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _PART.sub(lambda match: values[match[1]], template)


def _bytes_of(template: str, values: Mapping[str, bytes]) -> bytes:
    """A template filled with bytes, which a hash is."""
    pieces = _PART.split(template)
    return b"".join(values[piece] if at % 2 else piece.encode() for at, piece in enumerate(pieces))


def _written(now: dt.datetime, how: str) -> str:
    if how == "iso":
        return now.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(_milliseconds(now) // (1 if how == "ms" else 1000))


def _milliseconds(moment: dt.datetime) -> int:
    """Since 1970, cut; a float would be a millisecond off now and then."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def _decoded(secret: Secret, declared: Signature) -> bytes:
    text, coding = secret.reveal(), declared.secret_encoding
    try:
        if coding == "base64":
            return base64.b64decode(text, validate=True)
        return bytes.fromhex(text) if coding == "hex" else text.encode()
    except (ValueError, binascii.Error):
        raise UsageError(
            f"the key {declared.secret} is not written in {declared.secret_encoding}",
            fix="set it again, as the vendor shows it",
            code="KEY",
        ) from None
