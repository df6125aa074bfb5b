"""Messages of a Singer tap as answers: what a ``SingerRecipe`` asks for."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sbf_core.child.command import Ended, Limits, run_command
from sbf_core.child.environment import bare_environment
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.series_name import EACH, unescaped
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.duck.parquet_writer import scratch
from sbf_core.errors import DatasetFailure, PayloadRefused, printable
from sbf_core.failures import FailureKind
from sbf_core.http.live import LiveSession
from sbf_core.http.sql_query import QueryFailure
from sbf_core.payload.singer import messages
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

#: Those of our own environment lead a program of another one astray.
_OURS = ("PYTHONPATH", "PYTHONHOME")
_SHOWN = 300


def values_of(entry: DatasetKeymapEntry, request: RunRequest) -> dict[str, str]:
    """What stands for each placeholder of a configuration."""
    ticker = request.ticker or ""
    return {
        "ticker": unescaped(ticker) if entry.for_each is not None else ticker,
        **{f"{EACH}{name}": part for name, part in entry.each(request.ticker).items()},
        "discriminator": request.discriminator,
    }


class TapAnswers:
    """Runs the tap of one dataset.

    Args:
        entry: the dataset.
        recipe: its recipe.
        live: keys and clock.
    """

    def __init__(self, entry: DatasetKeymapEntry, recipe: SingerRecipe, live: LiveSession) -> None:
        self._entry = entry
        self._recipe = recipe
        self._live = live
        self._handed: tuple[int, ...] = ()

    def expect(self, series: Sequence[str]) -> None:
        """Nothing: a tap runs when its turn comes."""

    def close(self) -> None:
        """Nothing: each run ends by itself."""

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """The messages of one run, or why there are none.

        Args:
            request: what is asked; its cursor is the state that the tap goes on from.
            path: its address.
            extension: ``jsonl``.
            in_place: it makes no difference.

        Raises:
            UsageError: a key is not set.
        """
        del in_place
        began, payload, kind, error = time.monotonic(), b"", "", ""
        try:
            payload = self._payload(request)
        except DatasetFailure as failure:
            kind = failure.kind if isinstance(failure, QueryFailure) else FailureKind.PROGRAM
            error = str(failure)
        return RunResult(
            request=request,
            address=path,
            payload=payload,
            extension=extension,
            fetched_at=self._live.clock.now(),
            elapsed_seconds=time.monotonic() - began,
            error=error or None,
            kind=kind,
        )

    def _payload(self, request: RunRequest) -> bytes:
        recipe = self._recipe
        secrets = {field: self._live.keys.get(name, blanks=True).reveal() for field, name in recipe.secrets.items()}
        config = json.dumps({**recipe.filled(values_of(self._entry, request)), **secrets})
        with scratch() as folder, _in_memory(folder, config) as (place, self._handed):
            given = ["--config", place]
            if recipe.discover:
                catalog = self._catalog(folder, given)
                given += ["--catalog", _file(folder, "catalog.json", json.dumps(catalog))]
            if request.cursor:
                given += ["--state", _file(folder, "state.json", request.cursor)]
            output = folder / "messages.jsonl"
            self._run(given, output, folder)
            self._check(output)
            return output.read_bytes()

    def _catalog(self, folder: Path, given: Sequence[str]) -> dict[str, Any]:
        """The catalog of the tap, in which the stream is selected, and no other."""
        output = folder / "discovered.json"
        self._run([*given, "--discover"], output, folder)
        try:
            catalog: Any = json.loads(output.read_bytes())
            streams = {str(one.get("stream")): one for one in catalog["streams"]}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise DatasetFailure("the tap gave no catalog", fix="discover=False, if it has none") from None
        if self._recipe.stream not in streams:
            names = ", ".join(sorted(streams)) or "none"
            raise DatasetFailure(f"the tap has no stream {self._recipe.stream!r}; it has {names}")
        for name, one in streams.items():
            _select(one, is_wanted=name == self._recipe.stream, replication_key=self._recipe.replication_key)
        return dict(catalog)

    def _run(self, given: Sequence[str], output: Path, folder: Path) -> None:
        recipe = self._recipe
        program = shutil.which(recipe.command[0])
        if program is None:
            fix = "install it in an environment of its own, and name its program in command"
            raise DatasetFailure(f"there is no program {recipe.command[0]}", fix=fix)
        limits = Limits(
            seconds=recipe.deadline_seconds,
            output_bytes=recipe.mebibytes_max * 1024**2,
            memory_bytes=recipe.memory_mebibytes * 1024**2,
        )
        environment = {name: value for name, value in bare_environment().items() if name not in _OURS}
        try:
            ended = run_command(
                [program, *recipe.command[1:], *given],
                output,
                folder=folder,
                environment=environment,
                limits=limits,
                handed=self._handed,
            )
        except OSError as error:
            raise DatasetFailure(f"the tap cannot be started: {error.strerror or error}") from None
        self._judge(ended)

    def _judge(self, ended: Ended) -> None:
        if ended.limit == "seconds":
            what = f"the tap did not end within {self._recipe.deadline_seconds:g} s"
            raise QueryFailure(FailureKind.DEADLINE, what, fix="raise deadline_seconds if it needs longer")
        if ended.limit == "output":
            what = f"the tap wrote more than {self._recipe.mebibytes_max} MiB"
            raise QueryFailure(FailureKind.TOO_LARGE, what, fix="raise mebibytes_max, or configure a later start")
        if ended.code:
            said = printable(ended.said).strip().splitlines()
            told = f": {said[-1][-_SHOWN:]}" if said else ""
            raise DatasetFailure(f"the tap ended with code {ended.code}{told}")

    def _check(self, output: Path) -> None:
        """That it wrote messages and nothing else, and records where there must be some."""
        try:
            has_records = any(
                message["type"] == "RECORD" and message.get("stream") == self._recipe.stream
                for _, message in list(messages(output))
            )
        except PayloadRefused as error:
            raise QueryFailure(FailureKind.NOT_DATA, f"what the tap wrote {error.what}") from None
        if not output.stat().st_size or not (has_records or self._entry.is_data.may_be_empty):
            what = f"the tap gave no record of {self._recipe.stream}"
            raise QueryFailure(FailureKind.EMPTY, what, fix="is_data=DataRules(may_be_empty=True), if it may")


@contextmanager
def _in_memory(folder: Path, config: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The configuration as a path that the tap can open, and the files that it must be handed for that: on Linux in
    memory alone, so that no key is ever on a disk.
    """
    if not hasattr(os, "memfd_create"):
        yield _file(folder, "config.json", config), ()
        return
    number = os.memfd_create("config.json")
    try:
        with open(number, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(config)
        yield f"/proc/self/fd/{number}", (number,)
    finally:
        os.close(number)


def _file(folder: Path, name: str, text: str) -> str:
    """A file that nobody else may read; it is gone when the tap has ended."""
    path = folder / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    return str(path)


def _select(stream: dict[str, Any], *, is_wanted: bool, replication_key: str) -> None:
    """Mark a stream of a catalog; older taps look at its schema, newer ones at its metadata."""
    if isinstance(stream.get("schema"), dict):
        stream["schema"]["selected"] = is_wanted
    stream["selected"] = is_wanted
    metadata = stream.setdefault("metadata", [])
    own = next((one for one in metadata if not one.get("breadcrumb")), None)
    if own is None:
        own = {"breadcrumb": [], "metadata": {}}
        metadata.append(own)
    own.setdefault("metadata", {})["selected"] = is_wanted
    if is_wanted and replication_key:
        stream["replication_key"], stream["replication_method"] = replication_key, "INCREMENTAL"
        own["metadata"] |= {"replication-key": replication_key, "replication-method": "INCREMENTAL"}
