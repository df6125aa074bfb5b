"""Which datasets of a run can be asked for at all: one that cannot costs itself, and is told."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.dataset.limits import contradict
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.failures import Failure, FailureKind
from sbf_core.plan.sessions import check_calendar
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.runner.waves import row_sources


def sound_datasets(
    datasets: Sequence[OwnedDataset], faults: list[Failure], *, installed: Sequence[OwnedDataset] | None
) -> tuple[list[OwnedDataset], dict[str, frozenset[str]]]:
    """The datasets whose calendar there is, whose query of rows can be asked, and whose limits go with those of their
    vendor's other datasets; and of those with a query which datasets it reads.

    Args:
        datasets: of a run; of two whose limits contradict each other the first is kept.
        faults: why the others are left out is added.
        installed: every dataset that there is; None where no vendor is asked, and so no query.

    Raises:
        UsageError: none is left.
    """
    kept, limits, first = [], dict[str, tuple[str, ...]](), None
    sources: dict[str, frozenset[str]] = {}
    tables = {owned.entry.silver_table: owned.entry for owned in installed or ()}
    for owned in datasets:
        try:
            if owned.entry.reads:  # it is not asked for
                kept.append(owned)
                continue
            check_calendar(owned.entry)
            if owned.entry.for_each is not None and installed is not None:
                sources[owned.entry.id] = row_sources(owned.entry, tables)
            limits[owned.entry.source] = _together(owned, limits.get(owned.entry.source, ()))
        except UsageError as error:
            first = first or error
            where = "; ".join(part for part in (error.where, error.fix, f"plugin {owned.plugin.label}") if part)
            faults.append(
                Failure(
                    kind=FailureKind.DECLARATION,
                    what=error.what,
                    dataset=owned.entry.id,
                    where=where,
                    fix="the others go on",
                )
            )
            continue
        kept.append(owned)
    if first is not None and not kept:
        raise first
    return kept, sources


def _together(owned: OwnedDataset, known: tuple[str, ...]) -> tuple[str, ...]:
    recipe = owned.entry.recipe
    own = recipe.limits if isinstance(recipe, RestRecipe) else ()
    limits = tuple(dict.fromkeys((*known, *own)))
    if set(own) - set(known) and contradict(limits):
        with_whom = "each other" if contradict(own) else f"those of another dataset of {owned.entry.source}"
        what = f"its limits {', '.join(own)} contradict {with_whom}"
        if with_whom != "each other":
            what += f": {', '.join(known)}"
        raise UsageError(what, fix="a longer period must allow more, but less per second", code="RECIPE")
    return limits
