"""What a request would ask, for readers: method, address and body, with ``***`` where keys and signatures go."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote_plus

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import MASK, RequestBody
from sbf_core.dataset.signature import Signature
from sbf_core.http.addresses import with_hidden
from sbf_core.http.page_address import PageAddress, first_page
from sbf_core.http.questions import parts_of, question_of
from sbf_core.http.recipe_walk import file_places
from sbf_core.runs.request import RunRequest
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class ShownQuestion(Value):
    """One question.

    Attributes:
        method: ``GET`` or ``POST``; ``READ`` for a file, ``QUERY`` for a database, ``RUN`` for a program.
        address: the address, the path of the file, or the query.
        body: what is posted; None where nothing is.
    """

    method: str
    address: str
    body: str | None = None


def shown_questions(entry: DatasetKeymapEntry, request: RunRequest) -> Iterator[ShownQuestion]:
    """What a recipe asks by one request, in this order: of an answer with pages the first, for only that names the
    others, and of what is cut where the vendor refuses it the whole.

    Raises:
        UsageError: a value cannot be sent as it is declared.
    """
    recipe = entry.recipe
    if isinstance(recipe, RestRecipe):
        for part in parts_of(recipe, request):
            asked = question_of(entry, recipe, part)
            here = PageAddress(asked.url) if recipe.pages is None else first_page(asked.url, recipe.pages)
            address, body = _with_masks(recipe, here, asked.body)
            yield ShownQuestion(method="GET" if body is None else "POST", address=address, body=body)
    elif isinstance(recipe, FileRecipe):
        yield ShownQuestion(method="READ", address=file_places(entry, recipe, request)[0])
    elif recipe is not None:
        from sbf_core.dataset.sql_recipe import SqlRecipe
        from sbf_core.http.other_answers import address_of  # few datasets ask a database, or run a program

        method = "QUERY" if isinstance(recipe, SqlRecipe) else "RUN"
        yield ShownQuestion(method=method, address=address_of(entry, recipe, request))


def _with_masks(recipe: RestRecipe, here: PageAddress, body: RequestBody | None) -> tuple[str, str | None]:
    names = [*recipe.secrets]
    fields: dict[str, object] = dict(here.fields)
    signature = recipe.sign_in if isinstance(recipe.sign_in, Signature) else None
    if signature is not None:  # the signature stands last, see ``signed_hop``
        names += sorted(signature.parameters, key=lambda name: "{signature}" in signature.parameters[name])
    elif parameter := getattr(recipe.sign_in, "parameter", ""):
        names.append(parameter)
    address = here.url
    for name in names:
        address = with_hidden(address, {name: MASK})
    address = address.replace(quote_plus(MASK), MASK) if names else address
    if body is None:
        return address, None
    body = body.with_fields(fields)
    if signature is not None and signature.fields:
        body = attrs.evolve(body, secrets={**body.secrets, **dict.fromkeys(signature.fields, "")})
    return address, body.shown()
