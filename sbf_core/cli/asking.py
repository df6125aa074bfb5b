"""The commands that ask the warehouse."""

from __future__ import annotations

from typing import Annotated

import typer

from sbf_core.cli import options as opt


def coverage(
    name: Annotated[
        str, typer.Argument(metavar="[DATASET]", help="Its id, its table or its name.", show_default=False)
    ] = "",
    home: opt.Home = None,
    by: Annotated[str, typer.Option("--by", metavar="PERIOD", help="year, quarter or month.")] = "year",
    ticker: Annotated[
        str | None, typer.Option("--ticker", metavar="TICKER", help="Only this one.", show_default=False)
    ] = None,
    days: Annotated[
        bool, typer.Option("--days", help="The days that were asked for, in place of rows.", show_default=False)
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """What is there and what is missing: rows by ticker and period, or days by how they stand.

    A day is final (answered after it had settled), empty (so, but without a row), not final (answered too early, and
    asked for again), failed, or never asked for. Without DATASET: how many days of each dataset that is asked by days.

    Examples: sbf coverage eod_bar --by quarter | sbf coverage fmp_eod --days --ticker AAPL | sbf coverage
    """
    from sbf_core.cli.coverage import days_report
    from sbf_core.cli.facts import coverage_report

    if days or not name:
        days_report(home, name=name, ticker=ticker, as_json=as_json)
        return

    coverage_report(home, name=name, by=by, ticker=ticker, as_json=as_json)


def revisions(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="Its id, its table or its name.")],
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="e.g. currency=USD,date=2024-01-02, or the values in the order of the key."),
    ],
    home: opt.Home = None,
    as_json: opt.AsJson = False,
) -> None:
    """Every version of one key: its values, since and until when they were known, and the payload that brought each.

    Example: sbf revisions bls_cpi series_id=CUSR0000SA0,year=2024,period=M02
    """
    from sbf_core.cli.facts import revisions_report

    revisions_report(home, name=name, key=key, as_json=as_json)


def digest(
    home: opt.Home = None,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="SCHEMA.TABLE", help="Only this table; may be repeated.", show_default=False),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """One checksum for each silver and gold table, to compare databases.

    Example: sbf digest --table silver.ecb_reference_rate
    """
    from sbf_core.cli.reports import digest_report

    digest_report(home, tables=tuple(table or ()), as_json=as_json)


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; '-' reads it from standard input.")],
    home: opt.Home = None,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv or json.")] = "table",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, max=opt.COUNT_MAX, help="Rows at most; 0 for all.")
    ] = 1000,
    as_json: opt.AsJson = False,
) -> None:
    """Ask the warehouse. Read-only and locked down: no files, no settings, one statement.

    Example: sbf sql "SELECT * FROM gold.instrument_stats"
    """
    from sbf_core.cli.query import sql_report

    sql_report(home, query=query, output="json" if as_json else output, limit=limit)
