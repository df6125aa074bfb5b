"""``sbf datasets --search`` as it is typed: lines that work when pasted, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warm_sbf import WARM


class Shell:
    """``sbf`` in a folder of its own, in processes that have everything imported."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "sbf-data"

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
        return WARM.run(arguments, env=environment, timeout=HANG_SECONDS, cwd=self.folder)


@pytest.fixture
def sbf(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def pasted(shell: Shell, text: str, name: str) -> str:
    """Does with ``sbf.toml`` what a line says of an offer; returns the command to go on with."""
    said = re.search(rf"^{re.escape(name)}: (.*)\n((?:    .*\n)+)", text, re.MULTILINE)
    assert said is not None, text
    lines = "\n".join(line[4:] for line in said[2].splitlines()) + "\n"
    path = shell.home / "sbf.toml"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if "in the place of" in said[1]:
        (table,) = re.findall(r"in the place of (\[.*?\]),", said[1])
        before = before[: before.index(table)]
    else:
        assert "append to sbf.toml" in said[1]
    path.parent.mkdir(exist_ok=True)
    path.write_text(before + lines, encoding="utf-8")
    return re.findall(r"`sbf (.*?)`", said[1])[-1]


def test_the_lines_work_when_pasted(sbf: Shell) -> None:
    command = pasted(sbf, sbf("datasets", "--search", "euro area yield curve AAA").stdout, "ECB/YC")
    planned = sbf(*command.replace("run", "plan", 1).split(), "--json")
    assert [one["dataset"] for one in json.loads(planned.stdout)["requests"]] == ["statistics/ecb/yc"]
    command = pasted(sbf, sbf("datasets", "--search", "€STR").stdout, "ECB/EST")
    assert command.endswith("--select statistics/ecb/est")
    had = json.loads(sbf("datasets", "--search", "sdmx", "--json").stdout)
    assert {one["dataset"] for one in had["datasets"]} == {"statistics/ecb/yc", "statistics/ecb/est"}
    assert {one["state"] for one in had["datasets"]} == {"ready"}


def test_what_is_found_as_json(sbf: Shell) -> None:
    found = json.loads(sbf("datasets", "--search", "yield curve", "--cost", "free", "--limit", "2", "--json").stdout)
    assert [(one["dataset"], one["place"]) for one in found["datasets"]] == [("rates/treasury/par_yield_curve", 1)]
    (offer,) = found["offers"]
    assert (offer["id"], offer["place"], offer["state"]) == ("ECB/YC", 2, "offered")
    assert (offer["region"], offer["frequency"], offer["cost"]) == (["EZ"], ["day"], "free")
    assert offer["lines"][0] == "[options.sdmx]"
    assert offer["command"] == "sbf run --plugins sdmx --select statistics/ecb/yc"
    assert found["total"] > 2
    assert "fred" in found["can_be_asked"]
    assert not sbf.home.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--region", "nowhere"], "there is no region 'nowhere'"),
        (["--frequency", "dayly"], "did you mean 'day'"),
        (["--cost", "cheap"], "use free, free with key or paid"),
        (["--search", "x", "--ask", "frd"], "did you mean 'fred'"),
        (["--ask", "fred"], "add --search WORDS"),
        (["--search", "x", "--plugins", "nosuch"], "there is no plugin 'nosuch'"),
        (["ecb", "--cost", "free"], "one dataset is named, and others are searched for; --cost"),
    ],
)
def test_mistakes(sbf: Shell, arguments: list[str], said: str) -> None:
    done = sbf("datasets", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not sbf.home.exists()


def test_equal_terms_stand_once(sbf: Shell) -> None:
    lines = sbf("datasets", "--plugins", "frenchlib").stdout.splitlines()
    assert len([line for line in lines if "frenchlib/" in line]) > 1
    assert len([line for line in lines if "Copyright" in line]) == 1
    found = sbf("datasets", "--search", "curve", "--limit", "1").stdout
    assert re.search(r"The first 1 of \d+; --limit shows more\.", found)
