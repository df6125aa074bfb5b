"""What a web server lists of a folder: links of a page for readers, as Apache and nginx make it, or nginx's JSON.

Sources: mod_autoindex of Apache, ngx_http_autoindex_module of nginx; links are joined as RFC 3986 says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import attrs

from sbf_core.errors import DatasetFailure
from sbf_core.http.remote_folder import Listed, StoredFile
from sbf_core.value import Value

#: Where a new row of a list begins.
_ROWS = frozenset({"tr", "li", "br", "hr", "p", "div", "dt", "pre", "table", "ul"})
#: What a list says beside a name tells of changes only where it has a day and a time.
_MOMENT = re.compile(r"(?=.*\b\d{1,2}:\d\d\b).*\d[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d")
_FACTS_MAX = 200
_DOTS = frozenset({"", ".", ".."})


def listed_in(page: bytes, address: str, content_type: str) -> list[Listed]:
    """What is in a folder.

    Args:
        page: the body of its list.
        address: the folder's.
        content_type: of the answer, which may name how letters are written.

    Raises:
        DatasetFailure: it is no list.
    """
    kind, text = content_type.partition(";")[0].strip().lower(), _text(page, content_type)
    start = text[:512].lstrip("\ufeff \t\r\n")
    if kind.endswith("json") or start.startswith(("[", "{")):
        return list(_of_json(text, address))
    if "<ListBucketResult" in start:
        what, fix = "it is a bucket of an object store", 'path="s3://bucket/drops/*.csv", options={"endpoint": "..."}'
        raise DatasetFailure(what, where=address, fix=fix)
    if not start.startswith("<"):
        raise DatasetFailure("it answers with no list of files", where=address, fix="does the server list this folder?")
    return list(_of_html(text, address))


def _text(page: bytes, content_type: str) -> str:
    match = re.search(r"charset=\"?([A-Za-z0-9_.:-]+)", content_type)
    try:
        return page.decode(match[1] if match else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return page.decode("latin-1")  # of its letters only those beside the names are lost; links are in ASCII


def _of_json(text: str, address: str) -> Iterator[Listed]:
    """The entries of nginx: ``[{"name": "x.csv", "type": "file", "mtime": "...", "size": 12}]``."""
    try:
        for one in json.loads(text):
            name, is_folder = one["name"], one["type"] == "directory"
            if not isinstance(name, str) or name in _DOTS or "/" in name:
                continue
            facts = "" if is_folder else f"{one['mtime']} {one['size']}"
            if is_folder or one["type"] == "file":
                yield Listed(file=StoredFile(name=name, listing=_facts(facts)), is_folder=is_folder)
    except (ValueError, TypeError, KeyError, RecursionError):
        what = "its JSON is no list of files as nginx makes it"
        raise DatasetFailure(what, where=address, fix="fetch it with a RestRecipe") from None


def _of_html(text: str, address: str) -> Iterator[Listed]:
    links = _Links()
    links.feed(text)
    links.close()
    base = urljoin(address, links.base) if links.base else address
    seen: dict[str, Listed] = {}
    for row in links.rows():
        children = [child for child in (child_of(address, base, href) for href in row.links) if child is not None]
        facts = _facts(row.text) if len(dict.fromkeys(children)) == 1 else ""
        for name, is_folder in children:
            known = seen.get(name)
            if known is None or (facts and not known.file.listing):
                seen[name] = Listed(file=StoredFile(name=name, listing=facts), is_folder=is_folder)
    return iter(seen.values())


def _facts(text: str) -> str:
    """What a list says beside a name, as one word; nothing where it says no time."""
    plain = " ".join(text.split())
    is_said = len(plain) <= _FACTS_MAX and _MOMENT.match(plain) is not None
    return plain.replace(" ", "_").encode("ascii", "backslashreplace").decode("ascii") if is_said else ""


def child_of(address: str, base: str, href: str) -> tuple[str, bool] | None:
    """What a link leads to, if that is in the folder: its name from there, and whether it is a folder.

    Args:
        address: the folder's, with a ``/`` at the end.
        base: what relative links start from.
        href: the link.
    """
    try:
        target, folder = urlsplit(urljoin(base, href.strip())), urlsplit(address)
        places = [(one.scheme, one.hostname, one.port) for one in (target, folder)]
    except ValueError:
        return None
    if places[0] != places[1] or target.query or target.username is not None:
        return None
    steps, above = target.path.split("/"), folder.path.split("/")[:-1]
    names = [unquote(step, errors="surrogateescape") for step in steps]
    if names[: len(above)] != [unquote(step) for step in above]:
        return None
    below = names[len(above) :]
    is_folder = bool(below) and below[-1] == ""
    below = below[:-1] if is_folder else below
    if not below or any(name in _DOTS or "/" in name or "\0" in name for name in below):
        return None
    return "/".join(below), is_folder


@attrs.frozen
class _Row(Value):
    """A row of a list."""

    links: Sequence[str]
    text: str


class _Links(HTMLParser):
    """The links of a page, by the row in which they stand, with the text beside them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self._rows: list[_Row] = []
        self._links: list[str] = []
        self._texts: list[str] = []
        self._depth_of_pre = 0
        self._is_in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = next((value for name, value in attrs if name == "href" and value), "")
        if tag == "base" and not self.base:
            self.base = href
        elif tag == "a" and href:
            self._links.append(href)
            self._is_in_link = True
        elif tag in _ROWS:
            self._end_row()
        self._depth_of_pre += tag == "pre"
        self._texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_in_link = False
        elif tag in _ROWS:
            self._end_row()
        self._depth_of_pre -= tag == "pre"
        self._texts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._is_in_link:
            return
        first, *others = data.split("\n") if self._depth_of_pre > 0 else [data]
        self._texts.append(first)
        for line in others:
            self._end_row()
            self._texts.append(line)

    def rows(self) -> list[_Row]:
        self._end_row()
        return self._rows

    def _end_row(self) -> None:
        if self._links:
            self._rows.append(_Row(tuple(self._links), "".join(self._texts)))
        self._links, self._texts = [], []
