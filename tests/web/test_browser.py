"""Every page in a real browser: no error in its console, nothing asked of another host,
no breach of the policy, nothing that axe finds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hang import HANG_SECONDS

from sbf_core.runs.live import LiveRun, write_live

playwright = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the extra `browser` is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]

PAGES = [
    "/", "/runs", "/runs/last?layer=bronze", "/runs/last?layer=silver", "/runs/last?layer=gold", "/datasets",
    "/datasets/bls_cpi", "/datasets/bls_cpi?tab=silver", "/datasets/eod_bar?tab=rows&as_of=2026-01-01",
    "/datasets/eod_bar?tab=rows&sort=volume&down=1", "/datasets/eod_bar?tab=coverage",
    "/datasets/ecb_reference_rate?tab=coverage&by=quarter",
    "/datasets/bls_cpi/revisions?series_id=CUSR0000SA0&year=2024&period=M02", "/gold", "/gold/fact_price_eod",
    "/plugins", "/sql", "/lineage",
    "/lineage?table=gold.fact_fx_rate&key=date%3D2020-01-02%2Ccurrency%3DUSD&column=units_per_eur",
    "/lineage?table=bls_cpi&key=CUSR0000SA0%2C2024%2CM02&column=value",
    "/sql?query=SELECT+*+FROM+gold.instrument_stats", "/sql?query=DROP+TABLE+x", "/nowhere", "/charts",
    "/charts/gold.fact_fx_rate/rates", "/charts/gold.fact_price_eod/price?series=IBM&from=2012-01-01",
    "/charts/gold.fact_price_eod/years", "/charts/silver.ecb_reference_rate/rates?as_of=2026-11-01&as=index",
    "/gold/fact_price_eod?chart=volume", "/datasets/eod_bar?tab=chart",
    "/datasets/eod_bar?tab=gold&table=instrument_stats", "/catalogue?search=rate", "/catalogue?search=nosuchword",
]  # fmt: skip


#: `sbf` with pages that take their time for a question or a chart: a busy machine is no fault of theirs.
PATIENT = f"""
import sys
from sbf_core.cli.main import main
from sbf_core.charts.renderer import ChartRenderer
from sbf_core.web.sql_queries import SqlQueries
for each in (SqlQueries, ChartRenderer):
    each.__init__.__kwdefaults__["seconds_max"] = {HANG_SECONDS}
sys.argv[0] = "sbf"
main()
"""


def _filled(home: Path) -> None:
    environment = {**os.environ, "SBF_HOME": str(home), "SBF_TESTING": "1", "SBF_NOW": "2026-11-20T12:00:00+00:00"}
    done = subprocess.run(
        [sys.executable, "-m", "sbf_core", "run", "--replay", "sample"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pages") / "home"
    _filled(found)
    return found


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    import json

    command = [sys.executable, "-c", PATIENT, "ui", "--home", str(home), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        yield json.loads(served.stdout.readline())["url"].rstrip("/")
        served.terminate()
        assert served.wait(timeout=HANG_SECONDS) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


class Watched:
    """A page whose every complaint is kept."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(HANG_SECONDS * 1000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"asked of another host: {request.url}")

    def open(self, path: str) -> Any:
        self.page.goto(self.address + path)
        return self.page

    def own_complaints(self) -> list[str]:
        """Without those of a page that is meant to fail."""
        return [text for text in self.complaints if "status of 40" not in text]


@pytest.fixture
def watched(browser: Any, address: str) -> Iterator[Watched]:
    found = Watched(browser, address)
    yield found
    found.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_without_fault(browser: Any, address: str, path: str, scheme: str) -> None:
    found = Watched(browser, address, color_scheme=scheme)
    page = found.open(path)
    results = axe_api.Axe().run(page)
    violations = [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in results.response["violations"]
    ]
    found.context.close()
    assert violations == []
    assert found.own_complaints() == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_page_fits_its_window(browser: Any, address: str, width: int) -> None:
    found = Watched(browser, address, viewport={"width": width, "height": 800})
    wide = {
        path: found.open(path).evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        for path in PAGES
    }
    found.context.close()
    assert {path: over for path, over in wide.items() if over > 0} == {}


def test_pages_are_whole_without_javascript(browser: Any, address: str) -> None:
    found = Watched(browser, address, java_script_enabled=False)
    page = found.open("/datasets/eod_bar?tab=rows")
    page.get_by_label("ticker", exact=True).fill("MSFT")
    page.get_by_label("As known on").fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    assert "as they were known at the end of" in page.inner_text("main")
    page.get_by_role("link", name="MSFT").first.click()
    assert page.inner_text("h1") == "Revisions"
    found.context.close()


def test_the_keyboard_reaches_the_content_and_the_menu(watched: Watched) -> None:
    page = watched.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")
    page.goto(watched.address + "/")
    names = []
    for _ in range(10):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    menu = ["sbf", "Overview", "Runs", "Datasets", "Catalogue", "Gold", "Charts", "SQL", "Plugins"]
    assert names[1:10] == menu


def _told(page: Any) -> dict[str, str]:
    """What a chart says where the pointer or the keyboard is."""
    terms, values = page.locator(".said dt").all_inner_texts(), page.locator(".said dd").all_inner_texts()
    return dict(zip(terms, values, strict=True))


def test_a_chart_tells_the_values_under_the_pointer(watched: Watched) -> None:
    page = watched.open("/charts/gold.fact_fx_rate/rates?from=2020-01-01&to=2020-03-31")
    assert page.locator(".said").is_hidden()
    box = page.locator(".cursor").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.06, box["y"] + box["height"] / 2)
    page.wait_for_selector(".told .said")
    assert (page.inner_text(".said .label"), _told(page)["USD"]) == ("2020-01-02", "1.1193")
    page.mouse.move(box["x"] + box["width"] * 0.999, box["y"] + 40)
    assert (page.inner_text(".said .label"), _told(page)["USD"]) == ("2020-03-31", "1.0956")
    said = page.locator(".said").bounding_box()
    assert box["x"] <= said["x"] and said["x"] + said["width"] <= box["x"] + box["width"]
    dot = page.locator(".dot").first.bounding_box()
    assert abs(dot["x"] + dot["width"] / 2 - page.locator(".hair").bounding_box()["x"]) < 2
    page.mouse.move(2, 2)
    page.wait_for_selector(".said", state="hidden")
    assert watched.complaints == []


def test_a_chart_tells_its_values_to_the_keyboard(watched: Watched) -> None:
    page = watched.open("/charts/gold.fact_price_eod/price?from=2013-02-25&to=2013-03-01")
    cursor = page.get_by_role("slider")
    cursor.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".told .said")
    assert cursor.get_attribute("aria-valuetext") == "2013-02-25: open 453.85, high 455.12, low 442.57, close 442.8"
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".cursor[aria-valuenow='1']")
    assert (page.inner_text(".said .label"), _told(page)["close"]) == ("2013-02-26", "448.97")
    page.keyboard.press("End")
    page.wait_for_selector(".cursor[aria-valuenow='4'][aria-valuemax='4']")
    assert page.inner_text(".said .label") == "2013-03-01"
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".said .label") == "2013-03-01"
    page.keyboard.press("Home")
    page.keyboard.press("Escape")
    page.wait_for_selector(".said", state="hidden")
    assert watched.complaints == []


def test_the_arrow_keys_walk_through_the_rows_of_a_heat_map(watched: Watched) -> None:
    page = watched.open("/charts/gold.fact_price_eod/years")
    page.get_by_role("slider").focus()
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_selector(".told .said")
        seen.append((page.inner_text(".said .label"), *_told(page)))
    assert seen[:2] == [("2000", "AAPL"), ("2001", "AAPL")]
    assert [name for _, name in seen[2:5]] == ["FB", "GOOG", "FB"]
    assert watched.complaints == []


def test_a_narrow_window_gets_a_picture_and_stops_of_its_own(browser: Any, address: str) -> None:
    found = Watched(browser, address, viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = found.open("/charts/gold.fact_fx_rate/rates?from=2020-01-01&to=2020-03-31")
    assert "size=narrow" in page.evaluate("document.querySelector('.plot img').currentSrc")
    assert "theme=dark" in page.evaluate("document.querySelector('.plot img').currentSrc")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.wait_for_selector(".told .said")
    first = page.locator(".hair").bounding_box()["x"] - page.locator(".plot").bounding_box()["x"]
    with page.expect_response(lambda answer: "size=wide" in answer.url):
        page.set_viewport_size({"width": 1300, "height": 800})
    with page.expect_response(lambda answer: ".json" in answer.url and "size=wide" in answer.url):
        page.keyboard.press("End")
    page.wait_for_selector(".cursor:not([aria-valuenow='0'])")
    page.keyboard.press("Home")
    page.wait_for_selector(".cursor[aria-valuenow='0']")
    wide = page.locator(".plot").bounding_box()
    assert abs(first / 358 - (page.locator(".hair").bounding_box()["x"] - wide["x"]) / wide["width"]) > 0.02, (
        "the plot begins at another share of it"
    )
    found.context.close()
    assert found.own_complaints() == []


def test_a_part_of_a_chart_is_chosen_without_javascript(browser: Any, address: str) -> None:
    found = Watched(browser, address, java_script_enabled=False)
    page = found.open("/charts/gold.fact_fx_rate/rates")
    page.get_by_role("link", name="1 year").click()
    page.get_by_role("link", name="First value = 100").click()
    page.get_by_text("Series: ").click()
    page.get_by_label("JPY").check()
    page.get_by_label("CHF").uncheck()
    page.get_by_label("To").fill("2026-06-30")
    page.get_by_role("button", name="Show").click()
    assert page.locator("thead th").all_inner_texts() == ["date", "GBP", "JPY", "USD"]
    assert page.inner_text("tbody td") == "2026-06-30"
    assert "first value = 100" in page.inner_text("main")
    page.wait_for_load_state("load")
    assert page.evaluate("document.querySelector('.plot img').naturalWidth") > 300
    assert page.get_by_role("slider").count() == 0
    found.context.close()


def test_a_question_is_asked_and_remembered(watched: Watched) -> None:
    page = watched.open("/sql")
    page.get_by_label("One SELECT").fill("SELECT 6 * 7 AS answer")
    page.get_by_role("button", name="Ask").click()
    assert page.inner_text("td") == "42"
    page.goto(watched.address + "/sql")
    page.get_by_role("link", name="SELECT 6 * 7 AS answer").click()
    assert page.inner_text("td") == "42"
    assert watched.complaints == []


def test_a_run_that_begins_shows_itself_and_its_end_reloads_the_page(watched: Watched, home: Path) -> None:
    import datetime as dt

    page = watched.open("/")
    before = (home / "live.json").read_bytes()
    now = dt.datetime.now(dt.UTC)
    began, never_silent = (moment.isoformat(timespec="seconds") for moment in (now, now + dt.timedelta(hours=1)))
    try:
        write_live(
            home / "live.json",
            LiveRun(run_id="r9", pid=1, started_at=began, updated_at=never_silent, stage="promote", done=1, total=2),
        )
        page.wait_for_selector("section.live")
        assert "1 of 2 steps" in page.inner_text("section.live")
    finally:
        (home / "live.json").write_bytes(before)
    page.wait_for_selector("section.live", state="detached")
    assert watched.complaints == []
