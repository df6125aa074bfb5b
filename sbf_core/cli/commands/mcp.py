"""``sbf mcp``."""

from __future__ import annotations

from sbf_core.agents.server import serve
from sbf_core.cli import options as opt
from sbf_core.home.home import Home


def mcp(home_folder: opt.HomeFolder = None) -> None:
    """Answer agents over standard input and output (Model Context Protocol): read-only tools on the warehouse.

    Example: sbf mcp --home ~/warehouse
    """
    serve(Home.at(home_folder))
