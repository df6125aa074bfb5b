"""How an operation is asked, by its parameters, its body and its security: an address as one would type it, and what a
recipe declares beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from sbf_core.errors import SbfError
from sbf_core.scaffold.address import SECRET, Template, template_of
from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.openapi_document import Description, Operation
from sbf_core.scaffold.openapi_schema import type_of
from sbf_core.value import Value

_TICKER = re.compile(
    r"(?:stocks?_?|index_?|forex_?|crypto_?|options_?)?(?:ticker|symbol|instrument|isin|pair|series_?id)s?", re.I
)
_DAY_WORDS = re.compile(r"(?:^|_)(?:date|day|from|to|start|end|since|until|after|before|begin)(?:_|$)")
_LAST_DAY = re.compile(r"(?:^|_)(?:to|end|until|till|before|max)(?:_|$)")
_FIRST_DAY, _DAY = "2024-01-02", "2024-01-31"
_MOMENT = "2024-01-02T00:00:00Z"
#: What a ticker looks like where the description has no example.
_A_TICKER = "AAPL"
_PLACES = ("path", "query", "header", "cookie")


@attrs.frozen(kw_only=True)
class Parameter(Value):
    """One parameter, without what is repeated at its path."""

    name: str
    place: str
    required: bool
    schema: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def example(self) -> Any:
        """A value that the description gives; None where it gives none."""
        examples = self.facts.get("examples")
        listed = [one.get("value") for one in examples.values() if isinstance(one, Mapping)] if isinstance(
            examples, Mapping
        ) else []  # fmt: skip
        values = self.schema.get("examples")
        listed += values if isinstance(values, list) else []
        enum = self.schema.get("enum")
        listed += enum[:1] if isinstance(enum, list) else []
        given = [self.facts.get("example"), self.schema.get("default"), self.schema.get("example"), *listed]
        return next((one for one in given if one is not None and not isinstance(one, (dict, list))), None)

    @property
    def is_ticker(self) -> bool:
        """Whether it seems to name what is asked for once for each."""
        return bool(_TICKER.fullmatch(self.name)) and type_of(self.schema)[0] in ("string", "")

    @property
    def asks_days(self) -> bool:
        """Whether it seems to be a day, or a moment."""
        written = self.schema.get("format")
        is_text = type_of(self.schema)[0] in ("string", "")
        return written in ("date", "date-time") or (
            is_text and not written and "date" in self.name.lower() and bool(_DAY_WORDS.search(as_name(self.name)))
        )


@attrs.frozen(kw_only=True)
class Asked(Value):
    """How an operation is asked.

    Attributes:
        template: its address.
        parameters: all that it has.
        left_out: names of optional ones that are not sent.
    """

    template: Template
    parameters: tuple[Parameter, ...]
    left_out: tuple[str, ...]


def parameters_of(description: Description, operation: Operation) -> tuple[Parameter, ...]:
    """The parameters of an operation; one of its own goes before that of its path."""
    found: dict[tuple[str, str], Parameter] = {}
    own = operation.facts.get("parameters")
    for one in (*operation.shared, *(own if isinstance(own, list) else ())):
        facts = description.resolved(one)
        name, place = str(facts.get("name", "")), str(facts.get("in", ""))
        if name and place in _PLACES:
            found[name, place] = Parameter(
                name=name, place=place, required=facts.get("required") is True or place == "path",
                schema=description.merged(facts.get("schema")), facts=facts,
            )  # fmt: skip
    return tuple(found.values())


def asked_of(
    description: Description, operation: Operation, *, name: str, ticker: str, paging: Sequence[str], url: str = ""
) -> Asked:
    """How an operation is asked.

    Args:
        description: of the service.
        operation: the operation.
        name: of the plugin, for names of keys.
        ticker: one that the author knows.
        paging: names of parameters that pages are asked for with: they are no part of the address.
        url: an address of this operation that works, in the place of one that is made up.

    Raises:
        UsageError: what comes out is no address.
    """
    parameters = parameters_of(description, operation)
    doubts: list[str] = []
    sent, left_out, headers = _sent(parameters, paging, ticker, [] if url else doubts)
    named = next((one for one in parameters if one.is_ticker and one.place in ("path", "query")), None)
    if not url:
        base, more = description.server(operation)
        doubts += more
        path = operation.path
        for one in parameters:
            if one.place == "path":
                path = path.replace(f"{{{one.name}}}", quote(sent.get(("path", one.name), ""), safe=""))
        query = urlencode([(field, value) for (place, field), value in sent.items() if place == "query"])
        url = base + path + (f"?{query}" if query else "")
        if named is not None and (named.place, named.name) in sent:
            ticker = sent[named.place, named.name]
    template = template_of(url, name=name, ticker=ticker)
    further: dict[str, Any] = {"headers": headers} if headers else {}
    body = _body(description, operation, doubts)
    if operation.method == "post":
        further |= {"json": body} if body is not None else {"method": "POST"}
    further |= _signed(description, operation, name, template, doubts)
    return Asked(
        template=attrs.evolve(template, further=further, doubts=(*template.doubts, *doubts)),
        parameters=parameters,
        left_out=left_out,
    )


def _sent(
    parameters: Sequence[Parameter], paging: Sequence[str], ticker: str, doubts: list[str]
) -> tuple[dict[tuple[str, str], str], tuple[str, ...], dict[str, str]]:
    """Values by place and name, the names of what is not sent, and headers."""
    sent: dict[tuple[str, str], str] = {}
    left_out, headers = [], {}
    for one in parameters:
        if one.name in paging:
            continue
        wanted = one.required or one.asks_days or (one.is_ticker and one.place == "query")
        if not wanted or one.place == "cookie":
            left_out.append(one.name)
            if one.required:
                doubts.append(f"url: the cookie {one.name} is required, and no recipe sends one")
            continue
        value, is_made_up = _value(one, ticker)
        if one.place == "header":
            headers[one.name] = value
        else:
            sent[one.place, one.name] = value
        if is_made_up and not SECRET.fullmatch(one.name):  # a key becomes a declared one
            doubts.append(f"url: {one.name} is required, and the description has no example: {value!r} is made up")
    return sent, tuple(left_out), headers


def _value(one: Parameter, ticker: str) -> tuple[str, bool]:
    """What is sent, and whether it is made up."""
    if one.asks_days:
        if one.schema.get("format") == "date-time":
            return _MOMENT, False
        return _DAY if _LAST_DAY.search(as_name(one.name)) else _FIRST_DAY, False
    if one.is_ticker:
        example = str(one.example or "")
        return ticker or example or _A_TICKER, not (ticker or example)
    if one.example is not None:
        return str(one.example).lower() if isinstance(one.example, bool) else str(one.example), False
    kind, _ = type_of(one.schema)
    return {"integer": "1", "number": "1", "boolean": "true"}.get(kind, one.name.upper()), True


def _body(description: Description, operation: Operation, doubts: list[str]) -> Any:
    """What is posted: the example of the description, or the fields that it must have."""
    request = description.resolved(operation.facts.get("requestBody"))
    content = description.resolved(request.get("content"))
    for media, told in content.items():
        facts = description.resolved(told)
        if not str(media).startswith("application/json"):
            continue
        schema = description.merged(facts.get("schema"))
        example = facts.get("example", schema.get("example"))
        doubts.append("json: the body is that of the description; which of it should change with days and tickers?")
        return _without_braces(example) if example is not None else _made_up(description, schema)
    if content:
        doubts.append(f"json: the body is {', '.join(map(str, content))}, which was not looked at")
    return None


def _without_braces(value: Any) -> Any:
    """A brace in a text of a body would be a placeholder: a blank behind it makes it one of its own."""
    if isinstance(value, str):
        return re.sub(r"\{(?! )", "{ ", value)
    if isinstance(value, Mapping):
        return {str(name): _without_braces(one) for name, one in value.items()}
    return [_without_braces(one) for one in value] if isinstance(value, list) else value


def _made_up(description: Description, schema: Mapping[str, Any], depth: int = 0) -> Any:
    kind, _ = type_of(schema)
    listed = schema.get("required")
    if kind == "object" and depth < 3:
        required = set(map(str, listed)) if isinstance(listed, list) else set()
        properties = description.resolved(schema.get("properties"))
        return {
            str(name): _made_up(description, description.merged(one), depth + 1)
            for name, one in properties.items()
            if str(name) in required
        }
    if kind == "array":
        return [_made_up(description, description.merged(schema.get("items")), depth + 1)] if depth < 3 else []
    one = Parameter(name="text", place="body", required=True, schema=schema, facts={})
    if one.example is not None:
        return _without_braces(one.example)
    return {"integer": 1, "number": 1, "boolean": True}.get(kind, "text")


def _signed(
    description: Description, operation: Operation, name: str, template: Template, doubts: list[str]
) -> dict[str, Any]:
    """What a recipe declares of keys: the first of the ways that can be declared."""
    wanted = operation.facts.get("security", description.document.get("security"))
    ways = [one for one in wanted if isinstance(one, Mapping)] if isinstance(wanted, list) else []
    if not ways or any(not way for way in ways):
        return {}
    components = description.resolved(description.document.get("components"))
    schemes = description.resolved(components.get("securitySchemes"))
    untold: list[str] = []
    for way in ways:
        facts: dict[str, Any] = {}
        lacking = []
        for number, (word, scopes) in enumerate(way.items()):
            scheme = description.resolved(schemes.get(word))
            variable = f"{name}_api_key".upper() if not number else f"{name}_{as_name(str(word))}".upper()
            declared = _scheme(scheme, variable, scopes if isinstance(scopes, list) else [], template, doubts)
            if declared is None:
                lacking.append(f"{word} ({scheme.get('type', 'unknown')})")
            for field, value in (declared or {}).items():
                facts[field] = {**facts.get(field, {}), **value} if isinstance(value, dict) else value
        if not lacking:
            return facts
        untold += lacking
    doubts.append(
        f"keys: {', '.join(untold)} could not be declared; see docs/how-to/ask-a-vendor.md, and sign in there"
    )
    return {}


def _scheme(
    scheme: Mapping[str, Any], variable: str, scopes: Sequence[Any], template: Template, doubts: list[str]
) -> dict[str, Any] | None:
    """What one security scheme declares; None where it cannot be declared."""
    kind, field = scheme.get("type"), str(scheme.get("name", ""))
    if kind == "apiKey" and field and scheme.get("in") in ("query", "header"):
        if scheme["in"] == "query":
            return {"secrets": {**template.secrets, field: template.secrets.get(field, variable)}}
        return {"secret_headers": {field: variable}}
    if kind == "http" and str(scheme.get("scheme", "")).lower() in ("bearer", "basic"):
        word = str(scheme["scheme"]).capitalize()
        doubts.append(f'keys: {variable} holds both words, "{word} ...", for the header Authorization')
        return {"secret_headers": {"authorization": variable}}
    if kind == "oauth2" and template.url.startswith("https://"):
        return _oauth(scheme, variable, scopes)
    return None


def _oauth(scheme: Mapping[str, Any], variable: str, scopes: Sequence[Any]) -> dict[str, Any] | None:
    from sbf_core.dataset.sign_in import ClientCredentials, RefreshToken

    flows = scheme.get("flows")
    flows = flows if isinstance(flows, Mapping) else {}
    stem = variable.removesuffix("_API_KEY")
    client, secret = f"{stem}_CLIENT_ID", f"{stem}_CLIENT_SECRET"
    for word, facts in _token_urls(flows):
        try:
            if word == "clientCredentials":
                scope = " ".join(map(str, scopes))
                return {
                    "sign_in": ClientCredentials(token_url=facts, client_id=client, client_secret=secret, scope=scope)
                }
            return {
                "sign_in": RefreshToken(
                    token_url=facts, refresh_token=f"{stem}_REFRESH_TOKEN", client_id=client, client_secret=secret
                )
            }
        except SbfError:  # an address that no key may be sent to
            continue
    return None


def _token_urls(flows: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for word in ("clientCredentials", "authorizationCode", "password"):
        facts = flows.get(word)
        if isinstance(facts, Mapping):
            url = (
                facts.get("refreshUrl", facts.get("tokenUrl")) if word != "clientCredentials" else facts.get("tokenUrl")
            )
            if isinstance(url, str):
                yield word, url
