"""Checks of what a plugin's tables become when its declaration changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.promote_code import kept_code, promote_code
from sbf_core.testing.redeclared import (
    Changed,
    always_there,
    changed_datasets,
    plain_columns,
    values_of,
    with_columns,
)
from sbf_core.testing.subject import Subject

_SHOWN_MAX = 2


def column_is_added(subject: Subject) -> Iterator[Problem | Note]:
    """A warehouse that was filled before a column was declared is the same as one that always had it.

    The last nullable column of each dataset is left out at first. A hook that remembers what was declared when it was
    asked before gives the new column no values.
    """
    yield from _judged(changed_datasets(subject, "added", before=_without_last), "a column was added")


def column_is_renamed(subject: Subject) -> Iterator[Problem | Note]:
    """A column that is called otherwise, with ``renamed_from``, has its values.

    A hook that takes the names of the declaration for the vendor's finds no such field.
    """
    for one in changed_datasets(subject, "renamed", after=_renamed):
        problems = list(_judged([one], "a column was renamed"))
        yield from problems
        if isinstance(one, Changed) and not any(isinstance(item, Problem) for item in problems):
            own = next(entry for entry in subject.entries if entry.id == one.entry.id)
            if one.held:
                yield Problem(f"a column was renamed, and its table is held: {one.held}", own.id)
            elif values_of(one.home, one.entry) != values_of(subject.filled.home, own):
                yield Problem("a column was renamed, and its rows have other values than before", own.id)


def key_is_narrowed(subject: Subject) -> Iterator[Problem | Note]:
    """With a shorter key the table is what it would always have been, or stays as it was and is held.

    The last part of the key becomes an ordinary column. A hook that puts rows of one key together by itself hides from
    sbf what the shorter key would lose.
    """
    yield from _judged(changed_datasets(subject, "narrowed", after=_narrowed), "the key was narrowed")


def key_is_widened(subject: Subject) -> Iterator[Problem | Note]:
    """With a longer key the table is what it would always have been, or stays as it was and is held.

    A column that has a value in every row becomes part of the key.
    """
    yield from _judged(changed_datasets(subject, "widened", after=_widened), "the key was widened")


def promote_version_is_raised(subject: Subject) -> Iterator[Problem | Note]:
    """A hook ``promote`` whose code has changed says whether it reads otherwise.

    Its hash is kept beside the recording by ``sbf plugins check NAME --update``. A hook that reads otherwise needs a
    higher ``promote_version``, without which tables that are filled keep the old reading.
    """
    if not subject.has("promote"):
        yield Note("read as declared")
        return
    kept, update = kept_code(subject), f"`sbf plugins check {subject.name} --update`"
    if kept is None:
        yield Note(f"no hash is kept: {update} begins")
        return
    now = promote_code(subject)
    if now.code == kept.code:
        return
    same = [name for name, version in now.versions.items() if kept.versions.get(name, 0) >= version]
    raised = [name for name in now.versions if name not in same]
    if not raised:
        told = ", ".join(f"{name} {now.versions[name]}" for name in same[:_SHOWN_MAX])
        told += f" and {len(same) - _SHOWN_MAX} more" if len(same) > _SHOWN_MAX else ""
        yield Problem(
            f"the code of promote has changed, and no promote_version ({told}): raise it where payloads are read "
            f"otherwise, then keep the new hash with {update}"
        )
    else:
        yield Problem(f"promote_version of {', '.join(raised)} was raised: keep the new hash with {update}")


def _judged(outcomes: Iterable[Changed | Note], what: str) -> Iterator[Problem | Note]:
    for one in outcomes:
        if isinstance(one, Note):
            yield one
            continue
        for text in one.errors[:_SHOWN_MAX]:
            yield Problem(f"{what}, and the run said: {text}", one.entry.id)
        if one.rows_before != one.rows_after:
            told = f"its payloads held {counted(one.rows_before, 'row')} and hold {one.rows_after}"
            yield Problem(f"{what}, and {told}: does the hook promote leave some out?", one.entry.id)
        if one.held and one.entry.id not in one.held:
            yield Problem(f"{what}, and the line that holds its table names no dataset: {one.held}", one.entry.id)
        for text in one.differences[:_SHOWN_MAX]:
            against = (
                "its table is held, and changed all the same" if one.held else "it is not as if it had always been so"
            )
            yield Problem(f"{what}, and {against}: {text}", one.entry.id)
        if one.held and not one.differences:
            yield Note(f"{one.entry.id} is held")


def _without_last(subject: Subject, entry: DatasetKeymapEntry) -> DatasetKeymapEntry | None:
    del subject
    for column in plain_columns(entry):
        if column.nullable and len(entry.columns) > len(entry.key_columns) + 1:
            return with_columns(entry, [other for other in entry.columns if other is not column])
    return None


def _renamed(subject: Subject, entry: DatasetKeymapEntry) -> DatasetKeymapEntry | None:
    del subject
    for column in plain_columns(entry):
        name = f"{column.name}_renamed"
        other = attrs.evolve(column, name=name, renamed_from=(column.name, *column.renamed_from))
        return with_columns(entry, [other if one is column else one for one in entry.columns])
    return None


def _narrowed(subject: Subject, entry: DatasetKeymapEntry) -> DatasetKeymapEntry | None:
    del subject
    keys = [column for column in entry.columns if column.key]
    droppable = [column for column in reversed(keys) if not (column.row_date or column.from_request)]
    for column in droppable if len(keys) > 1 else ():
        return with_columns(entry, [attrs.evolve(one, key=False) if one is column else one for one in entry.columns])
    return None


def _widened(subject: Subject, entry: DatasetKeymapEntry) -> DatasetKeymapEntry | None:
    for column in always_there(subject, entry, plain_columns(entry)):
        key = attrs.evolve(column, key=True, nullable=False, optional=False)
        widened = with_columns(entry, [key if one is column else one for one in entry.columns])
        if widened is not None:
            return widened
    return None
