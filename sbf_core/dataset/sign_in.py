"""How one signs in with a vendor, beyond sending a key as it is: tokens, logins, signatures; as it is declared.

Fields that name keys hold names, as ``RestRecipe.secrets`` does; no value of a key stands in a declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from sbf_core.dataset.body_names import named_in
from sbf_core.dataset.request_body import RequestBody
from sbf_core.dataset.sign_in_checks import check_header, check_place, is_protected, is_token, renamed_keys, wrong
from sbf_core.dataset.signature import Signature
from sbf_core.errors import UsageError
from sbf_core.value import Value

#: How a client says who it is: RFC 6749, section 2.3.1, wants the two form-encoded in Basic, and some vendors do not.
_CLIENT_IN = ("basic", "basic_unencoded", "body")
#: Where the answer to a login has the token.
_GIVEN_IN = ("body", "header", "cookie")


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
            raise wrong("client_id and client_secret are names of keys", 'client_id="EXAMPLE_ID"')

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return self.client_id, self.client_secret

    def renamed(self, names: Mapping[str, str]) -> ClientCredentials:
        """The same with the keys of another account."""
        return attrs.evolve(self, **renamed_keys(self, ("client_id", "client_secret"), names))


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
            raise wrong("refresh_token and client_id are names of keys", 'refresh_token="EXAMPLE_REFRESH_TOKEN"')

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(name for name in (self.refresh_token, self.client_id, self.client_secret) if name)

    def renamed(self, names: Mapping[str, str]) -> RefreshToken:
        """The same with the keys of another account."""
        return attrs.evolve(self, **renamed_keys(self, ("refresh_token", "client_id", "client_secret"), names))


def _check_client(declared: ClientCredentials | RefreshToken) -> None:
    check_place(declared.token_url, what="token_url")
    check_header(declared.header, declared.scheme)
    if declared.client_in not in _CLIENT_IN:
        raise wrong(f"client_in {declared.client_in!r} is not known", f"use {', '.join(_CLIENT_IN)}")
    if not all(isinstance(value, str) for value in declared.extra.values()):
        raise wrong("extra holds what is no text", 'extra={"resource": "prices"}')


@attrs.frozen(kw_only=True)
class Login(Value):
    """A login: name and password, or whatever the vendor wants, are posted for the token of a session.

    Attributes:
        url: where one logs in; https.
        json, form: what is posted, without keys; ``{}`` where there is nothing else.
        secrets: fields of it (of ``json`` with dots between) whose value is a key, e.g.
            ``{"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}``.
        given_in: which part of the answer has the token: its ``body``, a ``header``, or a ``cookie``, which goes along
            as one.
        token_at: where it stands there: a path such as ``data.token``, or the name of the header or the cookie.
        lives_seconds: how long it lives; 0: as ``expires_in`` beside it, or the cookie, says, else until the vendor
            refuses it.
        header, scheme: as in ``ClientCredentials``.
        parameter: of the address, in which the token goes in the place of a header.
    """

    kind: ClassVar[str] = "login"

    url: str
    json: Any = None
    form: Mapping[str, str] | None = None
    secrets: Mapping[str, str]
    given_in: str = "body"
    token_at: str = "token"  # noqa: S105 - a place in the answer, no secret
    lives_seconds: float = 0.0
    header: str = "authorization"
    scheme: str = "Bearer"
    parameter: str = ""

    def __attrs_post_init__(self) -> None:
        check_place(self.url, what="url")
        self._check_token()
        check_header(self.header, self.scheme)
        if (self.json is None) == (self.form is None):
            raise wrong("a login posts json or form", "json={}, with the names of the keys in secrets")
        if not self.secrets or not all(isinstance(name, str) and name for name in self.secrets.values()):
            raise wrong("a login needs keys", 'secrets={"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}')
        if self.form is not None and not all(isinstance(value, str) for value in self.form.values()):
            raise wrong("form holds what is no text", 'form={"page": "1"}')
        if named_in([self.json, self.form]):
            raise wrong("a login has no placeholders", "write its fields as they are sent")
        if self.lives_seconds < 0 or not self.token_at:
            raise wrong("lives_seconds cannot be negative, and token_at says where the token is", 'token_at="token"')
        self.body.with_fields(dict.fromkeys(self.secrets, ""))  # they fit

    def _check_token(self) -> None:
        if self.given_in not in _GIVEN_IN:
            raise wrong(f"given_in {self.given_in!r} is not known", f"use {', '.join(_GIVEN_IN)}")
        if self.given_in != "body" and not is_token(self.token_at):
            raise wrong(f"token_at {self.token_at!r} is no name of a {self.given_in}", 'token_at="SESSIONID"')
        if (self.parameter or self.given_in == "cookie") and (self.header, self.scheme) != ("authorization", "Bearer"):
            raise wrong("the token goes one way, and header or scheme name another", "leave them out")
        if self.parameter and (self.given_in == "cookie" or not is_token(self.parameter)):
            raise wrong(f"the token goes in no parameter {self.parameter!r}", 'parameter="token", of no cookie')

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


SignIn = ClientCredentials | RefreshToken | Login | Signature
#: By the word that TOML has for it.
SIGN_INS: dict[str, type[SignIn]] = {
    declared.kind: declared for declared in (ClientCredentials, RefreshToken, Login, Signature)
}


def check_sign_in(sign_in: object, url: str, *, has_fields: bool) -> None:
    """Raise ``UsageError`` where a recipe cannot be asked so: what is sent must reach its own host only, unread."""
    if not isinstance(sign_in, SignIn):
        raise wrong(f"{type(sign_in).__name__} is no way to sign in", "sign_in=ClientCredentials(...)")
    if isinstance(sign_in, Signature) and sign_in.fields and not has_fields:
        raise wrong("fields: there are no fields in the body", "give the recipe json={...} or form={...}")
    if not is_protected(url) or "{" in urlsplit(url).netloc:
        raise UsageError(
            "sign_in wants an https address whose host has no placeholder",
            where=url,
            fix='url="https://api.example.com/..."',
            code="RECIPE",
        )
