"""What the answer to a request for a token holds: a token and how long it lives, or why there is none."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import attrs

from sbf_core.dataset.sign_in import ClientCredentials, Login, RefreshToken
from sbf_core.errors import PayloadRefused, excerpt
from sbf_core.failures import FailureKind
from sbf_core.http.attempts import AGAIN_STATUSES
from sbf_core.http.content import short_note
from sbf_core.http.set_cookie import SetCookie, read_cookie
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.payload.json_walk import value_at
from sbf_core.secret import Secret
from sbf_core.value import Value

TokenSource = ClientCredentials | RefreshToken | Login
_TOKEN_CHARACTERS_MAX = 16_384
_LIFE_SECONDS_MAX = 366 * 86400.0
#: Moments beyond it are milliseconds since 1970; in seconds it is the year 5138.
_SECONDS_MAX = 1e11
_SHOWN_CHARACTERS_MAX = 200
_LEARNT_CHARACTERS_MIN = 8
#: What of an answer is as secret as the token itself.
_SECRET_FIELDS = ("access_token", "refresh_token", "id_token")
#: Whose fault it is, where the vendor uses the words of RFC 6749.
_FIXES = {
    "invalid_scope": "mend scope in its sign_in",
    "unsupported_grant_type": "the vendor gives no tokens this way: mend its sign_in",
    "unauthorized_client": "the vendor gives this client no tokens this way: ask it, or mend its sign_in",
    "invalid_request": "mend its sign_in",
}


@attrs.frozen(kw_only=True)
class TokenAnswer(Value):
    """What came.

    Attributes:
        token: ready for a header.
        lives_seconds: how long it lives; None: nobody says.
    """

    token: str = attrs.field(repr=False)
    lives_seconds: float | None


def new_refresh_token(answer: WireAnswer) -> str:
    """The refresh token that takes the place of the one that was sent, be the rest of the answer as it may; empty where
    there is none.
    """
    document = _document(answer.body) if answer.status_code < 300 else None
    fresh = document.get("refresh_token") if isinstance(document, dict) else None
    return fresh if isinstance(fresh, str) and fresh.strip() and fresh.isprintable() else ""


def read_token(answer: WireAnswer, declared: TokenSource, *, host: str, now: dt.datetime) -> TokenAnswer:
    """The token in an answer; all that is secret in it is known from then on.

    Raises:
        WireFault: there is none, or none that can be used.
    """
    status, document = answer.status_code, _document(answer.body)
    is_in_body = not isinstance(declared, Login) or declared.given_in == "body"
    cookie = None if is_in_body else _cookie(answer, declared)
    token = _at(document, _token_at(declared)) if is_in_body else _beside_body(answer, declared, cookie)
    _learn(document, token, declared)
    is_error = isinstance(document, dict) and token is None and isinstance(document.get("error"), str)
    if status in AGAIN_STATUSES or status >= 500:
        raise WireFault(FailureKind.HTTP_STATUS, f"no token from {host}: HTTP {status}", again=False)
    if 300 <= status < 400 and cookie is None:  # with one, who signed in is led to a page
        what = f"no token from {host}: it redirects, and keys go to no place that a vendor chose"
        raise WireFault(FailureKind.SIGN_IN, what, again=False, for_good=True)
    if is_error or not 200 <= status < 400:
        raise _refused(answer, document, declared, host)
    if is_in_body and document is None:
        what = "an empty answer" if not answer.body.strip() else "an answer that is no JSON"
        raise _unusable(host, what)
    if token is None:
        place = f"the {declared.given_in} " if isinstance(declared, Login) and not is_in_body else ""
        raise _unusable(host, f"an answer without {place}{_token_at(declared)}")
    if not isinstance(token, str) or not token or not token.isascii() or not _fits_header(token):
        raise _unusable(
            host, f"a token at {_token_at(declared)} that cannot be sent: it is no text of printable characters"
        )
    if str(_beside(document, declared, "token_type")).lower() in ("mac", "dpop") and declared.scheme == "Bearer":
        raise _unusable(host, "a token that must be signed with, which sbf does not do")
    if cookie is not None and not (isinstance(declared, Login) and declared.lives_seconds):
        return TokenAnswer(token=token, lives_seconds=cookie.lives_seconds(now))
    return TokenAnswer(token=token, lives_seconds=_life(document, declared, now))


def _beside_body(answer: WireAnswer, declared: TokenSource, cookie: SetCookie | None) -> str | None:
    """The token in a cookie or a header of an answer."""
    if cookie is not None:
        return cookie.value
    is_in_header = isinstance(declared, Login) and declared.given_in == "header"
    return answer.headers.get(_token_at(declared).lower()) if is_in_header else None


def _cookie(answer: WireAnswer, declared: TokenSource) -> SetCookie | None:
    """The cookie that holds the token; of several with its name the last, as browsers take it."""
    told = answer.headers.get("set-cookie", "").splitlines()
    found = [cookie for cookie in map(read_cookie, told) if cookie.name == _token_at(declared) and cookie.value]
    is_cookie = isinstance(declared, Login) and declared.given_in == "cookie"
    return found[-1] if found and is_cookie else None


def _fits_header(token: str) -> bool:
    return token.isprintable() and not any(char.isspace() for char in token) and len(token) <= _TOKEN_CHARACTERS_MAX


def _token_at(declared: TokenSource) -> str:
    return declared.token_at if isinstance(declared, Login) else "access_token"


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _at(document: Any, path: str) -> Any:
    try:
        return value_at(document, path)
    except PayloadRefused:
        return None


def _beside(document: Any, declared: TokenSource, name: str) -> Any:
    """A field beside the token."""
    above = _token_at(declared).rpartition(".")[0]
    holder = _at(document, above)
    return holder.get(name) if isinstance(holder, dict) else None


def _learn(document: Any, token: Any, declared: TokenSource) -> None:
    """Know whatever may be secret, be it as it should or not, before anything of it can be shown."""
    found = [token] + [document.get(name) for name in _SECRET_FIELDS if isinstance(document, dict)]
    for value in found:
        if isinstance(value, str) and value.strip():
            for part in {
                value,
                value.strip(),
                *(each for each in value.split() if len(each) >= _LEARNT_CHARACTERS_MIN),
            }:
                Secret(part, name=declared.key_names[0])


def _life(document: Any, declared: TokenSource, now: dt.datetime) -> float | None:
    """How long a token lives, in seconds. What is absent, nothing or past says nothing: then a refusal ends it."""
    if isinstance(declared, Login) and declared.lives_seconds:
        return declared.lives_seconds
    seconds = _number(_beside(document, declared, "expires_in"))
    if seconds is None:
        told = _beside(document, declared, "expires_at")
        moment = _number(told)
        if moment is not None:
            seconds = (moment / 1000 if moment > _SECONDS_MAX else moment) - now.timestamp()
        elif isinstance(told, str):
            try:
                at = dt.datetime.fromisoformat(told)
            except ValueError:
                return None
            seconds = ((at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now).total_seconds()
    return None if seconds is None or seconds <= 0 else min(seconds, _LIFE_SECONDS_MAX)


def _number(told: Any) -> float | None:
    if isinstance(told, bool) or not isinstance(told, (int, float, str)):
        return None
    try:
        number = float(told)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _refused(answer: WireAnswer, document: Any, declared: TokenSource, host: str) -> WireFault:
    error = document.get("error") if isinstance(document, dict) else None
    told = [error, *(document.get(name) for name in ("error_description", "message") if isinstance(document, dict))]
    said = ", ".join(excerpt(each, _SHOWN_CHARACTERS_MAX) for each in told if isinstance(each, str) and each)
    said = said or short_note(answer.body)
    names = ", ".join(declared.key_names)
    fix = _FIXES.get(str(error), f"set {names} again")
    if error == "invalid_grant" and isinstance(declared, RefreshToken):
        fix = f"get a new refresh token from the vendor, and set {declared.refresh_token}"
    what = f"HTTP {answer.status_code}: {host} gives no token for {names}"
    for_good = answer.status_code in (200, 400, 401, 403)
    return WireFault(
        FailureKind.SIGN_IN, f"{what}{': it says ' if said else ''}{said}; {fix}", again=False, for_good=for_good
    )


def _unusable(host: str, what: str) -> WireFault:
    return WireFault(FailureKind.SIGN_IN, f"no token from {host}: {what}; mend its sign_in", again=False)
