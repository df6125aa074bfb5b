"""``sbf chart`` as a user meets it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hang import HANG_SECONDS


class Shell:
    """``sbf`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
        command = (
            [sys.executable, "-c", f"import sys; {before}; from sbf_core.cli.main import main; main()", *arguments]
            if before
            else [sys.executable, "-m", "sbf_core", *arguments]
        )
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS
        )


@pytest.fixture(scope="module")
def sbf(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("charts"))
    assert shell("run", "--replay", "sample").returncode == 0
    return shell


def test_charts_are_listed(sbf: Shell) -> None:
    told = json.loads(sbf("chart", "--json").stdout)["charts"]
    assert ("gold.fact_price_eod/price", "candles", "") in {(one["chart"], one["kind"], one["fault"]) for one in told}
    assert not [one for one in told if one["fault"]]
    assert "Euro reference rates" in sbf("chart").stdout


def test_a_chart_is_drawn_into_a_file(sbf: Shell) -> None:
    done = sbf("chart", "gold.fact_price_eod/price", "--series", "IBM", "--from", "2012-01-01", "--out", "price.svg")
    assert (done.returncode, done.stdout) == (0, "")
    assert "price.svg was written" in done.stderr
    picture = ElementTree.fromstring((sbf.folder / "price.svg").read_text(encoding="utf-8"))
    assert [element.text for element in picture.iter() if element.text == "Prices as traded"]
    assert sbf("chart", "volatility", "--out", "v.png", "--theme", "dark").returncode == 0
    assert (sbf.folder / "v.png").read_bytes().startswith(b"\x89PNG")
    assert sbf("chart", "index", "--out", "-").stdout.startswith("<svg")


def test_the_numbers_of_a_chart(sbf: Shell) -> None:
    done = sbf("chart", "rates", "--series", "USD", "--series", "CHF", "--from", "2020-01-01", "--to", "2020-01-03")
    assert done.stdout.splitlines() == [
        "gold.fact_fx_rate/rates: Euro reference rates (units for one euro)", "",
        "date           USD     CHF", "2020-01-03  1.1147   1.084", "2020-01-02  1.1193  1.0865",
    ]  # fmt: skip
    told = json.loads(sbf("chart", "rates", "--series", "USD", "--json", "--index").stdout)
    assert len(told["rows"]) == 7126
    assert told["rows"][-1] == {"date": "1999-01-04", "USD": 100.0}
    assert "of 7,126 points" in told["notes"][0]
    assert told["specification"]["$schema"].endswith("vega-lite/v6.json")


def test_silver_is_drawn_as_it_was_known(sbf: Shell) -> None:
    told = json.loads(sbf("chart", "ecb_reference_rate/rates", "--as-of", "2020-01-01", "--json").stdout)
    assert told["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nosuch",), "UNKNOWN_CHART"), (("price", "--out", "x.jpg"), "USAGE"),
        (("price", "--out", "nowhere/x.svg"), "USAGE"),
        (("price", "--theme", "pink"), "USAGE"), (("price", "--size", "huge"), "USAGE"),
        (("price", "--from", "soon"), "DATE"), (("price", "--as-of", "2020-01-01"), "AS_OF"),
        (("price", "--series", "NOSUCH"), "UNKNOWN_SERIES"), (("years", "--index"), "INDEX"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(sbf: Shell, arguments: tuple[str, ...], code: str) -> None:
    before = sorted(path.name for path in sbf.folder.iterdir())
    done = sbf("chart", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"sbf: error[{code}] ")
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in sbf.folder.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="the command is typed into a POSIX shell here")
def test_series_that_are_there_are_told_and_listed_as_it_says(sbf: Shell) -> None:
    told = sbf("chart", "rates", "--series", "XXX").stderr
    first, more = re.search(r"it has (.*) and (\d+) more, see", told).groups()  # type: ignore[union-attr]
    command = re.sub("^sbf", f"{sys.executable} -m sbf_core", told.split("`")[1])
    done = subprocess.run(["sh", "-c", command], cwd=sbf.folder, capture_output=True, text=True, timeout=HANG_SECONDS)
    listed = done.stdout.split()[1:]
    assert set(first.split(", ")) <= set(listed)
    assert len(listed) == len(first.split(", ")) + int(more) == 41


def test_without_the_extra_numbers_are_told_and_a_picture_says_what_to_install(sbf: Shell) -> None:
    without = "sys.modules['vl_convert'] = None"
    assert sbf("chart", "index", before=without).returncode == 0
    done = sbf("chart", "index", "--out", "i.svg", before=without)
    assert done.returncode == 2
    assert "pip install 'sbf[ui]'" in done.stderr
    assert not (sbf.folder / "i.svg").exists()
