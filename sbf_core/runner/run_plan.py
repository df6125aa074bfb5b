"""What a run would do, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from sbf_core.failures import Failure
from sbf_core.plan.forecast import VendorForecast, forecast
from sbf_core.plan.planned import PlannedRequest
from sbf_core.plugin.record import PluginRecord
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class RunPlan(Value):
    """What a run would do.

    Attributes:
        requests: every request, due or not.
        plugins: whose hooks would be called.
        notes: what the user should know.
        faults: why datasets cannot be asked.
        lacking: what the machine lacked for some, by the identity of the dataset.
        vendors: what it asks of each vendor.
    """

    requests: tuple[PlannedRequest, ...]
    plugins: tuple[PluginRecord, ...]
    notes: tuple[str, ...] = ()
    faults: tuple[Failure, ...] = ()
    lacking: Mapping[str, Exception] = attrs.field(factory=dict)
    vendors: tuple[VendorForecast, ...] = ()

    @property
    def due(self) -> tuple[PlannedRequest, ...]:
        """The requests that are due."""
        return tuple(item for item in self.requests if item.due)

    def with_forecast(self, rates: Path, answer_seconds: Mapping[str, float]) -> RunPlan:
        """The same with what it asks of each vendor.

        Args:
            rates: the file that counts requests.
            answer_seconds: how long an answer of each vendor took on average.
        """
        return attrs.evolve(self, vendors=tuple(forecast(self.requests, rates=rates, answer_seconds=answer_seconds)))
