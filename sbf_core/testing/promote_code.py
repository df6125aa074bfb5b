"""The code of a plugin's hook ``promote``, as a hash that is kept beside its recording.

sbf sees declarations, and not what Python does: an author who makes the hook read otherwise says so by raising
``promote_version``. Whether he has forgotten it cannot be known; that the code has changed can.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import cattrs

from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.errors import UsageError
from sbf_core.testing.subject import Subject
from sbf_core.value import Value

_CONSTANTS = (str, bytes, int, float, tuple, list, dict, set, frozenset, re.Pattern)


@attrs.frozen(kw_only=True)
class PromoteCode(Value):
    """What is kept of a hook.

    Attributes:
        code: 16 hex digits over its source, and over that of what it calls in its package, with the constants that
            these use; comments, docstrings and empty lines do not count, files that it reads neither.
        versions: ``promote_version`` of each dataset, by its identity.
    """

    code: str
    versions: dict[str, int]


def promote_code(subject: Subject) -> PromoteCode:
    """What stands there now."""
    hook = inspect.unwrap(subject.module.promote)
    parts = sorted(_reached(getattr(hook, "__func__", hook), subject.module))
    return PromoteCode(
        code=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16],
        versions={entry.id: entry.promote_version for entry in subject.entries},
    )


def _reached(hook: Any, holder: Any) -> Iterator[str]:
    """Sources of the hook and of what it names, again and again: functions and classes of its package, constants."""
    package = str(hook.__module__).rpartition(".")[0] or str(hook.__module__)
    waiting, seen = [hook], set()
    while waiting:
        code = waiting.pop()
        if id(code) in seen:
            continue
        seen.add(id(code))
        try:
            yield _source(code)
        except (OSError, TypeError):
            continue  # it was made by a program
        named = list(_named(code, holder))
        for name, value in named:
            if isinstance(value, types.ModuleType) and _is_of(value.__name__, package):
                waiting += [
                    one for one in (getattr(value, other, None) for other, _ in named) if _is_code(one, package)
                ]
            elif _is_code(value, package):
                waiting.append(value)
            elif isinstance(value, _CONSTANTS) and not name.startswith("__"):
                shown = sorted(map(repr, value)) if isinstance(value, (set, frozenset)) else value
                if " at 0x" not in repr(shown):  # that would be another one each time
                    yield f"{name} = {shown!r}"


def _named(code: Any, holder: Any) -> Iterator[tuple[str, Any]]:
    """What a function, or the functions of a class, name: in their module, and of the object that holds the hook."""
    for function in [code] if inspect.isfunction(code) else filter(inspect.isfunction, vars(code).values()):
        for name in _names(function.__code__):
            yield name, function.__globals__.get(name)
            if not inspect.ismodule(holder):
                yield name, getattr(type(holder), name, None)


def _is_code(value: Any, package: str) -> bool:
    is_code = inspect.isfunction(value) or inspect.isclass(value)
    return is_code and _is_of(str(getattr(value, "__module__", "")), package)


def _is_of(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _names(code: types.CodeType) -> Iterator[str]:
    """Names that a function uses, and those of the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _source(code: Any) -> str:
    """The lines of a function or class that say something."""
    text = inspect.cleandoc("\n" + inspect.getsource(code))
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ):
            first = node.body[0]
            told |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line.rstrip() for number, line in enumerate(text.splitlines(), start=1) if number not in told]
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def kept_place(subject: Subject) -> Path:
    """Where the hash is kept: in the folder of the recording; beside one that is a Bronze folder. Raises ``UsageError``
    where there is no recording.
    """
    folder = subject.recording
    folder = folder.parent if (folder / JOURNAL_FOLDER).is_dir() else folder
    return folder / f"promote.{subject.name}.json"


def kept_code(subject: Subject) -> PromoteCode | None:
    """What was kept; None where nothing was. Raises ``UsageError`` where it cannot be read."""
    place = kept_place(subject)
    if not place.is_file():
        return None
    try:
        return cattrs.structure(json.loads(place.read_text(encoding="utf-8")), PromoteCode)
    except (OSError, ValueError, cattrs.BaseValidationError) as error:
        fix = f"write it anew: `sbf plugins check {subject.name} --update`"
        raise UsageError("the hash of promote cannot be read", where=str(place), fix=fix, code="PROMOTE") from error


def keep_code(subject: Subject) -> Path | None:
    """Write what stands there now; returns the file, or None where the plugin has no hook ``promote``. Idempotent."""
    if not subject.record.loaded or not subject.has("promote"):
        return None
    place = kept_place(subject)
    place.write_text(json.dumps(attrs.asdict(promote_code(subject)), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return place
