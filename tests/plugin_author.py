"""Somebody who makes plugins at a command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from hang import HANG_SECONDS
from warm_sbf import WARM

from sbf_core.testing.kit import CHECKS


class Author:
    """Somebody at a command line, in a folder of theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("SBF_")} | {
            "PYTHONPATH": os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])
        }

    def run(self, *command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            **more,
        )

    def sbf(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return WARM.run(arguments, cwd=self.folder, env=self.environment, timeout=HANG_SECONDS)

    def new(self, *arguments: str) -> str:
        done = self.sbf("plugins", "new", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, package: str) -> None:
        plain = [
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--disable-pip-version-check",
            "--target",
            str(self.site),
        ]
        done = self.run("-m", "pip", "install", *plain, f"./{package}")
        assert done.returncode == 0, done.stderr

    def test(self, package: str) -> str:
        done = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", package)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def rows(self, query: str) -> Any:
        return json.loads(self.sbf("sql", query, "--json").stdout)["rows"]


def settle(author: Author, name: str) -> int:
    """Take out the marks of what was decided without being sure, as an author who agrees does; how many there were."""
    module = author.folder / f"sbf-{name.replace(chr(95), chr(45))}" / f"sbf_{name}" / "plugin.py"
    text, count = re.subn(r"(?m)^ *# unsure: .*\n|  # unsure: .*$", "", module.read_text(encoding="utf-8"))
    module.write_text(text, encoding="utf-8")
    return count


def place(author: Author, name: str) -> None:
    """Put a package where it is found, as pip does that takes ten times as long."""
    package = author.folder / f"sbf-{name.replace('_', '-')}"
    facts = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(package / f"sbf_{name}", author.site / f"sbf_{name}", dirs_exist_ok=True)
    info = author.site / f"sbf_{name}-0.1.0.dist-info"
    info.mkdir(exist_ok=True)
    readme = (package / "README.md").read_text(encoding="utf-8")
    head = f"Metadata-Version: 2.4\nName: {facts['name']}\nVersion: 0.1.0\nLicense-Expression: {facts['license']}\n"
    (info / "METADATA").write_text(f"{head}\n{readme}", encoding="utf-8")
    points = "".join(
        f"[{group}]\n" + "".join(f"{word} = {where}\n" for word, where in named.items())
        for group, named in facts["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points, encoding="utf-8")


def fills_silver(author: Author, name: str, count: int) -> None:
    """Its sample becomes so many rows."""
    place(author, name)
    done = author.sbf("run", "--plugins", name, "--replay", "sample")
    assert done.returncode == 0, done.stderr
    assert author.rows(f"SELECT count(*) AS n FROM silver.{name}") == [{"n": count}]


def is_sound(author: Author, name: str, count: int) -> None:
    """It passes the kit once its marks are settled, and its sample fills silver."""
    settle(author, name)
    fills_silver(author, name, count)
    done = author.sbf("plugins", "check", name)
    assert done.returncode == 0, done.stdout + done.stderr


def is_whole(author: Author, name: str, count: int) -> None:
    """It installs, its tests pass once its marks are settled, and its sample fills silver."""
    package = f"sbf-{name}"
    settle(author, name)
    author.install(package)
    assert re.search(rf"\b{len(CHECKS) + 1} passed", author.test(package))
    done = author.sbf("run", "--plugins", name, "--replay", "sample")
    assert done.returncode == 0, done.stderr
    assert author.rows(f"SELECT count(*) AS n FROM silver.{name}") == [{"n": count}]
    cache = author.folder.parent / "mypy"  # what it knows of sbf it need not find out for each package
    strict = author.run("-m", "mypy", "--strict", "--cache-dir", str(cache), f"{package}/sbf_{name}")
    assert strict.returncode == 0, strict.stdout
    style = author.run("-m", "ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B", "--line-length", "180", package)
    assert style.returncode == 0, style.stdout
