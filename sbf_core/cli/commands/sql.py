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
from sbf_core.reports.as_of import look_back
from sbf_core.reports.sql_query import asked, check_query
from sbf_core.user_dates import moment as moment_of

FORMATS = ("table", "csv", "json")


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; '-' reads it from standard input.")],
    home_folder: opt.HomeFolder = None,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv or json.")] = "table",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, max=opt.COUNT_MAX, help="Rows at most; 0 for all.")
    ] = 1000,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="MOMENT",
            help="Silver, and gold made of it, as it was known then: 2026-01-31, its end in UTC, or "
            "2026-01-31T18:00:00Z.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Ask the warehouse. Read-only and locked down: no files, no settings, one statement.

    Example: sbf sql "SELECT * FROM gold.instrument_stats" --as-of 2026-01-31
    """
    moment = None if as_of is None else moment_of(as_of, what="--as-of")
    output = "json" if as_json else output
    if output not in FORMATS:
        raise UsageError(
            f"there is no format {output!r}", fix=nearest(output, FORMATS) or "use table, csv or json", code="USAGE"
        )
    text = sys.stdin.read() if query == "-" else query
    home = Home.at(home_folder)
    with reading(home) as cursor:
        check_query(cursor, text)
        if moment is not None:
            look_back(home, cursor, moment)
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
