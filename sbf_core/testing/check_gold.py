"""Checks of a plugin's gold models, over what its recording fills."""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.gold.engine_findings import NoPlan, engine_findings
from sbf_core.testing.check_purity import changing_functions
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject


def gold_builds(subject: Subject) -> Iterator[Problem | Note]:
    """Each model is built, has rows, and passes its tests.

    Over what the recording fills; give a recording that holds what the model reads.
    """
    if not subject.models:
        yield Note("no gold models")
        return
    home = subject.filled.home
    built = home.digests("gold.")
    failed = dict(
        home.ask(
            "SELECT table_name, arg_max(error_message, started_at) FROM ops.gold_manifest "
            "WHERE status = 'failed' GROUP BY ALL"
        )
    )
    for model in subject.models:
        table = f"gold.{model.name}"
        if model.name in failed:
            yield Problem(f"{table}: {failed[model.name]}")
        elif table not in built:
            yield Problem(f"{table} was not built: the recording does not fill what it reads")
        elif not built[table].rows:
            yield Problem(f"{table} has no row over the recording")


def gold_is_stable(subject: Subject) -> Iterator[Problem | Note]:
    """Built again, on one thread, and over rows that came in another order, each table is the same.

    Functions such as ``now()`` are found in the SQL. Aggregates that depend on the order of rows, also sums of doubles,
    need an ``ORDER BY`` inside.
    """
    if not subject.models:
        yield Note("no gold models")
        return
    for model in subject.models:
        for name in changing_functions(subject, model.sql):
            yield Problem(f"the SQL of gold.{model.name} calls {name}(), which is not the same at another time")
    home = subject.filled.home
    again = home.copy(subject.place("gold-again"))
    subject.fill(again, force=True, duckdb__threads=1)
    for text in subject.differences(home, again, schema="gold."):
        yield Problem(f"built again, {text}")
    if len(subject.steps) > 1:
        for text in subject.differences(home, subject.filled_backwards, schema="gold."):
            yield Problem(
                f"over rows that came newest first, {text}; put an ORDER BY into aggregates that depend on the order"
            )


def engines_agree(subject: Subject) -> Iterator[Problem | Note]:
    """No expression of a model has another value on another DuckDB of the supported range.

    What is an error on one of them, or another type, is named and passes: nobody takes it for the truth.
    """
    if not subject.models:
        yield Note("no gold models")
        return
    filled = {table for table, digest in subject.filled.home.digests("silver.").items() if digest.rows}
    with subject.filled.home.reading() as cursor:
        for model in (declared.over(filled) for declared in subject.models):
            try:
                findings = engine_findings(cursor, model)
            except NoPlan as error:
                yield Note(f"gold.{model.name} was not looked at: {error}")
                continue
            for finding in findings:
                text = f"gold.{model.name}: {finding.text}"
                yield Problem(text) if finding.is_silent else Note(text)
