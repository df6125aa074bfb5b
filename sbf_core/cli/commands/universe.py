"""``sbf universe``."""

from __future__ import annotations

from typing import Annotated

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.counted import counted
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import UsageError, nearest
from sbf_core.home.home import Home
from sbf_core.runner.options import name_list
from sbf_core.universe.members import UniverseMember
from sbf_core.universe.service import UniverseService
from sbf_core.user_dates import day


def universe(
    home_folder: opt.HomeFolder = None,
    tickers: opt.Tickers = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="DAY", help="Members on this day.", show_default=False)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Those that only this source is asked for.", show_default=False),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """The tickers that a run works on, and since when they belong.

    Example: sbf universe --at 2020-06-30
    """
    named = None if tickers is None else name_list(tickers, what="--tickers")
    home = Home.at(home_folder, flags={"universe.tickers": named})
    settings, manager = home.settings, home.plugins
    if source and source not in settings.universes:
        fix = nearest(source, settings.universes) or f"write [universe.{source}] in {settings.file.name}"
        raise UsageError(f"source {source!r} has no universe of its own", fix=fix, code="UNIVERSE")
    wanted = settings.universes[source] if source else settings.universe
    when = None if at is None else day(at, what="--at")

    def ask() -> list[UniverseMember]:
        record = manager.selected([wanted.plugin])[0]
        return list(manager.call(record, "universe_members", doing="the universe", safe="nothing was written"))

    bootstrap = DuckDbBootstrap(settings.config, read_only=True) if wanted.query else None
    try:
        service = UniverseService(
            wanted, cursor=None if bootstrap is None else bootstrap.open().cursor, members_hook=ask
        )
        members = service.members(as_of=when)
    finally:
        if bootstrap is not None:
            bootstrap.close()
    for note in service.notes:
        tell(f"sbf: note: {note}")
    if not wanted.origin:
        raise UsageError(
            "the universe is empty",
            where=str(settings.file),
            fix="set [universe] there, or use --tickers",
            code="EMPTY_UNIVERSE",
        )
    if as_json:
        print_json(
            "universe",
            origin=wanted.origin,
            members=[
                {"ticker": item.ticker, "valid_from": item.valid_from, "valid_to": item.valid_to} for item in members
            ],
        )
        return
    print_table(("ticker", "from", "to"), [(item.ticker, item.valid_from, item.valid_to) for item in members])
    print()
    print(f"{counted(len(members), 'member')} from {wanted.origin}")
    if settings.universes and not source:
        tell(f"sbf: note: of their own have {', '.join(sorted(settings.universes))}: `sbf universe --source NAME`")
