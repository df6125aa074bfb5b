"""How one signs in with a vendor, beyond sending a key as it is: tokens, logins, signatures; as it is declared.

Fields that name keys hold names, as ``RestRecipe.secrets`` does; no value of a key stands in a declaration.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from sbf_core.dataset.request_body import RequestBody, named_in
from sbf_core.errors import UsageError
from sbf_core.value import Value

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: How a client says who it is: RFC 6749, section 2.3.1, wants the two form-encoded in Basic, and some vendors do not.
_CLIENT_IN = ("basic", "basic_unencoded", "body")
_DIGESTS = ("sha256", "sha384", "sha512")
#: What may stand in a message that is signed.
PARTS = frozenset(
    {"key", "timestamp", "nonce", "method", "host", "path", "query", "target", "body", "inner", "inner_hex"}
)
_ALSO_SENT = frozenset({"key", "timestamp", "nonce"})


def _wrong(what: str, fix: str) -> UsageError:
    return UsageError(f"sign_in: {what}", fix=fix, code="RECIPE")


def is_protected(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _check_place(url: str, *, what: str) -> None:
    try:
        parts = urlsplit(url)
        is_one = bool(parts.hostname) and "{" not in url and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        is_one = False
    if not is_one or not is_protected(url):
        raise _wrong(f"{what} {url!r} is no https address", f'{what}="https://auth.example.com/token"')


def _check_header(header: str, scheme: str) -> None:
    if not _NAME.fullmatch(header) or (scheme and not _NAME.fullmatch(scheme)):
        raise _wrong(f"header {header!r} with scheme {scheme!r} is none", 'header="authorization", scheme="Bearer"')


@attrs.frozen(kw_only=True)
class ClientCredentials(Value):
    """OAuth 2, client credentials: an id and a secret are exchanged for a token, which goes along with each request.

    Attributes:
        token_url: where tokens are given; https.
        client_id, client_secret: names of the keys.
        scope: what is asked for; empty: the vendor decides.
        audience: for vendors who want to know for which of their services.
        client_in: how the two keys are sent: ``basic`` as RFC 6749 says, ``basic_unencoded`` for vendors who take them
            as they are, ``body`` among the fields.
        extra: further fields of the request for a token, none of them secret.
        header: in which header the token goes.
        scheme: the word before the token; empty: none.
    """

    kind: ClassVar[str] = "client_credentials"

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""
    audience: str = ""
    client_in: str = "basic"
    extra: Mapping[str, str] = attrs.field(factory=dict)
    header: str = "authorization"
    scheme: str = "Bearer"

    def __attrs_post_init__(self) -> None:
        _check_client(self)
        if not self.client_id or not self.client_secret:
            raise _wrong("client_id and client_secret are names of keys", 'client_id="EXAMPLE_ID"')

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return self.client_id, self.client_secret

    def renamed(self, names: Mapping[str, str]) -> ClientCredentials:
        """The same with the keys of another account."""
        return attrs.evolve(self, **_renamed(self, ("client_id", "client_secret"), names))


@attrs.frozen(kw_only=True)
class RefreshToken(Value):
    """OAuth 2, refresh token: one that a person got once, by a browser, is exchanged for tokens that live shortly.

    Attributes:
        token_url: where tokens are given; https.
        refresh_token: name of the key that holds it.
        client_id, client_secret: names of keys; the secret is empty for a public client.
        rotates: the vendor gives a new refresh token each time, and the old one is void. It must lie in the keyring of
            the system, where the new one takes its place before it is used.
        scope, client_in, extra, header, scheme: as in ``ClientCredentials``.
    """

    kind: ClassVar[str] = "refresh_token"

    token_url: str
    refresh_token: str
    client_id: str
    client_secret: str = ""
    rotates: bool = False
    scope: str = ""
    client_in: str = "basic"
    extra: Mapping[str, str] = attrs.field(factory=dict)
    header: str = "authorization"
    scheme: str = "Bearer"

    def __attrs_post_init__(self) -> None:
        _check_client(self)
        if not self.refresh_token or not self.client_id:
            raise _wrong("refresh_token and client_id are names of keys", 'refresh_token="EXAMPLE_REFRESH_TOKEN"')

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(name for name in (self.refresh_token, self.client_id, self.client_secret) if name)

    def renamed(self, names: Mapping[str, str]) -> RefreshToken:
        """The same with the keys of another account."""
        return attrs.evolve(self, **_renamed(self, ("refresh_token", "client_id", "client_secret"), names))


def _check_client(declared: ClientCredentials | RefreshToken) -> None:
    _check_place(declared.token_url, what="token_url")
    _check_header(declared.header, declared.scheme)
    if declared.client_in not in _CLIENT_IN:
        raise _wrong(f"client_in {declared.client_in!r} is not known", f"use {', '.join(_CLIENT_IN)}")
    if not all(isinstance(value, str) for value in declared.extra.values()):
        raise _wrong("extra holds what is no text", 'extra={"resource": "prices"}')


@attrs.frozen(kw_only=True)
class Login(Value):
    """A login: name and password, or whatever the vendor wants, are posted for the token of a session.

    Attributes:
        url: where one logs in; https.
        json, form: what is posted, without keys; ``{}`` where there is nothing else.
        secrets: fields of it (of ``json`` with dots between) whose value is a key, e.g.
            ``{"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}``.
        token_at: where the token stands in the answer, e.g. ``data.token``.
        lives_seconds: how long it lives; 0: as ``expires_in`` beside it says, else until the vendor refuses it.
        header, scheme: as in ``ClientCredentials``.
    """

    kind: ClassVar[str] = "login"

    url: str
    json: Any = None
    form: Mapping[str, str] | None = None
    secrets: Mapping[str, str]
    token_at: str = "token"  # noqa: S105
    lives_seconds: float = 0.0
    header: str = "authorization"
    scheme: str = "Bearer"

    def __attrs_post_init__(self) -> None:
        _check_place(self.url, what="url")
        _check_header(self.header, self.scheme)
        if (self.json is None) == (self.form is None):
            raise _wrong("a login posts json or form", "json={}, with the names of the keys in secrets")
        if not self.secrets or not all(isinstance(name, str) and name for name in self.secrets.values()):
            raise _wrong("a login needs keys", 'secrets={"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}')
        if named_in([self.json, self.form]):
            raise _wrong("a login has no placeholders", "write its fields as they are sent")
        if self.lives_seconds < 0 or not self.token_at:
            raise _wrong("lives_seconds cannot be negative, and token_at says where the token is", 'token_at="token"')
        self.body.with_fields(dict.fromkeys(self.secrets, ""))  # they fit

    @property
    def body(self) -> RequestBody:
        """What is posted, without keys."""
        if self.form is not None:
            return RequestBody.of_form(self.form, secrets=self.secrets)
        return RequestBody.of_json(self.json, secrets=self.secrets)

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(self.secrets.values())

    def renamed(self, names: Mapping[str, str]) -> Login:
        """The same with the keys of another account."""
        return attrs.evolve(self, secrets={field: names.get(name, name) for field, name in self.secrets.items()})


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
    secret_encoding: str = "text"  # noqa: S105
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
                raise _wrong(f"{what} {given!r} is not known", f"use {', '.join(known)}")
        if not self.secret:
            raise _wrong("secret is the name of the key that signs", 'secret="EXAMPLE_SECRET"')
        named = self._named()
        if "signature" not in named:
            raise _wrong("the signature goes nowhere", 'headers={"x-signature": "{signature}"}, or parameters=')
        if "key" in named and not self.key:
            raise _wrong("{key} stands for a key that has no name", 'key="EXAMPLE_KEY"')
        for name in self.headers:
            _check_header(name, "")

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
        return attrs.evolve(self, **_renamed(self, ("key", "secret"), names))


def _renamed(declared: SignIn, fields: Sequence[str], names: Mapping[str, str]) -> dict[str, Any]:
    given = {field: getattr(declared, field) for field in fields}
    return {field: names.get(name, name) for field, name in given.items()}


def _known_parts(template: str, known: frozenset[str], *, what: str) -> set[str]:
    try:
        named = set(_parts_of(template))
    except ValueError:
        raise _wrong(f"{what} {template!r} has braces that name no part", "write {timestamp}") from None
    unknown = sorted(named - known)
    if unknown:
        listed = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise _wrong(f"{what} holds {{{unknown[0]}}}", f"parts are {listed}")
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


SignIn = ClientCredentials | RefreshToken | Login | Signature
#: By the word that TOML has for it.
SIGN_INS: dict[str, type[SignIn]] = {
    declared.kind: declared for declared in (ClientCredentials, RefreshToken, Login, Signature)
}


def check_sign_in(sign_in: object, url: str, *, has_fields: bool) -> None:
    """Raise ``UsageError`` where a recipe cannot be asked so: what is sent must reach its own host only, unread."""
    if not isinstance(sign_in, SignIn):
        raise _wrong(f"{type(sign_in).__name__} is no way to sign in", "sign_in=ClientCredentials(...)")
    if isinstance(sign_in, Signature) and sign_in.fields and not has_fields:
        raise _wrong("fields: there are no fields in the body", "give the recipe json={...} or form={...}")
    if not is_protected(url) or "{" in urlsplit(url).netloc:
        raise UsageError(
            "sign_in wants an https address whose host has no placeholder",
            where=url,
            fix='url="https://api.example.com/..."',
            code="RECIPE",
        )
