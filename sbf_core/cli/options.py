"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

#: The most that a count may be: larger ones the engine cannot count to.
COUNT_MAX = 1_000_000_000

HomeFolder = Annotated[
    str | None,
    typer.Option(
        "--home", metavar="DIR", help="Folder of the warehouse. [SBF_HOME, else ./sbf-data]", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Plugins = Annotated[
    str | None,
    typer.Option(
        "--plugins", metavar="A,B", help="Only these plugins; packages and patterns such as f* too.", show_default=False
    ),
]
Exclude = Annotated[
    str | None, typer.Option("--exclude", metavar="A,B", help="Leave these plugins out.", show_default=False)
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select",
        metavar="TERMS",
        help="Only these datasets: fmp:eod*, prices/*, tag:daily, layer:gold.",
        show_default=False,
    ),
]
Tickers = Annotated[
    str | None, typer.Option("--tickers", metavar="A,B", help="Only these tickers.", show_default=False)
]
TickerLimit = Annotated[
    int | None,
    typer.Option(
        "--ticker-limit", metavar="N", min=0, max=10_000_000, help="Only the first N tickers.", show_default=False
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DAY", help="Fetch from this day on, whatever is there.", show_default=False),
]
Until = Annotated[str | None, typer.Option("--until", metavar="DAY", help="Fetch up to this day.", show_default=False)]
Replay = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="FOLDER",
        help="Answer from a recording (a Bronze folder, a home, or 'sample').",
        show_default=False,
    ),
]
ReplayUntil = Annotated[
    str | None,
    typer.Option("--replay-until", metavar="MOMENT", help="Only what was recorded up to then.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Fetch, promote and build although nothing is due.")]
Wait = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", help="Wait for another process to leave the home.", show_default=False),
]
Workers = Annotated[
    str | None, typer.Option("--workers", metavar="N", help="Requests at once (1 to 64).", show_default=False)
]
NoRebuildStale = Annotated[
    bool,
    typer.Option(
        "--no-rebuild-stale",
        help="Leave tables whose declaration has changed as they are, and promote nothing into them.",
    ),
]
