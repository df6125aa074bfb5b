"""Which package wants which versions, and what it holds back: told by ``sbf plugins list`` and ``sbf doctor``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warm_sbf import WARM

from sbf_core.plugin.bounds import bounds

PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1.0"
dependencies = {wants}
[project.entry-points."sbf.plugins"]
{module} = "{module}"
[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""


def installed(folder: Path, name: str, *wants: str) -> Path:
    """A package with a plugin that wants these versions, really installed by pip."""
    source, site = folder / name, folder / "site"
    source.mkdir(parents=True)
    module = name.replace("-", "_")
    (source / "pyproject.toml").write_text(PROJECT.format(name=name, module=module, wants=json.dumps(list(wants))))
    (source / f"{module}.py").write_text("HOOK_API = 1\n")
    plain = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--target",
        str(site),
    ]
    subprocess.run([sys.executable, "-m", "pip", "install", *plain, str(source)], check=True, cwd=folder)
    return site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    installed(tmp_path, "sbf-old", "sbf", "duckdb<1.0", "attrs>=20,<100")
    installed(tmp_path, "sbf-lost", "sbf>=99", "no-such-package>=2")
    installed(tmp_path, "sbf-odd", "sbf", "absent; python_version < '3'", "absent[x]; extra == 'more'", "rich!=1.0")
    site = installed(tmp_path, "sbf-plain", "sbf", "duckdb>=1.5.5,<2.1", "attrs>=25")
    monkeypatch.syspath_prepend(site)
    return site


def test_what_does_not_fit_and_what_is_held_back(site: Path) -> None:
    found = {
        (bound.holder, bound.package): bound.text
        for bound in bounds(["sbf-old", "sbf-lost", "sbf-odd", "sbf-plain", "sbf", ""])
    }
    assert found == {
        ("sbf-old", "duckdb"): f"wants duckdb<1.0, and {version('duckdb')} is installed",
        ("sbf-old", "attrs"): "holds attrs at <100,>=20",
        ("sbf-lost", "sbf"): f"wants sbf>=99, and {version('sbf')} is installed",
        ("sbf-lost", "no-such-package"): "wants no-such-package>=2, and it is not installed",
    }


def test_the_commands_show_it(site: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "SBF_HOME": str(tmp_path / "home"),
    }

    def sbf(*arguments: str) -> subprocess.CompletedProcess[str]:
        return WARM.run(arguments, env=environment, timeout=HANG_SECONDS)

    listed = sbf("plugins", "list").stdout
    assert f"sbf-old       wants duckdb<1.0, and {version('duckdb')} is installed" in listed
    assert "sbf-old       holds attrs at <100,>=20" in listed
    told = json.loads(sbf("plugins", "list", "--json").stdout)["bounds"]
    assert {(item["holder"], item["package"], item["fits"], item["holds_back"]) for item in told} == {
        ("sbf-old", "duckdb", False, True), ("sbf-old", "attrs", True, True), ("sbf-lost", "sbf", False, False),
        ("sbf-lost", "no-such-package", False, False),
    }  # fmt: skip
    doctor = sbf("doctor")
    assert doctor.returncode == 1
    assert re.search(r"package sbf-lost +bad +wants sbf>=99", doctor.stdout)
