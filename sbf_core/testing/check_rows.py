"""Checks of datasets that are asked for each row of a query."""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError
from sbf_core.plan.row_queries import rows_of
from sbf_core.runner.waves import row_sources
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject

_SECONDS_MAX = 60


def rows_are_asked_for(subject: Subject) -> Iterator[Problem | Note]:
    """What ``for_each`` reads is filled by a dataset, and it gives the rows that were asked for in the recording.

    The query is asked over what the recording fills, so a recording without what it reads says nothing of it: record
    both, by one run of both plugins where they are two.
    """
    asking = [entry for entry in subject.asked if entry.for_each is not None]
    if not asking:
        yield Note("no dataset is asked for each row of a query")
    for entry in asking:
        try:
            sources = row_sources(entry, subject.installed)
        except SbfError as error:
            yield Problem(f"{error.what}; {error.fix}", entry.id)
            continue
        foreign = sorted(sources - {one.id for one in subject.entries})
        if foreign:
            yield Note(f"{entry.id} reads {', '.join(foreign)} of another plugin, so its rows were not compared")
        elif subject.of(entry):
            yield from _compared(subject, entry)


def _compared(subject: Subject, entry: DatasetKeymapEntry) -> Iterator[Problem | Note]:
    with subject.filled.home.reading() as cursor:
        given = rows_of(cursor, entry, limit=0, seconds_max=_SECONDS_MAX).membership.tickers
    recorded = {ticker for vintage in subject.of(entry) for ticker in vintage.request.tickers}
    both = recorded & set(given)
    if not both:
        shown = f"e.g. {given[0]!r} and not {min(recorded)!r}" if given else "but no row at all"
        rows = counted(len(recorded), "row that was", "rows that were")
        yield Problem(f"over the recording for_each gives none of the {rows} asked for, {shown}", entry.id)
    else:
        yield Note(f"{entry.id}: {len(both)} of {counted(len(recorded), 'recorded row')} are given by its query")
