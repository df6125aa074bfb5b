"""``sbf impact``."""

from __future__ import annotations

from typing import Annotated, Any

import attrs
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
    if as_json:
        each = [attrs.asdict(one) for one in effect.tables]
        facts: dict[str, Any] = each[0] if each else {"silver_table": "", "current": 0, "superseded": 0, "rejected": 0}
        table = facts.pop("silver_table")
        print_json("impact", payload=effect.payload, silver_table=table, rows=facts, also=each[1:], gold=effect.gold)
        return
    print(f"{effect.payload['payload']}, fetched {effect.payload['fetched_at']} by run {effect.payload['run_id']}\n")
    if not effect.tables:
        say("It was not promoted yet: `sbf run --only silver`.")
        return
    print_table(
        ("table", "rows that hold", "superseded since", "rejected"),
        [(f"silver.{one.silver_table}", one.current, one.superseded, one.rejected) for one in effect.tables],
    )
    print(f"\nread by {', '.join(effect.gold) or 'no gold table'}")
