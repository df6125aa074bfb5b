"""The command line over a test's warehouse, in this process: with the plugins of the test, and its clock."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner
from warehouse import Warehouse

import sbf_core.plugin.manager
from sbf_core.cli.app import application
from sbf_core.errors import SbfError


@attrs.frozen
class Point:
    """An entry point of a plugin that no package brings."""

    name: str
    plugin: object
    dist: None = None
    group: str = "sbf.plugins"

    def load(self) -> object:
        return self.plugin


@attrs.frozen
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """``terminal("status")`` is ``sbf status`` in the home of the warehouse."""

    def __init__(self, warehouse: Warehouse, patch: pytest.MonkeyPatch) -> None:
        self._home = warehouse.home
        patch.setenv("SBF_ISOLATE", "none")  # an object of this process cannot be imported in another
        patch.setattr(
            sbf_core.plugin.manager,
            "_installed",
            lambda: [Point(name, plugin) for name, plugin in warehouse.plugins.items()],
        )

    def __call__(self, *arguments: str) -> Said:
        done = CliRunner().invoke(application(arguments), [*arguments, "--home", str(self._home)])
        if done.exception is not None and not isinstance(done.exception, (SbfError, SystemExit)):
            raise done.exception
        if isinstance(done.exception, SbfError):
            return Said(done.exception.exit_code, done.stdout, done.stderr + done.exception.line())
        return Said(done.exit_code, done.stdout, done.stderr)

    def told(self, *arguments: str) -> Any:
        """What a command says to a program."""
        return self(*arguments, "--json").json
