"""``sbf plugins check`` and the pytest plugin, as an author meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from pytest_httpserver import HTTPServer
from warm_sbf import WARM
from werkzeug import Request, Response

PLUGIN = '''"""Rain, and no source."""
import datetime as dt
import attrs
from sbf_core.api import ClientCredentials, DatasetKeymapEntry, FileRecipe, Pages, RestRecipe, column, hookimpl

CONFORMANCE_EXEMPT = {exempt}

@attrs.frozen
class Rain:
    day: dt.date = column(key=True, row_date=True)
    amount: float | None = column(unit="mm")

@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="weather", source="gauge", dataset="rain", silver_table="rain", columns=Rain,
                               recipe={recipe}, refresh_after_hours=0,
                               title="Rain", terms="None.", source_url="{url}")]
'''


class Gauge:
    """A plugin in a folder of the test's own, with a recording."""

    def __init__(
        self,
        folder: Path,
        *,
        url: str = "",
        exempt: str = "{}",
        recipe: str = 'FileRecipe(path="rain.csv")',
        module: str = PLUGIN,
    ) -> None:
        self.folder = folder
        info = folder / "sbf_gauge-1.0.dist-info"
        info.mkdir()
        text = module.replace("{url}", url).replace("{exempt}", exempt).replace("{recipe}", recipe)
        (folder / "sbf_gauge.py").write_text(text)
        (info / "METADATA").write_text(
            "Metadata-Version: 2.4\nName: sbf-gauge\nVersion: 1.0\nLicense-Expression: MIT\n\nRain.\n"
        )
        (info / "entry_points.txt").write_text("[sbf.plugins]\ngauge = sbf_gauge\n")
        files = folder / "home" / "files"
        files.mkdir(parents=True)
        (files / "rain.csv").write_text("day,amount\n2024-03-01,4.2\n2024-03-02,1.5\n")
        assert self.run("-m", "sbf_core", "run", "--home", "home", "--plugins", "gauge").returncode == 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")} | {
            "PYTHONPATH": os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        }
        if command[:2] == ("-m", "sbf_core"):
            return WARM.run(command[2:], cwd=self.folder, env=environment, timeout=HANG_SECONDS)
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
        )

    def check(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "sbf_core", "plugins", "check", "gauge", *more)


def test_a_report_says_what_is_wrong_and_ends_with_1(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path)
    done = gauge.check("--recording", "home")
    assert done.returncode == 1
    assert "docs: weather/gauge/rain: source_url is empty: say where it is described" in done.stdout
    assert done.stdout.rstrip().endswith("gauge (sbf-gauge 1.0): 30 of 31 checks passed")
    told = json.loads(gauge.check("--recording", "home", "--json").stdout)
    assert told["schema"] == "sbf.conformance/1"
    assert (told["passed"], len(told["checks"])) == (False, 31)
    assert [check["check"] for check in told["checks"] if check["state"] == "failed"] == ["docs"]


def test_what_many_checks_lack_is_told_once(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path)
    done = gauge.check()
    told = done.stdout.partition("\n\n")[2].splitlines()
    assert [line.partition(":")[0].partition(" (")[0] for line in told] == ["docs", "21 checks", "gauge"]
    names = told[1].partition("(")[2].partition(")")[0].split(", ")
    assert names[0] == "recorded" and "key_is_widened" in names and len(set(names)) == 21
    assert "the package of 'gauge' brings no recording; make one with `sbf run --home HOME --plugins gauge`" in told[1]
    checks = json.loads(gauge.check("--json").stdout)["checks"]
    lacking = [check["check"] for check in checks if "no recording" in str(check["problems"])]
    assert (done.returncode, lacking) == (1, names)
    typed = [text.replace("HOME", "home") for text in told[1].split("`")[1::2]]
    assert typed[0].startswith("sbf run ")
    assert gauge.run("-m", "sbf_core", *typed[0].split()[1:]).returncode == 0
    assert gauge.check(*typed[1].split()).stdout.rstrip().endswith("30 of 31 checks passed")


def test_exemptions_are_shown_with_their_reasons(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path, exempt='{"docs": "the gauge is on my roof"}')
    done = gauge.check("--recording", "home")
    assert done.returncode == 0, done.stdout
    assert "exempt  title, terms, source, units and a README are there (docs: the gauge is on my roof)" in done.stdout
    (tmp_path / "test_gauge.py").write_text(
        'from sbf_core.testing.suite import conformance\n\ntest_it = conformance("gauge", recording="home")\n'
    )
    tested = gauge.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_gauge.py")
    assert tested.returncode == 0, tested.stdout
    assert "30 passed, 1 skipped" in tested.stdout
    assert "exempt from conformance: gauge: docs: the gauge is on my roof" in tested.stdout
    other = gauge.check("--recording", "home", "--exempt", "rows_are_taken=none is left out")
    assert "it is exempt from 'rows_are_taken' (none is left out), and needs it no more: take it out" in other.stdout


def test_a_plugin_that_posts_is_checked_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a socket when it is recorded, and without one afterwards; its key is in neither."""

    def answer(request: Request) -> Response:
        page = json.loads(request.get_data())["page"]
        rows = [{"day": f"2024-03-0{page}", "amount": page + 0.5}] if page < 3 else []
        return Response(json.dumps({"rows": rows}), content_type="application/json")

    monkeypatch.setenv("RAIN_KEY", "drops-keep-falling")
    with HTTPServer() as server:
        server.expect_request("/rain", method="POST").respond_with_handler(answer)
        recipe = f"""RestRecipe(
            url="{server.url_for("/rain")}", json={{"from": "{{from_date}}", "what": ["rain"]}},
            secret_body={{"key": "RAIN_KEY"}}, pages=Pages(by="page", parameter="page", in_body=True)),
            rows_at="rows", first_date=dt.date(2024, 3, 1)"""
        gauge = Gauge(tmp_path, url="https://example.com", recipe=recipe)
    done = gauge.check("--recording", "home")
    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip().endswith("31 of 31 checks passed")
    text = (tmp_path / "sbf_gauge.py").read_text().replace('"what": ["rain"]', '"what": [{"api_key": "abc"}]')
    (tmp_path / "sbf_gauge.py").write_text(text)
    told = gauge.check("--recording", "home").stdout
    assert "the body holds a value of 'api_key'; declare it: secret_body={'api_key': 'NAME_OF_A_VARIABLE'}" in told
    assert "the recording holds no answer of POST http://" in told
    assert "if the declaration asks otherwise than it did, put a new recording in its place" in told


def test_a_plugin_that_signs_in_is_checked_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is recorded with a token, and checked without keys and without a socket."""

    def answer(request: Request) -> Response:
        is_known = request.headers.get("Authorization") == "Bearer t0ken-of-the-rain"
        rows = [{"day": "2024-03-01", "amount": 1.5}]
        return Response(json.dumps(rows), status=200 if is_known else 401, content_type="application/json")

    monkeypatch.setenv("RAIN_ID", "drops-that-fall")
    monkeypatch.setenv("RAIN_SECRET", "drops-keep-falling")
    with HTTPServer() as server:
        server.expect_request("/token", method="POST").respond_with_json({"access_token": "t0ken-of-the-rain"})
        server.expect_request("/rain").respond_with_handler(answer)
        recipe = f"""RestRecipe(
            url="{server.url_for("/rain")}?from={{from_date}}", sign_in=ClientCredentials(
                token_url="{server.url_for("/token")}", client_id="RAIN_ID", client_secret="RAIN_SECRET")),
            first_date=dt.date(2024, 3, 1)"""
        gauge = Gauge(tmp_path, url="https://example.com", recipe=recipe)
    monkeypatch.delenv("RAIN_ID")
    monkeypatch.delenv("RAIN_SECRET")
    done = gauge.check("--recording", "home")
    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip().endswith("31 of 31 checks passed")
    text = (
        (tmp_path / "sbf_gauge.py")
        .read_text()
        .replace('client_id="RAIN_ID"', 'client_id="RAIN_ID", extra={"api_key": "a"}')
    )
    (tmp_path / "sbf_gauge.py").write_text(text)
    told = gauge.check("--recording", "home").stdout
    assert "sign_in holds a value of 'api_key'; declare the name of a key in its place" in told


ROWS = '''"""Gauges, and the rain of each."""
import attrs
from sbf_core.api import DatasetKeymapEntry, ForEach, RestRecipe, column, hookimpl

@attrs.frozen
class Station:
    id: str = column(key=True)
    name: str = column()

@attrs.frozen
class Rain:
    gauge: str = column(key=True, source="request.each.id")
    day: str = column(key=True)
    amount: float = column(unit="mm")

USUAL = {"domain": "weather", "source": "gauge", "terms": "None.", "source_url": "https://example.com"}

@hookimpl
def datasets():
    return [
        DatasetKeymapEntry(dataset="rain", silver_table="rain", columns=Rain, title="Rain", scope="per_ticker",
                           for_each=ForEach(query="SELECT id FROM silver.gauges", key=("id",)),
                           recipe=RestRecipe(url="{url}/rain?of={each.id}"), **USUAL),
        DatasetKeymapEntry(dataset="gauges", silver_table="gauges", columns=Station, title="Gauges",
                           recipe=RestRecipe(url="{url}/gauges"), **USUAL),
    ]
'''


def test_a_plugin_that_asks_for_each_row_is_checked_like_any_other(tmp_path: Path) -> None:
    with HTTPServer() as server:
        server.expect_request("/gauges").respond_with_json([{"id": "kew", "name": "Kew"}, {"id": "o,x|y", "name": "O"}])
        server.expect_request("/rain").respond_with_handler(
            lambda request: Response(json.dumps([{"day": "1", "amount": len(request.args["of"])}]))
        )
        gauge = Gauge(tmp_path, url=server.url_for(""), module=ROWS)
    done = gauge.check("--recording", "home")
    assert done.returncode == 0, done.stdout
    assert "(weather/gauge/rain: 2 of 2 recorded rows are given by its query)" in done.stdout
    module = tmp_path / "sbf_gauge.py"
    module.write_text(module.read_text().replace("SELECT id FROM", "SELECT name AS id FROM"))
    told = gauge.check("--recording", "home").stdout
    gives = "over the recording for_each gives none of the 2 rows that were asked for, e.g. 'Kew' and not 'kew'"
    assert f"rows_are_asked_for: weather/gauge/rain: {gives}" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the package of 'gauge' brings no recording"),
        (("--recording", "nowhere"), "there is no recording 'nowhere'"),
        (("--recording", "home", "--exempt", "dox"), "there is no check 'dox'"),
        (("--recording", "home", "--exempt", "docs="), "has no reason"),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = Gauge(tmp_path, url="https://example.com").check(*arguments)
    assert words in done.stdout + done.stderr
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_a_plugin_that_does_not_load_is_told_and_nothing_else_is_made(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path)
    (tmp_path / "sbf_gauge.py").write_text("raise ImportError('no such thing')\n")
    done = gauge.check()
    assert done.returncode == 1
    assert "declaration: the plugin is refused: ImportError: no such thing" in done.stdout
    assert "0 of 31 checks passed, 30 not made" in done.stdout
