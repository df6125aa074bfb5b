"""Checks of a plugin's charts, over what its recording fills."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from sbf_core.charts.catalog import charts_of_tables
from sbf_core.charts.draw import draw
from sbf_core.charts.plotted_rows import plotted
from sbf_core.charts.vega import specification
from sbf_core.errors import SbfError
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject


def charts_draw(subject: Subject) -> Iterator[Problem | Note]:
    """Each declared chart reads columns that are there, has something to draw over the recording,
    and becomes a picture.

    Pictures need the extra ``ui``; without it only their rows are looked at.
    """
    declared = {f"silver.{entry.silver_table}/{chart.name}" for entry in subject.entries for chart in entry.charts}
    declared |= {f"gold.{model.name}/{chart.name}" for model in subject.models for chart in model.charts}
    if not declared:
        yield Note("no charts are declared")
        return
    can_draw = find_spec("vl_convert") is not None
    if not can_draw:
        yield Note("pictures were not drawn: pip install 'sbf[ui]'")
    with subject.filled.home.reading() as cursor:
        known = {one.id: one for one in charts_of_tables(cursor, subject.entries, subject.models)}
        for name in sorted(declared):
            one = known.get(name)
            if one is None or one.fault:
                yield Problem(
                    f"chart {name}: {one.fault if one is not None else 'its table is not filled by the recording'}"
                )
                continue
            try:
                drawing = plotted(cursor, one)
                if not drawing.marks:
                    yield Problem(f"chart {name} has nothing to draw over the recording")
                elif can_draw:
                    draw(specification(drawing), "svg")
            except SbfError as error:
                yield Problem(f"chart {name}: {error}")
