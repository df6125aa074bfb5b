"""``sbf impact``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, say
from sbf_core.home.home import Home
from sbf_core.reports.lineage import impact as impact_of


def impact(
    payload: Annotated[
        str, typer.Argument(metavar="PAYLOAD", help="Its path below bronze, or 4 digits or more of its hash.")
    ],
    home_folder: opt.HomeFolder = None,
    as_json: opt.AsJson = False,
) -> None:
    """What a payload changed: rows of silver that it brought, and the gold tables that read them.

    Example: sbf impact 73db21584dd4
    """
    home = Home.at(home_folder)
    with reading(home) as cursor:
        effect = impact_of(cursor, home.gold_models(cursor).models, payload)
    facts: dict[str, Any] = {"current": effect.current, "superseded": effect.superseded, "rejected": effect.rejected}
    if as_json:
        print_json("impact", payload=effect.payload, silver_table=effect.silver_table, rows=facts, gold=effect.gold)
        return
    print(f"{effect.payload['payload']}, fetched {effect.payload['fetched_at']} by run {effect.payload['run_id']}\n")
    if not effect.silver_table:
        say("It was not promoted yet: `sbf run --only silver`.")
        return
    print_table(
        ("table", "rows that hold", "superseded since", "rejected"),
        [(f"silver.{effect.silver_table}", effect.current, effect.superseded, effect.rejected)],
    )
    print(f"\nread by {', '.join(effect.gold) or 'no gold table'}")
