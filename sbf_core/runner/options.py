"""What a run was asked to do."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.plan.planner import PlanWishes
from sbf_core.value import Value
from sbf_core.vocabulary import Layer

FIRST_DAY = dt.date(1900, 1, 1)


@attrs.frozen(kw_only=True)
class RunOptions(Value):
    """What a run was asked to do; the rest comes from the settings.

    Attributes:
        plugins: names of plugins, their packages, or patterns; None for all that are configured.
        exclude: names, packages or patterns of plugins to leave out.
        select: terms that name datasets, as in ``selection``; none: all datasets.
        ids: identities of datasets; none: all datasets.
        since, until: days to fetch whatever the watermark says.
        only: stop other layers from being worked on; None for all three.
        fetch: ask vendors; else only what Bronze holds is worked on.
        accept: promote payloads, too, that wait for their user because a field is gone from them.
        remake: make stale tables again; else they wait, and nothing is promoted into them.
        force: fetch, promote again what failed, and build gold, although nothing is due.
        replay: a Bronze folder, a home, or the name of a recording such as ``sample``.
        replay_until: only what was recorded up to this moment.
    """

    plugins: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    only: Layer | None = None
    fetch: bool = True
    accept: bool = False
    remake: bool = True
    force: bool = False
    replay: str = ""
    replay_until: dt.datetime | None = None

    @property
    def wishes(self) -> PlanWishes:
        """The part that the planner needs."""
        return PlanWishes(since=self.since, until=self.until, force=self.force)

    def check(self, today: dt.date) -> None:
        """Raise ``UsageError`` for days that make no sense together."""
        for what, value in (("--since", self.since), ("--until", self.until)):
            if value is not None and not FIRST_DAY <= value <= today:
                raise UsageError(f"{what} {value} is not between {FIRST_DAY} and today", code="DATE")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise UsageError(f"--since {self.since} is after --until {self.until}", fix="turn them round", code="DATE")
        if self.replay_until is not None and not self.replay:
            raise UsageError("--replay-until needs --replay", code="USAGE")


def split_select(text: str | None, only: str | None) -> tuple[tuple[str, ...], Layer | None]:
    """The terms of ``--select`` that name datasets, and the layer that ``--only`` or a term ``layer:NAME`` names.

    Raises:
        UsageError: there are two layers, or one that is none.
    """
    terms = name_list(text, what="--select") if text is not None else ()
    layers = [term.removeprefix("layer:") for term in terms if term.startswith("layer:")] + (
        [only] if only is not None else []
    )
    if len(set(layers)) > 1:
        raise UsageError(f"{' and '.join(dict.fromkeys(layers))} are two layers", fix="name one", code="USAGE")
    return tuple(term for term in terms if not term.startswith("layer:")), layer(layers[0]) if layers else None


def layer(text: str) -> Layer:
    """A layer by its name. Raises ``UsageError`` for anything else."""
    if text not in set(Layer):
        raise UsageError(
            f"there is no layer {text!r}", fix=nearest(text, Layer) or "use bronze, silver or gold", code="USAGE"
        )
    return Layer(text)


def name_list(text: str, *, what: str) -> tuple[str, ...]:
    """Names between commas. Raises ``UsageError`` for an empty list or an empty name."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise UsageError(f"{what} {text!r} holds an empty name", fix="write a,b,c", code="USAGE")
    return names
