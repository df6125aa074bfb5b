"""Every page, with what it says and the headers that guard it."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hang import HANG_SECONDS, wait_until
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from warehouse import FakeVendor, Warehouse, entry, price
from web.pages import HOST, client_of, everything_linked, seen, site_of

from sbf_core.api import GoldModel, UniverseMember, column
from sbf_core.runner.options import RunOptions
from sbf_core.runs.live import LiveLimit, LiveRun, write_live
from sbf_core.web.app import _PAGES, page_of
from sbf_core.web.pages import gold as of_gold
from sbf_core.web.site import Site


def fill(warehouse: Warehouse, vendor: FakeVendor) -> Warehouse:
    """Two runs: a value of the first is revised by the second, and a gold table is built."""
    vendor.models = [
        GoldModel(
            name="lasts",
            key=("symbol",),
            sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1",
            doc="One row a symbol.",
        )
    ]
    vendor.says(
        [price("A", "2024-01-01", "1.5"), price("B", "2024-01-01", "2.5", None), price("A", "2022-03-01", "1.25")]
    )
    warehouse.run()
    vendor.says(
        [price("A", "2024-01-01", "1.75"), price("B", "2024-01-01", "2.5", None), price("A", "2022-03-01", "1.25")]
    )
    warehouse.run(hours_later=24, options=RunOptions(force=True))
    return warehouse


@pytest.fixture
def filled(warehouse: Warehouse, vendor: FakeVendor) -> Warehouse:
    return fill(warehouse, vendor)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """For tests that only look."""
    vendor = FakeVendor(entry())
    return fill(Warehouse(tmp_path_factory.mktemp("looked-at") / "home", vendor), vendor)


@pytest.fixture
def client(looked_at: Warehouse) -> TestClient:
    return client_of(site_of(looked_at))


def test_every_page_that_is_linked_answers(client: TestClient) -> None:
    found = everything_linked(client)
    kinds = {path.split("?")[0].split("/")[1] for path in found}
    assert kinds >= {"", "runs", "datasets", "payloads", "gold", "lineage", "sql", "plugins"}
    assert len(found) > 25


def test_every_page_has_its_function() -> None:
    assert all(callable(page_of(place)) for place in _PAGES.values())


def test_datasets_are_found_by_words(client: TestClient) -> None:
    assert 'action="/catalogue"' in client.get("/datasets").text
    assert "prices/fake/eod" in seen(client.get("/catalogue?search=FAKE+eod").text).text
    nothing = seen(client.get("/catalogue?search=fake+pirces").text).text
    assert "nothing is as you say" in nothing
    assert "did you mean `sbf datasets --search 'fake price'`?" in nothing
    assert "prices/fake/eod" not in nothing
    assert "<script>" not in client.get("/catalogue?search=<script>").text


def test_pages_say_what_a_reader_must_know(client: TestClient) -> None:
    overview = seen(client.get("/").text).text
    assert "Last run" in overview
    assert "1 revised" in overview
    assert "prices/fake/eod" in overview
    run = seen(client.get("/runs/last?layer=silver").text).text
    assert "inserted updated unchanged" in run
    assert "px 1 0 3 0 1 2 0 0 2022-03-01 2024-01-01" in run
    gold = seen(client.get("/gold/lasts").text).text
    assert "One row a symbol." in gold
    assert "unique:symbol" in gold
    coverage = seen(client.get("/datasets/px?tab=coverage&by=year").text).text
    assert "2022 2024" in coverage


def test_days_of_a_dataset_are_those_of_the_universe(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker", first_date=dt.date(2024, 1, 1)))
    vendor.says([price("B", "2024-01-01")], ticker="B")
    vendor.members = [UniverseMember(ticker="PLUGIN")]
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(options=RunOptions(since=dt.date(2024, 1, 1), until=dt.date(2024, 1, 1)), universe__tickers=["B"])
    (warehouse.home / "members.csv").write_text("ticker,valid_from,valid_to\nA,2024-01-02,\n")
    asked = "B 2024-01-01 2024-01-01 1 not final"
    unasked = "B 2024-01-02 2024-01-02 1 never asked"

    def told(universe: str) -> str:
        (warehouse.home / "sbf.toml").write_text(universe)
        text = seen(client_of(site_of(warehouse)).get("/datasets/px?tab=coverage").text).text
        assert asked in text
        return text

    for universe in ('file = "members.csv"', "query = \"SELECT 'A' AS ticker, DATE '2024-01-02' AS valid_from\""):
        for source in ("", ".fake"):
            text = told(f"[universe{source}]\n{universe}\n")
            assert "A 2024-01-02 2024-01-02 1 never asked" in text and unasked not in text
    for universe, why in (
        ("", ""),
        ('[universe]\nplugin = "fake"\n', "plugin fake, which pages do not ask"),
        ('[universe]\nquery = "SELECT nothing"\n', "the universe query fails"),
        ('[universe]\nplugin = "absent"\n', "absent"),
    ):
        text = told(universe)
        assert unasked in text and why in text and "PLUGIN" not in text
        assert ("Who belongs is not known here" in text) == bool(why)


def test_a_row_leads_to_its_revisions_and_each_of_them_to_its_payload(client: TestClient) -> None:
    rows = seen(client.get("/datasets/px?tab=rows&is.symbol=A&is.date=2024-01-01").text)
    assert "1 row" in rows.text and "1 rows" not in rows.text
    assert "1.75" in rows.text
    (revisions,) = [link for link in rows.links if "/revisions" in link]
    page = seen(client.get(revisions).text)
    assert page.text.index("1.5") < page.text.index("1.75")
    assert "superseded" in page.text
    payloads = [link for link in page.links if link.startswith("/payloads/")]
    assert len(payloads) == 2
    assert "1.5" in client.get(payloads[0]).text
    difference = seen(client.get(payloads[1] + "?difference=1").text).text
    assert '"close": "1.5"' in difference
    assert '"close": "1.75"' in difference


def test_a_gold_number_leads_back_to_the_bytes(client: TestClient) -> None:
    """Three clicks: from gold to silver, from silver to its payload."""
    (to_silver,) = [
        link
        for link in seen(client.get("/gold/lasts").text).links
        if link.startswith("/lineage") and "symbol%3DA" in link
    ]
    gold = seen(client.get(to_silver).text)
    assert "SELECT symbol, max(close)" in gold.text
    assert "2 rows with the same symbol" in gold.text
    (to_payload,) = [
        link
        for link in gold.links
        if link.startswith("/lineage") and "date%3D2024-01-01" in link and "column=close" in link
    ]
    silver = seen(client.get(to_payload).text)
    assert "$[0].close : 1.75" in silver.text
    payloads = [link for link in silver.links if link.startswith("/payloads/")]
    assert '"close": "1.75"' in seen(client.get(payloads[-1]).text).text


def test_rows_are_shown_as_they_were_known_on_a_day(client: TestClient) -> None:
    now, then, before = (
        seen(client.get(f"/datasets/px?tab=rows&is.symbol=A&is.date=2024-01-01&as_of={day}").text).text
        for day in ("", "2024-01-02", "2023-12-31")
    )
    assert "1.75" in now
    assert "1.5" in then
    assert "1.75" not in then
    assert "0 rows" in before


def test_rows_are_filtered_and_sorted(client: TestClient) -> None:
    def column_of(query: str) -> list[str]:
        text = client.get(f"/datasets/px?tab=rows&{query}").text
        return [word for word in seen(text).text.split() if word in ("1.25", "1.75", "2.50")]

    assert column_of("sort=close") == ["1.25", "1.75", "2.50"]
    assert column_of("sort=close&down=1") == ["2.50", "1.75", "1.25"]
    assert column_of("is.close=%3E1.5") == ["1.75", "2.50"]
    assert column_of("is.date=%3C2023-01-01") == ["1.25"]


def test_payloads_are_shown_a_hundred_at_a_time(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(scope="per_ticker"))
    tickers = [f"T{number:03}" for number in range(103)]
    for ticker in tickers:
        vendor.says([price(ticker, "2024-01-01")], ticker=ticker)
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run(universe__tickers=tuple(tickers))
    client = client_of(site_of(warehouse))
    shown = [
        {
            word
            for word in seen(client.get(f"/datasets/px?page={page}").text).text.split()
            if word.startswith("T") and word[1:].isdigit()
        }
        for page in (1, 2)
    ]
    assert [len(one) for one in shown] == [100, 3]
    assert shown[0] | shown[1] == set(tickers)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nowhere", 404, "there is no page"),
        ("/runs/nosuchrun", 404, "there is no run"),
        ("/runs/last?layer=lead", 400, "there is no layer"),
        ("/runs?page=0", 400, "no number"),
        ("/runs?page=9999999999999999999999", 400, "no number"),
        ("/runs?day=yesterday", 400, "no day"),
        ("/datasets/nosuch", 404, "no installed plugin"),
        ("/datasets/px?tab=nosuch", 400, "there is no tab"),
        ("/datasets/px?tab=rows&sort=nosuch", 400, "no column"),
        ("/datasets/px?tab=rows&is.date=someday", 400, "does not fit"),
        ("/datasets/px?tab=rows&as_of=someday", 400, "no moment"),
        ("/datasets/px?tab=coverage&by=day", 400, "no period"),
        ("/payloads/nosuch", 404, "there is no payload"),
        ("/gold/nosuch", 404, "there is no gold table"),
        ("/gold/nosuch/download.csv", 404, "there is no gold table"),
        ("/gold/lasts/download.exe", 400, "no download"),
        ("/sql?query=DROP+TABLE+silver.px", 400, "not allowed"),
    ],
)
def test_a_mistake_is_told_on_a_page(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert said in seen(answer.text).text


def test_downloads_are_the_rows(client: TestClient, tmp_path: Path) -> None:
    import duckdb

    answer = client.get("/gold/lasts/download.csv")
    assert answer.text == "symbol,close\nA,1.7500\nB,2.5000\n"
    assert "attachment" in answer.headers["content-disposition"]
    place = tmp_path / "lasts.parquet"
    place.write_bytes(client.get("/gold/lasts/download.parquet").content)
    assert duckdb.sql(f"SELECT symbol, close FROM '{place}' ORDER BY 1").fetchall() == [
        ("A", Decimal("1.7500")),
        ("B", Decimal("2.5000")),
    ]


def test_a_text_that_a_spreadsheet_would_calculate_is_marked(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.models = [GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol FROM silver.px")]
    vendor.says([price("=cmd|' /C calc'!A0", "2024-01-01"), price("-1", "2024-01-01")])
    warehouse.run()
    assert client_of(site_of(warehouse)).get("/gold/lasts/download.csv").text == "symbol\n'-1\n'=cmd|' /C calc'!A0\n"


def test_an_empty_home_says_how_to_fill_it(tmp_path: Path) -> None:
    client = client_of(site_of(Warehouse(tmp_path / "home", FakeVendor(entry()))))
    for path in ("/", "/runs", "/datasets", "/gold"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "sbf run --replay sample" in seen(answer.text).text
    assert client.get("/plugins").status_code == 200


def test_a_failed_run_stands_first_with_the_command_that_goes_on(warehouse: Warehouse, vendor: FakeVendor) -> None:
    vendor.says(RuntimeError("the vendor is on strike"))
    warehouse.run()
    text = seen(client_of(site_of(warehouse)).get("/").text).text
    assert "the vendor is on strike" in text
    assert "sbf run --select prices/fake/eod" in text
    assert text.index("on strike") < text.index("Runs of the last half year")


def test_a_run_at_work_is_told_and_one_that_went_silent_too(filled: Warehouse) -> None:
    client = client_of(site_of(filled))
    assert seen(client.get("/live").text).text == ""
    now = filled.clock.now().isoformat(timespec="seconds")
    write_live(
        filled.home / "live.json",
        LiveRun(
            run_id="r9", pid=1, started_at=now, updated_at=now, stage="fetch", done=3, total=4, seconds_left=90.0,
            errors=["<b>late</b>"], limits=[LiveLimit(source="fmp", limit="250/day", used=240, allowed=250)],
        ),
    )  # fmt: skip
    text = seen(client.get("/").text).text
    assert "A run is at work" in text
    assert "3 of 4 steps" in text
    assert "about 90 s left" in text
    assert "fmp 240 of 250/day" in text
    assert "<b>late</b>" in text
    assert 'http-equiv="refresh"' in client.get("/").text
    filled.clock.advance(seconds=30)
    silent = client.get("/")
    assert "went silent" in seen(silent.text).text
    assert 'http-equiv="refresh"' not in silent.text


def test_a_page_shows_what_the_run_before_it_left(filled: Warehouse, vendor: FakeVendor) -> None:
    client = client_of(site_of(filled))
    assert "1.75" in client.get("/gold/lasts").text
    vendor.says([price("A", "2024-01-01", "1.9375")])
    filled.run(hours_later=24, options=RunOptions(force=True))
    assert "1.9375" in client.get("/gold/lasts").text


@pytest.mark.parametrize("runs", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_readers_ask_all_the_time_while_runs_come_and_go(tmp_path: Path, runs: int) -> None:
    """Many runs, and neither side sees an error."""
    vendor = FakeVendor(entry())
    vendor.models = [
        GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1")
    ]
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    over, wrong, asked = threading.Event(), [], 0
    paths = (
        "/",
        "/runs",
        "/runs/last?layer=silver",
        "/datasets/px?tab=rows",
        "/gold/lasts",
        "/live",
        "/charts/silver.px/usual",
        "/charts/silver.px/usual.svg",
        "/charts/silver.px/usual.json",
    )

    def poll(client: TestClient) -> None:
        nonlocal asked
        while not over.is_set():
            for path in paths:
                answer = client.get(path)
                asked += 1
                if answer.status_code != 200:
                    wrong.append((path, answer.status_code, answer.text[-300:]))

    site = site_of(warehouse)
    readers = [threading.Thread(target=poll, args=(client_of(site),)) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(runs):
            vendor.says([price("A", "2024-01-01", f"{number}.5"), price(f"T{number}", "2024-01-01")])
            before = asked
            assert warehouse.run(hours_later=24, options=RunOptions(force=True)).status == "ok"
            wait_until(lambda before=before: asked > before or not any(reader.is_alive() for reader in readers))
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert asked >= 50


# who may ask


def test_each_answer_carries_the_headers_that_guard_it(client: TestClient) -> None:
    for path in ("/", "/nowhere", "/sql", "/static/sbf.css", "/gold/lasts/download.csv"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8420",
        "127.0.0.1",
        "127.0.0.1:80",
        f"{HOST}.evil.example",
        f"evil.example@{HOST}",
        "localhost:8420",
        "",
    ],
)
def test_another_host_is_not_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(client: TestClient, method: str) -> None:
    for path in ("/", "/sql?query=SELECT+1", "/runs/last"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.text) == (405, "Pages can only be read.\n"), (
            "refused before any page is asked"
        )


def test_another_site_cannot_make_this_machine_work(client: TestClient) -> None:
    assert (
        client.get(
            "/sql?query=SELECT+1", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        ).status_code
        == 403
    )
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code == 403
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert (
        client.get(
            "/sql?query=SELECT+1", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
        ).status_code
        == 200
    )


def test_files_of_the_home_are_not_served(client: TestClient) -> None:
    for path in (
        "/static/../sql_child.py",
        "/static/%2e%2e/sql_child.py",
        "/static//etc/passwd",
        "/gold/..%2f..%2fsbf/download.parquet",
        "/published/current.json",
    ):
        assert client.get(path).status_code in (400, 404)


INJECTIONS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "'><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</title><script>alert(1)</script>",
    "</pre><script>alert(1)</script>", "</style><script>alert(1)</script>", "</noscript><script>alert(1)</script>",
    "<!--<script>-->", "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "{{7*7}}", "{% raw %}",
    "${7*7}", "<%= 7*7 %>", "#{7*7}", "[[7*7]]", "&lt;script&gt;", "&#60;script&#62;",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<math><mi xlink:href='javascript:alert(1)'>x",
    "<a href='javascript:alert(1)'>x</a>", "<form action=//evil.example>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>", "<link rel=stylesheet href=//evil.example>", "<object data=x>",
    "<embed src=x>", "<input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>", "<body onload=alert(1)>", "<svg><animate onbegin=alert(1)>",
    "<x contenteditable onblur=alert(1)>", "` onmouseover=alert(1)", "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)", "\" autofocus onfocus=\"alert(1)", "\\\"><script>alert(1)</script>",
    "%3Cscript%3Ealert(1)%3C/script%3E", "\u202e<script>", "\u2066x\u2069", "\x00<script>", "\x1b[31mred",
    "\ufeff<script>", "\uff1cscript\uff1e", "<scr<script>ipt>", "<SCRIPT>alert(1)</SCRIPT>",
    "<script\x0c>alert(1)</script>",
]  # fmt: skip
_TAGS = {
    "html", "head", "meta", "title", "link", "script", "noscript", "body", "a", "header", "span", "i", "nav", "main",
    "div", "h1", "h2", "p", "b", "small", "code", "section", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    "form", "label", "input", "select", "option", "button", "textarea", "details", "summary", "pre", "dl", "dt", "dd",
    "progress", "q", "figure", "figcaption", "picture", "source", "img",
}  # fmt: skip


@attrs.frozen
class Hostile:
    """A column of any text."""

    symbol: str = column(key=True)
    date: str = column(key=True)
    close: str | None = column(doc="<script>alert('doc')</script>", unit="<b>unit</b>")


def test_what_a_vendor_writes_is_never_more_than_text(tmp_path: Path) -> None:
    """Fifty strings as key, cell, title, error and column doc:
    a browser finds no element and no attribute that the templates did not write.
    """
    assert len(INJECTIONS) == 50
    vendor = FakeVendor(
        entry(
            silver_table="px",
            columns=Hostile,
            title="<script>title</script>",
            terms="<i>terms</i>",
            source_url='https://example.com/"><script>',
        ),
        entry(dataset="broken", silver_table="py", columns=Hostile, title='"><svg onload=alert(1)>'),
    )
    vendor.says([{"symbol": text, "date": "d", "close": text} for text in INJECTIONS if text.strip()])
    vendor.says(RuntimeError(" ".join(INJECTIONS)), dataset="broken")
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    client = client_of(site_of(warehouse))
    pages = everything_linked(client)
    pages |= {
        f"/sql?{number}": client.get("/sql", params={"query": text}).text for number, text in enumerate(INJECTIONS)
    }
    pages |= {
        f"/nowhere?{number}": client.get("/runs", params={"day": text}).text for number, text in enumerate(INJECTIONS)
    }
    assert any(path.startswith("/datasets/px/revisions") for path in pages)
    for path, html in pages.items():
        if ".csv" in path or ".parquet" in path:
            continue
        for tag, attributes in seen(html).tags:
            assert tag in _TAGS, (path, tag)
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], (
                path,
                tag,
                attributes,
            )
            if tag == "script":
                assert attributes in (
                    {"src": "/static/sbf.js", "defer": None},
                    {"src": "/static/chart.js", "defer": None},
                ), path
            for name in ("href", "src", "action"):
                assert not (attributes.get(name) or "").lower().startswith(("javascript:", "data:", "//")), (
                    path,
                    attributes,
                )
        if not path.startswith(
            "/sql"
        ):  # there, and in fields of forms, stands what the user asked for, as it was typed
            assert "\u202e" not in seen(html).text
            assert "\x1b" not in seen(html).text


def test_pages_that_need_more_memory_get_it(filled: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also two at once, and while others read; then what is open stays as it is until a run leaves another copy."""
    import duckdb

    monkeypatch.setattr("sbf_core.web.readers._WAIT_FOR_READERS_SECONDS", HANG_SECONDS)
    site = site_of(filled)
    limits: list[str] = []
    both, page = threading.Barrier(2), of_gold.gold_page
    still_too_little = False

    def hungry(site: Site, request: Request) -> Response:
        with site.readers.reading() as cursor:
            limit = cursor.execute("SELECT current_setting('memory_limit')").fetchall()[0][0].split(" ")[0]
        limits.append(limit)
        if limit == "38.1" or still_too_little:
            if not still_too_little:
                both.wait(timeout=HANG_SECONDS)
            raise duckdb.OutOfMemoryException("too little")
        return page(site, request)

    monkeypatch.setattr(of_gold, "gold_page", hungry)
    client = client_of(site)
    answers: list[int] = []
    askers = [
        threading.Thread(target=lambda: answers.append(client_of(site).get("/gold").status_code)) for _ in range(2)
    ]
    with site.readers.reading() as other:
        for asker in askers:
            asker.start()
        while len(limits) < 2:
            askers[0].join(0.01)
        assert other.execute("SELECT 42").fetchall() == [(42,)]
    for asker in askers:
        asker.join(HANG_SECONDS)
    assert answers == [200, 200]
    assert sorted(limits) == ["38.1", "38.1", "488.2", "488.2"]
    still_too_little = True
    assert "needs more memory than pages may have" in seen(client.get("/gold").text).text
    filled.run(hours_later=48, options=RunOptions(force=True))
    assert client.get("/").status_code == 200
    with site.readers.reading() as cursor:
        assert cursor.execute("SELECT current_setting('memory_limit')").fetchall() == [("38.1 MiB",)]
    assert not site.readers.is_roomy


def test_a_page_with_a_fault_says_so_and_tells_the_terminal_in_one_line(
    filled: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(site: Site, request: Request) -> Response:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr(of_gold, "gold_page", broken)
    answer = client_of(site_of(filled)).get("/gold")
    assert answer.status_code == 500
    assert "this page has a fault" in answer.text
    assert [record.getMessage() for record in caplog.records if record.name == "sbf.web"] == [
        "A page failed. path=/gold | error=ZeroDivisionError: one two"
    ]


def test_what_monitors_ask(filled: Warehouse) -> None:
    """The pages are healthy while they can read; what is late or failing stands in the answer."""
    client = client_of(site_of(filled))
    assert client.get("/healthz").json() == {"readable": True, "well": True, "late": 0, "failing": 0}
    (filled.home / "sbf.toml").write_text('[expected_by."prices/*"]\nwithin_hours = 1\n', encoding="utf-8")
    filled.clock.advance(hours=2)
    client = client_of(site_of(filled))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"readable": True, "well": False, "late": 1, "failing": 0})
    figures = client.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'sbf_dataset_late{dataset="prices/fake/eod"} 1.0\n' in figures.text
    assert "late" in seen(client.get("/").text).words


def test_a_warehouse_that_cannot_be_read_is_not_healthy(tmp_path: Path) -> None:
    answer = client_of(site_of(Warehouse(tmp_path / "home", FakeVendor(entry())))).get("/healthz")
    assert answer.status_code == 503 and answer.json()["readable"] is False
