"""A request that is more than an address: what is posted, and headers; keys in them become declared secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs

from sbf_core.errors import UsageError
from sbf_core.scaffold.address import SECRET, Dates, Template
from sbf_core.scaffold.naming import as_name

_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*:\s*(.*)")
#: Headers that hold keys, whatever they are called.
_KEY_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
#: What sbf says itself.
_OURS = frozenset({"content-type", "content-length", "host", "user-agent", "accept-encoding", "connection"})


def with_request(
    template: Template, *, name: str, ticker: str, post_json: str, post_form: str, headers: Sequence[str]
) -> Template:
    """The template of an address with what is sent beside it.

    Args:
        template: of the address.
        name: of the plugin, for names of variables.
        ticker: one that the author knows: in the address, or in the body.
        post_json: the body; ``@FILE`` reads it from a file.
        post_form: the same as the fields of a form.
        headers: as ``Name: value``.

    Raises:
        UsageError: a body is no JSON, or no form; a header is none; the ticker is nowhere.
    """
    if post_json and post_form:
        raise UsageError("a request has one body", fix="give --post-json or --post-form", code="USAGE")
    reader = _Body(template, name, ticker)
    further: dict[str, Any] = {}
    if post_json:
        further["json"] = reader.read(_json_of(_text_of(post_json, "--post-json")))
    elif post_form:
        further["form"] = reader.read(_form_of(_text_of(post_form, "--post-form")))
    if ticker and ticker != template.ticker and not reader.has_ticker:
        what = f"the ticker {ticker!r} is neither in the address nor in the body"
        raise UsageError(what, fix="give a request that names it", code="URL")
    if reader.secrets:
        further["secret_body"] = reader.secrets
    plain, secret = _headers_of(headers, name, reader.values)
    further |= {field: value for field, value in (("headers", plain), ("secret_headers", secret)) if value}
    dates = reader.dates
    return attrs.evolve(
        template,
        further={**template.further, **further},
        values={**template.values, **reader.values},
        ticker=ticker or template.ticker,
        from_date=template.from_date or dates.first,
        to_date=template.to_date or dates.last,
        date_format=dates.date_format or template.date_format,
        doubts=(*template.doubts, *(doubt.replace("url: ", "body: ", 1) for doubt in dates.doubts)),
    )


def _text_of(given: str, option: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is no UTF-8"
        raise UsageError(f"{option}: {given[1:]} cannot be read: {told}", code="FILE") from error


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        fix = """write --post-json '{"a": 1}', or --post-json @FILE"""
        raise UsageError(f"--post-json is no JSON: {error}", fix=fix, code="USAGE") from error


def _form_of(text: str) -> dict[str, str]:
    pairs = parse_qsl(text.strip(), keep_blank_values=True)
    if not pairs or len({name for name, _ in pairs}) < len(pairs):
        what = "--post-form names a field twice" if pairs else "--post-form holds no fields"
        raise UsageError(what, fix="write --post-form 'a=1&b=2', each field once", code="USAGE")
    return dict(pairs)


def _headers_of(given: Sequence[str], name: str, values: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Headers as they are, and those that hold keys, by the names of variables."""
    plain: dict[str, str] = {}
    secret: dict[str, str] = {}
    for text in given:
        match = _HEADER.fullmatch(text)
        if match is None:
            raise UsageError("a header is no Name: value", fix="write --header 'Accept: text/csv'", code="USAGE")
        header, value = match[1], match[2].strip()
        if header.lower() in _OURS:
            continue
        if header.lower() in _KEY_HEADERS or SECRET.fullmatch(header) or _is_key(header):
            variable = f"{name}_{as_name(header)}".upper()
            secret[header], values[variable] = variable, value
        else:
            plain[header] = value
    return plain, secret


def _is_key(header: str) -> bool:
    """``X-OPENFIGI-APIKEY``, ``Ocp-Apim-Subscription-Key``: a word of a key at the end."""
    return bool(re.search(r"(?:^|[-_])(?:api[-_]?)?(?:key|token|secret|password)$", header, re.IGNORECASE))


class _Body:
    """The body of one request as the template of all."""

    def __init__(self, template: Template, name: str, ticker: str) -> None:
        self.dates = Dates()
        self.dates.date_format = template.date_format if template.asks_days else ""
        self.is_dated = template.asks_days
        self.name = name
        self.ticker = ticker
        self.has_ticker = False
        self.secrets: dict[str, str] = {}
        self.values: dict[str, str] = {}

    def read(self, body: Any, place: tuple[str, ...] = ()) -> Any:
        """A value of the body with placeholders, without keys."""
        if isinstance(body, Mapping):
            kept = {}
            for name, value in body.items():
                if SECRET.fullmatch(name) and isinstance(value, str) and value:
                    variable = f"{self.name}_{as_name(name)}".upper()
                    self.secrets[".".join((*place, name))], self.values[variable] = variable, value
                    continue
                kept[_plain(name)] = self.read(value, (*place, name))
            return kept
        if isinstance(body, list):
            return [self.read(one, place) for one in body]
        return self._text(body, place[-1] if place else "") if isinstance(body, str) else body

    def _text(self, text: str, name: str) -> str:
        if self.ticker and text == self.ticker:
            self.has_ticker = True
            return "{ticker}"
        return ("" if self.is_dated or not name else self.dates.seen(name, text)) or _plain(text)


def _plain(text: str) -> str:
    """A brace in a body would be a placeholder: with a blank behind it it is one of its own."""
    return re.sub(r"\{(?! )", "{ ", text)
