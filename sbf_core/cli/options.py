"""Options that several commands share, and those of a run as one value."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import attrs
import typer

from sbf_core.runner.options import RunOptions, name_list, split_select
from sbf_core.user_dates import day, moment

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


#: Few enough digits for ``int``, which takes no more than some thousand.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@attrs.frozen(kw_only=True)
class RunWords:
    """What a user says of a run: the options that `sbf run` and `sbf plan` share, as they were typed."""

    plugins: Plugins = None
    exclude: Exclude = None
    select: Select = None
    tickers: Tickers = None
    ticker_limit: TickerLimit = None
    since: Since = None
    until: Until = None
    force: Force = False
    no_rebuild_stale: NoRebuildStale = False
    replay: Replay = None
    replay_until: ReplayUntil = None
    wait: Wait = None

    def options(self, *, only: str | None = None) -> RunOptions:
        """What is asked for. Raises ``UsageError`` for words that are no names, days or layers."""
        terms, layer = split_select(self.select, only)
        return RunOptions(
            plugins=None if self.plugins is None else name_list(self.plugins, what="--plugins"),
            exclude=() if self.exclude is None else name_list(self.exclude, what="--exclude"),
            select=terms,
            since=None if self.since is None else day(self.since, what="--since"),
            until=None if self.until is None else day(self.until, what="--until"),
            only=layer,
            remake=not self.no_rebuild_stale,
            force=self.force,
            replay=self.replay or "",
            replay_until=None if self.replay_until is None else moment(self.replay_until, what="--replay-until"),
        )

    def settings(self, *, workers: str | None = None) -> dict[str, Any]:
        """What of it are settings, by their names; they are checked with the settings."""
        found: dict[str, Any] = {"universe.ticker_limit": self.ticker_limit, "run.wait_seconds": self.wait}
        if self.tickers is not None:
            found["universe.tickers"] = name_list(self.tickers, what="--tickers")
        if workers is not None:
            found["run.workers"] = int(workers) if _WHOLE_NUMBER.fullmatch(workers) else workers
        return found


def takes_run_words(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter ``words`` is a ``RunWords``: typer sees an option for each of its fields."""
    hints = get_type_hints(RunWords, include_extras=True)
    fields = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in attrs.fields(RunWords)
    ]
    own = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        more = (
            fields
            if name == "words"
            else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own[name])]
        )
        parameters += more

    def with_words(**given: Any) -> None:
        words = RunWords(**{field.name: given.pop(field.name) for field in fields})
        command(words=words, **given)

    with_words.__name__, with_words.__doc__ = command.__name__, command.__doc__
    with_words.__annotations__ = {one.name: one.annotation for one in parameters}
    with_words.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_words
