"""What a user says of a run, as one value that `sbf run` and `sbf plan` share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, get_type_hints

import attrs

from sbf_core.cli import options as opt
from sbf_core.runner.options import RunOptions, name_list, split_select
from sbf_core.user_dates import day, moment
from sbf_core.value import Value

#: Few enough digits for ``int``, which takes no more than some thousand.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@attrs.frozen(kw_only=True)
class RunWords(Value):
    """What a user says of a run: the options that `sbf run` and `sbf plan` share, as they were typed."""

    plugins: opt.Plugins = None
    exclude: opt.Exclude = None
    select: opt.Select = None
    tickers: opt.Tickers = None
    ticker_limit: opt.TickerLimit = None
    since: opt.Since = None
    until: opt.Until = None
    force: opt.Force = False
    no_rebuild_stale: opt.NoRebuildStale = False
    replay: opt.Replay = None
    replay_until: opt.ReplayUntil = None
    wait: opt.Wait = None

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
        values: dict[str, Any] = {"universe.ticker_limit": self.ticker_limit, "run.wait_seconds": self.wait}
        if self.tickers is not None:
            values["universe.tickers"] = name_list(self.tickers, what="--tickers")
        if workers is not None:
            values["run.workers"] = int(workers) if _WHOLE_NUMBER.fullmatch(workers) else workers
        return values


def takes_run_words(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter ``words`` is a ``RunWords``: typer sees an option for each of its fields."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    hints = get_type_hints(RunWords, include_extras=True)
    fields = [
        inspect.Parameter(field.name, keyword, default=field.default, annotation=hints[field.name])
        for field in attrs.fields(RunWords)
    ]
    own = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters += fields if name == "words" else [parameter.replace(kind=keyword, annotation=own[name])]

    def with_words(**given: Any) -> None:
        words = RunWords(**{field.name: given.pop(field.name) for field in fields})
        command(words=words, **given)

    with_words.__name__, with_words.__doc__ = command.__name__, command.__doc__
    with_words.__annotations__ = {one.name: one.annotation for one in parameters}
    with_words.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # typer reads it
    return with_words
