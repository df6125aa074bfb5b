"""What a plugin proposes to whoever writes a plugin of his own: ``sbf plugins new NAME --from PLUGIN:WHAT``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import check_name, texts

if TYPE_CHECKING:
    from sbf_core.dataset.format_list import Format


def _recipes(values: Iterable[RestRecipe]) -> tuple[RestRecipe, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class ProposedDataset(Value):
    """One dataset that a plugin knows how to ask for. A function under the group ``sbf.proposals`` gives it:
    ``proposed(text: str, *, options: Mapping[str, Any], today: dt.date) -> ProposedDataset``.

    sbf asks for one answer, keeps it as the recording of the new package, takes the columns from the structure, or from
    the answer where there is none, and writes the declaration out. The new package needs the proposing plugin no more.

    Attributes:
        recipe: how the whole of it is asked for; ``{ticker}`` is ``member``.
        narrower: the same for less, from more to less: asked where the whole is too large for a sample, and marked.
        begins_narrow: the whole is likely to be too large: the first of ``narrower`` is asked first, and the whole only
            where that has nothing.
        source: who publishes it, as ``DatasetKeymapEntry.source``.
        domain: what it is about.
        member: what is asked for once, where ``recipe`` names ``{ticker}``.
        structure: where an SDMX data structure of its rows is; None: columns are told by the answer.
        key: of SDMX: which codes of each dimension are wanted, with dots between; empty: all.
        format: how an answer is written; None: as the extension of ``recipe`` says, and what its bytes show.
        semantics: what a later answer means, see ``DatasetKeymapEntry``; empty: ``upsert``.
        is_data: what tells data from an answer that is none.
        tells_deletions: an answer says what the vendor deleted: a column ``deleted`` takes it.
        no_value: texts that stand for "no value" of what is measured.
        title, terms, source_url: for readers.
    """

    recipe: RestRecipe
    narrower: tuple[RestRecipe, ...] = attrs.field(default=(), converter=_recipes)
    begins_narrow: bool = False
    source: str
    domain: str = "data"
    member: str = ""
    structure: RestRecipe | None = None
    key: str = ""
    format: Format | None = None
    semantics: str = ""
    is_data: DataRules = DataRules()
    tells_deletions: bool = False
    no_value: tuple[str, ...] = attrs.field(default=(), converter=texts)
    title: str = ""
    terms: str = ""
    source_url: str = ""

    def __attrs_post_init__(self) -> None:
        check_name(self.source, what="source")
        check_name(self.domain, what="domain")
        recipes = [self.recipe, *self.narrower]
        if any(("ticker" in recipe.named) != bool(self.member) for recipe in recipes):
            raise UsageError("{ticker} in the address and member belong together", where=self.recipe.url, code="RECIPE")
        if self.begins_narrow and not self.narrower:
            raise UsageError("begins_narrow wants something narrower", where=self.recipe.url, code="RECIPE")
