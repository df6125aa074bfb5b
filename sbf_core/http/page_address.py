"""Where a page is asked for."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from sbf_core.dataset.pages import Pages
from sbf_core.value import Value


@attrs.frozen
class PageAddress(Value):
    """Where a page is asked for: an address, and fields of the body."""

    url: str
    fields: tuple[tuple[str, object], ...] = ()

    def with_parameters(self, pages: Pages, **parameters: object) -> PageAddress:
        """The same with parameters, where the pages have them."""
        if not pages.in_body:
            return attrs.evolve(self, url=with_parameters(self.url, **parameters))
        return attrs.evolve(self, fields=tuple({**dict(self.fields), **parameters}.items()))


def first_page(url: str, pages: Pages) -> PageAddress:
    """Where the first page is."""
    first: dict[str, object] = {pages.size_parameter: pages.size} if pages.size_parameter and pages.size else {}
    if pages.is_counted:
        first[pages.parameter] = pages.first
    return PageAddress(url).with_parameters(pages, **first) if first else PageAddress(url)


def with_parameters(url: str, **parameters: object) -> str:
    """An address with these query parameters, which replace those of the same name."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return parts._replace(
        query=urlencode([*kept, *((name, str(value)) for name, value in parameters.items())])
    ).geturl()
