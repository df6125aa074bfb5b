"""``sbf ui``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, tell
from sbf_core.errors import UsageError
from sbf_core.home.home import Home

_NEEDED = ("starlette", "jinja2", "uvicorn")


def ui(
    home_folder: opt.HomeFolder = None,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Where to listen; another address than this machine's own lets others read.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8420,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Show the warehouse as pages in your browser: read-only, on this machine, also while a run is at work.

    Example: sbf ui
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError("the pages are not installed", fix="pip install 'sbf[ui]'", code="NO_UI")
    from sbf_core.web.server import listen, serve
    from sbf_core.web.site import Site

    home = Home.at(home_folder)
    bound = listen(host, port)

    def told(place: str) -> None:
        if as_json:
            print_json("ui", url=place, home=str(home.folder))
        else:
            print(place)
            tell(f"sbf: pages of {home.folder}; Ctrl-C ends")
        if host not in ("127.0.0.1", "localhost", "::1"):
            tell("sbf: warning: everybody who reaches this address can read the warehouse")
        sys.stdout.flush()

    try:
        serve(
            Site(home),
            bound,
            host=host,
            open_browser=sys.stdout.isatty() and not no_browser and not as_json,
            told=told,
        )
    finally:
        bound.close()
