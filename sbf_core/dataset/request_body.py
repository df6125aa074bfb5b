"""What a request says in its body: JSON, the fields of a form, or any other text; as it is declared, and as it is sent.

A request with a body is a POST, and is known by its address and its body together: ``POST https://... {"a":1}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode
from xml.sax.saxutils import escape

import attrs

from sbf_core.dataset.body_names import NAME, SECRET
from sbf_core.dataset.exact_json import AsWritten, json_text, with_digits
from sbf_core.errors import UsageError, excerpt
from sbf_core.unicode_text import is_unicode
from sbf_core.value import Value

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
#: What stands where a key would, for readers.
MASK = "***"
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class RequestBody(Value):
    """The body of one request, without its keys.

    Attributes:
        text: what is sent, but for the keys.
        content_type: what it is, for the header ``Content-Type``.
        secrets: fields of JSON (names with dots between, from the top) or of a form, whose value comes from the named
            key, e.g. ``{"registrationkey": "BLS_API_KEY"}``; of another text, see ``of_text``. They are added when the
            request is sent and are no part of what is recorded.
        places: where in ``text`` keys go in, as its length before it and a name in ``secrets``; see ``of_text``.
    """

    text: str = ""
    content_type: str = ""
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    places: tuple[tuple[int, str], ...] = ()

    def __attrs_post_init__(self) -> None:
        check_content_type(self.content_type)
        _check_unicode(self.text)
        if self.secrets and not self.places and self.content_type not in (JSON_TYPE, FORM_TYPE):
            raise UsageError(
                "keys can be put into JSON, into forms and into XML",
                fix="use RequestBody.of_json(...), of_form(...), or of_text(...) with {secret.NAME} where the key goes",
                code="RECIPE",
            )

    @classmethod
    def of_json(cls, value: object, *, secrets: Mapping[str, str] | None = None) -> RequestBody:
        """A JSON document, in the order in which its names are given. Raises ``UsageError`` for what is none."""
        try:
            text = json_text(value)
            odd = next((name for name in _names(value) if not isinstance(name, str)), None)
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"the body cannot be JSON: {error}", fix="use texts, numbers and lists", code="RECIPE"
            ) from None
        if odd is not None:
            raise UsageError(f"the body holds the name {odd!r}", fix="names in JSON are texts", code="RECIPE")
        return cls(text=text, content_type=JSON_TYPE, secrets=secrets or {})

    @classmethod
    def of_form(cls, fields: Mapping[str, str], *, secrets: Mapping[str, str] | None = None) -> RequestBody:
        """The fields of a form, as HTML sends them. Raises ``UsageError`` for a value that is no text."""
        odd = next((name for name, value in fields.items() if not isinstance(value, str)), None)
        if odd is not None:
            raise UsageError(f"the field {odd!r} of the form is no text", fix='write {"page": "1"}', code="RECIPE")
        _check_unicode("".join(text for pair in fields.items() for text in pair))
        return cls(text=urlencode(fields), content_type=FORM_TYPE, secrets=secrets or {})

    @classmethod
    def of_text(
        cls,
        template: str,
        *,
        content_type: str,
        values: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> RequestBody:
        """Any other text, such as XML.

        Args:
            template: the text, with ``{NAME}`` for a value and ``{secret.NAME}`` for a key. A value cannot become
                either.
            content_type: what it is; values and keys are written as XML, JSON and forms want it.
            values: by name; other names in braces stay as they are.
            secrets: the names of keys by name, e.g. ``{"token": "EXAMPLE_TOKEN"}`` for ``{secret.token}``.

        Raises:
            UsageError: a key has no place, or a place no key, or nobody knows how a key is written into such a text.
        """
        quote, values, secrets = quoting_for(content_type), values or {}, secrets or {}
        check_secret_places(template, content_type, secrets)
        pieces: list[str] = []
        places: list[tuple[int, str]] = []
        done = length = 0
        for match in NAME.finditer(template):
            name = match[1]
            is_key = name.startswith(SECRET)
            if not is_key and name not in values:
                continue
            pieces += [template[done : match.start()], "" if is_key else quote(values[name])]
            length += len(pieces[-2]) + len(pieces[-1])
            places += [(length, name.removeprefix(SECRET))] if is_key else []
            done = match.end()
        text = "".join([*pieces, template[done:]])
        return cls(text=text, content_type=content_type, secrets=secrets, places=tuple(places))

    def address(self, url: str) -> str:
        """How a request with this body is called in journal, ledger and recordings."""
        return f"POST {url} {self.text}".rstrip()

    def with_fields(self, fields: Mapping[str, object]) -> RequestBody:
        """The same with these fields, which replace those of the same name.

        Raises ``UsageError`` where it has no fields.
        """
        if not fields:
            return self
        if self.content_type == FORM_TYPE:
            kept = [pair for pair in parse_qsl(self.text, keep_blank_values=True) if pair[0] not in fields]
            given = [(name, _form_text(name, value)) for name, value in fields.items()]
            return attrs.evolve(self, text=urlencode([*kept, *given]))
        try:
            document = with_digits(self.text) if self.content_type == JSON_TYPE else None
        except ValueError as error:
            raise UsageError(
                f"the body is no JSON: {error}", fix="use RequestBody.of_json(...)", code="RECIPE"
            ) from None
        for name, value in fields.items():
            _put(document, name, value)
        return attrs.evolve(self, text=RequestBody.of_json(document).text)

    def sent(self, keys: Mapping[str, str]) -> bytes:
        """The bytes that are sent, with the values of ``secrets``, by field."""
        return self._with_keys(keys).encode()

    def shown(self) -> str:
        """What is sent, with ``***`` where keys are."""
        text = self._with_keys(dict.fromkeys(self.secrets, MASK))
        return text.replace(quote_plus(MASK), MASK) if self.secrets and self.content_type == FORM_TYPE else text

    def _with_keys(self, keys: Mapping[str, str]) -> str:
        if not self.places:
            return self.with_fields(keys).text
        quote = quoting_for(self.content_type)
        text = self.text
        for at, name in reversed(self.places if keys else ()):
            text = text[:at] + quote(keys[name]) + text[at:]
        return text


def _check_unicode(text: str) -> None:
    if not is_unicode(text):
        raise UsageError(
            "the body holds half of a surrogate pair, which is no letter", fix="write the letter whole", code="RECIPE"
        )


def _form_text(name: str, value: object) -> str:
    if isinstance(value, AsWritten) and not value.is_number:
        what = f"{excerpt(value, 80)} for {name!r} cannot be sent as it came: a form has neither lists nor objects"
        raise UsageError(what, fix="ask by json={...}, or ask the vendor for a text", code="RECIPE")
    return str(value)


def _put(document: Any, name: str, value: object) -> None:
    *above, last = name.split(".")
    if not all((*above, last)):
        raise UsageError(f"{name!r} names no field of the body", fix="write names with dots between", code="RECIPE")
    here = document
    for part in above:
        here = here.setdefault(part, {}) if isinstance(here, dict) else here
    if not isinstance(here, dict):
        raise UsageError(f"the body has no object that could hold {name!r}", fix="give an object", code="RECIPE")
    here[last] = value


def check_content_type(content_type: str) -> None:
    """Raise ``UsageError`` for what no header can hold, and for another charset than that of the bytes."""
    if not content_type.isascii() or not content_type.isprintable():
        raise UsageError(
            f"content_type {content_type!r} holds a character that a header cannot",
            fix='write "text/xml"',
            code="RECIPE",
        )
    charset = _CHARSET.search(content_type)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
        raise UsageError(
            f"content_type {content_type!r} names the charset {charset[1]}, and bodies are sent in UTF-8",
            fix="write charset=utf-8, or leave it out",
            code="RECIPE",
        )


def check_secret_places(template: str, content_type: str, secrets: Mapping[str, str]) -> None:
    """Raise ``UsageError`` unless each key has a place in a text, each place a key, and it is known how a key is
    written into such a text.
    """
    named = {match[1].removeprefix(SECRET) for match in NAME.finditer(template) if match[1].startswith(SECRET)}
    what = fix = ""
    if named - secrets.keys():
        name = min(named - secrets.keys())
        what, fix = f"the body holds {{{SECRET}{name}}}, which is no key", f'secret_body={{"{name}": "EXAMPLE_KEY"}}'
    elif secrets.keys() - named:
        name = min(secrets.keys() - named)
        what, fix = f"the key {name!r} has no place in the body", f"write {{{SECRET}{name}}} where it goes"
    elif secrets and quoting_for(content_type) is str:
        what = f"how a key is written into {content_type!r} is not known"
        fix = "keys can be put into JSON, into forms and into XML; or send it in a header: secret_headers"
    if what:
        raise UsageError(what, fix=fix, code="RECIPE")


def quoting_for(content_type: str) -> Any:
    """How a value is written into a text of that type, so that it stays a value; ``str`` where it goes in as it is."""
    kind = content_type.partition(";")[0].strip().lower()
    if "json" in kind:
        return lambda value: json.dumps(value)[1:-1]
    if "xml" in kind:
        return lambda value: escape(value, {'"': "&quot;", "'": "&apos;"})
    if kind == FORM_TYPE:
        return quote_plus
    return str


def _names(value: object) -> Iterator[object]:
    """The names in a JSON value, at any depth."""
    if isinstance(value, Mapping):
        yield from value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for item in inner:
        yield from _names(item)
