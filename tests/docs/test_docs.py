"""The docs are true: the reference is what the code says, and every sample runs."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import attrs
import make_guarantees
import make_reference
import pytest
import recorded
import typer
from hang import HANG_SECONDS
from pytest_httpserver import HTTPServer
from warm_sbf import WARM

from sbf_core import api
from sbf_core.cli.app import whole_application
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.settings import Settings
from sbf_core.testing.scratch import ScratchHome

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(
    r"<!-- (?P<kind>test|file|replace|shown|vendor): (?P<what>.+?) -->\n(?:```(?P<language>\w+)\n(?P<body>.*?)\n```)?",
    flags=re.DOTALL,
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", make_reference.PAGES)
def test_the_reference_is_what_the_code_says(page: str) -> None:
    kept = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    assert kept == make_reference.HEAD + make_reference.PAGES[page](), "run python tests/docs/make_reference.py"


_DATED = [api.Column(name="rate", type="DOUBLE", key=True), api.Column(name="date", type="DATE", row_date=True)]


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in make_reference.EXAMPLES.items() for field in fields]
)
def test_the_example_of_a_field_can_be_written(kind: str, field: str) -> None:
    """In a declaration that is otherwise as short as can be, with what the field wants beside it."""
    names = {
        **{name: getattr(api, name) for name in api.__all__},  # some are loaded only once they are asked for
        "dt": dt,
        "Rate": [
            api.Column(name="currency", type="VARCHAR", key=True),
            api.Column(name="rate", type="DOUBLE"),
            api.Column(name="date", type="DATE"),
        ],
    }
    least = {
        "DatasetKeymapEntry": {
            "domain": "fx", "source": "ecb", "dataset": "rates", "silver_table": "rates", "columns": names["Rate"],
        },
        "Column": {
            "name": "rate", "type": "TIMESTAMP" if field in ("date_format", "zone", "fold", "epoch") else "DOUBLE",
        },
        "FixedWidth": {"fields": (("a", 0, 4),)},
        "RestRecipe": {"url": "https://example.com/{ticker}"}, "FileRecipe": {"path": "a.csv"},
        "SqlRecipe": {"connection": "postgresql://reader@db/shop", "query": "SELECT 1 AS id"},
        "SingerRecipe": {"command": ("tap-shop",), "stream": "users"},
        "ForEach": {"query": "SELECT id FROM silver.filings", "key": ("id",)},
        "ExpectedBy": {"hour": "18:30", "zone": "UTC"}, "Poll": {"header": "Location"}, "Cells": {"cells_max": 1},
        "Cursor": {"by": "moment"}, "Pages": {"by": "page", "parameter": "page"},
        "GoldModel": {"name": "fact_rate", "key": ("currency",), "sql": "SELECT 1 AS currency"},
        "GoldSource": {"table": "silver.a"}, "UniverseMember": {"ticker": "AAPL"},
        "NotNull": {"column": "a"}, "AcceptedRange": {"column": "a"}, "Unique": {"columns": ("a",)},
        "ForeignKey": {"columns": ("a",), "to": "b", "to_columns": ("a",)},
        "Chart": {"name": "rates", "x": "date", "y": "rate"},
        "ClientCredentials": {"token_url": "https://a.example/", "client_id": "A", "client_secret": "B"},
        "RefreshToken": {"token_url": "https://a.example/", "client_id": "A", "refresh_token": "B"},
        "Login": {"url": "https://a.example/", "secrets": {"a": "A"}, **({} if field == "form" else {"json": {}})},
        "Signature": {"secret": "A", "key": "B", "headers": {"x": "{signature}"}},
    }  # fmt: skip
    beside = {
        "spec": {"kind": "own"},
        "members": {"scope": "per_ticker"},
        "for_each": {"scope": "per_ticker"},
        "each": {"path": "drops/*.csv"},
        "parts": {"path": "drops/*.csv", "each": "file"} if kind == "FileRecipe" else {},
        "quiet_seconds": {"path": "drops/*.csv", "each": "file"},
        "archive": {"recipe": api.FileRecipe(path="a.zip", extension="zip")},
        "overlap": {"by": "number", "column": "id", "first": "0"},
        "options": {"path": "s3://bucket/drops/*.csv", "each": "file"},
        "restated_column": {"lookback_days": 5, "columns": _DATED},
        "restated": {"lookback_days": 5, "columns": _DATED},
        "answers": {"columns": _DATED},
        "periods": {"url": "https://example.com/{ticker}/{period}"},
        "date_format": {"zone": "UTC"} if kind == "Column" else {},
        "fold": {"zone": "Europe/Paris"},
        "cells": {"url": "https://example.com/{dim.region}"} if kind == "RestRecipe" else {"header": 4},
        "cursor": {"url": "https://example.com/{ticker}?since={cursor}"},
        "body": {"content_type": "text/xml"},
        "content_type": {"body": "<query/>"},
        "secret_body": {"form": {}},
        "further_keys": {"secrets": {"apikey": "EXAMPLE_API_KEY"}},
    }
    more = (
        {"by": {"next_at": "next"}, "short_page_ends": {"size": 100}, "size_parameter": {"size": 100}}
        if kind == "Pages"
        else {}
    )
    more |= (
        {"by": {"at": "next"}, "at": {"by": "token"}, "first": {"by": "token", "at": "next"}}
        if kind == "Cursor"
        else {}
    )
    more |= {"secrets": beside["options"]} if kind == "FileRecipe" else {}
    more |= (
        {"at": {"header": ""}, "status_at": {"done": ("x",)}, "done": {"status_at": "x"}}
        | {"failed": {"status_at": "x", "done": ("x",)}}
        if kind == "Poll"
        else {}
    )
    if kind == "SqlRecipe":
        more = {"query": {"cursor": api.Cursor(by="moment")}}
        beside["cursor"] = {"query": "SELECT 1 WHERE 1 > {cursor}"}
    value = eval(make_reference.EXAMPLES[kind][field], dict(names))
    made = getattr(api, kind)(**{**least.get(kind, {}), **beside.get(field, {}), **more.get(field, {}), field: value})
    assert getattr(made, field) != attrs.fields_dict(type(made))[field].default


def test_every_field_has_an_example() -> None:
    for kind in make_reference.DECLARED:
        names = {name for name in attrs.fields_dict(kind) if not name.startswith("_")}
        assert names == set(make_reference.EXAMPLES[kind.__name__]), kind


def test_the_guarantees_are_made_from_figures() -> None:
    facts = json.loads(make_guarantees.KEPT.read_text(encoding="utf-8"))
    assert make_guarantees.PAGE.read_text(encoding="utf-8") == make_guarantees.page(facts), (
        "run python tests/docs/make_guarantees.py"
    )
    assert facts["noticed"] == facts["broken"], "a promise was broken and nobody noticed"


def test_every_promise_names_tests_that_are_there() -> None:
    for _, _, _, names in make_guarantees.PROMISES:
        assert all((ROOT / name).exists() for name in names)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    for name in re.findall(
        r"`((?:tests|sbf_core|sbf_plugins|docs)/[\w/.-]+)`", (ROOT / page).read_text(encoding="utf-8")
    ):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "<!-- test: console -->" in (ROOT / page).read_text(encoding="utf-8")]
)
def test_the_samples_run_as_they_stand(page: str, tmp_path: Path, httpserver: HTTPServer) -> None:
    vendor = NoVendor()
    for step in STEP.finditer((ROOT / page).read_text(encoding="utf-8")):
        if step["kind"] == "file":
            target = tmp_path / step["what"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step["body"] + "\n", encoding="utf-8")
        elif step["kind"] == "shown":
            text = vendor.shown((tmp_path / step["what"]).read_text(encoding="utf-8"))
            assert text.endswith(f"\n{step['body']}\n"), text
        elif step["kind"] == "vendor":
            vendor = Vendor(step["what"], httpserver)
        elif step["kind"] == "replace":
            name, old, new = re.fullmatch(r"(\S+): (.+) -> (.+)", step["what"]).groups()  # type: ignore[union-attr]
            text = (tmp_path / name).read_text(encoding="utf-8")
            assert old in text
            (tmp_path / name).write_text(text.replace(old, new), encoding="utf-8")
            installed = tmp_path / ".site" / Path(name).name  # what is installed with -e changes with its file
            if installed.exists():
                installed.write_text(text.replace(old, new), encoding="utf-8")
                shutil.rmtree(installed.parent / "__pycache__", ignore_errors=True)  # of one size, and of one second
        else:
            _console(step["body"], tmp_path, vendor)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_runs_pytest_says_where_it_comes_from(page: str) -> None:
    """sbf does not depend on it."""
    before, runs, _ = (ROOT / page).read_text(encoding="utf-8").partition("$ python -m pytest")
    assert not runs or re.search(r"^\$ pip install .*(\[test\]|pytest)", before, flags=re.MULTILINE)


class NoVendor:
    """A page whose commands reach nobody."""

    environment: dict[str, str] = {}

    def asked(self, command: str) -> str:
        return command

    def shown(self, text: str) -> str:
        return text


class Vendor(NoVendor):
    """A recorded answer in the place of a vendor: commands and outputs name the vendor,
    what runs asks a local server.
    """

    environment = {
        "SBF_TESTING": "1",
        "SBF_NOW": "2026-11-24T12:00:00+00:00",
    }  # the page asks for the years until today

    def __init__(self, what: str, server: HTTPServer) -> None:
        found = re.fullmatch(r"(https://[^/]+)(\S+): (\S+)", what)
        assert found is not None
        self._real, self._local = found[1], server.url_for("")
        (row,) = recorded.entries(vendor=found[3])
        server.expect_request(found[2]).respond_with_data(recorded.payload(row), content_type="application/json")

    def asked(self, command: str) -> str:
        return command.replace(self._real, self._local)

    def shown(self, text: str) -> str:
        name = self._real.split(".")[-2]
        return (
            text.replace(self._local, self._real)
            .replace("/local/", f"/{name}/")
            .replace('source="local"', f'source="{name}"')
        )


BLOCKS = [
    (page, number, block)
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    )
]


@pytest.mark.parametrize(("page", "number", "block"), BLOCKS, ids=[f"{page}-{number}" for page, number, _ in BLOCKS])
def test_the_code_on_a_page_declares_what_it_says(page: str, number: int, block: str, tmp_path: Path) -> None:
    """Each block stands alone; one that declares datasets is asked for them."""
    names: dict[str, object] = {"__name__": f"sample{number}"}
    module = sys.modules[f"sample{number}"] = types.ModuleType(f"sample{number}")
    exec(compile(block, page, "exec", dont_inherit=True), names)
    for name, test in list(names.items()):
        if name.startswith("test_") and "sbf_home" in getattr(test, "__annotations__", {}):  # a test of an author's own
            test(ScratchHome(tmp_path / name))  # type: ignore[operator]
    declare = names.get("datasets")
    if callable(declare):
        manager = PluginManager(())
        module.datasets = declare  # type: ignore[attr-defined]
        manager.register(module, name="sample")
        assert len(DatasetRegistry(manager).datasets) >= 1
        assert manager.records["sample"].state == "loaded", manager.records["sample"].reason


def _console(block: str, folder: Path, vendor: NoVendor) -> None:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        command, _, note = command.partition("   # ")
        got = vendor.shown(
            _run(
                shlex.split(vendor.asked(command)),
                folder,
                vendor.environment,
                ends_with=1 if note == "ends with 1" else 0,
            )
        )
        wanted = wanted + "\n" if wanted and not wanted.endswith("\n") else wanted
        matches = doctest.OutputChecker().check_output(
            wanted, got, doctest.ELLIPSIS | (doctest.NORMALIZE_WHITESPACE if isinstance(vendor, Vendor) else 0)
        )
        assert matches, f"$ {command}\nwanted:\n{wanted}\ngot:\n{got}"


def _run(command: list[str], folder: Path, more: dict[str, str], *, ends_with: int = 0) -> str:
    both = command[-1] == "2>&1"
    command = command[:-1] if both else command
    site = folder / ".site"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SBF_")}
    environment |= {"PYTHONPATH": str(site), **more}
    if command[:2] == ["pip", "install"]:  # into a folder of the test's own, from what is here: a test reaches no index
        plain = [
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--disable-pip-version-check",
            "--target",
            str(site),
        ]
        full = [
            sys.executable,
            "-m",
            "pip",
            "install",
            *plain,
            str(folder / command[-1].partition("[")[0]),  # what extras bring is here already
        ]  # `-e` would leave traces in the folder
    elif command[0] == "rm":
        target = folder / command[-1]
        shutil.rmtree(target) if command[1] == "-r" else target.unlink()
        return ""
    elif command[0] == "python":
        full = [sys.executable, *command[1:]]
    else:
        full = command
    if command[0] == "sbf":
        done = WARM.run(command[1:], cwd=folder, env=environment, timeout=HANG_SECONDS)
    else:
        done = subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS)
    assert done.returncode == ends_with or (done.returncode == 3 and command[1] == "verify"), done.stderr
    return "" if command[0] == "pip" else done.stdout + (done.stderr if both else "")


def test_every_command_shows_an_example() -> None:
    text = make_reference.commands()
    for section in text.split("\n## sbf ")[1:]:
        assert re.search(r"Examples?: sbf ", section), section.splitlines()[0]


def test_every_hook_and_every_table_is_described() -> None:
    from sbf_core.plugin import hookspecs

    declared = {name for name, value in vars(hookspecs).items() if hasattr(value, "sbf_spec")}
    assert declared == set(make_reference.HOOKS)
    for name in declared:
        assert getattr(hookspecs, name).__doc__


def test_each_bundled_plugin_has_a_readme_that_names_its_source() -> None:
    for path in sorted((ROOT / "sbf_plugins").glob("*/plugin.py")):
        readme = path.parent / "README.md"
        assert readme.exists(), path.parent.name
        assert "Source" in readme.read_text(encoding="utf-8")


def test_the_example_of_promote_reads_both_shapes(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(make_reference.HOOK_EXAMPLES["promote"], names)
    assert list(names["parse"](b'{"rates": {"2024-01-02": {"USD": 1.09}}}')) == [
        {"day": "2024-01-02", "currency": "USD", "rate": 1.09}
    ]
    select = names["promote"](None, types.SimpleNamespace(extension="csv")).sql
    with ScratchHome(tmp_path / "home").working() as (cursor, _):
        cursor.execute(
            "CREATE TEMP TABLE batch AS SELECT 'f' AS _file, '2024-01-02' AS day, '1.09' AS USD, '0.86' AS GBP"
        )
        assert cursor.execute(select + " ORDER BY 3").fetchall() == [
            ("f", "2024-01-02", "GBP", "0.86"),
            ("f", "2024-01-02", "USD", "1.09"),
        ]


def _blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page, block)
        for page in PAGES
        for block in re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "block"), _blocks("toml"))
def test_toml_on_a_page_is_read(page: str, block: str, tmp_path: Path) -> None:
    """What a page says about ``sbf.toml`` is settings that there are; the rest is a pyproject.toml."""
    if set(tomllib.loads(block)) & {"project", "build-system"}:
        return
    (tmp_path / "sbf.toml").write_text(block, encoding="utf-8")
    settings = Settings(tmp_path, environment={})
    assert (
        settings.options
        or settings.ticker_names
        or settings.expected_by
        or settings.alerts
        or any(str(tmp_path) in found.origin for found in settings.resolved.values())
    )


@pytest.mark.parametrize(("page", "block"), _blocks("sh"))
def test_commands_in_a_shell_block_are_there(page: str, block: str) -> None:
    """They need a vendor, or an empty machine; that there are such commands with such options is seen without."""
    commands = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in make_reference._walk(typer.main.get_command(whole_application()), "sbf")
    }
    for line in re.findall(r"(?:^|/)(sbf .+?)(?: && .*)?$", block, flags=re.MULTILINE):
        words = shlex.split(line)
        name = " ".join(words[:3]) if words[1] == "plugins" else " ".join(words[:2])
        assert {word for word in words if word.startswith("--")} <= commands[name], line
