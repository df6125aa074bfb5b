"""``sbf sql``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import as_records, print_csv, print_json, print_table, tell
from sbf_core.counted import counted
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.errors import UsageError, nearest
from sbf_core.home.home import Home
from sbf_core.reports.sql_query import asked, check_query

FORMATS = ("table", "csv", "json")


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; '-' reads it from standard input.")],
    home_folder: opt.HomeFolder = None,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv or json.")] = "table",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, max=opt.COUNT_MAX, help="Rows at most; 0 for all.")
    ] = 1000,
    as_json: opt.AsJson = False,
) -> None:
    """Ask the warehouse. Read-only and locked down: no files, no settings, one statement.

    Example: sbf sql "SELECT * FROM gold.instrument_stats"
    """
    output = "json" if as_json else output
    if output not in FORMATS:
        raise UsageError(
            f"there is no format {output!r}", fix=nearest(output, FORMATS) or "use table, csv or json", code="USAGE"
        )
    text = sys.stdin.read() if query == "-" else query
    with reading(Home.at(home_folder)) as cursor:
        check_query(cursor, text)
        try:
            answer = asked(cursor, text, limit=limit, nested=output == "json")
        except ENGINE_ERRORS as error:
            raise UsageError(
                f"the query fails: {first_line(error)}", fix="see `sbf datasets` for the tables", code="SQL"
            ) from error
    headers, rows, more = answer.headers, answer.rows, answer.more
    if output == "json":
        twice = next((name for place, name in enumerate(headers) if name in headers[:place]), None)
        if twice is not None:  # an object has a name once
            raise UsageError(
                f"two columns are called {twice!r}", fix="name them apart with AS, or use --format csv", code="SQL"
            )
        print_json("sql", columns=headers, rows=as_records(headers, rows), more=more)
    elif output == "csv":
        print_csv(headers, rows)
    else:
        print_table(headers, rows, exact=True)
    if more:
        tell(f"sbf: note: only the first {counted(limit, 'row is', 'rows are')} shown; use --limit 0 for all")
