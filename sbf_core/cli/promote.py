"""The command that works on what Bronze holds."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt


def promote(
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Only these datasets.", show_default=False)
    ] = None,
    home: opt.Home = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Promote payloads, too, that are held because a field is gone.")
    ] = False,
    wait: opt.Wait = None,
    as_json: opt.AsJson = False,
) -> None:
    """Promote what Bronze holds and Silver does not, and build Gold; asks no vendor.

    Examples: sbf promote | sbf promote fx/ecb/reference_rates --accept
    """
    from sbf_core.cli.run import promote_command

    raise Exit(
        promote_command(
            home,
            {} if wait is None else {"run.wait_seconds": wait},
            tuple(datasets or ()),
            accept=accept,
            as_json=as_json,
        )
    )
