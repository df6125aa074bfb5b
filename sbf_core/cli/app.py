"""``sbf``: the command line. Commands import what they need when they run, so that help is quick."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

import typer
from typer.exceptions import Exit

from sbf_core.cli import asking, authors, care, chart, clean, lineage, promote, rejects, ui
from sbf_core.cli import options as opt

app = typer.Typer(
    name="sbf",
    help="A DuckDB warehouse you can trust: exact payloads in Bronze, every revision in Silver, facts in Gold.",
    epilog="Start with: sbf run --replay sample",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plugins_app = typer.Typer(help="The plugins of this environment.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(plugins_app, name="plugins")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"sbf {version('sbf')}")
        raise Exit(0)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """A DuckDB warehouse you can trust: exact payloads in Bronze, every revision in Silver, facts in Gold."""
    del version
    if debug:
        os.environ["SBF_DEBUG"] = "1"


@app.command()
def init(home: opt.Home = None) -> None:
    """Make a home: the folder, and a commented sbf.toml to fill in.

    Example: sbf init --home ~/warehouse
    """
    from sbf_core.cli.home import init_home

    init_home(home)


@app.command()
def run(
    home: opt.Home = None,
    plugins: opt.Plugins = None,
    exclude: opt.Exclude = None,
    select: opt.Select = None,
    tickers: opt.Tickers = None,
    ticker_limit: opt.TickerLimit = None,
    since: opt.Since = None,
    until: opt.Until = None,
    workers: opt.Workers = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="LAYER", help="Only bronze, silver or gold.", show_default=False)
    ] = None,
    force: opt.Force = False,
    no_rebuild_stale: opt.NoRebuildStale = False,
    replay: opt.Replay = None,
    replay_until: opt.ReplayUntil = None,
    wait: opt.Wait = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop, as `sbf plan`.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Fetch what is due, promote it to Silver, build Gold.

    Examples: sbf run --replay sample | sbf run --plugins ecb,sec | sbf run --select 'fmp:eod*' |
    sbf run --since 2024-01-01
    """
    from sbf_core.cli.run import run_command

    flags = _flags(tickers=tickers, ticker_limit=ticker_limit, workers=workers, wait=wait)
    code = run_command(
        home, flags, plugins=plugins, exclude=exclude, select=select, since=since, until=until, only=only, force=force,
        remake=not no_rebuild_stale, replay=replay, replay_until=replay_until, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip
    raise Exit(code)


@app.command()
def plan(
    home: opt.Home = None,
    plugins: opt.Plugins = None,
    exclude: opt.Exclude = None,
    select: opt.Select = None,
    tickers: opt.Tickers = None,
    ticker_limit: opt.TickerLimit = None,
    since: opt.Since = None,
    until: opt.Until = None,
    force: opt.Force = False,
    no_rebuild_stale: opt.NoRebuildStale = False,
    replay: opt.Replay = None,
    replay_until: opt.ReplayUntil = None,
    wait: opt.Wait = None,
    as_json: opt.AsJson = False,
) -> None:
    """Show each request that a run would consider, and why it is due or not. Writes nothing.

    Example: sbf plan --plugins ecb
    """
    from sbf_core.cli.run import run_command

    flags = _flags(tickers=tickers, ticker_limit=ticker_limit, wait=wait)
    run_command(
        home, flags, plugins=plugins, exclude=exclude, select=select, since=since, until=until, only=None, force=force,
        remake=not no_rebuild_stale, replay=replay, replay_until=replay_until, dry_run=True, as_json=as_json,
    )  # fmt: skip


@app.command()
def status(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """What is in the warehouse, how fresh it is, and what went wrong.

    Example: sbf status
    """
    from sbf_core.cli.reports import status_report

    status_report(home, as_json=as_json)


@app.command()
def runs(
    run_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="One run, by the beginning of its id, or `last`: what it did in each layer.",
            show_default=False,
        ),
    ] = None,
    home: opt.Home = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=opt.COUNT_MAX, help="How many runs, or payloads of one.")
    ] = 20,
    as_json: opt.AsJson = False,
) -> None:
    """The latest runs, or one run: its payloads, promotions, rejects and gold tables.

    Examples: sbf runs --limit 5 | sbf runs last
    """
    from sbf_core.cli.facts import runs_report

    runs_report(home, run_id=run_id, limit=limit, as_json=as_json)


@app.command()
def datasets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="One dataset: its id, its table or its name.", show_default=False),
    ] = None,
    home: opt.Home = None,
    plugins: opt.Plugins = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=opt.COUNT_MAX, help="How many payloads of one dataset.")
    ] = 20,
    as_json: opt.AsJson = False,
) -> None:
    """The datasets of the installed plugins, with their source and terms;
    or one: what its columns hold, and its payloads.

    Examples: sbf datasets --plugins ecb | sbf datasets bls_cpi
    """
    if name is not None:
        from sbf_core.cli.facts import dataset_report

        dataset_report(home, name=name, limit=limit, as_json=as_json)
        return
    from sbf_core.cli.catalog import datasets_report

    datasets_report(home, plugins=plugins, as_json=as_json)


@app.command()
def universe(
    home: opt.Home = None,
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
    from sbf_core.cli.catalog import universe_report

    universe_report(home, _flags(tickers=tickers), at=at, source=source or "", as_json=as_json)


@plugins_app.command("list")
def plugins_list(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """The plugins that are installed: name, distribution, version, datasets, state and reason.

    Example: sbf plugins list
    """
    from sbf_core.cli.catalog import plugins_report

    plugins_report(home, as_json=as_json)


plugins_app.command("new")(authors.new)
plugins_app.command("check")(authors.check)
app.command()(promote.promote)
app.command()(asking.coverage)
app.command()(asking.revisions)
app.command()(asking.digest)
app.command()(asking.sql)
app.command()(rejects.rejects)
app.command()(clean.clean)
app.command()(lineage.explain)
app.command()(lineage.impact)
app.command()(chart.chart)
app.command()(ui.ui)
for command in (care.verify, care.repair, care.rebuild, care.backup, care.restore):
    app.command()(command)


@app.command()
def doctor(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """Check this machine, this home and the settings, each with its origin.

    Example: sbf doctor
    """
    from sbf_core.cli.home import doctor_report

    raise Exit(doctor_report(home, as_json=as_json))


#: Few enough digits for ``int``, which takes no more than some thousand.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def _flags(**given: Any) -> dict[str, Any]:
    """Settings from the command line; lists and numbers that typer did not check are checked with the settings."""
    from sbf_core.runner.options import name_list

    flags: dict[str, Any] = {}
    if given.get("tickers") is not None:
        flags["universe.tickers"] = name_list(given["tickers"], what="--tickers")
    if given.get("workers") is not None:
        text = str(given["workers"])
        flags["run.workers"] = int(text) if _WHOLE_NUMBER.fullmatch(text) else text
    flags["universe.ticker_limit"] = given.get("ticker_limit")
    flags["run.wait_seconds"] = given.get("wait")
    return flags
