"""Pages of a test's warehouse, without a browser."""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import attrs
from hang import HANG_SECONDS
from starlette.testclient import TestClient
from warehouse import FakeVendor, Warehouse

from sbf_core.plugin.manager import PluginManager
from sbf_core.web.app import make_app
from sbf_core.web.site import Site

HOST = "127.0.0.1:8420"
#: Closed behind each test: one that drew a chart has a process.
OPEN: list[Site] = []


def site_of(warehouse: Warehouse, *, stays: bool = False) -> Site:
    """What the pages of a warehouse share; one that ``stays`` is closed by whoever asked for it."""
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    site = Site(warehouse.opened(manager))
    site.queries._seconds_max = site.renderer._seconds_max = HANG_SECONDS  # a busy machine is no fault of a page
    if not stays:
        OPEN.append(site)
    return site


def close_all() -> None:
    """End what the pages of a test left open."""
    while OPEN:
        OPEN.pop().close()


def client_of(site: Site) -> TestClient:
    """A client that speaks to the pages as a browser on this machine would."""
    return TestClient(make_app(site, hosts=frozenset({HOST})), base_url=f"http://{HOST}", raise_server_exceptions=False)


@attrs.define
class Seen(HTMLParser):
    """What a browser would find in a page."""

    tags: list[tuple[str, dict[str, str | None]]] = attrs.field(factory=list)
    words: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """The words of the page, blanks made one."""
        return " ".join(" ".join(self.words).split())

    @property
    def links(self) -> list[str]:
        """Where the page leads on this site."""
        found = [attributes.get("href") or "" for tag, attributes in self.tags if tag == "a"]
        return [link for link in found if link.startswith(("/", "?"))]


@lru_cache(maxsize=512)
def seen(html: str) -> Seen:
    """A page, read; tests look several times at one."""
    page = Seen()
    page.feed(html)
    page.close()
    return page


def filled(home: Path, *vendors: FakeVendor) -> Warehouse:
    """A warehouse with two runs behind it."""
    warehouse = Warehouse(home, *vendors)
    warehouse.run()
    return warehouse


def everything_linked(client: TestClient, *more: str) -> dict[str, str]:
    """Every page that links lead to."""
    found: dict[str, str] = {}
    todo = ["/", "/live", "/sql", "/plugins", *more]
    while todo:
        path = todo.pop()
        if path in found or len(found) > 200:
            continue
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text[-500:])
        found[path] = answer.text
        if answer.headers["content-type"].startswith("text/html"):
            base = path.partition("?")[0]
            todo += [
                base + link if link.startswith("?") else link.partition("#")[0] for link in seen(answer.text).links
            ]
    return found
