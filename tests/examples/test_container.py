"""The Dockerfile and the compose file say what is there. No daemon is needed; with one, the image is built and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from warm_sbf import WARM

from sbf_core.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def words_of(instruction: str) -> list[str]:
    """The JSON list behind an instruction."""
    found = re.search(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None, instruction
    return list(json.loads(found[1]))


def test_extras_and_python_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.search(r"/src\[([a-z,]+)\]", DOCKERFILE)
    assert extras is not None and set(extras[1].split(",")) <= project["optional-dependencies"].keys()
    version = re.search(r"FROM python:(3\.\d+)-slim", DOCKERFILE)
    assert version is not None
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_commands_and_options_are_there() -> None:
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    assert words_of("ENTRYPOINT") == ["sbf"]
    for words in (words_of("CMD"), compose["services"]["ui"]["command"]):
        assert words[0] in COMMANDS
        told = WARM.run([words[0], "--help"], env=dict(os.environ), timeout=60).stdout
        for option in words[1:]:
            assert not option.startswith("--") or option in told, (words, option)
    ui = compose["services"]["ui"]
    assert ui["ports"] == ["127.0.0.1:8420:8420"], "the pages are for this machine alone"
    for service in compose["services"].values():
        assert (
            FOLDER / service["build"]["context"] / service["build"]["dockerfile"]
        ).resolve() == FOLDER / "Dockerfile"
        assert service["volumes"] == ["warehouse:/data"]


@pytest.mark.slow
def test_the_image_is_built_and_watches(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("there is no daemon of Docker here")
    build = [docker, "build", "-q", "-f", str(FOLDER / "Dockerfile"), str(ROOT)]
    image = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
    run = [docker, "run", "--rm", "-e", "SBF_PLUGINS=star", image, "watch", "--once"]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert done.returncode == 0 and "Nothing was due" in done.stdout, done.stderr
