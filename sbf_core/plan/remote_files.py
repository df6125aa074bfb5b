"""The files of a folder on another machine: which there are, by what its list says."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.remote_places import RemoteKind
from sbf_core.dataset.series_name import series_of
from sbf_core.errors import DatasetFailure, UsageError
from sbf_core.http.http_mark import HttpMark
from sbf_core.http.loop import RequestLoop
from sbf_core.http.remote_folder import StoredFile, folder_of
from sbf_core.plan.found_file import COARSE, FIRST, FoundFile
from sbf_core.settings.keys import Keys
from sbf_core.unicode_text import is_unicode
from sbf_core.universe.members import EVER


def remote_files(recipe: FileRecipe, keys: Keys, marks: Mapping[str, str], *, where: str) -> list[FoundFile]:
    """The files that a pattern finds, by the same rules as on this machine.

    Args:
        recipe: how they are reached.
        keys: what is secret.
        marks: by series, the mark of the file as it was read last.
        where: for messages.

    Raises:
        DatasetFailure: nobody answers, a key is not set, or a library is not there.
    """
    try:
        found = _listed(recipe, keys)
    except UsageError as error:
        raise DatasetFailure(error.what, where=", ".join(filter(None, (where, error.where))), fix=error.fix) from error
    except DatasetFailure as error:
        what = f"its folder cannot be read: {error.what}"
        raise DatasetFailure(
            what, where=f"{where}, {error.where}", fix=error.fix or "look at options and secrets"
        ) from error
    if recipe.remote is RemoteKind.HTTP:
        return [_of_list(one, marks.get(series_of([one.name]), "") if is_unicode(one.name) else "") for one in found]
    return [
        FoundFile(
            name=one.name,
            mark=one.mark,
            changed_at=one.changed_at,
            sure_at=FIRST if one.etag else one.changed_at + COARSE,
        )
        for one in found
    ]


def _listed(recipe: FileRecipe, keys: Keys) -> list[StoredFile]:
    folder = folder_of(recipe, keys)
    loop = RequestLoop(logging.getLogger("sbf"))  # who is slow could not be interrupted while we wait for it here
    try:
        return loop.result(folder.files())
    finally:
        folder.leave()
        loop.close(folder.close())


def _of_list(one: StoredFile, kept: str) -> FoundFile:
    """A file of a web server: its list tells times to the minute, and not of which zone; what was kept with the file
    tells from when on that is enough.
    """
    mark = HttpMark.of(kept)
    is_same = bool(one.listing) and mark.listing == one.listing
    return FoundFile(
        name=one.name,
        mark=kept if is_same else "",
        changed_at=FIRST,
        sure_at=(mark.sure_at or EVER) if is_same else EVER,
    )
