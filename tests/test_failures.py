"""Kinds of failures: each means something, and no program reads the text of one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sbf_core.errors import DamageFound, FieldGone, OutOfMemory, PayloadRefused, PluginFault, UsageError
from sbf_core.failures import MEANINGS, Failure, FailureKind, failure_of, kind_of

ROOT = Path(__file__).resolve().parents[1]
#: Who reads what the engine or Python says, because they give nothing else, and rooms whose lines are a payload's.
READERS = ("sbf_core/duck/", "sbf_core/errors.py", "sbf_core/http/wire.py", "sbf_core/bronze/", "sbf_core/payload/")
#: Names under which errors, and the texts that are made of them, go.
_TEXTS = {"error", "errors", "what", "note", "notes", "reason", "why", "message", "line", "failure", "said"}


def test_each_kind_has_a_meaning() -> None:
    assert list(MEANINGS) == list(FailureKind)
    assert all(meaning and meaning[0].islower() and not meaning.endswith(".") for meaning in MEANINGS.values())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UsageError("x"), FailureKind.DECLARATION),
        (PayloadRefused("x"), FailureKind.PAYLOAD),
        (FieldGone("x", column="a", fix=""), FailureKind.FIELD_GONE),
        (PluginFault("x"), FailureKind.PLUGIN),
        (DamageFound("x"), FailureKind.DAMAGE),
        (OutOfMemory("x"), FailureKind.MEMORY),
        (ValueError("checksum"), FailureKind.BUG),
    ],
)
def test_the_kind_of_an_error_is_that_of_its_class(error: Exception, kind: FailureKind) -> None:
    assert kind_of(error) is kind
    assert failure_of(error, dataset="a/b/c").kind is kind


def test_a_failure_reads_as_its_error() -> None:
    error = PluginFault("answered None", where="plugin x", fix="give a list")
    assert str(failure_of(error, dataset="a/b/c")) == f"a/b/c: {error}"
    assert str(failure_of(ValueError("no"), table="gold.x")) == "gold.x: ValueError: no"


def test_alike_failures_are_one_line() -> None:
    alike = Failure(kind=FailureKind.HTTP_STATUS, what="HTTP 404", dataset="a/b/c", ticker="X", count=12)
    assert str(alike) == "a/b/c: HTTP 404 (12 requests, the first for X)"
    assert alike.as_dict() == {
        "kind": "http_status",
        "dataset": "a/b/c",
        "ticker": "X",
        "what": "HTTP 404",
        "count": 12,
    }


def test_a_text_of_a_vendor_stays_on_its_line() -> None:
    assert "\n" not in str(Failure(kind=FailureKind.NOT_DATA, what="a\nb\x1b[31m", dataset="a/b/c"))


def test_no_program_reads_the_text_of_a_failure() -> None:
    """``"checksum" in str(error)`` made a vendor's note a damaged disk."""
    found = []
    for path in sorted((ROOT / "sbf_core").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(READERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if _reads_a_text(node):
                found.append(f"{name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}")
    assert found == []


def _reads_a_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare) and any(isinstance(operator, (ast.In, ast.NotIn)) for operator in node.ops):
        return (
            isinstance(node.left, ast.Constant) and isinstance(node.left.value, str) and _is_told(node.comparators[0])
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("startswith", "endswith") and _is_told(node.func.value)
    return False


def _is_told(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        return _is_told(node.args[0])
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in _TEXTS
