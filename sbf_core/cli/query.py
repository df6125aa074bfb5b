"""``sbf sql``."""

from __future__ import annotations

import sys

from sbf_core.cli.reading import reading
from sbf_core.cli.render import as_records, print_csv, print_json, print_table, tell
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.errors import UsageError, nearest
from sbf_core.facts.question import asked, check_question
from sbf_core.settings.settings import Settings

FORMATS = ("table", "csv", "json")


def sql_report(home: str | None, *, query: str, output: str, limit: int) -> None:
    """Print what one SELECT gives."""
    if output not in FORMATS:
        raise UsageError(
            f"there is no format {output!r}", fix=nearest(output, FORMATS) or "use table, csv or json", code="USAGE"
        )
    text = sys.stdin.read() if query == "-" else query
    with reading(Settings(home)) as cursor:
        check_question(cursor, text)
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
        tell(f"sbf: note: only the first {limit} rows are shown; use --limit 0 for all")
