"""How a dataset is fetched when no plugin code is needed."""

from __future__ import annotations

import string
from collections.abc import Mapping

import attrs

from sbf_core.errors import UsageError
from sbf_core.vocabulary import texts

#: What a template may hold.
PLACEHOLDERS = frozenset({"ticker", "from_date", "to_date", "discriminator"})
#: What a payload can be stored as. The ending decides how it is read.
EXTENSIONS = ("json", "csv", "csv.gz", "tsv", "parquet", "xml", "zip", "txt")


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def _check_template(template: str, *, what: str) -> None:
    unknown = _placeholders(template) - PLACEHOLDERS
    if unknown:
        raise UsageError(
            f"{what} {template!r} holds {{{sorted(unknown)[0]}}}",
            fix="placeholders are " + ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS)),
            code="RECIPE",
        )


def _check_extension(extension: str) -> None:
    if extension not in EXTENSIONS:
        raise UsageError(f"extension {extension!r} is not known", fix="use one of " + ", ".join(EXTENSIONS), code="RECIPE")


@attrs.frozen(kw_only=True)
class RestRecipe:
    """One GET per request.

    Attributes:
        url: address with ``{ticker}``, ``{from_date}``, ``{to_date}``, ``{discriminator}``; values are URL-quoted.
        extension: what the answer is stored and read as.
        headers: sent with each request; never written to the journal.
        secrets: names of query parameters and headers whose value comes from the named environment
            variable, e.g. ``{"apikey": "FMP_API_KEY"}``. They are added when the request is sent and are
            no part of the recorded address.
        secret_headers: the same for headers.
        mirrors: other addresses that hold the same data; a replay answers from them too.
        requests_per_second: the vendor's limit, shared by all workers; 0 for none.
    """

    url: str
    extension: str = "json"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    secret_headers: Mapping[str, str] = attrs.field(factory=dict)
    mirrors: tuple[str, ...] = attrs.field(default=(), converter=texts)
    requests_per_second: float = 0.0

    def __attrs_post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"address {self.url!r} is not http(s)", code="RECIPE")
        for template in (self.url, *self.mirrors):
            _check_template(template, what="address")
        _check_extension(self.extension)


@attrs.frozen(kw_only=True)
class FileRecipe:
    """One file per request, read as it is.

    Attributes:
        path: template as in ``RestRecipe.url``; a relative path stands in the ``files`` folder of the home.
        extension: what the file is stored and read as.
        mirrors: other addresses that hold the same data; a replay answers from them too.
    """

    path: str
    extension: str = "csv"
    mirrors: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        for template in (self.path, *self.mirrors):
            _check_template(template, what="path")
        _check_extension(self.extension)



