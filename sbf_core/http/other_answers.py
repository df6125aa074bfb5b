"""Who answers what neither an address nor a file does: a database, or a program; and how such a request is called."""

from __future__ import annotations

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.dataset.sql_recipe import SqlRecipe
from sbf_core.http.live import LiveSession
from sbf_core.http.sql_answers import SqlAnswers, values_of
from sbf_core.http.tap_answers import TapAnswers
from sbf_core.http.tap_answers import values_of as tap_values_of
from sbf_core.runs.request import RunRequest


def answers_of(
    entry: DatasetKeymapEntry, recipe: SqlRecipe | SingerRecipe, live: LiveSession
) -> SqlAnswers | TapAnswers:
    """Who answers the requests of a dataset."""
    if isinstance(recipe, SingerRecipe):
        return TapAnswers(entry, recipe, live)
    return SqlAnswers(entry, recipe, live)


def address_of(entry: DatasetKeymapEntry, recipe: SqlRecipe | SingerRecipe, request: RunRequest) -> str:
    """How a request is called in journal, ledger and recordings; it holds no secret."""
    if isinstance(recipe, SingerRecipe):
        return recipe.address(request.cursor, tap_values_of(entry, request))
    return recipe.address(values_of(entry, recipe, request))
