"""The house stays in order: layers, sizes, empty rooms' doors, one place that opens a connection."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sbf_core.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for top in ("sbf_core", "sbf_plugins") for path in (ROOT / top).rglob("*.py"))
MODULE_LINES_MAX = 340
#: Of what it does, without its signature and its docstring: the options of a command are a list, and no code.
FUNCTION_LINES_MAX = 60
#: The facade and its repo mirror the signatures of the design, each with a docstring.
LONGER = {"sbf_core/ops/service.py": 390, "sbf_core/ops/repo.py": 425}


def test_imports_go_downwards_only() -> None:
    """The contracts stand in pyproject.toml."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    assert len(text.splitlines()) <= LONGER.get(name, MODULE_LINES_MAX)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            done = node.body[ast.get_docstring(node) is not None :] or node.body
            assert done[-1].end_lineno is not None
            assert done[-1].end_lineno - done[0].lineno < FUNCTION_LINES_MAX, f"{name}: {node.name}"


def test_plugins_see_the_public_surface_only() -> None:
    """Whatever else of the core a plugin used would be public by that."""
    for path in [*(ROOT / "sbf_plugins").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        used = {name for name in _imported(path) if name.partition(".")[0] == "sbf_core"}
        assert used <= {"sbf_core.api", "sbf_core", "sbf_core.testing"}, path


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return whole | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_only_ops_writes_the_ledger() -> None:
    """No SQL of another room writes the schema ``ops``; migrations make its tables."""
    writes = re.compile(
        r"(INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE)\s+ops\.", re.IGNORECASE
    )
    for path in MODULES:
        texts = [
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith("sbf_core/ops/") and place != "sbf_core/duck/migrate.py":
            assert not any(writes.search(text) for text in texts), path


def test_rooms_have_empty_doors() -> None:
    for path in MODULES:
        if path.name == "__init__.py" and path.parent.parent.name in ("sbf_core", "sbf_plugins"):
            assert path.read_text() == "", path


def test_only_duck_opens_a_connection() -> None:
    for path in MODULES:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        opening = [
            call
            for call in calls
            if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "duckdb.connect"
        ]
        assert not opening or path.parent.name == "duck", path


def test_only_child_begins_a_process() -> None:
    """Every process of ours is a group that ends whole, however it was begun."""
    begins = {("subprocess", name) for name in ("Popen", "run", "call", "check_call", "check_output")}
    begins |= {("os", name) for name in ("fork", "system", "posix_spawn", "popen")}
    for path in MODULES:
        calls = [
            node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        ]
        found = [
            (func.value.id, func.attr)
            for func in calls
            if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
        ]
        assert not begins & set(found) or path.parent.name == "child", path


def test_the_public_surface_is_sorted_and_whole() -> None:
    import sbf_core.api as api

    assert list(api.__all__) == sorted(api.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    public = {name for name in dir(api) if not name.startswith(("_", "@"))} - {"annotations", "TYPE_CHECKING"}
    assert public == set(api.__all__)
    assert all(getattr(api, name) is not None for name in api.__all__)


def test_help_and_a_run_with_nothing_due_import_little() -> None:
    """Start-up time is a promise; what it costs is decided by what is imported."""
    script = "import sys; from sbf_core.cli.app import application; application(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    for name in ("duckdb", "cattrs", "aiohttp", "rich", "pluggy", "stamina"):
        assert name not in loaded
    script = "import sys, sbf_core.cli.commands.run; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    others = ("mcp", "pydantic", "apprise", "nanoarrow", "xlsxwriter", "prometheus_client", "requests")
    for name in ("aiohttp", "rich", "stamina", "pyrate_limiter", "cattrs", "pandas", "pyarrow", *others):
        assert name not in loaded


@pytest.mark.parametrize("command", ["alert", "export", "watch", "schedule_install", "status", "mcp"])
def test_a_library_is_loaded_where_it_is_used(command: str) -> None:
    script = f"import sys, sbf_core.cli.commands.{command}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    for name in ("mcp", "pydantic", "apprise", "nanoarrow", "xlsxwriter", "prometheus_client", "requests", "starlette"):
        assert name not in loaded


def test_a_run_that_reads_files_loads_no_client() -> None:
    """It takes 150 ms of the processor."""
    script = "import sys, sbf_core.http.live, sbf_core.http.vendor_session; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    for name in ("aiohttp", "truststore", "stamina"):
        assert name not in loaded


def test_identities_are_put_together_in_one_place() -> None:
    """The ledger keeps them; fourteen places of SQL in two notations put them together before."""
    for path in sorted((ROOT / "sbf_core").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"'@' \|\| *(\w+\.)?discriminator|concat_ws\('/'|domain *(,|\|\|) *'/'", text)
        assert found is None or path.relative_to(ROOT).as_posix() == "sbf_core/duck/identity.py", path


def test_commands_for_a_person_stand_between_backticks() -> None:
    """So that the command line can name the home in each of them; ``print`` does not, ``say`` of ``cli/render`` does.

    What is a command and nothing else is ``Problem.fix`` or ``Fault.fix``, or printed as one.
    """
    command = re.compile(rf"(?<![\w.])sbf ({'|'.join(COMMANDS)})(?![\w.])")
    for path in MODULES:
        for text, is_fix in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            bare = command.search(re.sub(r"`[^`]*`", "", text))
            assert not bare or (not is_fix and text.strip().startswith("sbf ")), (path, text)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                assert "`sbf " not in ast.unparse(node), (path, ast.unparse(node))


def test_what_may_be_one_is_counted() -> None:
    """By ``counted``, and not by a plural behind a number: "1 payloads"."""
    nouns = "payloads|tables|rows|files|days|datasets|members|requests|findings|stretches|runs|places|journals|answers"
    plural = re.compile(rf"^ ((gold|silver|more|journalled|rejected|settled) )*({nouns})\b")
    rooms = (
        "cli",
        "care",
        "fetching",
        "gold",
        "home",
        "ops",
        "plan",
        "recovery",
        "reports",
        "runner",
        "silver",
        "testing",
        "web",
    )
    found = set()
    for path in (
        path for path in MODULES if path.relative_to(ROOT).parts[:2] in {("sbf_core", room) for room in rooms}
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for one, after in (
                zip(node.values, node.values[1:], strict=False) if isinstance(node, ast.JoinedStr) else ()
            ):
                noun = plural.search(after.value) if isinstance(after, ast.Constant) else None
                found |= {ast.unparse(one.value) + noun[0]} if noun and isinstance(one, ast.FormattedValue) else set()
    several = {"len(matches) datasets", "len(paths) payloads", "len(places) rows", "len(fits) runs"}
    assert found == several | {"total rows", "total payloads", "hours / 24 days"}, "they are two at least"
    placed = re.compile(rf"\| number }}}}(?:</b>)? (?:(?:gold|more) )?(?:{nouns}|steps)\b")
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "sbf_core" / "web" / "templates").glob("*.html")]
    assert {match for text in pages for match in placed.findall(text)} == {"| number }} rows"}, (
        "of all rows, and a bound"
    )


def _texts(node: ast.AST, *, is_fix: bool = False) -> Iterator[tuple[str, bool]]:
    """The texts of a module that are no docstrings and no help, and whether each is the ``fix`` of an error."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in part.values), is_fix
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value, is_fix
        elif isinstance(part, ast.Call) and ast.unparse(part.func).startswith(("Problem", "Fault", "typer.")):
            continue
        elif not isinstance(part, ast.Expr) or not isinstance(part.value, ast.Constant):
            yield from _texts(part, is_fix=isinstance(part, ast.keyword) and part.arg == "fix")
