"""What a request says in its body: JSON, the fields of a form, or any other text; as it is declared, and as it is sent.

A request with a body is a POST, and is known by its address and its body together: ``POST https://... {"a":1}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode
from xml.sax.saxutils import escape

import attrs

from sbf_core.dataset.fraction import Fraction
from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError, excerpt
from sbf_core.unicode_text import is_unicode
from sbf_core.value import Value

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*|each\.[a-z0-9_]+)\}")
_HALF_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)[^{}]{0,20}\}?")
_CURSOR = "{cursor}"


@attrs.frozen(kw_only=True)
class RequestBody(Value):
    """The body of one request, without its keys.

    Attributes:
        text: what is sent, but for the keys.
        content_type: what it is, for the header ``Content-Type``.
        secrets: fields of JSON (names with dots between, from the top) or of a form, whose value comes from the named
            key, e.g. ``{"registrationkey": "BLS_API_KEY"}``. They are added when the request is sent and are no part of
            what is recorded.
    """

    text: str = ""
    content_type: str = ""
    secrets: Mapping[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        check_content_type(self.content_type)
        _check_unicode(self.text)
        if self.secrets and self.content_type not in (JSON_TYPE, FORM_TYPE):
            raise UsageError(
                "keys can be put into JSON and into forms",
                fix="use RequestBody.of_json(...) or of_form(...)",
                code="RECIPE",
            )

    @classmethod
    def of_json(cls, value: object, *, secrets: Mapping[str, str] | None = None) -> RequestBody:
        """A JSON document, in the order in which its names are given. Raises ``UsageError`` for what is none."""
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
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
            return attrs.evolve(self, text=urlencode([*kept, *((name, str(value)) for name, value in fields.items())]))
        try:
            document = json.loads(self.text) if self.content_type == JSON_TYPE else None
        except ValueError as error:
            raise UsageError(
                f"the body is no JSON: {error}", fix="use RequestBody.of_json(...)", code="RECIPE"
            ) from None
        for name, value in fields.items():
            _put(document, name, value)
        return attrs.evolve(self, text=RequestBody.of_json(document).text)

    def sent(self, keys: Mapping[str, str]) -> bytes:
        """The bytes that are sent, with the values of ``secrets``, by field."""
        return self.with_fields(keys).text.encode()


def _check_unicode(text: str) -> None:
    if not is_unicode(text):
        raise UsageError(
            "the body holds half of a surrogate pair, which is no letter", fix="write the letter whole", code="RECIPE"
        )


def _put(document: Any, name: str, value: object) -> None:
    *above, last = name.split(".")
    if not all((*above, last)):
        raise UsageError(f"{name!r} names no field of the body", fix="write names with dots between", code="RECIPE")
    here = document
    for part in above:
        here = here.setdefault(part, {}) if isinstance(here, dict) else here
    if not isinstance(here, dict):
        raise UsageError(f"the body has no object that could hold {name!r}", fix="give an object", code="RECIPE")
    if isinstance(value, Fraction):
        if value.number is None:
            what = f"the number {excerpt(value, 80)} for {name!r} cannot be sent as it came"
            raise UsageError(what, fix="ask the vendor for a text", code="RECIPE")
        value = value.number
    here[last] = value


@attrs.frozen(kw_only=True)
class Filling(Value):
    """What stands for the placeholders of a body.

    Attributes:
        values: by name.
        each: what ``{ticker}`` and the parts of it are for each of several tickers in one request: an element of a list
            that names one stands once for each. None where a request has one.
    """

    values: Mapping[str, str]
    each: Sequence[Mapping[str, str]] | None = None

    def text(self, template: str, quote: Any = str) -> str:
        """A text with its placeholders filled."""
        return _NAME.sub(lambda match: quote(self.values[match[1]]), template)

    def json(self, template: Any) -> Any:
        """A JSON value with its texts filled; a field, or an element of a list, that is the cursor is left out where
        there is none yet.
        """
        if isinstance(template, str):
            return self.text(template)
        if isinstance(template, Mapping):
            return {self.text(name): self.json(value) for name, value in template.items() if not self._lacks(value)}
        if isinstance(template, (list, tuple)):
            return [value for item in template for value in self._elements(item)]
        return template

    def form(self, template: Mapping[str, str]) -> dict[str, str]:
        """The fields of a form, filled."""
        return {self.text(name): self.text(value) for name, value in template.items() if not self._lacks(value)}

    def _elements(self, item: Any) -> Iterator[Any]:
        if self._lacks(item):
            return
        if self.each is None or not _is_of_one_ticker(item):
            yield self.json(item)
            return
        for one in self.each:
            yield Filling(values={**self.values, **one}, each=(one,)).json(item)

    def _lacks(self, value: object) -> bool:
        return value == _CURSOR and not self.values["cursor"]


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


def quoting_for(content_type: str) -> Any:
    """How a value is written into a text of that type, so that it stays a value."""
    kind = content_type.partition(";")[0].strip().lower()
    if "json" in kind:
        return lambda value: json.dumps(value)[1:-1]
    if "xml" in kind:
        return lambda value: escape(value, {'"': "&quot;", "'": "&apos;"})
    if kind == FORM_TYPE:
        return quote_plus
    return str


def named_in(template: object) -> frozenset[str]:
    """The names in braces that stand in the texts of a template."""
    return frozenset(name for text in _texts(template) for name in _NAME.findall(text))


def half_named_in(template: object, names: Collection[str]) -> str:
    """The first place in the texts of a template where one of these names stands behind a brace and something else
    than a brace behind it, as in ``{from_date:%Y}``; empty where there is none.
    """
    found = (match for text in _texts(template) for match in _HALF_NAME.finditer(_NAME.sub("", text)))
    return next((match[0] for match in found if match[1] in names), "")


def _is_of_one_ticker(item: object) -> bool:
    """Whether an element of a list names a ticker, or a part of one, but for what stands in lists within it: their
    elements repeat.
    """
    if isinstance(item, Mapping):
        return any(_is_of_one_ticker(name) or _is_of_one_ticker(value) for name, value in item.items())
    return isinstance(item, str) and ("{ticker}" in item or f"{{{EACH}" in item)


def named_beside_lists(template: object) -> frozenset[str]:
    """The names in braces in a JSON value that stand in no element of a list."""
    if isinstance(template, Mapping):
        inner = [named_in(name) | named_beside_lists(value) for name, value in template.items()]
        return frozenset().union(*inner)
    return named_in(template) if isinstance(template, str) else frozenset()


def _names(value: object) -> Iterator[object]:
    """The names in a JSON value, at any depth."""
    if isinstance(value, Mapping):
        yield from value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for item in inner:
        yield from _names(item)


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for name, value in template.items():
            yield from _texts(name)
            yield from _texts(value)
    elif isinstance(template, (list, tuple)):
        for item in template:
            yield from _texts(item)
