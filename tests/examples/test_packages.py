"""The example packages, really built and installed by pip, and used as their READMEs say."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warm_sbf import WARM

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PACKAGES = sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml"))


def with_path(folder: Path) -> str:
    """The folder in front of what this process was given: it may be told to test another checkout."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


@cache
def _built(name: str) -> Path:
    """What pip installs of a package, in a folder that lasts as long as this process; several tests want the same."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, site = shutil.copytree(EXAMPLES / name, folder / name), folder / "site"  # a build leaves traces
    plain = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *plain, "--target", str(site), str(source)]
    subprocess.run(command, check=True, cwd=folder)
    return site


class Installed:
    """Some of the packages in a folder of the test's own; they see no other package but what this environment holds."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.site = folder / "site"
        for name in names:
            shutil.copytree(_built(name), self.site, dirs_exist_ok=True)

    def sbf(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of sbf in the folder."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")} | {
            "PYTHONPATH": with_path(self.site)
        }
        return WARM.run(arguments, cwd=self.folder, env=environment, timeout=HANG_SECONDS)

    def rows(self, query: str) -> list[dict[str, object]]:
        """What a query gives."""
        return list(json.loads(self.sbf("sql", query, "--json").stdout)["rows"])


@pytest.fixture(scope="module")
def gold_price(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("nbp"), "sbf-nbp-gold")


def test_a_declaration_alone_fetches_keeps_and_restates(gold_price: Installed) -> None:
    listed = json.loads(gold_price.sbf("plugins", "list", "--json").stdout)["plugins"]
    mine = next(item for item in listed if item["name"] == "nbp_gold")
    assert (mine["distribution"], mine["state"]) == ("sbf-nbp-gold", "loaded")
    done = gold_price.sbf("run", "--plugins", "nbp_gold", "--replay", "nbp_gold")
    assert done.returncode == 0, done.stderr
    assert re.search(r"metals/nbp/gold_price +2 +64 +1 +4 +0", done.stdout)
    assert gold_price.rows(
        "SELECT h.day, h.price AS before, p.price FROM silver.nbp_gold_history h JOIN silver.nbp_gold p USING (day)"
    ) == [{"day": "2024-02-28", "before": "272.52", "price": "272.83"}]
    assert "Nothing was due" in gold_price.sbf("run", "--plugins", "nbp_gold", "--replay", "nbp_gold").stdout
    assert gold_price.sbf("verify").returncode == 0


def test_its_plan_asks_the_bank_in_pieces_that_it_accepts(gold_price: Installed, tmp_path: Path) -> None:
    plan = json.loads(
        gold_price.sbf("plan", "--plugins", "sbf-nbp-gold", "--home", str(tmp_path / "other"), "--json").stdout
    )
    assert plan["due"] == 1
    assert plan["requests"][0]["from_date"] == "2013-01-02"
    assert plan["vendors"][0]["requests"] >= 50


def test_xml_is_read_by_a_hook_and_what_is_no_feed_costs_only_itself(tmp_path: Path) -> None:
    feed = Installed(tmp_path, "sbf-ecb-daily")
    done = feed.sbf("run", "--plugins", "ecb_daily", "--replay", "ecb_daily")
    assert done.returncode == 0, done.stderr
    assert re.search(r"fx/ecb_feed/daily_rates +3 +18 +0 +0 +0", done.stdout)
    assert feed.rows(
        "SELECT day, CAST(rate AS VARCHAR) AS rate FROM silver.ecb_daily_rate WHERE currency = 'USD' ORDER BY day"
    ) == [
        {"day": "2024-03-26", "rate": "1.080400"},
        {"day": "2024-03-27", "rate": "1.088600"},
        {"day": "2024-03-28", "rate": "1.091200"},
    ]
    assert feed.sbf("verify").returncode == 0
    assert feed.sbf("rebuild").returncode == 0


def test_gold_alone_is_built_over_the_silver_of_another(tmp_path: Path) -> None:
    both = Installed(tmp_path, "sbf-euro-months")
    done = both.sbf("run", "--plugins", "ecb", "--replay", "sample")
    assert done.returncode == 0, done.stderr
    assert re.search(r"euro_month +10393", done.stdout)
    october = (
        "SELECT days, CAST(last_rate AS VARCHAR) AS last FROM gold.euro_month "
        "WHERE currency = 'USD' AND month = DATE '2026-10-01'"
    )
    assert both.rows(october) == [{"days": 22, "last": "1.117200"}]
    assert (
        both.rows("SELECT count(*) AS n FROM ops.gold_tests WHERE table_name = 'euro_month' AND failing_rows = 0")[0][
            "n"
        ]
        == 5
    )


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_whole(name: str) -> None:
    project = tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert project["name"] == name
    assert readme.startswith(f"# {name}\n")
    assert "pip install -e ." in readme
    assert project["license"] and project["description"] and project["dependencies"] == ["sbf"]
    assert f"`{name}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_a_minimal_one_is_a_declaration_of_about_fifteen_lines() -> None:
    text = (EXAMPLES / "sbf-nbp-gold" / "sbf_nbp_gold" / "plugin.py").read_text(encoding="utf-8")
    code = [
        line
        for line in text.partition("@attrs.frozen")[2].splitlines()
        if line.strip() and not line.strip().startswith(('"""', "#"))
    ]
    assert len(code) <= 16, code


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process's memory can be limited")
def test_a_hostile_one_costs_its_own_datasets_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = Installed(tmp_path, "sbf-hostile", "sbf-nbp-gold")
    monkeypatch.setenv("HOSTILE_NEIGHBOUR_KEY", "canary-of-the-neighbour")
    assert both.sbf("run", "--plugins", "nbp_gold", "--replay", "nbp_gold").returncode == 0
    before = both.sbf("digest", "--table", "silver.nbp_gold").stdout
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")} | {
        "PYTHONPATH": with_path(both.site),
        "SBF_ANSWER_SECONDS_MAX": "5",
    }
    command = [sys.executable, "-m", "sbf_core", "run", "--plugins", "hostile", "--json"]
    done = subprocess.run(
        command, cwd=both.folder, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS
    )
    assert done.returncode == 6, (
        done.stderr
    )  # memory is the machine's: of that one nothing is recorded, and the next run asks again
    told = json.loads(done.stdout)
    spec = (EXAMPLES / "sbf-hostile" / "sbf_hostile" / "plugin.py").read_text(encoding="utf-8")
    misdeeds = set(re.findall(r'"(\w+)": (?:_|SelectRows|ParseRows|\{"sql)', spec))
    assert len(misdeeds) == 23
    failed = {found[1] for error in told["errors"] if (found := re.match(r"trust/hostile/(\w+)", error))}
    assert failed == misdeeds, failed ^ misdeeds
    assert all("\x1b" not in error and "\n" not in error for error in told["errors"])
    assert both.rows("SELECT CAST(day AS VARCHAR) AS day, value FROM silver.hostile_honest") == [
        {"day": "2024-01-02", "value": 1.5}
    ]
    assert both.sbf("digest", "--table", "silver.nbp_gold").stdout == before
    assert both.sbf("verify").returncode == 0
    assert not list(tmp_path.rglob("owned_by_hostile")) and not list(tmp_path.rglob("stolen.csv"))
    for path in (both.folder / "sbf-data").rglob("*"):
        assert path.is_dir() or b"canary-of-the-neighbour" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("package", "plugin", "recording"),
    [
        ("sbf-nbp-gold", "nbp_gold", ""),
        ("sbf-ecb-daily", "ecb_daily", ""),
        ("sbf-euro-months", "euro_months", "sample"),
    ],
)
def test_they_conform(tmp_path: Path, package: str, plugin: str, recording: str) -> None:
    done = Installed(tmp_path, package).sbf(
        "plugins", "check", plugin, *(["--recording", recording] if recording else [])
    )
    assert done.returncode == 0, done.stdout
    assert "31 of 31 checks passed" in done.stdout
