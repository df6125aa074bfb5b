"""Settings: who wins, and what is said about a mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sbf_core.errors import UsageError
from sbf_core.settings.setting import SETTINGS
from sbf_core.settings.settings import Settings


def settings(home: Path, text: str = "", environment: dict[str, str] | None = None, **flags: Any) -> Settings:
    home.mkdir(exist_ok=True)
    if text:
        (home / "sbf.toml").write_text(text)
    return Settings(
        home, flags={name.replace("__", "."): value for name, value in flags.items()}, environment=environment or {}
    )


def test_flag_then_variable_then_file_then_default(tmp_path: Path) -> None:
    text, variable = "[run]\nworkers = 3\n", {"SBF_WORKERS": "4"}
    found = [
        settings(tmp_path),
        settings(tmp_path, text),
        settings(tmp_path, text, variable),
        settings(tmp_path, text, variable, run__workers=5),
    ]
    assert [each["run.workers"] for each in found] == [8, 3, 4, 5]
    origins = [each.resolved["run.workers"].origin for each in found]
    assert origins == ["default", str(tmp_path / "sbf.toml"), "SBF_WORKERS", "flag"]


def test_the_home_comes_from_flag_or_variable(tmp_path: Path) -> None:
    assert Settings(None, environment={"SBF_HOME": str(tmp_path)}).home == tmp_path
    assert Settings(None, environment={}).home == Path.cwd() / "sbf-data"
    assert Settings(tmp_path, environment={"SBF_HOME": "/elsewhere"}).home_origin == "flag --home"


MISTAKES = [
    ("[run]\nworkers = \n", r"not TOML: .*sbf\.toml:2:11"),
    ("[run]\nworkers = 1\nworkers = 2\n", r"not TOML: .*sbf\.toml:3:"),
    ("[run]\nworkres = 1\n", r"no setting 'run.workres'.*did you mean 'run.workers'"),
    ("workers = 1\n", "stands in no section"),
    ("[run]\nworkers = '8'\n", r"run.workers is str '8', expected int"),
    ("[run]\nworkers = true\n", "expected int"),
    ("[run]\nworkers = 0\n", r"run.workers is 0; .*use 1 to 64"),
    ("[universe]\ntickers = [1]\n", "holds int 1, expected texts"),
    ("[bronze]\nfsync = 'bach'\n", "did you mean 'batch'"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_in_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        settings(tmp_path, text)


@pytest.mark.parametrize("content", [b"\xff\xfe[\0r\0", b"# " + b"x" * (1 << 20)])
def test_files_that_are_no_settings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sbf.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"UTF-8|bytes"):
        settings(tmp_path)


@pytest.mark.parametrize("value", ["abc", "-1", "1e9", "65"])
def test_mistakes_in_a_variable(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="SBF_WORKERS"):
        settings(tmp_path, environment={"SBF_WORKERS": value})


def test_the_universe_has_one_source(tmp_path: Path) -> None:
    both = "[universe]\ntickers = ['A']\nquery = 'SELECT 1'\n"
    with pytest.raises(UsageError, match=r"two sources: universe\.tickers and universe\.query"):
        _ = settings(tmp_path, both).universe
    assert settings(tmp_path, both, universe__tickers=("B",)).universe.tickers == ("B",)
    assert settings(tmp_path, "[universe]\nfile = 'my.txt'\n").universe.file == tmp_path / "my.txt"
    assert settings(tmp_path / "empty").universe.origin == ""


def test_every_setting_has_its_own_variable() -> None:
    variables = [setting.variable for setting in SETTINGS]
    assert len(set(variables)) == len(variables)
    assert all(setting.doc for setting in SETTINGS)


@pytest.mark.parametrize("value", ["true", "nan", "512", "0x10 MB", "1_0MB", "99999999TB", "-1GB", "1 GB x", "\udcff"])
def test_a_limit_of_memory_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match=r"duckdb.memory_limit is .*; write it as 512MB") as raised:
        Settings(tmp_path, environment={"SBF_MEMORY_LIMIT": value})
    assert raised.value.line().isascii()


@pytest.mark.parametrize("value", ["512MB", "1.5 GiB", "80%", "2gb", "300000000B"])
def test_a_limit_of_memory_is_one_that_the_engine_takes(tmp_path: Path, value: str) -> None:
    settings = Settings(tmp_path, environment={"SBF_MEMORY_LIMIT": value})
    duckdb.connect(config={"memory_limit": settings.config.memory_limit}).close()


def test_brackets_without_end_are_no_bug(tmp_path: Path) -> None:
    (tmp_path / "sbf.toml").write_text("x = " + "[" * 3000 + "]" * 3000)
    with pytest.raises(UsageError, match="brackets without end"):
        Settings(tmp_path, environment={})


def test_variables_that_texts_name_are_there() -> None:
    """What a line tells somebody to set does something."""
    core = Path(__file__).resolve().parents[2] / "sbf_core"
    named = {name for path in core.rglob("*.py") for name in re.findall(r"SBF_[A-Z_]+", path.read_text("utf-8"))}
    of_no_setting = {"SBF_HOME", "SBF_DEBUG", "SBF_NOW", "SBF_TESTING", "SBF_FAULT", "SBF_FAULT_MARK"}
    assert named - of_no_setting == {setting.variable for setting in SETTINGS}
