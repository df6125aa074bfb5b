"""The first request of a recipe: its address and its body, as they are sent and as a recording knows them."""

from __future__ import annotations

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import RequestBody
from sbf_core.http.questions import filled, filled_body
from sbf_core.runs.request import RunRequest


def first_request(recipe: RestRecipe, request: RunRequest) -> tuple[str, RequestBody | None]:
    """The address of the first page, or of the only one, and what is posted to it."""
    url = filled(recipe.url, request, quoting=True, recipe=recipe)
    body = filled_body(recipe, request) if recipe.is_post else None
    if recipe.pages is None:
        return url, body
    from sbf_core.http.page_address import first_page

    here = first_page(url, recipe.pages)
    return here.url, body if body is None else body.with_fields(dict(here.fields))


def recorded_address(recipe: RestRecipe, request: RunRequest) -> str:
    """How that request is called in a recording."""
    url, body = first_request(recipe, request)
    return url if body is None else body.address(url)
