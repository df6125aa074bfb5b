"""The files of a folder that a dataset reads each: which there are, and which changed since they were read."""

from __future__ import annotations

import datetime as dt
import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from sbf_core.bronze.paths import encoded
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.series_name import series_of
from sbf_core.errors import DatasetFailure, UsageError, printable
from sbf_core.http.file_mark import file_mark
from sbf_core.plan.found_file import COARSE, FIRST, FoundFile
from sbf_core.plan.given_series import GivenSeries
from sbf_core.settings.keys import Keys
from sbf_core.unicode_text import is_unicode
from sbf_core.universe.members import EVER, Membership
from sbf_core.universe.tickers import step_or_sign_in


def files_of(entry: DatasetKeymapEntry, root: Path, keys: Keys, marks: Mapping[str, str], *, limit: int) -> GivenSeries:
    """The files that a dataset's pattern finds, in the order of their names, as its series.

    Args:
        entry: a dataset with ``each="file"``.
        root: where relative paths start.
        keys: of object stores.
        marks: by series, the mark of the file as it was read last.
        limit: of so many files at most; 0: of all.

    Raises:
        DatasetFailure: the folder is not there, or cannot be read.
    """
    recipe = entry.each_file
    assert recipe is not None
    where = f"dataset {entry.id}"
    if recipe.is_remote:
        from sbf_core.plan.remote_files import remote_files  # few folders are on another machine

        found = remote_files(recipe, keys, marks, where=where)
    else:
        found = local_files(root, recipe, where=where)
    moments: dict[str, dt.datetime] = {}
    left_out: list[str] = []
    young: list[str] = []
    youngest = dt.datetime.fromtimestamp(time.time() - recipe.quiet_seconds, dt.UTC)
    for one in sorted(found, key=lambda each: each.name):
        why = _why_not(recipe, one.name)
        if why:
            left_out.append(f"{printable(one.name)!r} {why}")
        elif recipe.quiet_seconds and one.changed_at > youngest:
            young.append(one.name)
        else:
            series = series_of([one.name])
            moments[series] = one.sure_at if marks.get(series) == one.mark else EVER
    place = recipe.place("").rstrip("/") if recipe.is_remote else root / recipe.folder
    notes = [f"{entry.id}: no file in {place} matches {'/'.join(recipe.pattern)}"] if not moments and not young else []
    if left_out:
        notes.append(f"{entry.id}: {counted(len(left_out), 'file')} cannot be read, e.g. {left_out[0]}")
    if young:
        files = counted(len(young), "file")
        what = f"{files} changed within the last {recipe.quiet_seconds:g} s, e.g. {young[0]!r}"
        notes.append(f"{entry.id}: {what}; left for another run")
    if limit and len(moments) > limit:
        notes.append(f"{entry.id}: there are {counted(len(moments), 'file')}, and the first {limit} are read")
        moments = dict(list(moments.items())[:limit])
    return GivenSeries(membership=Membership(tickers=tuple(moments), changed=moments), notes=tuple(notes))


def local_files(root: Path, recipe: FileRecipe, *, where: str) -> list[FoundFile]:
    """The regular files that a pattern finds on this machine. No link to a folder is gone down at ``**``: it could lead
    round in a circle. Names with a dot in front are found only by a pattern that has it, too.

    Raises:
        DatasetFailure: a folder is not there, or cannot be read.
    """
    folder = root / recipe.folder
    try:
        facts = dict(_below(folder, "", recipe.pattern))
    except OSError as error:
        what = f"its folder cannot be read: {error.strerror or error}"
        raise DatasetFailure(what, where=f"{where}, {error.filename or folder}", fix="make it, or mend path") from error
    moments = {name: _moment(one) for name, one in facts.items()}
    return [
        FoundFile(name=name, mark=file_mark(one), changed_at=moments[name], sure_at=moments[name] + COARSE)
        for name, one in facts.items()
    ]


def _below(folder: Path, name: str, pattern: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    step, *rest = pattern
    is_any = step == "**"
    if is_any:
        yield from _below(folder, name, rest)
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name.startswith(".") and not step.startswith("."):
                continue
            path = f"{name}{one.name}"
            with suppress(FileNotFoundError):  # somebody moves it away
                if is_any:
                    if one.is_dir(follow_symlinks=False):
                        yield from _below(folder / one.name, f"{path}/", pattern)
                elif fnmatchcase(one.name, step) and not _leads_to_itself(one):
                    if not rest and one.is_file():
                        yield path, one.stat()
                    elif rest and one.is_dir():
                        yield from _below(folder / one.name, f"{path}/", rest)


def _leads_to_itself(one: os.DirEntry[str]) -> bool:
    """Whether a link ends nowhere because it comes round to itself; one that ends at what is not there is no file."""
    try:
        one.is_dir()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return True
    return False


def _moment(facts: os.stat_result) -> dt.datetime:
    """When a file changed last; the first or the last moment where the disk says what no calendar has."""
    try:
        return dt.datetime.fromtimestamp(facts.st_mtime, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return FIRST if facts.st_mtime < 0 else EVER - COARSE


def _why_not(recipe: FileRecipe, name: str) -> str:
    """Why a file cannot be a series; empty where it can."""
    if not is_unicode(name):
        return "has a name that is no Unicode"
    if why := step_or_sign_in(name):
        return why
    try:
        encoded(series_of([name]))
        recipe.values(series_of([name]))
    except UsageError as error:
        return "is not what parts matches" if error.code == "FILE_NAME" else error.what
    return ""
