"""Every page in a real browser: no error in its console, nothing asked of another host, no breach of the policy, nothing that axe finds."""

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

from sbf_core.runs.live import LiveRun, write_live

playwright = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the extra `browser` is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"), pytest.mark.xdist_group("browser")]

PAGES = [
    "/", "/runs", "/runs/last?layer=bronze", "/runs/last?layer=silver", "/runs/last?layer=gold", "/datasets", "/datasets/bls_cpi", "/datasets/bls_cpi?tab=silver",
    "/datasets/eod_bar?tab=rows&as_of=2026-01-01", "/datasets/eod_bar?tab=rows&sort=volume&down=1", "/datasets/eod_bar?tab=coverage", "/datasets/ecb_reference_rate?tab=coverage&by=quarter",
    "/datasets/bls_cpi/revisions?series_id=CUSR0000SA0&year=2024&period=M02", "/gold", "/gold/fact_price_eod", "/plugins", "/sql", "/lineage", "/lineage?table=gold.fact_fx_rate&key=date%3D2020-01-02%2Ccurrency%3DUSD&column=units_per_eur",
    "/lineage?table=bls_cpi&key=CUSR0000SA0%2C2024%2CM02&column=value", "/sql?query=SELECT+*+FROM+gold.instrument_stats",
    "/sql?query=DROP+TABLE+x", "/nowhere",
]  # fmt: skip


def _filled(home: Path) -> None:
    environment = {**os.environ, "SBF_HOME": str(home), "SBF_TESTING": "1", "SBF_NOW": "2026-11-20T12:00:00+00:00"}
    done = subprocess.run([sys.executable, "-m", "sbf_core", "run", "--replay", "sample"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pages") / "home"
    _filled(found)
    return found


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    import json

    command = [sys.executable, "-m", "sbf_core", "ui", "--home", str(home), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        yield json.loads(served.stdout.readline())["url"].rstrip("/")
        served.terminate()
        assert served.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


class Watched:
    """A page whose every complaint is kept."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
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
    violations = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in results.response["violations"]]
    found.context.close()
    assert violations == []
    assert found.own_complaints() == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_page_fits_its_window(browser: Any, address: str, width: int) -> None:
    found = Watched(browser, address, viewport={"width": width, "height": 800})
    wide = {path: found.open(path).evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") for path in PAGES}
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
    assert page.url.endswith("#main")
    page.goto(watched.address + "/")
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert names[1:8] == ["sbf", "Overview", "Runs", "Datasets", "Gold", "SQL", "Plugins"]


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
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    try:
        write_live(home / "live.json", LiveRun(run_id="r9", pid=1, started_at=now, updated_at=now, stage="promote", done=1, total=2))
        page.wait_for_selector("section.live", timeout=5000)
        assert "1 of 2 steps" in page.inner_text("section.live")
    finally:
        (home / "live.json").write_bytes(before)
    page.wait_for_selector("section.live", state="detached", timeout=5000)
    assert watched.complaints == []
