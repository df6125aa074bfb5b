"""``sbf alert``."""

from __future__ import annotations

from typing import Annotated

import typer

from sbf_core.alerts.alerting import Outcome, Sent, try_rules
from sbf_core.alerts.alerting import alert as tell_rules
from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, tell
from sbf_core.errors import UsageError
from sbf_core.home.home import Home

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be told; send and keep nothing.")]
Test = Annotated[bool, typer.Option("--test", help="Send a test to each rule, whatever is wrong.")]


def alert(
    home_folder: opt.HomeFolder = None, dry_run: DryRun = False, test: Test = False, as_json: opt.AsJson = False
) -> int:
    """Tell whom sbf.toml names what began to be wrong and what is well again, once; exit code 1 if a channel fails.

    Example: sbf alert --dry-run
    """
    if dry_run and test:
        raise UsageError("a test is sent, and a dry run sends nothing", fix="use one of both", code="OPTIONS")
    home = Home.at(home_folder)
    outcomes = try_rules(home) if test else tell_rules(home, is_dry=dry_run)
    failed = any(one.sent is Sent.FAILED for one in outcomes)
    if as_json:
        print_json("alert", rules=[_record(one) for one in outcomes])
    else:
        for one in outcomes:
            _print(one)
    return 1 if failed else 0


def _record(one: Outcome) -> dict[str, object]:
    message = one.message
    return {
        "rule": one.rule.name, "sent": str(one.sent), "why": one.why,
        "title": message.title if message else None, "body": message.body if message else None,
    }  # fmt: skip


def _print(one: Outcome) -> None:
    if one.sent is Sent.FAILED:
        tell(f"sbf: alerts.{one.rule.name} could not be told: {one.why}; it is told the next time")
    print(f"alerts.{one.rule.name}: {one.sent}")
    if one.message is not None and one.sent is not Sent.FAILED:
        print(f"  {one.message.title}")
        for line in one.message.body.splitlines():
            print(f"  {line}" if line else "")
