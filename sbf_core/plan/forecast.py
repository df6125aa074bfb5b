"""What a plan costs: requests, time, and the share of each vendor's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.questions import parts_of
from sbf_core.http.rate_use import RateUse, rate_use
from sbf_core.plan.planned import PlannedRequest
from sbf_core.value import Value

#: How long an answer takes where none came before.
_ANSWER_SECONDS_USUAL = 0.5


@attrs.frozen(kw_only=True)
class VendorForecast(Value):
    """What a plan asks of one vendor.

    Attributes:
        source: the vendor.
        requests: those that are due; a page walk counts as one, so there may be more.
        seconds: how long they take at least, by the vendor's limits and its usual answers.
        uses: its limits, with what is used of each.
    """

    source: str
    requests: int
    seconds: float
    uses: tuple[RateUse, ...]

    @property
    def fits(self) -> bool:
        """Whether a run gets all of it: budgets of hours and days suffice."""
        return all(use.used + self.requests <= use.allowed for use in self.uses if use.period_seconds > 60)


def forecast(
    planned: Sequence[PlannedRequest], *, rates: Path, answer_seconds: Mapping[str, float]
) -> list[VendorForecast]:
    """One line for each vendor that is asked over the network.

    Args:
        planned: requests, due or not.
        rates: the file that counts requests.
        answer_seconds: how long an answer of each vendor took on average.
    """
    due: dict[str, int] = {}
    limits: dict[str, list[str]] = {}
    connections: dict[str, int] = {}
    for item in planned:
        recipe, source = item.entry.recipe, item.entry.source
        if not item.due or not isinstance(recipe, RestRecipe):
            continue
        due[source] = due.get(source, 0) + _asked(item, recipe)
        limits.setdefault(source, []).extend(recipe.limits)
        connections[source] = min(connections.get(source, recipe.connections), recipe.connections)
    lines = []
    for source, number in due.items():
        uses = tuple(rate_use(rates, source, limits[source]))
        waits = [max(0.0, (number + use.used - use.allowed) / use.allowed * use.period_seconds) for use in uses]
        answers = number * answer_seconds.get(source, _ANSWER_SECONDS_USUAL) / connections[source]
        lines.append(VendorForecast(source=source, requests=number, seconds=max([answers, *waits]), uses=uses))
    return lines


def _asked(item: PlannedRequest, recipe: RestRecipe) -> int:
    """How often the vendor is asked for a planned request, but for pages."""
    if recipe.cells is None:
        return len(item.steps) * max(1, len(recipe.periods))
    return sum(1 for step in item.steps for _ in parts_of(recipe, step))
