"""What plugins could fetch and nobody has chosen yet: asked for by who looks for data, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.errors import SbfError, UsageError
from sbf_core.failures import Failure, failure_of
from sbf_core.plugin.offer import Offer, VendorSearch
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.plugin.manager import PluginManager
    from sbf_core.plugin.record import PluginRecord


@attrs.frozen(kw_only=True)
class Offered(Value):
    """An offer, and the plugin that makes it."""

    offer: Offer
    plugin: PluginRecord


@attrs.frozen(kw_only=True)
class AllOffers(Value):
    """What all plugins answered.

    Attributes:
        offers: what they could fetch.
        searches: whom they could ask for more, by name.
        faults: why some gave no answer.
    """

    offers: list[Offered]
    searches: dict[str, tuple[PluginRecord, VendorSearch]]
    faults: list[Failure]


def offers_of(manager: PluginManager, plugins: Sequence[PluginRecord], words: str) -> AllOffers:
    """What plugins offer. One that fails is told of, and the others go on.

    Args:
        manager: calls them.
        plugins: the loaded plugins that are asked.
        words: what is looked for.
    """
    answer = AllOffers(offers=[], searches={}, faults=[])
    for record in plugins:
        if not manager.has(record, "offers"):
            continue
        try:
            _add(answer, record, _asked(manager, record, words))
        except SbfError as error:
            answer.faults.append(failure_of(error))
    return answer


def _asked(manager: PluginManager, record: PluginRecord, words: str) -> list[Offer | VendorSearch]:
    given = manager.call(
        record, "offers", doing="what it offers", safe="nothing was written", words=words, options=record.options
    )
    return checked_offers(given, where=f"plugin {record.label}, hook offers")


def checked_offers(given: Any, *, where: str) -> list[Any]:
    """What a hook or a reader answered, as a list. Raises ``UsageError`` for anything but offers and searches."""
    listed = list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else [given]
    wrong = [one for one in listed if not isinstance(one, (Offer, VendorSearch))]
    if wrong:
        what = f"gave {type(wrong[0]).__name__} instead of Offer or VendorSearch"
        raise UsageError(what, where=where, fix="answer a list of them", code="OFFER")
    return listed


def _add(answer: AllOffers, record: PluginRecord, given: Sequence[Offer | VendorSearch]) -> None:
    for one in given:
        if isinstance(one, Offer):
            answer.offers.append(Offered(offer=one, plugin=record))
        elif one.name in answer.searches:
            what = f"two searches are called {one.name!r}"
            raise UsageError(what, where=f"plugin {record.label}", fix="give one another name", code="OFFER")
        else:
            answer.searches[one.name] = record, one
