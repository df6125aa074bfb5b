"""One address as the template of all: days, year and ticker become placeholders, keys become secrets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import attrs

from sbf_core.dataset.body_names import named_in
from sbf_core.dataset.cursor import Cursor
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.scaffold.changes import ChangedSince, changed_since
from sbf_core.scaffold.naming import as_name
from sbf_core.value import Value

_FROM = re.compile(r"(?:^|_)(?:from|start|since|begin|after|min)|from$|start$", re.IGNORECASE)
_TO = re.compile(r"(?:^|_)(?:to|end|until|till|before|max)(?:_|$|[A-Z])|^(?:end|to)", re.IGNORECASE)
_DAY = re.compile(r"date|day|^dt$|fecha|datum|^on$", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_WRITTEN = {
    re.compile(r"\d{4}-\d{2}-\d{2}"): "%Y-%m-%d",
    re.compile(r"(?:19|20)\d{6}"): "%Y%m%d",
    re.compile(r"\d{4}/\d{2}/\d{2}"): "%Y/%m/%d",
    re.compile(r"\d{2}\.\d{2}\.\d{4}"): "%d.%m.%Y",
    re.compile(r"\d{1,2}/[A-Z][a-z]{2}/\d{4}"): "%d/%b/%Y",
}
_SECOND_LEVEL = ("co", "com", "gov", "org", "gob", "ac")
#: Parameters that hold a key.
SECRET = re.compile(
    r"(?:x[-_])?(?:api|app|access|auth|secret|client|subscription|registration)?[-_]?"
    r"(?:key|token|secret|password|apikey|appid|app_id)",
    re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class Template(Value):
    """What an address tells of how its vendor is asked.

    Attributes:
        url: with placeholders, without keys.
        from_date, to_date: the days that stood in it.
        date_format: how days are written in it.
        secrets: names of variables by parameter.
        values: the keys that stood in it, by variable; not to be written anywhere.
        ticker: the ticker that stood in it.
        changes: the parameter that asks for what changed since a moment.
        further: what else its recipe declares, by field: a body, headers, pages, how one signs in.
        cursor_place: from where the sample was asked for, of a cursor in ``further``, see ``RunRequest.cursor``.
        source_name: who publishes it; empty: as the host says.
        doubts: what was decided without being sure.
    """

    url: str
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    date_format: str = "%Y-%m-%d"
    secrets: dict[str, str] = attrs.field(factory=dict)
    values: dict[str, str] = attrs.field(factory=dict, repr=False)
    ticker: str = ""
    changes: ChangedSince | None = None
    further: Mapping[str, Any] = attrs.field(factory=dict)
    cursor_place: str = ""
    source_name: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def asks_days(self) -> bool:
        """Whether an answer is for some days only."""
        return bool(self._named & {"from_date", "to_date", "year"})

    @property
    def one_day(self) -> bool:
        """Whether an answer is for one day."""
        return "to_date" in self._named and "from_date" not in self._named

    @property
    def fields_asked(self) -> str:
        """The address with the plain fields of its body in its query, to be looked at for pages and limits."""
        body = self.further.get("form") or self.further.get("json")
        plain = body.items() if isinstance(body, Mapping) else ()
        query = urlencode([(name, value) for name, value in plain if isinstance(value, (str, int))])
        return self.url + ("&" if "?" in self.url else "?") + query if query else self.url

    @property
    def has_body(self) -> bool:
        """Whether it is posted."""
        return bool({"json", "form", "body"} & set(self.further))

    @property
    def _named(self) -> frozenset[str]:
        return named_in([self.url, *(self.further.get(body) for body in ("json", "form", "body"))])

    def recipe(self, *, extension: str = "json", pages: Pages | None = None, cursor_column: str = "") -> RestRecipe:
        """How its vendor is asked.

        Args:
            extension: what an answer is stored and read as.
            pages: how it goes on, where the template does not say it.
            cursor_column: the column that a cursor goes by.
        """
        cursor: Cursor | None = None
        if self.changes is not None:
            cursor = attrs.evolve(self.changes.cursor, column=cursor_column)
        facts: dict[str, Any] = {
            "url": self.url, "extension": extension, "date_format": self.date_format, "secrets": self.secrets,
            "chunk_days": int(self.one_day), "cursor": cursor, "pages": pages, **self.further,
        }  # fmt: skip
        return RestRecipe(**facts)

    @property
    def source(self) -> str:
        """The vendor's name out of the host: ``cnb`` of ``api.cnb.cz``."""
        if self.source_name:
            return self.source_name
        host = urlsplit(self.url).hostname or "vendor"
        parts = host.split(".")
        if host.replace(".", "").isdigit() or len(parts) < 2:
            return "local"
        return as_name(parts[-3] if parts[-2] in _SECOND_LEVEL and len(parts) > 2 else parts[-2])


def template_of(url: str, *, name: str, ticker: str = "") -> Template:
    """What an address tells.

    Args:
        url: as a browser would take it.
        name: of the plugin, for names of variables.
        ticker: one that stands in it, where there is one for each.

    Raises:
        UsageError: it is no address, or the ticker is not in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url.partition('?')[0]!r} is no address", fix="write https://...", code="URL")
    if parts.username or parts.password:
        raise UsageError(
            "the address holds a user and a password",
            fix="send them in a header: secret_headers of the recipe",
            code="URL",
        )
    if "{" in url or "}" in url:
        raise UsageError(
            "the address holds braces",
            where=url.partition("?")[0],
            fix="give one that works as it is, and --ticker for the ticker in it",
            code="URL",
        )
    if ticker and ticker not in unquote(url):
        raise UsageError(
            f"the ticker {ticker!r} is not in the address", fix="give an address that names it", code="URL"
        )
    dates = Dates()
    secrets: dict[str, str] = {}
    values: dict[str, str] = {}
    asked = []
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    changes = changed_since(parameters)
    for parameter, value in parameters:
        if SECRET.fullmatch(parameter) and value:
            variable = f"{name}_api_key".upper() if not secrets else f"{name}_{as_name(parameter)}".upper()
            secrets[parameter], values[variable] = variable, value
            continue
        if changes is not None and parameter == changes.parameter:
            asked.append(f"{quote(parameter, safe='$@[]')}={{cursor}}")
            continue
        shown = (
            f"{quote(parameter, safe='$@[]')}="
            f"{dates.seen(parameter, value) or dates.year_seen(parameter, value) or quote(value, safe='$@,:;')}"
        )
        asked.append(shown if value or f"{parameter}=" in parts.query else quote(parameter, safe="$@[]"))
    steps = parts.path.split("/")
    dates.alone = sum(_day_in(unquote(step))[0] is not None for step in steps) == 1
    path = "/".join(dates.seen("", unquote(step)) or step for step in steps)
    filled = urlunsplit((parts.scheme, parts.netloc, path or "/", "&".join(asked), ""))
    if changes is not None and (dates.first or dates.last):
        dates.doubts.append(f"url: {changes.parameter} stays as it is: days are asked for, and not what changed")
        filled, changes = filled.replace("{cursor}", quote(changes.value, safe="$@,:;")), None
    if ticker:
        filled = filled.replace(quote(ticker, safe=""), "{ticker}").replace(ticker, "{ticker}")
    template = Template(
        url=filled,
        from_date=dates.first,
        to_date=dates.last,
        secrets=secrets,
        values=values,
        ticker=ticker,
        changes=changes,
        doubts=(*dates.doubts, *(changes.doubts if changes is not None else ())),
    )
    return attrs.evolve(template, date_format=dates.date_format or template.date_format)


class Dates:
    """The days in an address or a body, as they are met."""

    def __init__(self) -> None:
        self.first: dt.date | None = None
        self.last: dt.date | None = None
        self.date_format = ""
        self.alone = False
        self.doubts: list[str] = []

    def year_seen(self, parameter: str, value: str) -> str:
        """The placeholder of a value that is a year."""
        if parameter.lower() != "year" or not _YEAR.fullmatch(value) or self.first is not None:
            return ""
        self.first = dt.date(int(value), 1, 1)
        return "{year}"

    def seen(self, parameter: str, value: str) -> str:
        """The placeholder of a value that is a day; an empty text for another."""
        day, date_format = _day_in(value)
        if day is None or (self.date_format and date_format != self.date_format):
            return ""
        if parameter and not (_FROM.search(parameter) or _TO.search(parameter) or _DAY.search(parameter)):
            return ""
        self.date_format = date_format
        is_first = bool(_FROM.search(parameter)) if parameter else not self.alone and self.first is None
        if is_first and self.first is None:
            self.first = day
            return "{from_date}"
        if not _TO.search(parameter) and self.first is None:
            self.doubts.append(f"url: {parameter or value} is taken as the day asked for, a request a day")
        self.last = day
        return "{to_date}"


def _day_in(value: str) -> tuple[dt.date | None, str]:
    for pattern, date_format in _WRITTEN.items():
        if pattern.fullmatch(value):
            try:
                return dt.datetime.strptime(value, date_format).date(), date_format  # noqa: DTZ007 - days have no zone
            except ValueError:
                return None, ""
    return None, ""
