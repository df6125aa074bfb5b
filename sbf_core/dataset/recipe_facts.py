"""How a dataset is asked, by what its recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbf_core.dataset.body_names import beside_lists
from sbf_core.dataset.cursor import Cursor
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.templates import placeholders

if TYPE_CHECKING:
    from sbf_core.dataset.recipe_list import Recipe


class RecipeFacts:
    """What follows from a recipe, or from there being none: then a hook asks."""

    __slots__ = ()

    recipe: Recipe | None
    _payloads_of: tuple[str, ...]

    @property
    def is_asked_by_days(self) -> bool:
        """Whether a request for fewer days brings fewer rows, as far as is known."""
        return self.recipe is None or bool(self.placeholders & {"from_date", "to_date", "year"})

    @property
    def is_asked_since(self) -> bool:
        """Whether the address says since when rows are wanted."""
        return "from_date" in self.placeholders

    @property
    def is_asked_until(self) -> bool:
        """Whether the address says until when rows are wanted."""
        return "to_date" in self.placeholders

    @property
    def placeholders(self) -> frozenset[str]:
        """The names in braces in its address, its body or its path."""
        return frozenset() if self.recipe is None else self.recipe.named

    @property
    def named_once(self) -> frozenset[str]:
        """Those that stand once in a request for several tickers: in no element of a list in its body."""
        recipe = self.recipe
        if not isinstance(recipe, RestRecipe) or recipe.json is None:
            return self.placeholders
        return placeholders(recipe.url) | beside_lists(recipe.json)

    @property
    def cursor(self) -> Cursor | None:
        """Where its requests go on, if it is asked for what changed; another dataset's are none of its own."""
        recipe = self.recipe
        return None if recipe is None or isinstance(recipe, FileRecipe) or self._payloads_of else recipe.cursor

    @property
    def tickers_at_once(self) -> int:
        """How many tickers one request may name."""
        return self.recipe.tickers_per_request if isinstance(self.recipe, RestRecipe) else 1

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names of the keys that the recipe sends, of all accounts."""
        return tuple(dict.fromkeys(name for names in self.key_sets for name in names))

    @property
    def key_sets(self) -> tuple[tuple[str, ...], ...]:
        """The same for each account with the vendor. One of them is enough."""
        if isinstance(self.recipe, RestRecipe):
            return self.recipe.key_sets
        return (tuple(self.recipe.secrets.values()),) if self.recipe is not None else ()
