"""The names in braces of a body, and of which type a value of JSON is that one stands for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from sbf_core.dataset.exact_json import AsWritten, with_digits
from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError, excerpt

#: Before the name of a dimension, in placeholders; see ``Cells``.
DIMENSION = "dim."
#: Before the name of a key, in the place of a text that it goes to.
SECRET = "secret."  # noqa: S105 - a word, no secret
_VALUE = r"[A-Za-z_][A-Za-z0-9_]*|(?:each|dim)\.[A-Za-z0-9_]+"
#: A name in braces.
NAME = re.compile(rf"\{{({_VALUE}|secret\.[A-Za-z0-9_]+)\}}")
#: A name in braces that is all of a value of JSON, and says of which type that is.
_TYPED = re.compile(rf"\{{({_VALUE}):(number|boolean|json)\}}")
_HALF_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)[^{}]{0,20}\}?")
#: RFC 8259, section 6.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
#: In these parts of XML a value is not read as it is written elsewhere: where each begins, and ends.
_LITERALS = (("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>"))


def typed_in(text: str) -> tuple[str, str] | None:
    """The name and the type of a value of JSON that is ``{name:number}``, ``{name:boolean}`` or ``{name:json}``; None
    for another.
    """
    match = _TYPED.fullmatch(text)
    return None if match is None else (match[1], match[2])


def of_type(name: str, value: str, kind: str) -> AsWritten:
    """What stands for a typed placeholder, digit by digit. Raises ``UsageError`` where it is none of it."""
    is_one = bool(_NUMBER.fullmatch(value)) if kind == "number" else value in ("true", "false")
    if kind == "json":
        try:
            is_one = with_digits(value) is not None or value == "null"
        except (ValueError, RecursionError):
            is_one = False
    if not is_one:
        known = {"number": "number", "boolean": "true and no false", "json": "JSON"}
        what = f"{excerpt(repr(value), 80)} is no {known[kind]}, which {{{name}:{kind}}} in the body wants"
        raise UsageError(what, fix=f"leave it out, or write {{{name}}} for a text", code="RECIPE")
    return AsWritten(value)


def named_in(template: object) -> frozenset[str]:
    """The names in braces that stand in the texts of a template."""
    found: set[str] = set()
    for text in _texts(template):
        typed = typed_in(text)
        found.update(NAME.findall(text) if typed is None else typed[:1])
    return frozenset(found)


def typed_names(template: object) -> frozenset[tuple[str, str]]:
    """The names and types of typed placeholders in a template."""
    return frozenset(typed for text in _texts(template) if (typed := typed_in(text)) is not None)


def half_named_in(template: object, names: Collection[str], *, is_json: bool = False) -> str:
    """The first place in the texts of a template where one of these names stands behind a brace and something else
    than a brace behind it, as in ``{from_date:%Y}``; empty where there is none. A value of JSON may be typed.
    """
    texts = [text for text in _texts(template) if not (is_json and typed_in(text))]
    texts += [name for name in _names(template) if typed_in(name)]
    found = (match for text in texts for match in _HALF_NAME.finditer(NAME.sub("", text)))
    return next((match[0] for match in found if match[1] in names), "")


def beside_lists(template: object) -> frozenset[str]:
    """The names in braces in a JSON value that stand in no element of a list."""
    if isinstance(template, Mapping):
        inner = [named_in(name) | beside_lists(value) for name, value in template.items()]
        return frozenset().union(*inner)
    return named_in(template) if isinstance(template, str) else frozenset()


def names_a_ticker(names: Collection[str]) -> bool:
    """Whether a ticker, or a part of one, is among some names."""
    return any(name == "ticker" or name.startswith(EACH) for name in names)


def literal_named_in(template: str) -> str:
    """The first placeholder of an XML text that stands in a CDATA section, a comment or a processing instruction, where
    what is escaped is not read back; empty where there is none.
    """
    for match in NAME.finditer(template):
        before = template[: match.start()]
        if any(before.rfind(begin) > before.rfind(end) for begin, end in _LITERALS):
            return match[0]
    return ""


def _names(template: object) -> Iterator[str]:
    """Names of objects, at any depth."""
    inner: Collection[object] = ()
    if isinstance(template, Mapping):
        yield from (name for name in template if isinstance(name, str))
        inner = template.values()
    elif isinstance(template, (list, tuple)):
        inner = template
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
