"""Checks of what a later payload does: the same again, a corrected one, and one that is no data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import literal
from sbf_core.errors import SbfError
from sbf_core.http.content import why_no_data
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.runs.result import RunResult
from sbf_core.testing.check_fetch import ListeningSession, fetched
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.revise import revisable, revisions
from sbf_core.testing.scratch import ScratchHome, ScratchRecording, answers_of
from sbf_core.testing.subject import Subject
from sbf_core.vocabulary import Semantics

_NOTES = (
    b'{"error": {"code": 401, "message": "Invalid API key. Please see the documentation."}}',
    b'{"Error Message": "Limit Reach . Please upgrade your plan or visit our documentation for more details"}',
    b'{"status": "error", "message": "Internal Server Error", "data": null}',
)
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
_TEXT = b"Too many requests. Please slow down.\n"


def refetch_is_a_noop(subject: Subject) -> Iterator[Problem | Note]:
    """The same bytes, fetched again a day later, change nothing.

    A column that takes ``request.to_date``, or anything else of the fetch, makes a new version of each row every day.
    """
    for entry in subject.recorded:
        before = subject.filled.home.digests("silver.")
        home = subject.filled.home.copy(subject.place(f"again-{entry.silver_table}"))
        again = _later(subject, entry, "again", _asked_a_day_later(subject, entry))
        context = subject.fill(home, again).context
        after = home.digests("silver.")
        for table in subject.table_keys(after):
            if after[table] != before.get(table):
                yield Problem(
                    f"the last payload came again, and {table} changed: "
                    f"{counted(context.rows_inserted, 'row')} inserted, {context.rows_updated} updated",
                    entry.id,
                )


def revision_is_kept(subject: Subject) -> Iterator[Problem | Note]:
    """A corrected value replaces the old one, the old one stays in the history, and as-of gives both.

    One value of the last payload is changed, and the payload sent again a day later: exactly its row may change,
    ``_as_of`` of the time before must give every row as it was.
    """
    tables = subject.filled.home.digests("silver.")
    for entry in subject.recorded:
        if f"silver.{entry.silver_table}" not in tables:
            continue  # told by columns_are_filled
        if not revisable(entry):
            yield Note(f"{entry.id} has no numbers and texts beside its key")
            continue
        answers = _last(subject, entry)
        first = answers[0]
        vintage = subject.of(entry)[-1]
        tried, known = 0, _updated_and_rejected(subject.filled.home, entry)
        bench = subject.fresh(f"bench-{entry.silver_table}")
        for tried, changed in enumerate(
            revisions(subject.filled.home, entry, vintage, first.payload, first.extension, bench=bench), start=1
        ):
            home = subject.filled.home.copy(subject.place(f"revised-{entry.silver_table}-{tried}"))
            recording = _later(subject, entry, f"revised-{tried}", [attrs.evolve(first, payload=changed), *answers[1:]])
            subject.fill(home, recording)
            counts = zip(_updated_and_rejected(home, entry), known, strict=True)
            updated, rejected = (now - before for now, before in counts)
            if updated or (entry.semantics is Semantics.APPEND and rejected):
                yield from _judge(subject, entry, home, vintage.fetched_at)
                break
        else:
            yield Problem(
                f"{counted(tried, 'payload')} with one value changed made no new version of a row; "
                "a value that is no column, or a hook that makes up values?",
                entry.id,
            )


def _updated_and_rejected(home: ScratchHome, entry: DatasetKeymapEntry) -> tuple[int, int]:
    """How many rows of its table were ever updated, and of its payloads rejected."""
    sums = "coalesce(sum(rows_updated), 0), coalesce(sum(rows_rejected), 0)"
    ((updated, rejected),) = home.ask(
        f"SELECT {sums} FROM {ALL_PROMOTIONS} WHERE silver_table = ?", [entry.silver_table]
    )
    return int(updated), int(rejected)


def _judge(subject: Subject, entry: DatasetKeymapEntry, home: ScratchHome, before: dt.datetime) -> Iterator[Problem]:
    table, columns = f"silver.{entry.silver_table}", ", ".join(f'"{name}"' for name in entry.column_types)
    held = subject.filled.home.ask(f"SELECT {columns} FROM {table} ORDER BY ALL")
    if entry.semantics is Semantics.APPEND:
        if home.ask(f"SELECT {columns} FROM {table} ORDER BY ALL") != held:
            yield Problem(f"{table} is append-only, and a corrected value changed it", entry.id)
        return
    moment = literal(before.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" "))
    ever = literal("9999-12-31")
    known = home.ask(f"SELECT {columns} FROM {table}_as_of(TIMESTAMP {ever}, TIMESTAMP {moment}) ORDER BY ALL")
    if known != held:
        yield Problem(
            f"{table}_as_of does not give what was known before the correction: {_one(known, held)}", entry.id
        )
    now = home.ask(f"SELECT {columns} FROM {table} ORDER BY ALL")
    latest = home.ask(f"SELECT {columns} FROM {table}_as_of(TIMESTAMP {ever}) ORDER BY ALL")
    if latest != now:
        yield Problem(f"{table}_as_of does not give the corrected value: {_one(latest, now)}", entry.id)
    wrong = "known_to < known_from OR (known_to IS NULL AND NOT _deleted)"  # a row that is gone stays gone
    gone = home.ask(f"SELECT count(*) FROM {table}_history WHERE {wrong}")[0][0]
    if gone:
        yield Problem(f"{table}_history: {counted(gone, 'row ends', 'rows end')} before the beginning", entry.id)
    before_count, after_count = len(held), len(now)
    if before_count != after_count:
        yield Problem(
            f"one value was corrected, and {table} has {counted(after_count, 'row')} after {before_count}: "
            "is a value part of the key?",
            entry.id,
        )


def _one(rows: list[tuple[object, ...]], others: list[tuple[object, ...]]) -> str:
    return f"{next(iter(set(rows) - set(others)), None)} against {next(iter(set(others) - set(rows)), None)}"


def errors_are_no_data(subject: Subject) -> Iterator[Problem | Note]:
    """Notes, pages, texts, nothing and cut payloads with a status of 200 never become rows.

    What sbf itself does not refuse goes to ``promote``, which must raise ``PayloadRefused`` or give no row.
    ``is_data=DataRules(...)`` names the notes of a vendor.
    """
    for entry in subject.recorded:
        answers = _last(subject, entry)
        first = answers[0]
        passed = []
        for what, payload in _no_data(first):
            if (
                why_no_data(entry, payload, first.extension, as_declared=not subject.has("promote"), may_be_cut=True)
                is None
            ):
                passed.append((what, payload))  # it is up to the promotion
        for what, payload in passed:
            slug = "".join(char if char.isalnum() else "-" for char in what)
            home = subject.filled.home.copy(subject.place(f"error-{entry.silver_table}-{slug}"))
            before = subject.filled.home.digests("silver.")
            recording = _later(subject, entry, f"error-{slug}", [attrs.evolve(first, payload=payload, part=0, parts=0)])
            context = subject.fill(home, recording).context
            after = home.digests("silver.")
            if any(after[table] != before.get(table) for table in subject.table_keys(after)):
                told = f"{counted(context.rows_inserted, 'row')} inserted, {context.rows_updated} updated"
                yield Problem(
                    f"{what} was taken as data: {told}; refuse it: raise PayloadRefused, or is_data=DataRules(...)",
                    entry.id,
                )


def _no_data(first: RunResult) -> Iterator[tuple[str, bytes]]:
    yield "an empty answer", b""
    yield "an HTML page", _PAGE
    yield "a text", _TEXT
    for number, note in enumerate(_NOTES, start=1):
        yield f"error note {number}", note
    if first.extension in ("json", "xml", "zip", "parquet", "csv.gz") and len(first.payload) > 2:
        yield "half of the payload", first.payload[: len(first.payload) // 2]


def _last(subject: Subject, entry: DatasetKeymapEntry) -> list[RunResult]:
    return answers_of(subject.archive, subject.of(entry)[-1])


def _asked_a_day_later(subject: Subject, entry: DatasetKeymapEntry) -> list[RunResult]:
    """The last answers, to a request up to the next day if that asks the same addresses."""
    answers, vintage = _last(subject, entry), subject.of(entry)[-1]
    request = vintage.request
    asked = subject.registry.datasets[entry.payload_ids[0]]
    if request.to_date is None or asked.plugin is not subject.record:
        return answers
    request = attrs.evolve(request, to_date=request.to_date + dt.timedelta(days=1))
    try:
        results = fetched(subject, asked.entry, request, ListeningSession(subject, vintage))
    except SbfError:
        return answers
    return (
        [attrs.evolve(answer, request=request) for answer in answers]
        if all(result.ok for result in results)
        else answers
    )


def _later(subject: Subject, entry: DatasetKeymapEntry, name: str, answers: list[RunResult]) -> Path:
    """A recording in which answers came a day after the last one."""
    run_id = f"later-{name}"
    target = ScratchRecording(subject.place(f"recording-{entry.silver_table}-{name}"))
    target.add(
        attrs.evolve(
            answer,
            request=attrs.evolve(answer.request, run_id=run_id),
            fetched_at=answer.fetched_at + dt.timedelta(days=1),
        )
        for answer in answers
    )
    return target.close()
