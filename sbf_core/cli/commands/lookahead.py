"""``sbf lookahead``."""

from __future__ import annotations

from typing import Annotated

import attrs
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table
from sbf_core.cli.show_progress import progress
from sbf_core.counted import counted
from sbf_core.home.home import Home
from sbf_core.reports.lookahead import looks_ahead


def lookahead(
    table: Annotated[str, typer.Argument(metavar="GOLD_TABLE", help="e.g. fact_macro.")],
    home_folder: opt.HomeFolder = None,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=10_000, help="How many days are looked at.")
    ] = 12,
    days_later: Annotated[
        int,
        typer.Option(
            "--days-later", metavar="N", min=0, max=4_000, help="So many days after its day a row may become known."
        ),
    ] = 0,
    as_json: opt.AsJson = False,
) -> int:
    """Prove that a gold table says of each day what was known on it; exit code 1 where it says more.

    Example: sbf lookahead fact_macro --days-later 40
    """
    home = Home.at(home_folder)
    with reading(home) as cursor:
        compared = looks_ahead(home, cursor, table, days=days, days_later=days_later, progress=progress())
    is_clean = all(one.is_clean for one in compared)
    if as_json:
        print_json("lookahead", table=table, is_clean=is_clean, days=[attrs.asdict(one) for one in compared])
        return 0 if is_clean else 1
    print_table(
        ("day", "known until", "rows", "unknown", "changed", "gone", "example"),
        [
            (one.day, f"{one.known_at:%Y-%m-%d %H:%M}Z", one.rows, one.unknown, one.changed, one.gone, one.example)
            for one in compared
        ],
    )
    print(_told(sum(not one.is_clean for one in compared), len(compared)))
    return 0 if is_clean else 1


def _told(ahead: int, days: int) -> str:
    if not ahead:
        return f"On {counted(days, 'day')} it says what was known, and nothing else."
    return f"On {ahead} of {counted(days, 'day')} it says what was not known then."
