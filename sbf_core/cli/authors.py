"""The commands for those who write plugins."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt


def new(
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
    sbf plugins new mine --kind custom
    """
    from sbf_core.cli.plugins import new_plugin
    from sbf_core.runner.options import name_list

    words = {
        "domain": domain,
        "title": title,
        "terms": terms,
        "source_url": source_url,
        "licence": licence,
        "author": author,
    }
    keys = name_list(key, what="--key") if key is not None else ()
    code = new_plugin(
        name,
        into=into,
        kind=kind,
        from_url=from_url,
        from_file=from_file,
        ticker=ticker,
        rows_at=rows_at,
        key=keys,
        row_date=row_date,
        words=words,
        yes=yes,
    )
    raise Exit(code)


def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the plugin.")],
    home: opt.Home = None,
    recording: Annotated[
        str,
        typer.Option(
            "--recording",
            metavar="FOLDER|NAME",
            help="A Bronze folder, a home or a recording; that of the plugin's package when absent.",
            show_default=False,
        ),
    ] = "",
    exempt: Annotated[
        list[str] | None,
        typer.Option(
            "--exempt",
            metavar="CHECK=REASON",
            help="A check that it need not pass; may be repeated.",
            show_default=False,
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="First keep the hash of the hook promote, beside the recording.")
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Run the conformance kit on a plugin: 28 checks of its declaration, its hooks and its recording. Touches no home.

    Examples: sbf plugins check ecb | sbf plugins check ecb --update
    """
    from sbf_core.cli.plugins import check_plugin

    reasons = {part.partition("=")[0]: part.partition("=")[2] for part in exempt or ()}
    raise Exit(check_plugin(name, home=home, recording=recording, exempt=reasons, update=update, as_json=as_json))
