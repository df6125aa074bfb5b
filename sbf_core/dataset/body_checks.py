"""Whether what a recipe says of its body goes together; what cannot work is refused when it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from sbf_core.dataset.body_names import DIMENSION, SECRET, half_named_in, literal_named_in, named_in
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.request_body import RequestBody, check_content_type, check_secret_places
from sbf_core.dataset.series_name import EACH
from sbf_core.dataset.templates import PLACEHOLDERS, unknown_in
from sbf_core.errors import UsageError
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class BodyFacts(Value):
    """What a recipe says of its body; ``dimensions`` are the placeholders of its cells, ``where`` is its address."""

    where: str
    method: str
    json: Any
    form: Mapping[str, str] | None
    body: str
    content_type: str
    secret_body: Mapping[str, str]
    pages: Pages | None
    dimensions: frozenset[str]


def _are_fields(form: object) -> bool:
    return isinstance(form, Mapping) and all(isinstance(text, str) for pair in form.items() for text in pair)


def check_body(facts: BodyFacts) -> None:
    """Raise ``UsageError`` unless what is said of the body of a recipe goes together."""
    bodies = {"json": facts.json, "form": facts.form, "body": facts.body or None}
    given = [name for name, value in bodies.items() if value is not None]
    has_fields = facts.form is not None or isinstance(facts.json, Mapping)
    has_places = bool(facts.body) and bool(facts.secret_body)
    in_fields = {
        "secret_body": bool(facts.secret_body) and not has_places,
        "pages": facts.pages is not None and facts.pages.in_body,
    }
    wants_fields = next((name for name, is_so in in_fields.items() if is_so), "")
    wrong = ("", "")
    if len(given) > 1:
        wrong = f"the request has several bodies: {', '.join(given)}", "keep one"
    elif facts.method not in ("", "GET", "POST"):
        wrong = f"method {facts.method!r} is not known", 'use "GET" or "POST"'
    elif given and facts.method == "GET":
        wrong = "a GET has no body", f"leave out method, or {given[0]}"
    elif bool(facts.body) != bool(facts.content_type):
        wrong = "body and content_type belong together", 'body="<query>...</query>", content_type="text/xml"'
    elif wants_fields and not has_fields:
        wrong = f"{wants_fields}: there are no fields in the body", "give json={...} or form={...}"
    elif facts.form is not None and not _are_fields(facts.form):
        wrong = "form holds what is no text", 'write form={"page": "1"}'
    if wrong[0]:
        raise UsageError(wrong[0], where=facts.where, fix=wrong[1], code="RECIPE")
    check_content_type(facts.content_type)
    if facts.json is not None:
        RequestBody.of_json(facts.json)
    if facts.body:
        _check_text(facts)
    else:
        _check_fields(facts)
    _check_names(facts)


def _check_text(facts: BodyFacts) -> None:
    """That values and keys have places in a text where they are read as they are written."""
    try:
        check_secret_places(facts.body, facts.content_type, facts.secret_body)
    except UsageError as error:
        raise UsageError(error.what, where=facts.where, fix=error.fix, code="RECIPE") from None
    literal = literal_named_in(facts.body) if "xml" in facts.content_type.lower() else ""
    if literal:
        what = f"{literal} stands in a CDATA section, a comment or an instruction of XML, where nothing can be escaped"
        raise UsageError(what, where=facts.where, fix=f"write it as plain content: <id>{literal}</id>", code="RECIPE")


def _check_names(facts: BodyFacts) -> None:
    """That each name in braces stands for something."""
    template = [facts.json, facts.form, facts.body]
    keys = {f"{SECRET}{name}" for name in facts.secret_body} if facts.body else set()
    unknown = unknown_in(named_in(template), {*facts.dimensions, *keys})
    families = {EACH.removesuffix("."), DIMENSION.removesuffix("."), SECRET.removesuffix(".")}
    half = half_named_in([facts.form, facts.body], PLACEHOLDERS | families)
    half = half or half_named_in(facts.json, PLACEHOLDERS | families, is_json=True)
    held = f"{{{unknown[0]}}}" if unknown else half
    if not held:
        return
    known = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
    fix = f"placeholders are {known}; of a brace that is none, write a blank behind it: {{ {held[1:]}"
    if held.startswith(f"{{{SECRET}"):
        fix = "name the fields of json and form that take keys: secret_body={'token': 'EXAMPLE_KEY'}"
    elif held.startswith(f"{{{DIMENSION}"):
        fix = 'cells=Cells(cells_max=100_000, dimensions={"region": ("01", "02")}) gives the values of {dim.region}'
    elif half.endswith((":number}", ":boolean}", ":json}")):
        fix = f"a type belongs to a value of json that is the placeholder and nothing else: {{'limit': '{half}'}}"
    raise UsageError(f"the body holds {held}", where=facts.where, fix=fix, code="RECIPE")


def _check_fields(facts: BodyFacts) -> None:
    """That pages and keys have fields in the body, each its own: else it shows when the vendor is asked."""
    pages = facts.pages if facts.pages is not None and facts.pages.in_body else None
    asked = [name for name in (pages.parameter, pages.size_parameter) if name] if pages is not None else []
    twice = sorted(set(asked) & set(facts.secret_body))
    if twice:
        raise UsageError(
            f"the field {twice[0]!r} of the body takes a page and a key",
            where=facts.where,
            fix="keep one",
            code="RECIPE",
        )
    body = RequestBody.of_form(facts.form) if facts.form is not None else RequestBody.of_json(facts.json)
    body.with_fields(dict.fromkeys(sorted([*asked, *facts.secret_body]), ""))
