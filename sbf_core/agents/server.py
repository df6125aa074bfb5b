"""The Model Context Protocol over standard input and output, by its official SDK."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from sbf_core.agents.tools import Tools, tools_of
from sbf_core.errors import SbfError, UsageError
from sbf_core.home.home import Home
from sbf_core.secret import redacted

_INSTRUCTIONS = (
    "A warehouse of financial and economic data that only answers questions. Begin with `tables`, `describe` one, then "
    "`sql`. Silver holds what vendors gave, with every revision; gold is made of it. Numbers with digits after the "
    "point and moments are text, exact; moments are UTC. Name the terms of use where you pass rows on, and do not pass "
    "on what says `passing_on: no`. `explain` says where a number comes from: ask it before you doubt or defend one."
)


def serve(home: Home) -> None:
    """Answer until standard input ends.

    Args:
        home: the warehouse.

    Raises:
        UsageError: the SDK is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError:
        raise UsageError("agents need a library", fix='pip install "sbf[mcp]"', code="LIBRARY_MISSING") from None
    tools = Tools(home)
    server: Any = MCPServer("sbf", instructions=_INSTRUCTIONS, version=version("sbf"), log_level="ERROR")
    for name, function in tools_of(tools).items():
        described = _described(function, ToolError)
        server.tool(name, annotations=ToolAnnotations(read_only_hint=True), structured_output=False)(described)
    with _OwnOutput():
        try:
            server.run("stdio")
        finally:
            tools.close()


def _described(function: Callable[..., str], refused: type[Exception]) -> Callable[..., str]:
    """A tool whose errors say what is wrong and how to mend it, and no more."""

    @functools.wraps(function)
    def tool(*args: Any, **kwargs: Any) -> str:
        try:
            return function(*args, **kwargs)
        except SbfError as error:
            raise refused(redacted(str(error))) from None

    return tool


class _OwnOutput:
    """Standard output for the protocol alone: what a plugin prints would end the conversation."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self._kept = sys.stdout
        ours = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = os.fdopen(ours, "w", encoding="utf-8", newline="\n")

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        os.dup2(sys.stdout.fileno(), 1)
        sys.stdout.close()
        sys.stdout = self._kept
