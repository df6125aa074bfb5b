"""What a plugin could fetch, and whom it could ask for more: values that its hook ``offers`` answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from sbf_core.dataset.about import About
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.value import Value


def _read_only(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


@attrs.frozen(kw_only=True, eq=False)
class Offer(About):
    """What a plugin could fetch, once ``sbf.toml`` says so.

    Attributes:
        id: what it is called at its vendor, e.g. ``GDPC1`` or ``ECB/EXR``.
        title: what it is.
        words: further words by which it is found.
        options: what ``[options.NAME]`` has to say for it: a tuple is added to the list that stands there, anything
            else takes the place of what does. Empty: another answer of the vendor says so, see ``asked_by``.
        usual: lists that hold while the settings are silent, so that an addition does not take them away.
        asked_by: where ``options`` is empty: the name of the ``VendorSearch`` that knows them, asked for ``id``.
        terms, source_url: for readers: its terms of use, where it is described.
        region, frequency, cost: as of a dataset.
    """

    id: str
    title: str
    words: str = ""
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only)
    usual: Mapping[str, Sequence[Any]] = attrs.field(factory=dict, converter=_read_only)
    asked_by: str = ""
    terms: str = ""
    source_url: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.id or not self.title:
            raise UsageError("an offer has no id or no title", where=f"offer {self.id!r}", code="OFFER")
        if bool(self.options) == bool(self.asked_by):
            what = "an offer says either what the options have to say, or whom to ask for that"
            raise UsageError(what, where=f"offer {self.id!r}", fix="write options= or asked_by=", code="OFFER")


@attrs.frozen(kw_only=True, eq=False)
class VendorSearch(Value):
    """A question to a vendor for what it has; asked only where a user names it.

    Attributes:
        name: by which it is named, e.g. ``ecb``.
        title: whose it is.
        recipe: how to ask. ``{ticker}`` in it stands for the words that are looked for.
        read: from the bytes of an answer to offers. Those in which the words do not stand are left out afterwards,
            unless ``judges``. It raises ``PayloadRefused`` for what is no answer.
        judges: the vendor judges what fits the words, in fields that an offer may not have.
        is_data: what tells an answer from an error with status 200.
    """

    name: str
    title: str
    recipe: RestRecipe
    read: Callable[[bytes], Sequence[Offer]]
    judges: bool = False
    is_data: DataRules = DataRules()
