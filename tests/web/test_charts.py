"""Pages with charts: what they say, what they lead to, and what a vendor's texts may not do in them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest
from starlette.testclient import TestClient
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import client_of, seen, site_of
from web.test_pages import INJECTIONS

from sbf_core.api import Chart, GoldModel, column
from sbf_core.home.home import Home
from sbf_core.runner.options import RunOptions
from sbf_core.web.site import Site

CHARTS = (
    Chart(name="close", title="Closing prices", x="date", y="close", series="symbol", unit="USD"),
    Chart(name="volume", kind="bar", title="Volume", x="date", y="volume", series="symbol"),
    Chart(
        name="own",
        kind="own",
        title="Its own",
        x="symbol",
        y="close",
        spec={"mark": "bar", "encoding": {"x": {"field": "symbol"}, "y": {"field": "close", "type": "quantitative"}}},
    ),
)
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=number) for number in range(40)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A silver table with charts, revised once; a gold table with a declared chart that reads no column of it;
    one with a chart that is made up.
    """
    vendor = FakeVendor(entry(charts=CHARTS))
    vendor.models = [
        GoldModel(
            name="lasts",
            key=("symbol",),
            sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1",
            charts=(Chart(name="wrong", kind="bar", x="symbol", y="price"),),
        ),
        GoldModel(
            name="days",
            key=("date", "symbol"),
            sql="SELECT date, symbol, close FROM silver.px",
            doc="One row a day and symbol.",
        ),
    ]
    rows = [
        price(symbol, day.isoformat(), f"{number + place}.5", number)
        for number, day in enumerate(DAYS)
        for place, symbol in enumerate("AB")
    ]
    vendor.says(rows)
    warehouse = Warehouse(tmp_path_factory.mktemp("charts") / "home", vendor)
    warehouse.run()
    vendor.says([{**rows[0], "close": "99.5"}, *rows[1:]])
    warehouse.run(hours_later=24, options=RunOptions(force=True))
    found = site_of(warehouse, stays=True)
    yield found
    found.renderer.close()
    found.readers.close()


@pytest.fixture
def client(site: Site) -> TestClient:
    return client_of(site)


def numbers_of(client: TestClient, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(client.get(path).text)))


def test_every_chart_is_in_the_gallery_and_has_a_page_that_answers(client: TestClient) -> None:
    gallery = seen(client.get("/charts").text)
    pages = [link for link in gallery.links if link.startswith("/charts/")]
    assert pages == [
        "/charts/gold.lasts/wrong",
        "/charts/gold.days/usual",
        "/charts/silver.px/close",
        "/charts/silver.px/volume",
        "/charts/silver.px/own",
    ]
    assert "it reads 'price', which is no column of the table" in gallery.text
    for page in pages[1:]:
        html = client.get(page)
        assert html.status_code == 200
        pictures = {attributes["srcset"] or "" for tag, attributes in seen(html.text).tags if tag == "source"}
        assert len(pictures) == 5
        for picture in pictures:
            answer = client.get(picture)
            assert answer.headers["content-type"] == "image/svg+xml"
            assert answer.headers["cache-control"] == "no-store"
            ElementTree.fromstring(answer.text)


def test_a_chart_with_its_numbers_beside_it(client: TestClient) -> None:
    page = seen(client.get("/charts/silver.px/close").text)
    assert "Closing prices" in page.text
    assert "date A B 2024-02-09 39.5 40.5 2024-02-08 38.5 39.5" in page.text
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert (
        image["alt"] == "Line chart: Closing prices of A, B from 2024-01-01 to 2024-02-09. The table has the same data."
    )
    assert numbers_of(client, "/charts/silver.px/close.csv")[:2] == [["date", "A", "B"], ["2024-01-01", "99.5", "1.5"]]
    stops = client.get("/charts/silver.px/close.json?size=narrow").json()
    assert [stop["label"] for stop in stops["stops"]] == [day.isoformat() for day in DAYS]
    assert [value[:2] for value in stops["stops"][0]["values"]] == [[0, "99.5"], [1, "1.5"]]


def test_a_part_of_a_chart_stays_the_same_in_pictures_numbers_and_further_links(client: TestClient) -> None:
    part = "from=2024-01-05&to=2024-01-07&series=B"
    page = seen(client.get(f"/charts/silver.px/close?{part}").text)
    assert "date B 2024-01-07 7.5 2024-01-06 6.5 2024-01-05 5.5" in page.text
    assert all(part in (attributes["srcset"] or "") for tag, attributes in page.tags if tag == "source")
    assert [row[0] for row in numbers_of(client, f"/charts/silver.px/close.csv?{part}")] == [
        "date",
        "2024-01-05",
        "2024-01-06",
        "2024-01-07",
    ]
    assert "/charts/silver.px/close?series=B&from=2024-01-09" in page.links
    ticked = {
        attributes["value"]: "checked" in attributes
        for tag, attributes in page.tags
        if tag == "input" and attributes.get("type") == "checkbox"
    }
    assert ticked == {"A": False, "B": True}


def test_a_chart_is_drawn_as_its_rows_were_known(client: TestClient) -> None:
    assert numbers_of(client, "/charts/silver.px/close.csv?as_of=2024-01-02")[1] == ["2024-01-01", "0.5", "1.5"]
    assert numbers_of(client, "/charts/silver.px/close.csv")[1] == ["2024-01-01", "99.5", "1.5"]
    assert (
        "as it was known at the end of 2024-01-02"
        in seen(client.get("/charts/silver.px/close?as_of=2024-01-02").text).text
    )
    assert numbers_of(client, "/charts/silver.px/close.csv?as_of=2020-01-01")[1:] == []
    assert client.get("/charts/silver.px/close.svg?as_of=2020-01-01").status_code == 200


def test_lines_that_begin_with_one_hundred(client: TestClient) -> None:
    rows = numbers_of(client, "/charts/gold.days/usual.csv?as=index&series=B&series=A&from=2024-01-02")
    assert [round(float(number), 3) for number in rows[1][1:]] == [100, 100]
    assert [round(float(number), 3) for number in rows[2][1:]] == [140, 166.667]
    assert "first value = 100" in client.get("/charts/silver.px/close.svg?as=index").text


def test_pictures_to_keep(client: TestClient) -> None:
    saved = client.get("/charts/silver.px/close.svg?save=1")
    assert saved.headers["content-disposition"] == 'attachment; filename="close.svg"'
    assert ">Closing prices</text>" in saved.text
    assert client.get("/charts/silver.px/close.png?save=1").content.startswith(b"\x89PNG")
    assert client.get("/charts/silver.px/close.svg?theme=dark").text != client.get("/charts/silver.px/close.svg").text


def test_gold_and_datasets_show_their_charts(client: TestClient) -> None:
    gold = seen(client.get("/gold/days").text)
    assert [attributes["src"] for tag, attributes in gold.tags if tag == "img"] == ["/charts/gold.days/usual.svg?"]
    assert "/gold/days/download.parquet" in gold.links
    assert "it reads 'price'" in seen(client.get("/gold/lasts").text).text
    silver = seen(client.get("/datasets/px?tab=chart&chart=volume").text)
    assert [attributes["src"] for tag, attributes in silver.tags if tag == "img"] == ["/charts/silver.px/volume.svg?"]
    tab = seen(client.get("/datasets/px?tab=gold").text)
    assert "One row a day and symbol." in tab.text
    assert "SELECT date, symbol, close FROM silver.px" in tab.text
    other = seen(client.get("/datasets/px?tab=gold&table=lasts").text)
    assert "SELECT symbol, max(close)" in other.text


def test_a_specification_of_its_own_is_drawn_and_followed(client: TestClient) -> None:
    assert client.get("/charts/silver.px/own.svg").headers["content-type"] == "image/svg+xml"
    stops = client.get("/charts/silver.px/own.json").json()["stops"]
    assert "symbol: A; close: 99.5" in {stop["values"][0][1] for stop in stops}


def test_a_gallery_that_asks_for_everything_at_once_gets_it(site: Site) -> None:
    """Rows of one chart are chosen at a time, so that the small memory of the pages suffices."""
    answers: list[tuple[str, int]] = []

    def ask(path: str) -> None:
        answers.append((path, client_of(site).get(path).status_code))

    paths = [
        f"/charts/{name}.{kind}?from={day}"
        for name in ("silver.px/close", "silver.px/volume", "gold.days/usual")
        for kind in ("svg", "json")
        for day in DAYS[:4]
    ]
    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted((path, 200) for path in paths)
    assert not site.readers.is_roomy


def test_the_process_that_draws_gets_no_keys_along(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMP_API_KEY", "very-secret")
    fresh = Site(Home(site.settings, clock=site.clock, plugins=site.home.plugins))
    assert "FMP_API_KEY" not in fresh.renderer._environment
    assert "PATH" in fresh.renderer._environment


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/charts/silver.px/nosuch", 404, "there is no chart"),
        ("/charts/silver.px/close.gif", 400, "there is no chart as"),
        ("/charts/silver.px/close.svg?theme=pink", 400, "there is no theme"),
        ("/charts/silver.px/close.svg?size=huge", 400, "there is no size"),
        ("/charts/silver.px/close?from=someday", 400, "is no day"),
        ("/charts/silver.px/close?from=2024-02-01&to=2024-01-01", 400, "ends before"),
        ("/charts/silver.px/close?series=Z", 404, "has no series"),
        ("/charts/silver.px/close.csv?series=Z", 404, "has no series"),
        ("/charts/silver.px/close.csv?from=someday", 400, "is no day"),
        ("/charts/gold.days/usual?as_of=2024-01-01", 400, "keeps no revisions"),
        ("/charts/silver.px/volume?as=index", 400, "no lines"), ("/charts/gold.lasts/wrong", 400, "cannot be drawn"),
        ("/charts/silver.px/close?page=0", 400, "no number"),
        ("/datasets/px?tab=gold&table=nosuch", 404, "is not made of"),
        ("/charts/silver.px/close?names=A,B,C,D,E,F,G,H,I", 400, "cannot be told apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_sentence(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert said in seen(answer.text).text
    assert ("<title>Not found" in answer.text) == (status == 404)


@attrs.frozen
class HostileNumber:
    """A number of any name."""

    symbol: str = column(key=True)
    date: dt.date = column(key=True, row_date=True)
    close: float = column()


def test_what_a_vendor_writes_is_never_more_than_text_in_a_chart(tmp_path: Path) -> None:
    """Fifty strings as names of series: in the page, in the picture and in its stops."""
    chart = Chart(
        name="close",
        title="<script>title</script>",
        x="date",
        y="close",
        series="symbol",
        unit='"><svg onload=alert(1)>',
    )
    bars = Chart(name="bars", kind="bar", x="symbol", y="close")
    vendor = FakeVendor(entry(silver_table="px", columns=HostileNumber, charts=(chart, bars), title="<i>t</i>"))
    named = [text for text in INJECTIONS if text.strip()]
    vendor.says([{"symbol": text, "date": day, "close": 1.5} for text in named for day in ("2024-01-01", "2024-01-02")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    client = client_of(site_of(warehouse))
    known = [name for (name,) in warehouse.ask("SELECT DISTINCT symbol FROM silver.px ORDER BY 1")]
    assert len(known) > 45
    pages = [("/charts/silver.px/bars", [])] + [
        ("/charts/silver.px/close", known[place : place + 8]) for place in range(0, len(known), 8)
    ]
    for path, series in pages:
        asked: dict[str, Any] = {"series": series}
        html = client.get(path, params=asked)
        assert html.status_code == 200, (series, seen(html.text).text)
        for tag, attributes in seen(html.text).tags:
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], (
                tag,
                attributes,
            )
            assert tag != "script" or (attributes.get("src") or "").startswith("/static/")
            for name in ("href", "src", "action", "srcset"):
                assert not (attributes.get(name) or "").lower().startswith(("javascript:", "data:", "//", "http"))
        drawn = client.get(f"{path}.svg", params=asked)
        assert drawn.status_code == 200, (series, seen(drawn.text).text)
        assert "\u202e" not in drawn.text
        picture = ElementTree.fromstring(drawn.text)
        for element in picture.iter():
            assert element.tag.rpartition("}")[2] in {
                "svg",
                "g",
                "path",
                "rect",
                "line",
                "text",
                "tspan",
                "defs",
                "clipPath",
            }
            assert not [
                name for name in element.attrib if name.startswith("on") or name.endswith("href") or name == "style"
            ]
        stops = client.get(f"{path}.json", params=asked).json()
        assert stops["stops"]
        assert not {"\u202e", "\x1b"} & set(json.dumps(stops, ensure_ascii=False))
        assert client.get(f"{path}.csv", params=asked).headers["x-content-type-options"] == "nosniff"


def test_names_of_gold_columns_are_never_more_than_text(tmp_path: Path) -> None:
    """Fifty strings as names of columns: silver refuses such names, and a SELECT of gold may give any."""
    names = list({text.lower(): text for text in INJECTIONS if text.strip() and "\x00" not in text}.values())
    columns = ", ".join(f"{number}.5 AS " + '"' + name.replace('"', '""') + '"' for number, name in enumerate(names))
    vendor = FakeVendor(entry())
    vendor.models = [
        GoldModel(name="hostile", key=("date", "symbol"), sql=f"SELECT date, symbol, {columns} FROM silver.px")
    ]
    vendor.says([price("A", "2024-01-01"), price("A", "2024-01-02")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    client = client_of(site_of(warehouse))
    for path in ("/gold/hostile", "/datasets/px?tab=gold", "/charts", "/charts/gold.hostile/usual"):
        html = client.get(path)
        assert html.status_code == 200, seen(html.text).text
        assert "script" in html.text
        for tag, attributes in seen(html.text).tags:
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], (
                tag,
                attributes,
            )
            assert tag not in ("iframe", "object", "embed", "svg", "base", "math", "video")
            assert tag != "script" or (attributes.get("src") or "").startswith("/static/")
    assert len(seen(client.get("/gold/hostile").text).text) > 1000
    assert ElementTree.fromstring(client.get("/charts/gold.hostile/usual.svg?save=1").text) is not None
