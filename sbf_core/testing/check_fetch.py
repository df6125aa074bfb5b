"""Checks of how a plugin fetches, against its recording."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Unpack

import attrs

from sbf_core.bronze.archive import Vintage
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import SbfError
from sbf_core.failures import FailureKind
from sbf_core.http.recipe_walk import fetch_by_recipe
from sbf_core.http.replay import UNRECORDED, ReplaySession
from sbf_core.http.session import Asking
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.testing.check_declaration import secrets_in_addresses
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject

#: Looks like a key, is none, and can be found wherever it goes.
CANARY = "canary-5f1d0c-not-a-key"


class ListeningSession:
    """Answers from the recording, and remembers what it was asked and what it gave.

    Args:
        subject: whose recording.
        vintage: the fetch that is answered.
        failing: every answer is an error.
    """

    def __init__(self, subject: Subject, vintage: Vintage, *, failing: bool = False) -> None:
        def recorded(request: RunRequest, address: str) -> RunResult | None:
            line = next((line for line in vintage.lines if line.row.address == address), None)
            return None if line is None else subject.archive.result(line, request)

        self._inner = ReplaySession(recorded, fetched_at=vintage.fetched_at)
        self._failing = failing
        self.given: dict[str, bytes] = {}
        self.asked: list[str] = []

    def get(self, request: RunRequest, url: str, **asking: Unpack[Asking]) -> RunResult:
        """See ``FetchSession.get``."""
        self.asked += [
            url,
            *asking.get("mirrors", ()),
            *(f"{name}: {value}" for name, value in (asking.get("headers") or {}).items()),
        ]
        self.asked += [
            f"{name}={value}"
            for name, value in {**(asking.get("secrets") or {}), **(asking.get("secret_headers") or {})}.items()
        ]
        body = asking.get("body")
        self.asked += [body.text, *(f"{name}={value}" for name, value in body.secrets.items())] if body else []
        return self._kept(self._inner.get(request, url, **asking))

    def read(
        self, request: RunRequest, path: str, *, extension: str = "csv", mirrors: tuple[str, ...] = ()
    ) -> RunResult:
        """See ``FetchSession.read``."""
        self.asked += [path, *mirrors]
        return self._kept(self._inner.read(request, path, extension=extension, mirrors=mirrors))

    def recorded(self, request: RunRequest, address: str, *, extension: str) -> RunResult | None:
        """See ``FetchSession.recorded``."""
        self.asked.append(address)
        result = self._inner.recorded(request, address, extension=extension)
        return None if result is None else self._kept(result)

    def _kept(self, result: RunResult) -> RunResult:
        if self._failing:
            return attrs.evolve(
                result,
                payload=b"",
                evidence=result.payload,
                status_code=503,
                error="HTTP 503",
                kind=FailureKind.HTTP_STATUS,
            )
        self.given[result.address] = result.payload
        return result


def fetched(
    subject: Subject, entry: DatasetKeymapEntry, request: RunRequest, session: ListeningSession
) -> list[RunResult]:
    """What the hook, or the recipe, answers. Raises ``SbfError`` if the hook does."""
    if not subject.has("fetch"):
        return fetch_by_recipe(entry, request, session)
    answer: Any = subject.manager.call(
        subject.record, "fetch", doing=f"dataset {entry.id}", safe="", entry=entry, request=request, http=session
    )
    return [answer] if isinstance(answer, RunResult) else list(answer)


def recorded(subject: Subject) -> Iterator[Problem | Note]:
    """There is a recording, and it holds something of every dataset.

    Of a dataset without a recorded fetch nothing else is checked.
    """
    for entry in subject.entries:
        if not subject.of(entry):
            yield Problem("nothing of it was recorded, so nothing else was checked of it", entry.id)
    if not subject.entries:
        yield Note("gold only: the recording is for what it reads")


def fetch_is_deterministic(subject: Subject) -> Iterator[Problem | Note]:
    """The same request asks the same addresses and gives the same answers.

    The first and the last recorded fetch are made again, twice, against the recording. An address that the recording
    lacks, or a ``fetched_at`` out of a clock, is found here.
    """
    for entry, vintage in _samples(subject):
        first, second = (_facts(subject, entry, vintage) for _ in range(2))
        failed = next((fact for fact in first if fact[-1]), None)
        if failed is not None:
            what = f"the recorded fetch of {vintage.fetched_at:%Y-%m-%d} cannot be made again: {failed[-1]}"
            if UNRECORDED in failed[-1]:
                what += "; if the declaration asks otherwise than it did, put a new recording in its place"
            yield Problem(what, entry.id)
        elif first != second:
            differs = next(
                (pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]), (first[-1:], second[-1:])
            )
            yield Problem(f"asked twice, it answered {_shown(differs[0])} and then {_shown(differs[1])}", entry.id)


def _facts(subject: Subject, entry: DatasetKeymapEntry, vintage: Vintage) -> list[tuple[Any, ...]]:
    session = ListeningSession(subject, vintage)
    try:
        results = fetched(subject, entry, vintage.request, session)
    except SbfError as error:
        return [("", b"", "", None, str(error))]
    return [
        (result.address, result.whole_payload(), result.extension, result.fetched_at, result.error)
        for result in results
    ]


def _shown(fact: Any) -> str:
    address, payload, extension, fetched_at, error = fact
    return (
        f"{address} ({len(payload)} bytes of {extension}, "
        f"fetched {fetched_at:%Y-%m-%d %H:%M:%S}{', ' + error if error else ''})"
    )


def bytes_are_unchanged(subject: Subject) -> Iterator[Problem | Note]:
    """What comes back is byte for byte what the vendor sent, and goes to Bronze so.

    A hook ``fetch`` that decodes, sorts or trims a payload loses what later versions of ``promote`` may need. Change
    rows in ``promote``.
    """
    for entry, vintage in _samples(subject):
        session = ListeningSession(subject, vintage)
        try:
            results = fetched(subject, entry, vintage.request, session)
        except SbfError:
            continue  # told by fetch_is_deterministic
        for result in results:
            if result.ok and session.given.get(result.address) != result.whole_payload():
                yield Problem(
                    f"the payload of {result.address} is not what http gave: "
                    "keep the bytes, and change them in promote",
                    entry.id,
                )
    if subject.vintages:
        kept = {(vintage.request.key, line.row.payload_hash) for vintage in subject.vintages for line in vintage.lines}
        here = {
            (f"{dataset}/{ticker}" if ticker else dataset, digest)
            for dataset, ticker, digest in subject.filled.home.ask(_KEPT)
        }
        for key, digest in sorted(kept - here):
            yield Problem(
                f"the recorded payload {digest[:12]} of {key} did not reach Bronze: "
                f"{'; '.join(subject.filled.context.errors) or 'nobody says why'}"
            )


_KEPT = "SELECT dataset_id, ticker, payload_hash FROM ops.bronze_manifest"


def fetch_goes_through_http(subject: Subject) -> Iterator[Problem | Note]:
    """It asks by ``http`` and by nothing else, so that limits, keys and recordings hold.

    Sockets, programs and files that the hook ``fetch`` opens by itself are found.
    """
    for entry, vintage in _samples(subject):
        session = ListeningSession(subject, vintage)
        try:
            results = fetched(subject, entry, vintage.request, session)
        except SbfError:
            continue
        if results and not session.asked:
            yield Problem("the hook fetch answered without asking http.get or http.read", entry.id)
    for what in subject.manager.watch.acts_of("fetch"):
        yield Problem(what)
    if not subject.has("fetch"):
        yield Note("fetched by its recipes")


def errors_are_passed_on(subject: Subject) -> Iterator[Problem | Note]:
    """An error of the vendor is never answered as data.

    Each recorded request is answered with status 503; the hook ``fetch`` must give the result with its error, or raise.
    """
    for entry, vintage in _samples(subject):
        try:
            results = fetched(subject, entry, vintage.request, ListeningSession(subject, vintage, failing=True))
        except SbfError:
            continue
        if all(result.ok for result in results):
            yield Problem(
                "the vendor answered 503, and the hook fetch made a payload of it: give the result with its error",
                entry.id,
            )


def secrets_stay_secret(subject: Subject) -> Iterator[Problem | Note]:
    """Keys are declared, and go neither into addresses nor into answers or errors.

    Every variable that the plugin declares or reads is set to a value that can be found again; values in addresses and
    headers of the declaration, and in the recording, are looked for, too.
    """
    for entry in subject.entries:
        yield from secrets_in_addresses(entry)
    names = {name for entry in subject.entries for name in entry.key_names} | _variables_read(subject)
    with _variables(dict.fromkeys(names, CANARY)):
        for entry, vintage in _samples(subject):
            session = ListeningSession(subject, vintage)
            texts: list[str] = []
            try:
                results = fetched(subject, entry, vintage.request, session)
                texts = [
                    text
                    for result in results
                    for text in (result.address, result.error or "", repr(result.headers), repr(result.whole_payload()))
                ]
            except SbfError as error:
                texts = [str(error)]
            if any(CANARY in text for text in (*texts, *session.asked)):
                yield Problem(
                    "a key that was set in the environment is part of an address, a header or an answer: "
                    "use secrets or secret_headers of the recipe",
                    entry.id,
                )
    yield from _keys_in_recording(subject)


def _variables_read(subject: Subject) -> set[str]:
    """Variables that the plugin's text names as ``os.environ`` or ``getenv`` keys."""
    module = subject.module
    try:
        text = inspect.getsource(module if inspect.ismodule(module) else type(module))
    except (OSError, TypeError):
        return set()
    return set(re.findall(r"(?:environ\[|environ\.get\(|getenv\()\s*[\"'](\w+)[\"']", text))


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _keys_in_recording(subject: Subject) -> Iterator[Problem]:
    """A recording is published with the package: what is in it, everybody reads."""
    for name in sorted({name for entry in subject.entries for name in entry.key_names}):
        value = os.environ.get(name, "")
        if len(value) < 8:
            continue
        for vintage in subject.vintages:
            for line in vintage.lines:
                if value in line.row.address or value.encode() in subject.archive.result(line, vintage.request).payload:
                    yield Problem(
                        f"the recording holds the value of {name}: record again, or take it out",
                        vintage.request.dataset_id,
                    )
                    break


def _samples(subject: Subject) -> Iterator[tuple[DatasetKeymapEntry, Vintage]]:
    """The first and the last recorded fetch of each dataset that is asked for, as if by a run of today."""
    for entry in subject.asked:
        vintages = subject.of(entry)
        for vintage in (vintages[:1] + vintages[-1:]) if len(vintages) > 1 else vintages:
            yield entry, vintage
