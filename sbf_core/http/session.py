"""What fetchers get: a session that answers with ``RunResult`` and never raises for what a vendor does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import FileRecipe, RestRecipe
from sbf_core.errors import PluginFault
from sbf_core.run.request import RunRequest
from sbf_core.run.result import RunResult


class FetchSession(Protocol):
    """Answers requests: from the vendor, from files, or from a recording."""

    def get(
        self,
        request: RunRequest,
        url: str,
        *,
        extension: str = "json",
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        mirrors: tuple[str, ...] = (),
    ) -> RunResult:
        """Get one address. Arguments as in ``RestRecipe``; ``url`` is complete but for its secrets."""
        ...

    def read(self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()) -> RunResult:
        """Read one file. Arguments as in ``FileRecipe``."""
        ...


def filled(template: str, request: RunRequest, *, quoting: bool) -> str:
    """A template with the request's values in it; URL-quoted for addresses."""
    values = {
        "ticker": request.ticker or "",
        "discriminator": request.discriminator,
        "from_date": request.from_date.isoformat() if request.from_date else "",
        "to_date": request.to_date.isoformat() if request.to_date else "",
    }
    return template.format_map({name: quote(value, safe="") for name, value in values.items()} if quoting else values)


def fetch_by_recipe(entry: DatasetKeymapEntry, request: RunRequest, session: FetchSession) -> RunResult:
    """The default of the hook ``fetch``: one GET or one file, as the recipe says.

    Raises:
        PluginFault: the dataset has no recipe.
    """
    recipe = entry.recipe
    if isinstance(recipe, RestRecipe):
        return session.get(
            request,
            filled(recipe.url, request, quoting=True),
            extension=recipe.extension,
            headers=recipe.headers,
            secrets=recipe.secrets,
            secret_headers=recipe.secret_headers,
            mirrors=tuple(filled(mirror, request, quoting=True) for mirror in recipe.mirrors),
        )
    if isinstance(recipe, FileRecipe):
        mirrors = tuple(filled(mirror, request, quoting=False) for mirror in recipe.mirrors)
        return session.read(request, filled(recipe.path, request, quoting=False), extension=recipe.extension, mirrors=mirrors)
    raise PluginFault("has neither a recipe nor the hook fetch", where=f"dataset {entry.id}")
