"""A dlt resource as a dataset: the real dlt, beside sbf in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "sbf-of-dlt"
version = "0.1.0"

[project.entry-points."sbf.plugins"]
users = "sbf_of_dlt"

[tool.hatch.build.targets.wheel]
only-include = ["sbf_of_dlt.py"]
"""
PLUGIN = '''
"""Users of a dlt resource."""
import datetime as dt
import attrs
import dlt
from sbf_core.api import DatasetKeymapEntry, column, fetch_rows, hookimpl


@dlt.resource(primary_key="id")
def users(day=dlt.sources.incremental("day")):
    yield [{"id": 1, "day": "2024-01-02", "tags": ["a", "b"]}, {"id": 2, "day": "2023-01-02"}]
    yield {"id": 3, "day": "2024-02-02", "noise": 1}


@attrs.frozen
class User:
    id: int = column(key=True)
    day: dt.date = column(row_date=True)
    tags: str | None = column()


@hookimpl
def datasets():
    return [DatasetKeymapEntry(domain="crm", source="app", dataset="users", silver_table="app_user", columns=User,
                               first_date=dt.date(2024, 1, 1))]


@hookimpl
def fetch(entry, request, http):
    rows = users(day=dlt.sources.incremental("day", initial_value=str(request.from_date)))
    address = f"users since {request.from_date}"
    return fetch_rows(entry, request, http, lambda: rows, address=address, names=("id", "day", "tags"))
'''


@pytest.mark.slow
def test_a_resource_of_dlt_is_a_dataset(tmp_path: Path) -> None:
    place, package = tmp_path / "env", tmp_path / "sbf-of-dlt"
    package.mkdir()
    (package / "pyproject.toml").write_text(PACKAGE)
    (package / "sbf_of_dlt.py").write_text(PLUGIN)
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [place / "bin" / "pip", "install", "-q", ROOT, "dlt==1.31.0", package]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"dlt cannot be installed here: {done.stderr.splitlines()[-1]}")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SBF_")},
        "NO_COLOR": "1",
    }

    def sbf(*arguments: str) -> str:
        command = [place / "bin" / "sbf", *arguments]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    told = json.loads(sbf("run", "--plugins", "users", "--json"))
    assert (told["status"], told["rows_inserted"]) == ("ok", 2), "from the first day on"
    rows = sbf("sql", "SELECT id, day, tags FROM silver.app_user ORDER BY id", "--format", "csv")
    assert rows.splitlines()[1:] == ['1,2024-01-02,"[""a"",""b""]"', "3,2024-02-02,"]
    sbf("rebuild")
    assert sbf("sql", "SELECT id, day, tags FROM silver.app_user ORDER BY id", "--format", "csv") == rows
