"""``sbf``: the command line. A command is loaded when it is asked for, so that help and short commands are quick."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import Exit

#: Each command with the first sentence of its help. It is a function of its name in ``cli/commands/<name>.py``, with
#: ``_`` for the blank.
COMMANDS = {
    "init": "Make a home: the folder, and a commented sbf.toml to fill in.",
    "run": "Fetch what is due, promote it to Silver, build Gold.",
    "plan": "Show each request that a run would consider, and why it is due or not.",
    "status": "What is in the warehouse, how fresh it is, and what went wrong.",
    "alert": (
        "Tell whom sbf.toml names what began to be wrong and what is well again, once; exit code 1 if a channel fails."
    ),
    "runs": "The latest runs, or one run: its payloads, promotions, rejects and gold tables.",
    "datasets": (
        "The datasets of the installed plugins; what could be had, by words, region, frequency, cost and terms; "
        "or one: what its columns hold, and its payloads."
    ),
    "universe": "The tickers that a run works on, and since when they belong.",
    "promote": "Promote what Bronze holds and Silver does not, and build Gold; asks no vendor.",
    "coverage": "What is there and what is missing: rows by ticker and period, or days by how they stand.",
    "revisions": (
        "Every version of one key: its values, since and until when they were known, and the payload that brought each."
    ),
    "digest": "One checksum for each silver and gold table, to compare databases.",
    "sql": "Ask the warehouse.",
    "export": "Write rows to a file for others, with a manifest: sources, terms, columns, moment, checksum.",
    "lookahead": "Prove that a gold table says of each day what was known on it; exit code 1 where it says more.",
    "rejects": "Rows of a dataset that were rejected: how many by reason and column, then examples with their payload.",
    "clean": (
        "Show what is left over in the home, with sizes; --yes removes it, but never payloads, journals or "
        "the database."
    ),
    "du": "What takes space in the home, by layer and dataset, and what could go, with the command.",
    "explain": (
        "Where a number comes from: its SQL and the rows that it reads, its version, the payload, its place "
        "in it, and the request."
    ),
    "impact": "What a payload changed: rows of silver that it brought, and the gold tables that read them.",
    "chart": "Draw a chart without a browser, show the numbers behind it, or list the charts that there are.",
    "ui": "Show the warehouse as pages in your browser: read-only, on this machine, also while a run is at work.",
    "mcp": "Answer agents over standard input and output (Model Context Protocol): read-only tools on the warehouse.",
    "verify": "Compare files, journals, ledger and tables; exit code 3 if they disagree.",
    "repair": "Put right what `sbf verify` finds: adopt, move aside, put back, promote again.",
    "rebuild": (
        "Make the database again from Bronze alone, the old one set aside; or only the tables of some "
        "datasets, in place."
    ),
    "backup": "Copy the home; only what is new, and while a run may be at work.",
    "restore": "Make a new home from a backup, each payload checked.",
    "doctor": "Check this machine, this home and the settings, each with its origin.",
    "watch": "Run what is due and tell whom sbf.toml names, again and again; a signal ends it well.",
    "schedule install": (
        "Let this machine run what is due: a timer of systemd, lines of the crontab, or a task of Windows."
    ),
    "schedule show": "What is installed for this home; or, where nothing is, what would be.",
    "schedule remove": "Take away what `sbf schedule install` wrote for this home; the home stays as it is.",
    "plugins list": "The plugins that are installed: name, package, version, datasets, state, reason, what each is.",
    "plugins new": (
        "Write an installable package with a plugin, a recorded sample and tests, inferred from a payload or "
        "as an example."
    ),
    "plugins check": "Run the conformance kit on a plugin: 31 checks of its declaration, its hooks and its recording.",
}
_GROUPS = {
    "plugins": "The plugins of this environment.",
    "schedule": "Let this machine run what is due.",
}


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"sbf {version('sbf')}")
        raise Exit(0)


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """A DuckDB warehouse you can trust: exact payloads in Bronze, every revision in Silver, facts in Gold."""
    del version
    if debug:
        os.environ["SBF_DEBUG"] = "1"


def _named_only() -> None:
    """A command whose help is listed, and which is not asked for."""


def asked_for(words: Sequence[str]) -> str:
    """The command that the words of a command line ask for; empty where they ask for none, or for the help of many."""
    given = [word for word in words if not word.startswith("-")]
    name = " ".join(given[: 2 if given[:1] and given[0] in _GROUPS else 1])
    return name if name in COMMANDS else ""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The application for one command line: the command that it asks for, or, to list them, all by their names."""
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
    app.callback()(_root)
    asked = asked_for(words)
    _add(app, [asked] if asked else COMMANDS, is_loaded=bool(asked))
    return app


def whole_application() -> typer.Typer:
    """The application with all commands loaded, for the reference."""
    app = application()
    app.registered_commands, app.registered_groups = [], []
    _add(app, COMMANDS, is_loaded=True)
    return app


def _add(app: typer.Typer, names: Sequence[str] | dict[str, str], *, is_loaded: bool) -> None:
    groups: dict[str, typer.Typer] = {}
    for name in names:
        group, _, command = name.rpartition(" ")
        target = app
        if group:
            if group not in groups:
                groups[group] = typer.Typer(help=_GROUPS[group], no_args_is_help=True, rich_markup_mode=None)
                app.add_typer(groups[group], name=group)
            target = groups[group]
        module = name.replace(" ", "_")
        function = getattr(import_module(f"sbf_core.cli.commands.{module}"), module) if is_loaded else _named_only
        target.command(command, short_help=COMMANDS[name])(function)
