"""Checks of what a later payload does: the same again, a corrected one, and one that is no data."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from sbf_core.bronze.archive import Vintage
from sbf_core.care.digest import TableDigest
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
from sbf_core.testing.subject import Filled, Subject
from sbf_core.value import Value
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
    before = subject.filled.home.digests("silver.")
    again = {entry.id: _asked_a_day_later(subject, entry) for entry in subject.recorded}
    # all at once; one by one only where something changed
    once = [again[entry.id] for entry in _asked_once(subject.recorded)]
    if not once or not _changed(subject, _come_later(subject, "all-again", once).home, before):
        return
    for entry in subject.recorded:
        alone = _come_later(subject, f"again-{entry.silver_table}", [again[entry.id]])
        for table in _changed(subject, alone.home, before):
            yield Problem(
                f"the last payload came again, and {table} changed: "
                f"{counted(alone.context.rows_inserted, 'row')} inserted, {alone.context.rows_updated} updated",
                entry.id,
            )


@attrs.frozen
class _Revised(Value):
    """A dataset of which a value is to be changed: its last answers, and what of them to try."""

    entry: DatasetKeymapEntry
    answers: list[RunResult]
    vintage: Vintage
    payloads: Iterator[bytes]


def revision_is_kept(subject: Subject) -> Iterator[Problem | Note]:
    """A corrected value replaces the old one, the old one stays in the history, and as-of gives both.

    One value of the last payload is changed, and the payload sent again a day later: exactly its row may change,
    ``_as_of`` of the time before must give every row as it was.
    """
    tables = subject.filled.home.digests("silver.")
    known = _updated_and_rejected(subject.filled.home)
    waiting: list[_Revised] = []
    for entry in subject.recorded:
        if f"silver.{entry.silver_table}" not in tables:
            continue  # told by columns_are_filled
        if not revisable(entry):
            yield Note(f"{entry.id} has no numbers and texts beside its key")
            continue
        answers, vintage = _last(subject, entry), subject.of(entry)[-1]
        bench = subject.fresh(f"bench-{entry.silver_table}")
        first = answers[0]
        payloads = revisions(subject.filled.home, entry, vintage, first.payload, first.extension, bench=bench)
        waiting.append(_Revised(entry, answers, vintage, payloads))
    tried: Counter[str] = Counter()
    while waiting:
        # a value of each dataset at once; datasets that read the same payload take turns
        turn, later = _turn(waiting)
        sent: list[tuple[_Revised, list[RunResult]]] = []
        for one in turn:
            payload = next(one.payloads, None)
            if payload is None:
                yield Problem(
                    f"{counted(tried[one.entry.id], 'payload')} with one value changed made no new version of a row; "
                    "a value that is no column, or a hook that makes up values?",
                    one.entry.id,
                )
                continue
            tried[one.entry.id] += 1
            sent.append((one, [attrs.evolve(one.answers[0], payload=payload), *one.answers[1:]]))
        waiting = later
        if not sent:
            continue
        home = _come_later(subject, f"revised-{sum(tried.values())}", [answers for _, answers in sent]).home
        now = _updated_and_rejected(home)
        for one, _ in sent:
            table = one.entry.silver_table
            updated, rejected = (new - old for new, old in zip(now[table], known[table], strict=True))
            if updated or (one.entry.semantics is Semantics.APPEND and rejected):
                yield from _judge(subject, one.entry, home, one.vintage.fetched_at)
            else:
                waiting.append(one)


def _turn(waiting: list[_Revised]) -> tuple[list[_Revised], list[_Revised]]:
    """Those whose payloads can come at once, and the others."""
    once = {entry.id for entry in _asked_once([one.entry for one in waiting])}
    return [one for one in waiting if one.entry.id in once], [one for one in waiting if one.entry.id not in once]


def _asked_once(entries: Iterable[DatasetKeymapEntry]) -> list[DatasetKeymapEntry]:
    """One of those that read the same payloads."""
    return list({entry.payload_ids[0]: entry for entry in reversed(list(entries))}.values())


def _updated_and_rejected(home: ScratchHome) -> dict[str, tuple[int, int]]:
    """By silver table how many rows were ever updated, and how many of the payloads rejected."""
    sums = "coalesce(sum(rows_updated), 0), coalesce(sum(rows_rejected), 0)"
    found = home.ask(f"SELECT silver_table, {sums} FROM {ALL_PROMOTIONS} GROUP BY silver_table")
    return defaultdict(lambda: (0, 0), {table: (int(updated), int(rejected)) for table, updated, rejected in found})


def _changed(subject: Subject, home: ScratchHome, before: Mapping[str, TableDigest]) -> list[str]:
    """Tables of the plugin that hold something else than before."""
    after = home.digests("silver.")
    return [table for table in subject.table_keys(after) if after[table] != before.get(table)]


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
    passed: dict[str, list[tuple[DatasetKeymapEntry, RunResult]]] = {}
    for entry in subject.recorded:
        first = _last(subject, entry)[0]
        for what, payload in _no_data(first):
            as_declared = not subject.has("promote")
            if why_no_data(entry, payload, first.extension, as_declared=as_declared, may_be_cut=True) is None:
                # it is up to the promotion
                sent = attrs.evolve(first, payload=payload, part=0, parts=0)
                passed.setdefault(what, []).append((entry, sent))
    before = subject.filled.home.digests("silver.")
    for what, of_all in passed.items():
        slug = "".join(char if char.isalnum() else "-" for char in what)
        once = {entry.id for entry in _asked_once([entry for entry, _ in of_all])}
        answers = [[sent] for entry, sent in of_all if entry.id in once]
        # all at once; one by one only where something changed
        if not _changed(subject, _come_later(subject, f"error-{slug}", answers).home, before):
            continue
        for entry, sent in of_all:
            alone = _come_later(subject, f"error-{entry.silver_table}-{slug}", [[sent]])
            if _changed(subject, alone.home, before):
                told = f"{counted(alone.context.rows_inserted, 'row')} inserted, {alone.context.rows_updated} updated"
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


def _come_later(subject: Subject, name: str, answers: list[list[RunResult]]) -> Filled:
    """A copy of the filled warehouse, and a run in which these answers came a day after the last one."""
    home = subject.filled.home.copy(subject.place(name))
    filled = subject.fill(home, _later(subject, name, answers))
    home.settle()
    return filled


def _later(subject: Subject, name: str, answers: list[list[RunResult]]) -> Path:
    """A recording in which answers came a day after the last one."""
    target = ScratchRecording(subject.place(f"recording-{name}"))
    for of_one in answers:
        target.add(
            attrs.evolve(
                answer,
                request=attrs.evolve(answer.request, run_id=f"later-{name}"),
                fetched_at=answer.fetched_at + dt.timedelta(days=1),
            )
            for answer in of_one
        )
    return target.close()
