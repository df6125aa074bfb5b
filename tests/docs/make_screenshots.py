"""Makes the pictures in docs/images from the sample: python tests/docs/make_screenshots.py.
Needs the extra `browser` and a Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURES = {
    "overview": "/",
    "run": "/runs/last?layer=bronze",
    "dataset": "/datasets/eod_bar?tab=coverage",
    "chart": "/charts/gold.fact_price_eod/price",
    "charts": "/charts",
    "as-of": "/datasets/bls_cpi?tab=rows&as_of=2026-01-01&is.series_id=%3DCUSR0000SA0&is.year=2024&sort=period",
}
WIDTH, HEIGHT = 1200, 720


def main() -> None:
    """Fill a home with the sample, look at it, keep the pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "sbf-data")
        environment = {**os.environ, "SBF_HOME": home, "SBF_TESTING": "1", "SBF_NOW": "2026-11-01T12:00:00+00:00"}
        subprocess.run(
            [sys.executable, "-m", "sbf_core", "run", "--replay", "sample"],
            env=environment,
            check=True,
            capture_output=True,
        )
        command = [sys.executable, "-m", "sbf_core", "ui", "--port", "0", "--json"]
        with (
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as served,
            sync_playwright() as started,
        ):
            assert served.stdout is not None
            address = json.loads(served.stdout.readline())["url"].rstrip("/")
            browser = started.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
                for name, path in PICTURES.items():
                    page.goto(address + path)
                    page.evaluate("document.querySelector('.home').textContent = '~/sbf-data'")
                    if page.locator(".cursor").count():  # values under the pointer
                        box = page.locator(".cursor").bounding_box()
                        page.mouse.move(box["x"] + box["width"] * 0.62, box["y"] + box["height"] * 0.4)
                        page.wait_for_selector(".told .said")
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=str(IMAGES / f"{name}-{scheme}.png"))
            browser.close()
            served.terminate()


if __name__ == "__main__":
    main()
