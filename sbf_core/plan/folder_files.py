"""The files of a folder that a dataset reads each: which there are, and which changed since they were read."""

from __future__ import annotations

import datetime as dt
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from sbf_core.bronze.paths import encoded
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.series_name import series_of
from sbf_core.errors import DatasetFailure, UsageError, printable
from sbf_core.http.file_mark import file_mark
from sbf_core.plan.given_series import GivenSeries
from sbf_core.unicode_text import is_unicode
from sbf_core.universe.members import Membership
from sbf_core.universe.tickers import step_or_sign_in

#: Some disks know times to two seconds: what was read sooner after a change may have changed once more, and look alike.
_COARSE = dt.timedelta(seconds=2)
_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)


def files_of(entry: DatasetKeymapEntry, root: Path, marks: Mapping[str, str], *, limit: int) -> GivenSeries:
    """The files that a dataset's pattern finds, in the order of their names, as its series.

    Args:
        entry: a dataset with ``each="file"``.
        root: where relative paths start.
        marks: by series, the mark of the file as it was read last.
        limit: of so many files at most; 0: of all.

    Raises:
        DatasetFailure: the folder is not there, or cannot be read.
    """
    recipe = entry.each_file
    assert recipe is not None
    folder = root / recipe.folder
    moments: dict[str, dt.datetime] = {}
    left_out: list[str] = []
    young: list[str] = []
    youngest = time.time() - recipe.quiet_seconds
    for name, facts in sorted(_found(folder, recipe, where=f"dataset {entry.id}").items()):
        why = _why_not(recipe, name, facts)
        if why:
            left_out.append(f"{printable(name)!r} {why}")
        elif recipe.quiet_seconds and facts.st_mtime > youngest:
            young.append(name)
        else:
            series = series_of([name])
            moments[series] = _moment(facts) + _COARSE if marks.get(series) == file_mark(facts) else _EVER
    notes = [f"{entry.id}: no file in {folder} matches {'/'.join(recipe.pattern)}"] if not moments and not young else []
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


def _found(folder: Path, recipe: FileRecipe, *, where: str) -> dict[str, os.stat_result]:
    """The regular files that a pattern finds, by their name below the folder. No link to a folder is gone down at
    ``**``: it could lead round in a circle. Names with a dot in front are found only by a pattern that has it, too.
    """
    try:
        return dict(_below(folder, "", recipe.pattern))
    except OSError as error:
        what = f"its folder cannot be read: {error.strerror or error}"
        raise DatasetFailure(what, where=f"{where}, {error.filename or folder}", fix="make it, or mend path") from error


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
            if is_any:
                if one.is_dir(follow_symlinks=False):
                    yield from _below(folder / one.name, f"{path}/", pattern)
            elif fnmatchcase(one.name, step):
                if not rest and one.is_file():
                    yield path, one.stat()
                elif rest and one.is_dir():
                    yield from _below(folder / one.name, f"{path}/", rest)


def _moment(facts: os.stat_result) -> dt.datetime:
    """When a file changed last; the first or the last moment where the disk says what no calendar has."""
    try:
        return dt.datetime.fromtimestamp(facts.st_mtime, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return _FIRST if facts.st_mtime < 0 else _EVER - _COARSE


def _why_not(recipe: FileRecipe, name: str, facts: os.stat_result) -> str:
    """Why a file cannot be a series; empty where it can."""
    if not stat.S_ISREG(facts.st_mode):
        return "is no file"
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
