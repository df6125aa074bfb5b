"""What stands for the placeholders of a body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import attrs

from sbf_core.dataset.body_names import DIMENSION, NAME, beside_lists, names_a_ticker, of_type, typed_in
from sbf_core.value import Value

_CURSORS = ("{cursor}", "{cursor:json}", "{cursor:number}", "{cursor:boolean}")


@attrs.frozen(kw_only=True)
class Filling(Value):
    """What stands for the placeholders of a body.

    Attributes:
        values: by name; of several values of a dimension all, with what is declared between them.
        each: what ``{ticker}`` and the parts of it are for each of several tickers in one request: an element of a list
            that names one stands once for each. None where a request has one.
        lists: the values of each dimension by ``dim.NAME``: an element of a list that names one stands once for each.
    """

    values: Mapping[str, str]
    each: Sequence[Mapping[str, str]] | None = None
    lists: Mapping[str, Sequence[str]] = attrs.field(factory=dict)

    def text(self, template: str) -> str:
        """A text with its placeholders filled."""
        return NAME.sub(lambda match: self.values[match[1]], template)

    def json(self, template: Any) -> Any:
        """A JSON value with its texts filled; a field, or an element of a list, that is the cursor is left out where
        there is none yet. Raises ``UsageError`` where a typed placeholder stands for something else.
        """
        if isinstance(template, str):
            typed = typed_in(template)
            return self.text(template) if typed is None else of_type(typed[0], self.values[typed[0]], typed[1])
        if isinstance(template, Mapping):
            return {self.text(name): self.json(value) for name, value in template.items() if not self._lacks(value)}
        if isinstance(template, (list, tuple)):
            return [value for item in template for value in self._elements(item)]
        return template

    def form(self, template: Mapping[str, str]) -> dict[str, str]:
        """The fields of a form, filled."""
        return {self.text(name): self.text(value) for name, value in template.items() if not self._lacks(value)}

    def _elements(self, item: Any) -> Iterator[Any]:
        """An element of a list, once for each ticker and each value of a dimension that it names; what stands in lists
        within it does not count, for their elements repeat.
        """
        if self._lacks(item):
            return
        named = beside_lists(item) if self.each is not None or self.lists else frozenset()
        axes: list[list[Mapping[str, str]]] = []
        if self.each is not None and names_a_ticker(named):
            axes.append(list(self.each))
        axes += [[{name: value} for value in self.lists[name]] for name in sorted(named) if name.startswith(DIMENSION)]
        if not axes:
            yield self.json(item)
            return
        for chosen in product(*axes):
            here = {name: value for one in chosen for name, value in one.items()}
            each = chosen[:1] if self.each is not None and names_a_ticker(named) else self.each
            lists = {name: [here[name]] if name in here else values for name, values in self.lists.items()}
            yield Filling(values={**self.values, **here}, each=each, lists=lists).json(item)

    def _lacks(self, value: object) -> bool:
        return value in _CURSORS and not self.values["cursor"]
