"""The process of one plugin: ``python -m sbf_core.plugin.worker``.

It is given requests and batches, never the database. It has no keys either: what it asks a vendor for is asked by sbf,
which holds keys, rate limits and the recording of a replay.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import IO, Any

import attrs

from sbf_core.child.limits import end_own_group, end_with_parent, limit_memory
from sbf_core.child.messages import receive, send
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.fingerprint import format_of
from sbf_core.duck.disk import fault_of_hook
from sbf_core.errors import DatasetFailure, EnvironmentFault, OutOfMemory, PluginFault, SbfError, UsageError
from sbf_core.gold.answer import as_values, sorted_out
from sbf_core.payload.model import slots_of
from sbf_core.plugin.manager import GROUP, PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.plugin.values import packed, unpacked
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.silver.parsing import write_hook_rows
from sbf_core.silver.reading import BatchFile, ParseRows, PromotionBatch, SelectRows

_ERRORS = {kind.__name__: kind for kind in (DatasetFailure, EnvironmentFault, OutOfMemory, PluginFault, UsageError)}


def error_message(error: BaseException) -> tuple[Any, ...]:
    """An error as a message."""
    told = error if isinstance(error, SbfError) else fault_of_hook(error, where="", fix="")
    kind = next((name for name, known in _ERRORS.items() if type(told) is known), "DatasetFailure")
    return "error", kind, told.what, told.where, told.fix, told.code


def error_of(message: tuple[Any, ...]) -> SbfError:
    """The error of a message."""
    _, kind, what, where, fix, code = message
    return _ERRORS.get(kind, DatasetFailure)(what, where=where, fix=fix, code=code)


class _RemoteSession:
    """``http`` in this process: each question goes to sbf."""

    def __init__(self, source: IO[bytes], target: IO[bytes]) -> None:
        self._source = source
        self._target = target

    def _ask(self, question: str, request: RunRequest, address: str, options: dict[str, Any]) -> RunResult:
        send(self._target, packed((question, request, address, options)))
        answer = unpacked(receive(self._source))
        if answer[0] == "error":
            raise error_of(answer)
        result: RunResult = answer[1]
        return result

    def fields(self) -> tuple[str, ...]:
        """The fields of the batch, which sbf finds."""
        send(self._target, packed(("fields",)))
        answer = unpacked(receive(self._source))
        if answer[0] == "error":
            raise error_of(answer)
        names: tuple[str, ...] = answer[1]
        return names

    def get(self, request: RunRequest, url: str, **options: Any) -> RunResult:
        """See ``FetchSession.get``."""
        return self._ask("get", request, url, options)

    def read(self, request: RunRequest, path: str, **options: Any) -> RunResult:
        """See ``FetchSession.read``."""
        return self._ask("read", request, path, options)

    def recorded(self, request: RunRequest, address: str, **options: Any) -> RunResult | None:
        """See ``FetchSession.recorded``."""
        return self._ask("recorded", request, address, options)


class _Worker:
    def __init__(self, name: str, value: str, options: dict[str, Any]) -> None:
        self._manager = PluginManager(
            [EntryPoint(name=name, value=value, group=GROUP)], options={name: options}, limits=None
        )
        self._record = self._manager.selected([name])[0]
        registry = DatasetRegistry(self._manager)
        if not self._record.loaded:
            raise PluginFault(f"cannot be loaded in its own process: {self._record.reason}")
        owned = [*registry.datasets.values(), *(one for one, _ in registry.unread.values())]
        self._entries = {one.entry.id: one.entry for one in owned}  # what another plugin fetches may be read, too

    def fetch(self, session: _RemoteSession, dataset_id: str, request: RunRequest) -> tuple[Any, ...]:
        answer = self._manager.call(
            self._record,
            "fetch",
            doing="",
            safe="",
            entry=self._entries[dataset_id],
            request=request,
            http=session,
        )
        return "results", answer

    def promote(
        self,
        session: _RemoteSession,
        dataset_id: str,
        payloads: tuple[BatchFile, ...],
        extension: str,
        target: str,
        how_read: dict[str, Any],
    ) -> tuple[Any, ...]:
        entry = _as_read(self._entries[dataset_id], how_read)
        batch = PromotionBatch(files=payloads, extension=extension, describe=session.fields)
        plan = self._manager.call(
            self._record, "promote", doing="", safe="", may_be_none=True, entry=entry, batch=batch
        )
        if plan is None:
            return "declared", None
        if isinstance(plan, SelectRows):
            return "select", plan.sql
        if isinstance(plan, ParseRows):
            files = [(file.row.bronze_file_id, Path(file.path)) for file in payloads]
            return "parsed", write_hook_rows(plan.parse, files, slots_of(entry), Path(target), decimal=entry.decimal)
        return "wrong", type(plan).__name__

    def build_gold(self) -> tuple[Any, ...]:
        options = self._record.options
        answer = self._manager.call(self._record, "build_gold", doing="", safe="", options=options)
        models, wrong = sorted_out(answer)
        return "models", [as_values(model) for model in models], wrong


def _as_read(entry: DatasetKeymapEntry, how: Mapping[str, Any]) -> DatasetKeymapEntry:
    """A dataset with what follows from the one whose payloads it reads."""
    if not how:
        return entry
    form = None if how["format"] is None else format_of(how["format"])
    return attrs.evolve(entry, scope=how["scope"], member=how["member"], format=form)


def _answer(worker: _Worker, session: _RemoteSession, what: str, arguments: list[Any]) -> tuple[Any, ...]:
    if what == "build_gold":
        return worker.build_gold()
    return worker.fetch(session, *arguments) if what == "fetch" else worker.promote(session, *arguments)


def main() -> None:
    """Answer until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for sbf, which ends this process when it has done its own
    end_with_parent()
    source = sys.stdin.buffer
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the plugin prints must not meet the messages
    name, value, byte_count, paths, options = unpacked(receive(source))
    sys.path[:] = paths
    limit_memory(byte_count)
    try:
        worker = _Worker(name, value, options)
    except BaseException as error:
        send(target, packed(error_message(error)))
        return
    send(target, packed(("ready",)))
    session = _RemoteSession(source, target)
    while True:
        try:
            what, *arguments = unpacked(receive(source))
        except EOFError:
            end_own_group()
        except MemoryError as error:  # half of a message is read
            send(target, packed(error_message(error)))
            end_own_group()
        try:
            answer = packed(_answer(worker, session, what, arguments))
        except BaseException as error:  # a plugin may raise anything
            answer = packed(error_message(error))
        send(target, answer)


if __name__ == "__main__":
    main()
