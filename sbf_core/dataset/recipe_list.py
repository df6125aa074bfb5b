"""All recipes that a dataset can declare."""

from __future__ import annotations

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.dataset.sql_recipe import SqlRecipe

Recipe = RestRecipe | FileRecipe | SqlRecipe | SingerRecipe
