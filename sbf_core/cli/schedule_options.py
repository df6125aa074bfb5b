"""Options of the commands of schedules."""

from __future__ import annotations

from typing import Annotated

import typer

Every = Annotated[
    int,
    typer.Option("--every", metavar="MINUTES", min=1, max=1440, help="How often it is looked whether anything is due."),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="KIND",
        help="systemd, cron or windows; what this machine has when absent.",
        show_default=False,
    ),
]
