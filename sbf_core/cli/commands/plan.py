"""``sbf plan``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.outcome import run_logger, tell_refused
from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.cli.run_words import RunWords, takes_run_words
from sbf_core.counted import counted
from sbf_core.errors import printable
from sbf_core.home.home import Home
from sbf_core.plan.forecast import VendorForecast
from sbf_core.plan.planned import PlannedRequest
from sbf_core.runner.run_plan import RunPlan
from sbf_core.runner.runner import Runner
from sbf_core.secret import redacted

if TYPE_CHECKING:
    from sbf_core.http.shown_questions import ShownQuestion
    from sbf_core.runner.asked_questions import Asks

_ROWS_MAX = 200


@takes_run_words
def plan(
    *,
    home_folder: opt.HomeFolder = None,
    words: RunWords,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="What each due request asks: method, address and body, keys as ***.")
    ] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Show each request that a run would consider, and why it is due or not. Writes nothing.

    Examples: sbf plan --plugins ecb | sbf plan --addresses
    """
    options = words.options()
    runner = Runner(Home.at(home_folder, flags=words.settings(), logger=run_logger()), options)
    tell_refused(runner)
    show_plan(runner.plan(), as_json=as_json, asks=runner.asks if addresses else None)


def show_plan(plan: RunPlan, *, as_json: bool, asks: Asks | None = None) -> None:
    """The requests, each with the reason, and what they cost of each vendor's limits; with ``asks`` what each of those
    asks that are due and shown.
    """
    for note in plan.notes:
        tell(f"sbf: note: {note}")
    if as_json:
        requests = [
            {
                "dataset": item.entry.id, "ticker": item.request.ticker,
                "from_date": item.asked_days[0], "to_date": item.asked_days[1],
                "due": item.due, "why": item.why,
                **({} if asks is None else {"asks": list(map(attrs.asdict, _asked(item, asks)))}),
            }
            for item in plan.requests
        ]  # fmt: skip
        vendors = [
            {
                "source": line.source,
                "requests": line.requests,
                "seconds": round(line.seconds, 1),
                "fits": line.fits,
                "limits": [attrs.asdict(use) for use in line.uses],
            }
            for line in plan.vendors
        ]
        print_json("plan", due=len(plan.due), requests=requests, vendors=vendors)
        return
    shown = sorted(plan.requests, key=lambda item: not item.due)[:_ROWS_MAX]
    headers = ("due", "dataset", "ticker", "from", "to", "why")
    print_table(
        headers,
        [(item.due, item.entry.id, item.request.shown_ticker, *item.asked_days, item.why) for item in shown],
    )
    if asks is not None:
        _print_asked(shown, asks)
    left = len(plan.requests) - len(shown)
    print()
    if plan.vendors:
        print_table(
            ("vendor", "requests", "about", "share of its limits"),
            [(line.source, line.requests, _about(line.seconds), _shares(line)) for line in plan.vendors],
        )
        print()
    print(
        f"{len(plan.due)} of {counted(len(plan.requests), 'request is', 'requests are')} due"
        + (f"; {left:,} not shown" if left else "")
    )


def _asked(item: PlannedRequest, asks: Asks) -> Iterator[ShownQuestion]:
    return asks(item) if item.due else iter(())


def _print_asked(shown: Sequence[PlannedRequest], asks: Asks) -> None:
    """What is asked, a line each, up to so many."""
    lines = (
        f"{one.method} {one.address}" + (f" {one.body}" if one.body else "")
        for item in shown
        for one in _asked(item, asks)
    )
    print()
    for line in islice(lines, _ROWS_MAX):
        print(printable(redacted(line)))
    if next(lines, None) is not None:
        print(f"and more; the first {_ROWS_MAX} are shown, --json has all")


def _about(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def _shares(line: VendorForecast) -> str:
    """What the plan takes of each budget for hours or days; of shorter ones it takes what there is, and waits."""
    told = [
        f"{(use.used + line.requests) / use.allowed:.0%} of {use.limit} ({use.used} used)"
        for use in line.uses
        if use.period_seconds > 60
    ]
    told += [f"at {use.limit}" for use in line.uses if use.period_seconds <= 60]
    return ", ".join(told) + ("" if line.fits else "; the rest is put off") if told else "none declared"
