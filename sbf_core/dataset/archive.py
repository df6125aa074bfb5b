"""An archive as a payload, whose members are each a file of rows: a series in one file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import attrs

from sbf_core.dataset.columns import MEMBER_SOURCE, Column
from sbf_core.dataset.cursor import Cursor, CursorBy
from sbf_core.dataset.file_recipe import NAME, compiled
from sbf_core.errors import UsageError
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.dataset.recipe_list import Recipe

#: What such a payload is stored as.
ARCHIVES = ("zip", "tar", "tar.gz")


@attrs.frozen(kw_only=True)
class Archive(Value):
    """Each member of an archive is read, as a payload of its own would be; the archive is kept as it came.

    Attributes:
        names: a pattern for the names of its members, with ``*``, ``?`` and ``[...]`` in names, and ``**/`` for folders
            at any depth: ``**/*.csv``. Others are left alone.
        parts: a regular expression for the whole name of a member. Its named groups are parts of the name:
            ``source="member.day"`` takes the group ``day``. The name itself is the part ``name``. An archive with a
            member that it does not match is refused.
    """

    names: str = "**/*"
    parts: str = ""

    def __attrs_post_init__(self) -> None:
        what = fix = ""
        steps = self.names.split("/")
        groups = list(compiled(self.parts, where=self.names).groupindex)
        if not all(steps) or steps[-1] == "**" or any("**" in step and step != "**" for step in steps):
            what, fix = f"names={self.names!r} ends with no name of a file", 'names="**/*.csv"'
        elif NAME in groups or any(re.fullmatch("[a-z][a-z0-9_]*", name) is None for name in groups):
            what, fix = f"parts names a group {NAME!r}, which is the whole name, or one with capitals", "(?P<day>...)"
        if what:
            raise UsageError(what, where=self.names, fix=fix, code="ARCHIVE")

    @property
    def pattern(self) -> tuple[str, ...]:
        """The steps of its pattern."""
        return tuple(self.names.split("/"))

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts of a member's name."""
        return (NAME, *compiled(self.parts, where=self.names).groupindex)

    def values(self, name: str) -> Mapping[str, str] | None:
        """The parts of a member's name; None where ``parts`` does not match it with all its groups."""
        if not self.parts:
            return {NAME: name}
        match = compiled(self.parts, where=self.names).fullmatch(name)
        if match is None or None in match.groupdict().values():
            return None
        return {NAME: name, **match.groupdict()}


class Archived(Protocol):
    """What is declared of a dataset beside its archive."""

    @property
    def archive(self) -> Archive | None:
        """Says that payloads are archives of many files."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""

    @property
    def member(self) -> str:
        """The one file that is wanted of each payload."""

    @property
    def recipe(self) -> Recipe | None:
        """How payloads are fetched."""

    @property
    def cursor(self) -> Cursor | None:
        """Where the next request goes on."""


def check_archive(entry: Archived, *, where: str) -> None:
    """Raise ``UsageError`` unless a dataset can have the archive that it declares, or does without."""
    archive, extension = entry.archive, "zip" if entry.recipe is None else entry.recipe.extension
    taken = {
        column.name: column.source.removeprefix(MEMBER_SOURCE)
        for column in entry.columns
        if column.source.startswith(MEMBER_SOURCE)
    }
    what = fix = ""
    if archive is None:
        if taken:
            name = next(iter(taken))
            what = f"column {name!r} takes '{MEMBER_SOURCE}{taken[name]}', and no archive is declared"
            fix = 'archive=Archive(names="**/*.csv")'
    elif entry.member:
        what = f"member={entry.member!r} is one file of a payload, and archive means each of them"
        fix = "leave one of them out"
    elif extension not in ARCHIVES:
        what, fix = f"an archive is stored as {', '.join(ARCHIVES)}, not as {extension}", 'extension="zip"'
    elif entry.cursor is not None and entry.cursor.by is CursorBy.TOKEN:
        what, fix = "an archive says nothing of where the next one begins", "leave the cursor out"
    else:
        unknown = next((name for name, part in taken.items() if part not in archive.part_names), None)
        if unknown is not None:
            what = f"column {unknown!r} takes '{MEMBER_SOURCE}{taken[unknown]}', which is no part of a member's name"
            fix = f"name one of: {', '.join(f'{MEMBER_SOURCE}{name}' for name in archive.part_names)}"
    if what:
        raise UsageError(what, where=where, fix=fix, code="ARCHIVE")
