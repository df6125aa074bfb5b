"""What a plugin could fetch, and whom it could ask for more: values that its hook ``offers`` answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from sbf_core.dataset.about import About
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import check_name


def _is_name(_: object, __: object, value: str) -> None:
    check_name(value, what="search")  # its requests are counted by it


def _read_only(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


@attrs.frozen(kw_only=True)
class Offer(About):
    """What a plugin could fetch, once ``sbf.toml`` says so.

    Attributes:
        id: what it is called at its vendor, e.g. ``GDPC1`` or ``ECB/EXR``.
        title: what it is.
        words: further words by which it is found.
        options: what ``[options.NAME]`` has to say for it: a tuple is added to the list that stands there, anything
            else takes the place of what does. Empty: another answer of the vendor says so, see ``asked_by``.
        usual: lists that hold while the settings are silent, so that an addition does not take them away.
        note: what to know of these options, e.g. that they ask for a lot.
        asked_by: where ``options`` is empty: the name of the ``VendorSearch`` that knows them, asked for ``id``.
        terms, source_url: for readers: its terms of use, where it is described.
        region, frequency, cost: as of a dataset.
    """

    id: str
    title: str
    words: str = ""
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only)
    usual: Mapping[str, Sequence[Any]] = attrs.field(factory=dict, converter=_read_only)
    note: str = ""
    asked_by: str = ""
    terms: str = ""
    source_url: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.id or not self.title:
            raise UsageError("an offer has no id or no title", where=f"offer {self.id!r}", code="OFFER")
        if bool(self.options) == bool(self.asked_by):
            what = "an offer says either what the options have to say, or whom to ask for that"
            raise UsageError(what, where=f"offer {self.id!r}", fix="write options= or asked_by=", code="OFFER")


@attrs.frozen(kw_only=True)
class VendorSearch(Value):
    """A question to a vendor for what it has; asked only where a user names it.

    Attributes:
        name: by which it is named, e.g. ``ecb``, and its requests are counted: that of the datasets that ask the same
            vendor.
        title: whose it is.
        recipe: how to ask. ``{ticker}`` in it stands for the words that are looked for.
        read: from the bytes of an answer to offers. Those in which the words do not stand are left out afterwards,
            unless ``judges``. It raises ``PayloadRefused`` for what is no answer.
        judges: the vendor judges what fits the words, in fields that an offer may not have.
        is_data: what tells an answer from an error with status 200.
    """

    name: str = attrs.field(validator=_is_name)
    title: str
    recipe: RestRecipe
    read: Callable[[bytes], Sequence[Offer]]
    judges: bool = False
    is_data: DataRules = DataRules()


_FIELDS = ("id", "option", "value", "region", "frequency", "title", "words")


def offers_of_table(path: Path, **facts: Any) -> list[Offer]:
    """Offers that stand in a file beside a plugin, one in a line.

    A line has seven fields with tabs between: id; option of the plugin; what is added to the list there, which is the
    id where the field is empty; region and frequency, several with blanks between; title; further words. A line that
    begins with ``#`` is none.

    Args:
        path: the file, in UTF-8.
        **facts: what all of them have: ``usual``, ``cost``, ``terms``, ``source_url``.

    Raises:
        UsageError: a line has another number of fields, or says something of a region or frequency that there is not.
    """
    made = []
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not row or row.startswith("#"):
            continue
        given: dict[str, Any] = dict(zip(_FIELDS, row.split("\t"), strict=False))
        if row.count("\t") != len(_FIELDS) - 1:
            what = f"line {number} has {row.count(chr(9)) + 1} fields, and not {len(_FIELDS)}"
            raise UsageError(what, where=path.name, fix=f"write {', '.join(_FIELDS)} with tabs between", code="OFFER")
        option, value = given.pop("option"), given.pop("value") or given["id"]
        given |= {name: tuple(given[name].split()) for name in ("region", "frequency")}
        made.append(Offer(**given, options={option: (value,)}, **facts))
    return made
