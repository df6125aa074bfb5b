"""Bundled price vendors on a real socket: the declared dataset, asked there."""

from __future__ import annotations

from typing import Any

import attrs
from pytest_httpserver import HTTPServer

from sbf_core.api import DatasetKeymapEntry, hookimpl
from sbf_core.dataset.recipe import RestRecipe


class Here:
    """A plugin's only dataset, asked for at a server on loopback, without limits."""

    def __init__(self, entry: DatasetKeymapEntry, server: HTTPServer, **recipe: Any) -> None:
        self._entry = entry
        self._at = server.url_for("").rstrip("/")
        self._recipe = recipe

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        recipe = self._entry.recipe
        assert isinstance(recipe, RestRecipe)
        path = recipe.url.split("/", 3)[3]
        here = attrs.evolve(recipe, url=f"{self._at}/{path}", limits=(), **self._recipe)
        return [attrs.evolve(self._entry, recipe=here, cadence=attrs.evolve(self._entry.cadence, calendar=""))]
