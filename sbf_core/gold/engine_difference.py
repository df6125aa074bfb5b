"""``EngineDifference``: what a SELECT answers differently on the two ends of the supported range of DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import attrs

from sbf_core.gold.engine_call import Call
from sbf_core.value import Value

#: The engines of the answers below, oldest first.
ENGINES = ("1.5.5", "2.0.1")
#: Stands for an answer where the engine refuses.
REFUSED = "an error"


class Effect(StrEnum):
    """What a difference does to who does not know of it."""

    VALUE = "another value"
    DRAW = "one of several"
    TYPE = "another type"
    ERROR = "an error on one of them"


@attrs.frozen(kw_only=True)
class EngineDifference(Value):
    """One difference.

    Attributes:
        name: of the row in the documentation.
        calls: functions and operators under the names of either engine's plan, in small letters; none where models are
            not searched for it, because nearly all that were found would be no such case.
        example: an expression that shows it.
        answers: of each of ``ENGINES``, as text; ``REFUSED`` where it refuses; None for NULL.
        instead: an expression for the same purpose.
        alike: what every engine answers to it.
        effect: what the difference does.
        told: which values it is about, in one clause.
        concerns: whether a call falls under it.
    """

    name: str
    calls: frozenset[str]
    example: str
    answers: tuple[str | None, str | None]
    instead: str
    alike: str | None
    effect: Effect
    told: str
    concerns: Callable[[Call], bool] = attrs.field(default=lambda call: True, eq=False, repr=False)

    @property
    def text(self) -> str:
        """The example with both answers and what to write."""
        first, second = (answer if answer is not None else "NULL" for answer in self.answers)
        return (
            f"{self.told}: {self.example} is {first} on DuckDB {ENGINES[0]} and {second} on {ENGINES[1]}; "
            f"write e.g. {self.instead}"
        )
