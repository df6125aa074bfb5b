"""``sbf``: the command line. Commands import what they need when they run, so that help is quick."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, Exit, TyperException

from sbf_core import signals
from sbf_core.cli import options as opt
from sbf_core.errors import SbfError, environment_fault, is_interrupt, printable

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
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = False,
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
    tickers: opt.Tickers = None,
    ticker_limit: opt.TickerLimit = None,
    since: opt.Since = None,
    until: opt.Until = None,
    workers: opt.Workers = None,
    only: Annotated[str | None, typer.Option("--only", metavar="LAYER", help="Only bronze, silver or gold.", show_default=False)] = None,
    force: opt.Force = False,
    replay: opt.Replay = None,
    replay_until: opt.ReplayUntil = None,
    wait: opt.Wait = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop, as `sbf plan`.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Fetch what is due, promote it to Silver, build Gold.

    Examples: sbf run --replay sample | sbf run --plugins ecb,sec | sbf run --since 2024-01-01
    """
    from sbf_core.cli.run import run_command

    flags = _flags(tickers=tickers, ticker_limit=ticker_limit, workers=workers, wait=wait)
    code = run_command(
        home, flags, plugins=plugins, since=since, until=until, only=only, force=force, replay=replay, replay_until=replay_until, dry_run=dry_run, as_json=as_json
    )
    raise Exit(code)


@app.command()
def plan(
    home: opt.Home = None,
    plugins: opt.Plugins = None,
    tickers: opt.Tickers = None,
    ticker_limit: opt.TickerLimit = None,
    since: opt.Since = None,
    until: opt.Until = None,
    force: opt.Force = False,
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
    run_command(home, flags, plugins=plugins, since=since, until=until, only=None, force=force, replay=replay, replay_until=replay_until, dry_run=True, as_json=as_json)


@app.command()
def status(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """What is in the warehouse, how fresh it is, and what went wrong.

    Example: sbf status
    """
    from sbf_core.cli.reports import status_report

    status_report(home, as_json=as_json)


@app.command()
def runs(
    home: opt.Home = None, limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many.")] = 20, as_json: opt.AsJson = False
) -> None:
    """The latest runs.

    Example: sbf runs --limit 5
    """
    from sbf_core.cli.reports import runs_report

    runs_report(home, limit=limit, as_json=as_json)


@app.command()
def datasets(home: opt.Home = None, plugins: opt.Plugins = None, as_json: opt.AsJson = False) -> None:
    """The datasets of the installed plugins, with their source and terms.

    Example: sbf datasets --plugins ecb
    """
    from sbf_core.cli.catalog import datasets_report

    datasets_report(home, plugins=plugins, as_json=as_json)


@app.command()
def universe(
    home: opt.Home = None,
    tickers: opt.Tickers = None,
    at: Annotated[str | None, typer.Option("--at", metavar="DAY", help="Members on this day.", show_default=False)] = None,
    as_json: opt.AsJson = False,
) -> None:
    """The tickers that a run works on, and since when they belong.

    Example: sbf universe --at 2020-06-30
    """
    from sbf_core.cli.catalog import universe_report

    universe_report(home, _flags(tickers=tickers), at=at, as_json=as_json)


@plugins_app.command("list")
def plugins_list(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """The plugins that are installed: name, distribution, version, datasets, state and reason.

    Example: sbf plugins list
    """
    from sbf_core.cli.catalog import plugins_report

    plugins_report(home, as_json=as_json)


@app.command()
def verify(
    home: opt.Home = None,
    sample: Annotated[float | None, typer.Option("--sample", metavar="PERCENT", help="Read only this share; the next call takes the next one.", show_default=False)] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", metavar="N", help="Stop after N seconds; the next call goes on there.", show_default=False)
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Compare files, journals, ledger and tables; exit code 3 if they disagree. Changes nothing.

    Examples: sbf verify | sbf verify --sample 5
    """
    from sbf_core.cli.trust import verify_report

    raise Exit(verify_report(home, sample=sample, max_seconds=max_seconds, as_json=as_json))


@app.command()
def repair(
    home: opt.Home = None,
    source: Annotated[
        list[str] | None, typer.Option("--from", metavar="FOLDER", help="Take whole payloads from this backup, home or Bronze folder; may be repeated.", show_default=False)
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Put right what `sbf verify` finds: adopt, move aside, put back, promote again. Deletes nothing.

    Examples: sbf repair | sbf repair --from /mnt/backup
    """
    from sbf_core.cli.trust import repair_report

    raise Exit(repair_report(home, sources=tuple(source or ()), as_json=as_json))


@app.command()
def rebuild(
    home: opt.Home = None,
    into: Annotated[str | None, typer.Option("--into", metavar="DIR", help="Put the new database there, and touch nothing in the home.", show_default=False)] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make the database again from Bronze alone. The old one is set aside, not deleted.

    Examples: sbf rebuild | sbf rebuild --into /tmp/check
    """
    from sbf_core.cli.trust import rebuild_report

    raise Exit(rebuild_report(home, into=into, as_json=as_json))


@app.command()
def backup(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="An empty folder, or that of an earlier backup.")], home: opt.Home = None, as_json: opt.AsJson = False
) -> None:
    """Copy the home; only what is new, and while a run may be at work.

    Example: sbf backup /mnt/backup/warehouse
    """
    from sbf_core.cli.trust import backup_report

    backup_report(home, folder, as_json=as_json)


@app.command()
def restore(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder that `sbf backup` has written.")], home: opt.Home = None, as_json: opt.AsJson = False
) -> None:
    """Make a new home from a backup, each payload checked.

    Example: sbf restore /mnt/backup/warehouse --home ~/warehouse
    """
    from sbf_core.cli.trust import restore_report

    raise Exit(restore_report(home, folder, as_json=as_json))


@app.command()
def digest(
    home: opt.Home = None,
    table: Annotated[list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be repeated.", show_default=False)] = None,
    as_json: opt.AsJson = False,
) -> None:
    """One checksum for each silver and gold table, to compare databases.

    Example: sbf digest --table silver.ecb_reference_rate
    """
    from sbf_core.cli.reports import digest_report

    digest_report(home, tables=tuple(table or ()), as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; '-' reads it from standard input.")],
    home: opt.Home = None,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv or json.")] = "table",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Rows at most; 0 for all.")] = 1000,
    as_json: opt.AsJson = False,
) -> None:
    """Ask the warehouse. Read-only and locked down: no files, no settings, one statement.

    Example: sbf sql "SELECT * FROM gold.instrument_stats"
    """
    from sbf_core.cli.query import sql_report

    sql_report(home, query=query, output="json" if as_json else output, limit=limit)


@app.command()
def doctor(home: opt.Home = None, as_json: opt.AsJson = False) -> None:
    """Check this machine, this home and the settings, each with its origin.

    Example: sbf doctor
    """
    from sbf_core.cli.home import doctor_report

    raise Exit(doctor_report(home, as_json=as_json))


def _flags(**given: Any) -> dict[str, Any]:
    """Settings from the command line; lists and numbers that typer did not check are checked with the settings."""
    from sbf_core.runner.options import name_list

    flags: dict[str, Any] = {}
    if given.get("tickers") is not None:
        flags["universe.tickers"] = name_list(given["tickers"], what="--tickers")
    if given.get("workers") is not None:
        text = str(given["workers"])
        flags["run.workers"] = int(text) if text.lstrip("+-").isdigit() else text
    flags["universe.ticker_limit"] = given.get("ticker_limit")
    flags["run.wait_seconds"] = given.get("wait")
    return flags


def main() -> None:
    """The script ``sbf``: run a command; one clear line and an exit code for whatever goes wrong."""
    signals.install()
    os.umask(0o077)  # what a warehouse holds is its owner's business
    code = 0
    try:
        answer = app(standalone_mode=False)
        code = answer if isinstance(answer, int) else 0
        if signals.asked_to_stop():  # typer makes an exit code of a Ctrl-C by itself
            code = _interrupted()
    except Exit as error:
        code = error.exit_code
    except TyperException as error:
        code = _usage(error)
    except SbfError as error:
        _debug()
        print(error.line(), file=sys.stderr)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _debug()
        fault = environment_fault(error, doing="a file cannot be used", where=str(Path.cwd()))
        print(fault.line(), file=sys.stderr)
        code = fault.exit_code
    except (KeyboardInterrupt, Abort):
        code = _interrupted()
    except SystemExit as error:  # ours after a signal; typer's when the reader of a pipe went away
        code = _interrupted() if signals.asked_to_stop() else 0 if error.code is None else 1
    except BaseException as error:
        _debug()
        if is_interrupt(error) or signals.asked_to_stop():
            signals.leave(_interrupted())
        print(f"sbf: error[BUG] {type(error).__name__}: {printable(str(error))}; please report it with the output of --debug", file=sys.stderr)
        code = 70
    signals.leave(code)


def _interrupted() -> int:
    print("sbf: interrupted; the next run goes on from here", file=sys.stderr)
    return 128 + (signals.asked_to_stop() or signal.SIGINT)


def _usage(error: TyperException) -> int:
    """A mistake in the command: one line. No arguments at all: the help, which is no mistake."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(text)
        return 0
    print(f"sbf: error[USAGE] {printable(text)}; see `sbf --help`", file=sys.stderr)
    return 2


def _debug() -> None:
    if os.environ.get("SBF_DEBUG"):
        import traceback

        traceback.print_exc()
