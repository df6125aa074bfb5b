"""What is sent: a request as it is declared, with its keys in it."""

from __future__ import annotations

from collections.abc import Mapping

from sbf_core.dataset.request_body import RequestBody
from sbf_core.errors import UsageError
from sbf_core.http.addresses import with_hidden
from sbf_core.http.redirects import Hop
from sbf_core.settings.keys import Keys

_USER_AGENT = "sbf"
#: Headers whose value is several words: a name and a contact, a scheme and a token.
_WORDY_HEADERS = ("user-agent", "authorization")


def first_hop(
    keys: Keys, url: str, headers: Mapping[str, str], secrets: Mapping[str, str], secret_headers: Mapping[str, str],
    body: RequestBody | None,
) -> Hop:  # fmt: skip
    """The request to the address that is declared. Raises ``UsageError`` where a key is not set, or cannot be sent."""

    def revealed(names: Mapping[str, str]) -> dict[str, str]:
        return {name: keys.get(key, blanks=name.lower() in _WORDY_HEADERS).reveal() for name, key in names.items()}

    hidden = revealed(secret_headers)
    usual = {"user-agent": _USER_AGENT, "accept-encoding": "gzip", "accept": "*/*"}
    if body is not None and body.content_type:
        usual["content-type"] = body.content_type
    sent = {**usual, **{name.lower(): value for name, value in {**headers, **hidden}.items()}}
    wrong = next((name for name, value in sent.items() if not value.isascii() or not value.isprintable()), None)
    if wrong is not None:
        raise UsageError(
            f"header {wrong} holds a character that a header cannot",
            where=url,
            fix="set that key again",
            code="KEY",
        )
    return Hop(
        url=with_hidden(url, revealed(secrets)),
        headers=sent,
        secret_headers=frozenset(name.lower() for name in hidden),
        body=None if body is None else body.sent(revealed(body.secrets)),
    )
