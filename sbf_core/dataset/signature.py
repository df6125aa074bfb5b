"""Signed requests, as they are declared: of which parts an HMAC is made, and where it goes."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import ClassVar

import attrs

from sbf_core.dataset.sign_in_checks import check_header, renamed_keys, wrong
from sbf_core.value import Value

_DIGESTS = ("sha256", "sha384", "sha512")
#: What may stand in a message that is signed.
PARTS = frozenset(
    {"key", "timestamp", "nonce", "method", "host", "path", "query", "target", "body", "inner", "inner_hex"}
)
_ALSO_SENT = frozenset({"key", "timestamp", "nonce"})


@attrs.frozen(kw_only=True)
class Signature(Value):
    """Each request is signed: an HMAC, by a secret that is never sent, over parts of the request.

    The parts, in braces: ``key``, ``timestamp``, ``nonce`` (milliseconds, each larger than the one before), ``method``,
    ``host``, ``path``, ``query`` (as it is sent, without ``?``), ``target`` (path and query), ``body``, ``inner`` and
    ``inner_hex``.

    Attributes:
        secret: name of the key that signs.
        key: name of the key that is sent, and says whose signature it is; empty: none.
        message: what is signed.
        digest: ``sha256``, ``sha384`` or ``sha512``.
        encoding: how the signature is written: ``hex`` or ``base64``.
        secret_encoding: how the secret is written where one gets it: ``text`` (used as it is), ``base64`` or ``hex``.
        timestamp: seconds (``s``) or milliseconds (``ms``) since 1970, or ``iso``: ``2024-01-02T12:00:00.000Z``.
        inner: what is hashed by itself, for vendors who sign a hash of a part, e.g. ``{nonce}{body}``; it stands in the
            message as ``{inner}`` (its bytes) or ``{inner_hex}``.
        inner_digest: as ``digest``.
        headers: headers to send, of ``{key}``, ``{timestamp}``, ``{nonce}`` and ``{signature}``.
        parameters: the same for the query; those with the signature stand last, and are not signed.
        fields: the same for the body, without the signature.
    """

    kind: ClassVar[str] = "signature"

    secret: str
    key: str = ""
    message: str = "{timestamp}{method}{target}{body}"
    digest: str = "sha256"
    encoding: str = "hex"
    secret_encoding: str = "text"  # noqa: S105 - how it is coded, no secret
    timestamp: str = "ms"
    inner: str = ""
    inner_digest: str = "sha256"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    parameters: Mapping[str, str] = attrs.field(factory=dict)
    fields: Mapping[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        words = {
            "digest": (self.digest, _DIGESTS),
            "inner_digest": (self.inner_digest, _DIGESTS),
            "encoding": (self.encoding, ("hex", "base64")),
            "secret_encoding": (self.secret_encoding, ("text", "base64", "hex")),
            "timestamp": (self.timestamp, ("s", "ms", "iso")),
        }
        for what, (given, known) in words.items():
            if given not in known:
                raise wrong(f"{what} {given!r} is not known", f"use {', '.join(known)}")
        if not self.secret:
            raise wrong("secret is the name of the key that signs", 'secret="EXAMPLE_SECRET"')
        named = self._named()
        if "signature" not in named:
            raise wrong("the signature goes nowhere", 'headers={"x-signature": "{signature}"}, or parameters=')
        if "key" in named and not self.key:
            raise wrong("{key} stands for a key that has no name", 'key="EXAMPLE_KEY"')
        for name in self.headers:
            check_header(name, "")

    def _named(self) -> set[str]:
        """The parts in all its templates. Raises ``UsageError`` where one holds what it cannot."""
        whole = PARTS - {"inner", "inner_hex"}
        sent = _ALSO_SENT | {"signature"}
        templates = [
            ("message", self.message, PARTS if self.inner else whole),
            ("inner", self.inner, whole),
            *(("headers", value, sent) for value in self.headers.values()),
            *(("parameters", value, sent) for value in self.parameters.values()),
            *(("fields", value, _ALSO_SENT) for value in self.fields.values()),
        ]
        return {name for what, template, known in templates for name in _known_parts(template, known, what=what)}

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(name for name in (self.key, self.secret) if name)

    def renamed(self, names: Mapping[str, str]) -> Signature:
        """The same with the keys of another account."""
        return attrs.evolve(self, **renamed_keys(self, ("key", "secret"), names))


def _known_parts(template: str, known: frozenset[str], *, what: str) -> set[str]:
    try:
        named = set(_parts_of(template))
    except ValueError:
        raise wrong(f"{what} {template!r} has braces that name no part", "write {timestamp}") from None
    unknown = sorted(named - known)
    if unknown:
        listed = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise wrong(f"{what} holds {{{unknown[0]}}}", f"parts are {listed}")
    return named


def _parts_of(template: str) -> Iterator[str]:
    """The names in braces. Raises ``ValueError`` where braces do not fit."""
    if "{{" in template or "}}" in template:
        raise ValueError(template)
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is not None:
            if spec or conversion:
                raise ValueError(name)
            yield name
