"""``sbf plugins new``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sbf_core.cli.new_plugin import ask_way, confirm, confirmed, operations_listed, show, words_of
from sbf_core.clock import clock_of_process
from sbf_core.counted import counted
from sbf_core.duck.home_folder import check_outside
from sbf_core.errors import UsageError
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import name_list
from sbf_core.scaffold.beginning import WAYS, Beginning, begun
from sbf_core.scaffold.naming import check_new_name
from sbf_core.scaffold.package import write_package
from sbf_core.settings.settings import Settings
from sbf_core.shell_words import typed


def plugins_new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the plugin, its dataset and its table, e.g. oil_price.")
    ],
    from_url: Annotated[
        str | None,
        typer.Option(
            "--from-url",
            metavar="URL",
            help="Fetch one payload, and infer the declaration from it.",
            show_default=False,
        ),
    ] = None,
    from_file: Annotated[
        str | None, typer.Option("--from-file", metavar="FILE", help="The same, out of a file.", show_default=False)
    ] = None,
    from_sdmx: Annotated[
        str | None,
        typer.Option(
            "--from-sdmx",
            metavar="OFFICE/FLOW[/KEY]|URL|FILE",
            help="A flow of a statistics office, e.g. ECB/EXR; or, beside either, its data structure.",
            show_default=False,
        ),
    ] = None,
    from_plugin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PLUGIN:WHAT",
            help="What an installed plugin proposes, e.g. sdmx:ECB/EXR.",
            show_default=False,
        ),
    ] = None,
    from_openapi: Annotated[
        str | None,
        typer.Option(
            "--from-openapi",
            metavar="URL|FILE",
            help="The description of a service by OpenAPI 3, as JSON; without --operation its lists are listed.",
            show_default=False,
        ),
    ] = None,
    operation: Annotated[
        str,
        typer.Option(
            "--operation", metavar="ID", help='Of the description: an id, or "GET /path".', show_default=False
        ),
    ] = "",
    from_singer: Annotated[
        str | None,
        typer.Option(
            "--from-singer",
            metavar="TAP",
            help="A Singer tap: run once, its SCHEMA says the columns.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        str,
        typer.Option("--config", metavar="FILE", help="The tap's configuration, as JSON.", show_default=False),
    ] = "",
    stream: Annotated[
        str, typer.Option("--stream", metavar="NAME", help="What is wanted of the tap.", show_default=False)
    ] = "",
    post_json: Annotated[
        str,
        typer.Option(
            "--post-json",
            metavar="JSON|@FILE",
            help="Post this to --from-url, in the place of a GET.",
            show_default=False,
        ),
    ] = "",
    post_form: Annotated[
        str,
        typer.Option("--post-form", metavar="A=1&B=2|@FILE", help="The same as a form.", show_default=False),
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            metavar="NAME: VALUE",
            help="Send this to --from-url; one that holds a key becomes a declared secret. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="An example to fill in: rest, csv or custom.", show_default=False),
    ] = None,
    ticker: Annotated[
        str,
        typer.Option(
            "--ticker", metavar="TICKER", help="The ticker in the URL, where there is one for each.", show_default=False
        ),
    ] = "",
    key: Annotated[
        str | None, typer.Option("--key", metavar="A,B", help="The columns that make a row unique.", show_default=False)
    ] = None,
    row_date: Annotated[
        str, typer.Option("--row-date", metavar="COLUMN", help="The column with the date of a row.", show_default=False)
    ] = "",
    rows_at: Annotated[
        str | None,
        typer.Option(
            "--rows-at",
            metavar="PATH",
            help="Where the rows are: data.items in JSON, a tag in XML.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[str, typer.Option("--into", metavar="FOLDER", help="Where the package is made.")] = ".",
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="WORD", help="What it is about, e.g. fx.", show_default=False)
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What it is, in a few words.", show_default=False)
    ] = None,
    terms: Annotated[
        str | None, typer.Option("--terms", metavar="TEXT", help="Terms of use of the data.", show_default=False)
    ] = None,
    source_url: Annotated[
        str | None,
        typer.Option("--source-url", metavar="URL", help="Where the data are described.", show_default=False),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence",
            metavar="SPDX",
            help="Apache-2.0, MIT, BSD-3-Clause or LicenseRef-Proprietary.",
            show_default=False,
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="NAME", help="Who holds the copyright.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Write an installable package with a plugin, a recorded sample and tests,
    inferred from a payload or as an example.

    Examples: sbf plugins new oil_price --from-url https://... | sbf plugins new rain --from-file rain.csv |
    sbf plugins new mine --kind custom | sbf plugins new rates --from-url https://... --from-sdmx https://...
    """
    given = Beginning(
        url=from_url or "", file=from_file or "", kind=kind or "", plugin=from_plugin or "", sdmx=from_sdmx or "",
        post_json=post_json, post_form=post_form, headers=tuple(header or ()), openapi=from_openapi or "",
        operation=operation, singer=from_singer or "", config=config, stream=stream,
        ticker=ticker, rows_at=rows_at, key=name_list(key, what="--key") if key is not None else (), row_date=row_date,
    ).checked()  # fmt: skip
    settings = Settings(None)
    folder = check_new_name(name, into=Path(into).expanduser(), manager=PluginManager())
    check_outside(settings.config, folder, fix="name a folder elsewhere with --into")
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if not given.ways:
        if not ask:
            raise UsageError(
                "nothing says what the plugin begins with",
                fix=f"give {', '.join(WAYS.values())}, or --from-sdmx",
                code="USAGE",
            )
        given = ask_way()
    told = {
        "domain": domain, "title": title, "terms": terms, "source_url": source_url, "licence": licence,
        "author": author,
    }  # fmt: skip
    words = words_of(name, told, ask=ask)
    with operations_listed():
        proposal = begun(words, given, settings=settings, clock=clock_of_process())
    show(proposal)
    if ask and (given.sdmx or not (given.url or given.file)):
        confirm(words)
    elif ask:
        proposal = confirmed(proposal, words, given)
    files = write_package(proposal, folder, today=clock_of_process().now().date())
    print(f"\nMade {folder} with {counted(len(files), 'file')} and the recorded sample.\n")
    print("Try next:")
    print(f"  python -m pip install -e {typed(folder)}")
    print(f"  sbf run --plugins {name} --replay sample")
    print(f"  sbf plugins check {name}")
    if proposal.doubts:
        print(f"  edit {typed(folder / ('sbf_' + name) / 'plugin.py')}: look for `unsure`")
