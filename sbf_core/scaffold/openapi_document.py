"""The description of a service by OpenAPI 3.0 or 3.1, as JSON (https://spec.openapis.org/oas/v3.1.1.html).

References are followed within the document only, so far and no farther: one that leads elsewhere, in a circle, or
through too many others is refused by its place.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import attrs

from sbf_core.errors import UsageError, printable
from sbf_core.value import Value

#: How many references one may lead through.
_CHAIN_MAX = 32
#: What allOf may hold, with all that stands in it.
_PARTS_MAX = 64
_VERSION = re.compile(r"3\.[01](\.\d+)?(?:-.*)?")
_YAML = re.compile(rb"^[\"']?(?:openapi|swagger|info|paths)[\"']?[ \t]*:", re.MULTILINE)
_METHODS = ("get", "post")
_AS_JSON = """python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)'"""
_SHOWN = 80
_HEAD_BYTES = 65_536
#: How many objects of a document are looked at, however often references repeat one.
_LOOKS_MAX = 50_000


@attrs.frozen(kw_only=True)
class Operation(Value):
    """One thing that may be asked of a service.

    Attributes:
        id: its ``operationId``; ``GET /path`` where it has none.
        method, path: how it is asked, e.g. ``get`` and ``/v1/prices/{symbol}``.
        facts: what the description says of it.
        shared: parameters of all operations at that path.
    """

    id: str
    method: str
    path: str
    facts: Mapping[str, Any]
    shared: tuple[Any, ...] = ()

    @property
    def title(self) -> str:
        """What it gives, on one line."""
        told = str(self.facts.get("summary") or self.facts.get("description") or "").strip()
        return printable(told.partition("\n")[0])[:_SHOWN]


@attrs.frozen(kw_only=True)
class Description(Value):
    """A description whose references can be followed.

    Attributes:
        document: all of it.
        where: the address or file that it came from.
    """

    document: Mapping[str, Any]
    where: str
    _looks: Iterator[int] = attrs.field(factory=itertools.count, init=False, eq=False, repr=False)

    def resolved(self, node: Any) -> Mapping[str, Any]:
        """What a node is, behind its references; an empty mapping for what is no object.

        Raises:
            UsageError: a reference leads out of the document, nowhere, in a circle, or too far; or all of them together
                lead to more than one can look at.
        """
        if next(self._looks) > _LOOKS_MAX:
            raise self.wrong("its references repeat each other too often", "give a description of one operation")
        seen: list[str] = []
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            place = str(node["$ref"])
            if place in seen or len(seen) >= _CHAIN_MAX:
                told = "leads in a circle" if place in seen else f"leads through more than {_CHAIN_MAX} others"
                raise self.wrong(f"the reference {place[:_SHOWN]!r} {told}", "give a description without it")
            seen.append(place)
            beside = {name: value for name, value in node.items() if name in ("description", "summary")}
            node = self._at(place)
            node = {**node, **beside} if isinstance(node, Mapping) else node
        return node if isinstance(node, Mapping) else {}

    def _at(self, place: str) -> Any:
        if not place.startswith("#/"):
            fix = "bundle it into one document first, e.g. npx @redocly/cli bundle openapi.json -o whole.json"
            raise self.wrong(f"the reference {place[:_SHOWN]!r} leads out of the document", fix)
        node: Any = self.document
        for step in place[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, Mapping) and name in node:
                node = node[name]
            else:
                raise self.wrong(f"the reference {place[:_SHOWN]!r} leads nowhere", "mend the description")
        return node

    def wrong(self, what: str, fix: str) -> UsageError:
        """A refusal of this document."""
        return UsageError(what, where=self.where, fix=fix, code="OPENAPI")

    @property
    def title(self) -> str:
        """Of the service."""
        info = self.document.get("info")
        return printable(str(info.get("title", ""))).strip()[:_SHOWN] if isinstance(info, Mapping) else ""

    def server(self, operation: Operation) -> tuple[str, list[str]]:
        """The address that paths begin with, and what is not sure of it."""
        paths = self.resolved(self.resolved(self.document.get("paths")).get(operation.path))
        listed = operation.facts.get("servers") or paths.get("servers") or self.document.get("servers") or []
        servers = [self.resolved(one) for one in listed if isinstance(one, Mapping)]
        doubts = []
        if len(servers) > 1:
            others = ", ".join(str(one.get("url", ""))[:_SHOWN] for one in servers[1:4])
            doubts.append(f"url: the first of {len(servers)} servers; others are {others}")
        first = servers[0] if servers else {}
        url = str(first.get("url", "/"))
        for name, variable in self.resolved(first.get("variables")).items():
            value = str(self.resolved(variable).get("default", ""))
            url = url.replace(f"{{{name}}}", value)
            doubts.append(f"url: the server's {name} is {value!r}; is that yours?")
        if not urlsplit(url).scheme:
            base = self.where if self.where.startswith(("http://", "https://")) else "https://api.example.com/"
            if base != self.where:
                doubts.append("url: the description names no server; api.example.com stands in its place")
            url = urljoin(base, url)
        return url.rstrip("/"), doubts

    def operations(self) -> Iterator[Operation]:
        """What may be asked by GET or POST, in the order of the document."""
        for path, item in self.resolved(self.document.get("paths")).items():
            facts = self.resolved(item)
            shared = facts.get("parameters")
            for method in _METHODS:
                one = facts.get(method)
                if isinstance(one, Mapping):
                    named = str(one.get("operationId") or f"{method.upper()} {path}")
                    yield Operation(
                        id=named, method=method, path=str(path), facts=one,
                        shared=tuple(shared) if isinstance(shared, list) else (),
                    )  # fmt: skip

    def answer(self, operation: Operation) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The JSON media type of the answer that has data, and the answer itself; empty where it gives no JSON."""
        responses = self.resolved(operation.facts.get("responses"))
        for status in ("200", "201", "202", "203", "2XX", "2xx", "default"):
            response = self.resolved(responses.get(status))
            for media, told in self.resolved(response.get("content")).items():
                kind = str(media).partition(";")[0].strip().lower()
                if kind == "application/json" or kind.endswith("+json") or kind == "*/*":
                    return self.resolved(told), response
        return {}, {}

    def merged(self, schema: Any, depth: int = 0) -> Mapping[str, Any]:
        """A schema behind its references, with all that ``allOf`` adds, and the one alternative that is not null."""
        facts = dict(self.resolved(schema))
        parts = facts.pop("allOf", None)
        if isinstance(parts, list) and depth < _CHAIN_MAX:
            own = facts
            facts = {}
            for part in [*parts[:_PARTS_MAX], own]:
                one = part if part is own else self.merged(part, depth + 1)
                facts = {
                    **facts, **one,
                    "properties": {**_mapping(facts.get("properties")), **_mapping(one.get("properties"))},
                    "required": [*_list(facts.get("required")), *_list(one.get("required"))],
                }  # fmt: skip
            facts = {name: value for name, value in facts.items() if value not in ({}, [])}
        for word in ("oneOf", "anyOf"):
            listed = _list(facts.get(word))
            full = [one for one in listed if self.resolved(one).get("type") != "null"]
            if listed and len(full) == 1 and depth < _CHAIN_MAX:
                beside = {name: value for name, value in facts.items() if name != word}
                facts = {**self.merged(full[0], depth + 1), **beside}
                if len(listed) > 1:
                    facts["nullable"] = True
        return facts


def description_of(payload: bytes, *, where: str) -> Description:
    """The description in a payload.

    Raises:
        UsageError: it is no JSON, YAML, or no OpenAPI of a version that is read.
    """
    body = payload.removeprefix(b"\xef\xbb\xbf")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        if _YAML.search(body[:_HEAD_BYTES]):
            what, fix = (
                "is YAML, and a description is read as JSON",
                f"turn it into JSON first: {_AS_JSON} < it > it.json",
            )
        else:
            what, fix = "is no JSON", "give the address or the file of an OpenAPI description, e.g. .../openapi.json"
        raise UsageError(what, where=where, fix=fix, code="OPENAPI") from None
    version = document.get("openapi") if isinstance(document, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        old = isinstance(document, dict) and "swagger" in document
        what = "is a description by Swagger 2.0" if old else f"is no OpenAPI 3.0 or 3.1 (openapi is {version!r})"
        fix = "turn it into OpenAPI 3 first, e.g. npx swagger2openapi" if old else "give an OpenAPI description"
        raise UsageError(what, where=where, fix=fix, code="OPENAPI")
    return Description(document=document, where=where)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
