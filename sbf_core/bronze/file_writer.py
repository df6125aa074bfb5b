"""``BronzeFileWriter``: payloads to disk, byte for byte, so that a crash leaves a whole file or none."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import threading
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from secrets import token_hex

import attrs

from sbf_core.atomic_file import CAN_SYNC_LATER, make_folder, sync_all
from sbf_core.bronze.journal import JournalWriter
from sbf_core.bronze.journal_line import JournalLine, checked
from sbf_core.bronze.large_payload import copy_payload
from sbf_core.bronze.paths import payload_path
from sbf_core.bronze.quarantine import QuarantineReason, move_to_quarantine
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import PayloadRefused, environment_fault
from sbf_core.faults import fault_point, is_armed
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.secret import redacted
from sbf_core.value import Value

_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@attrs.frozen(kw_only=True)
class StagedPayload(Value):
    """A payload in a temporary file beside its final place.

    Attributes:
        line: what its journal will say.
        text: the line as it will stand there.
        temp_path: where it is.
    """

    line: JournalLine
    text: str
    temp_path: str


class BronzeFileWriter:
    """Writes payloads and their journal below ``<home>/bronze``. Never overwrites and never deletes a payload.

    ``write`` does one payload; ``stage`` (from any thread) and ``publish`` (from one) do many, with the disk asked
    to keep them once per batch. The order is the same: temporary file, fsync, rename, fsync of the folder, journal
    line, fsync of the journal. Only then is a payload told to the ledger.

    Args:
        config: where the home is, and the fsync policy.
        logger: for debugging.
    """

    def __init__(self, config: DuckDbConfig | None = None, logger: logging.Logger | None = None) -> None:
        self._config = config or DuckDbConfig()
        #: Whether ``stage`` waits until the disk has a payload; else ``publish`` does, for many at once.
        self.waits_for_disk = self._config.fsync == "each" or (self._config.fsync == "batch" and not CAN_SYNC_LATER)
        self._logger = logger or logging.getLogger("sbf.bronze")
        self._root = str(self._config.bronze)
        self._names: dict[str, tuple[RunRequest, str, int]] = {}
        self._folders: set[str] = set()
        self._named_folders: set[str] = set()
        self._journals: dict[str, JournalWriter] = {}
        self._lock = threading.Lock()

    def write(self, result: RunResult) -> tuple[Path, str, int]:
        """Write one payload and its journal line.

        Returns:
            The path relative to Bronze, the SHA-256 as 64 hex digits, and the number of bytes.

        Raises:
            PayloadRefused: the result holds an error instead of a payload, or says what no journal can hold.
            EnvironmentFault: the disk is full, read-only or gone.
        """
        row = self.publish([self.stage(result)])[0]
        return Path(PurePosixPath(row.rel_path)), row.payload_hash, row.content_length_bytes

    def stage(self, result: RunResult, *, payload_hash: str = "") -> StagedPayload:
        """Write a payload to a temporary file. May be called from several threads.

        Args:
            result: what came back.
            payload_hash: the SHA-256 of the payload, if it is known already.
        """
        if not result.ok:
            raise PayloadRefused(f"there is no payload: {result.error}", where=result.address)
        if result.payload_file is not None:
            return self._stage_file(result, result.payload_file)
        payload = result.payload
        payload_hash = payload_hash or hashlib.sha256(payload).hexdigest()
        staged = self._to_stage(result, payload_hash, len(payload))
        try:
            self._make_folder(staged.line.row.rel_path.rpartition("/")[0])
            self._write_temp(staged.temp_path, payload)
        except OSError as error:
            raise environment_fault(error, doing="a payload cannot be written", where=staged.temp_path) from error
        return staged

    def _to_stage(self, result: RunResult, payload_hash: str, byte_count: int, temp_path: str = "") -> StagedPayload:
        result, rel_path = self._named(result, payload_hash)
        return _as_staged(result, rel_path, payload_hash, byte_count, temp_path or self._temp_path(rel_path))

    def _temp_path(self, rel_path: str) -> str:
        folder, _, name = rel_path.rpartition("/")
        return f"{self._root}/{folder}/.{name}.tmp"

    def _stage_file(self, result: RunResult, source: Path) -> StagedPayload:
        """What is hashed while it is copied has a name of its own meanwhile. Raises ``SourceRefused``, too."""
        any_hash = token_hex(32)
        meanwhile = payload_path(
            result.request, fetched_at=result.fetched_at, payload_hash=any_hash, extension=result.extension
        )
        temp_path = self._temp_path(meanwhile)
        _as_staged(result, meanwhile, any_hash, 0, temp_path)  # what no journal can hold is refused before it is read
        try:
            self._make_folder(meanwhile.rpartition("/")[0])
            payload_hash, byte_count = self._copy_to_temp(temp_path, source)
        except OSError as error:
            raise environment_fault(error, doing="a payload cannot be written", where=temp_path) from error
        return self._to_stage(result, payload_hash, byte_count, temp_path)

    def _named(self, result: RunResult, payload_hash: str) -> tuple[RunResult, str]:
        """A result and its path. Two answers with the same bytes can come at one moment, where the clock is coarse: the
        later one is then dated a microsecond on, for the name holds moment and bytes alone.
        """
        answer = (result.request, result.address, result.part)
        with self._lock:
            while True:
                path = payload_path(
                    result.request, fetched_at=result.fetched_at, payload_hash=payload_hash, extension=result.extension
                )
                if self._names.setdefault(path, answer) == answer:
                    return result, path
                result = attrs.evolve(result, fetched_at=result.fetched_at + dt.timedelta(microseconds=1))

    def publish(self, staged: Sequence[StagedPayload]) -> list[BronzeManifestRow]:
        """Make staged payloads final and journal them; when it returns they survive a crash.

        A payload that is already there, byte for byte, is left as it is and journalled only if it was not. What stands
        in its place with other bytes is damaged: it goes to quarantine, and the whole payload takes its place.
        """
        try:
            self._sync_files([item.temp_path for item in staged])
            fault_point("bronze.synced")
            fresh = [item for item in staged if self._finish(item)]
            self._sync_folders({item.line.row.rel_path.rpartition("/")[0] for item in fresh})
            fault_point("bronze.folders_synced")
            self._journal(fresh)
        except OSError as error:
            raise environment_fault(error, doing="payloads cannot be kept", where=self._root) from error
        return [item.line.row for item in staged]

    def close(self) -> None:
        """Close the journals."""
        for journal in self._journals.values():
            journal.close()
        self._journals.clear()

    def _make_folder(self, folder: str) -> None:
        if folder in self._folders:
            return
        above = folder.rpartition("/")[0]
        if above not in self._folders:
            with self._lock:  # nobody finds it there before its name is noted for syncing
                self._named_folders.update(make_folder(f"{self._root}/{above}"))
                self._folders.add(above)
        make_folder(f"{self._root}/{folder}")
        self._folders.add(folder)

    def _write_temp(self, path: str, payload: bytes) -> None:
        try:
            handle = os.open(path, _WRITE_FLAGS, 0o400)
        except FileExistsError:  # left by a crash at this very step
            _discard(path)
            handle = os.open(path, _WRITE_FLAGS, 0o400)
        fault_point("bronze.created")
        try:
            view = memoryview(payload)
            step = max(1, len(view) // 2) if is_armed() else len(view)
            while view:
                view = view[os.write(handle, view[:step]) :]
                fault_point("bronze.half")
            fault_point("bronze.written")
            if self.waits_for_disk:
                os.fsync(handle)
        finally:
            os.close(handle)

    def _copy_to_temp(self, path: str, source: Path) -> tuple[str, int]:
        handle = os.open(path, _WRITE_FLAGS, 0o400)
        fault_point("bronze.created")
        try:
            try:
                told = copy_payload(source, handle, durable=self._config.fsync != "none")
                fault_point("bronze.written")
                if self.waits_for_disk:
                    os.fsync(handle)
            finally:
                os.close(handle)
        except PayloadRefused:
            _discard(path)
            raise
        return told

    def _finish(self, item: StagedPayload) -> bool:
        row = item.line.row
        final = f"{self._root}/{row.rel_path}"
        if os.path.lexists(final):
            if _holds(final, row.payload_hash):
                _discard(item.temp_path)
                return False
            place = move_to_quarantine(
                self._config.quarantine, Path(final), original=row.rel_path, reason=QuarantineReason.DAMAGED
            )
            self._logger.warning("A damaged payload came again, whole; its damaged bytes are kept in %s", place)
        os.rename(item.temp_path, final)
        fault_point("bronze.renamed")
        return True

    def _sync_files(self, paths: Sequence[str]) -> None:
        if self._config.fsync == "batch" and CAN_SYNC_LATER:
            sync_all(paths)

    def _sync_folders(self, folders: Collection[str]) -> None:
        if self._config.fsync == "none":
            return
        with self._lock:
            named, self._named_folders = self._named_folders, set()
        above = {
            folder.rpartition("/")[0] for folder in folders
        }  # a thread that is slower than this one may have made the folder
        sync_all({*(f"{self._root}/{folder}" for folder in (*folders, *above)), *named})

    def _journal(self, items: Sequence[StagedPayload]) -> None:
        by_run: dict[str, list[str]] = {}
        for item in items:
            by_run.setdefault(item.line.row.run_id, []).append(redacted(item.text))  # of keys that were learnt since
        for run_id, texts in by_run.items():
            journal = self._journals.get(run_id)
            if journal is None:
                journal = self._journals[run_id] = JournalWriter(
                    self._config.bronze, run_id, durable=self._config.fsync != "none"
                )
            journal.append_texts(texts)


def _as_staged(result: RunResult, rel_path: str, payload_hash: str, byte_count: int, temp_path: str) -> StagedPayload:
    row = BronzeManifestRow.of(result, rel_path=rel_path, payload_hash=payload_hash, content_length_bytes=byte_count)
    line = JournalLine(row=row, headers=result.headers, masked=result.masked)
    return StagedPayload(line=line, text=checked(line), temp_path=temp_path)


def _holds(path: str, payload_hash: str) -> bool:
    """Whether a file, and no link, has these bytes."""
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    with open(path, "rb") as kept:
        return hashlib.file_digest(kept, "sha256").hexdigest() == payload_hash


def _discard(path: str) -> None:
    """Remove a temporary file; Windows removes none that is read-only."""
    os.chmod(path, 0o600)
    os.unlink(path)
