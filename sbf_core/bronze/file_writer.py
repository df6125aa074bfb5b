"""``BronzeFileWriter``: payloads to disk, byte for byte, so that a crash leaves a whole file or none."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from secrets import token_hex

import attrs

from sbf_core.atomic_file import CAN_SYNC_LATER, make_folder, sync_all, write_all
from sbf_core.bronze.file_reader import check_payload
from sbf_core.bronze.journal import JournalWriter
from sbf_core.bronze.large_payload import copy_payload
from sbf_core.bronze.pack_format import PACKED_BYTES_MAX
from sbf_core.bronze.pack_writer import PackPlace, PackWriter, ToPack
from sbf_core.bronze.paths import dataset_folder, payload_path
from sbf_core.bronze.quarantine import QuarantineReason, move_to_quarantine
from sbf_core.bronze.staged_payload import StagedPayload, as_staged
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound, PayloadRefused, environment_fault
from sbf_core.faults import fault_point
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.secret import redacted

_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class BronzeFileWriter:
    """Writes payloads and their journal below ``<home>/bronze``. Never overwrites and never deletes a payload.

    ``write`` does one payload; ``stage`` (from any thread) and ``publish`` (from one) do many, with the disk asked
    to keep them once per batch. The order is the same: temporary file, fsync, rename, fsync of the folder, journal
    line, fsync of the journal. Only then is a payload told to the ledger. Where packs are wanted, ``publish`` appends
    small payloads to them instead, and has those kept before the journal speaks of them.

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
        self._packs = PackWriter(self._root, sync_each=self._config.fsync != "none" and not CAN_SYNC_LATER)
        #: Where payloads are that this writer has packed, by path.
        self._packed: dict[str, PackPlace] = {}
        self._lock = threading.Lock()

    def write(self, result: RunResult) -> tuple[Path, str, int]:
        """Write one payload, as a file of its own, and its journal line.

        Returns:
            The path relative to Bronze, the SHA-256 as 64 hex digits, and the number of bytes.

        Raises:
            PayloadRefused: the result holds an error instead of a payload, or says what no journal can hold.
            EnvironmentFault: the disk is full, read-only or gone.
        """
        row = self.publish([self._staged(result, "", may_pack=False)])[0]
        return Path(PurePosixPath(row.rel_path)), row.payload_hash, row.content_length_bytes

    def stage(self, result: RunResult, *, payload_hash: str = "") -> StagedPayload:
        """Write a payload to a temporary file, unless it is to be packed. May be called from several threads.

        Args:
            result: what came back.
            payload_hash: the SHA-256 of the payload, if it is known already.
        """
        return self._staged(result, payload_hash, may_pack=self._config.small == "packs")

    def _staged(self, result: RunResult, payload_hash: str, *, may_pack: bool) -> StagedPayload:
        if not result.ok:
            raise PayloadRefused(f"there is no payload: {result.error}", where=result.address)
        if result.payload_file is not None:
            return self._stage_file(result, result.payload_file)
        payload = result.payload
        payload_hash = payload_hash or hashlib.sha256(payload).hexdigest()
        staged = self._to_stage(result, payload_hash, len(payload))
        if may_pack and len(payload) <= PACKED_BYTES_MAX:
            return attrs.evolve(staged, packed=payload)
        self._write_staged(staged, payload)
        return staged

    def _write_staged(self, staged: StagedPayload, payload: bytes) -> None:
        try:
            self._make_folder(staged.line.row.rel_path.rpartition("/")[0])
            self._write_temp(staged.temp_path, payload)
        except OSError as error:
            raise environment_fault(error, doing="a payload cannot be written", where=staged.temp_path) from error

    def _to_stage(self, result: RunResult, payload_hash: str, byte_count: int, temp_path: str = "") -> StagedPayload:
        result, rel_path = self._named(result, payload_hash)
        return as_staged(result, rel_path, payload_hash, byte_count, temp_path or self._temp_path(rel_path))

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
        as_staged(result, meanwhile, any_hash, 0, temp_path)  # what no journal can hold is refused before it is read
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

    def publish(
        self, staged: Sequence[StagedPayload], *, recorded: Mapping[str, BronzeManifestRow] | None = None
    ) -> list[BronzeManifestRow]:
        """Make staged payloads final and journal them; when it returns they survive a crash.

        A payload that is already there, byte for byte, is left as it is and journalled only if it was not. What stands
        in its place with other bytes is damaged: it goes to quarantine, and the whole payload takes its place. One that
        is damaged in a pack becomes a file of its own.

        Args:
            staged: payloads; the parts of a set stand together, in their order.
            recorded: by path, those of them that the ledger knows. Whoever packs needs it where answers may be of
                before the run.
        """
        try:
            fresh = self._kept(staged, recorded or {})
            self._sync_folders({path.rpartition("/")[0] for path, item in fresh.items() if item.packed is None})
            fault_point("bronze.folders_synced")
            # in the order in which they came: the lines of a set stand together
            paths = dict.fromkeys(item.line.row.rel_path for item in staged)
            self._journal([fresh[path] for path in paths if path in fresh])
            self._packed |= {path: item.place for path, item in fresh.items() if item.place is not None}
        except BaseException as error:
            self._packs.abandon()  # what no journal names is never in the middle of a pack
            if isinstance(error, OSError):
                raise environment_fault(error, doing="payloads cannot be kept", where=self._root) from error
            raise
        kept = {path: item.line.row for path, item in fresh.items()}
        return [kept.get(item.line.row.rel_path) or self._row_of(item) or item.line.row for item in staged]

    def _kept(
        self, staged: Sequence[StagedPayload], recorded: Mapping[str, BronzeManifestRow]
    ) -> dict[str, StagedPayload]:
        """Put payloads in their places; those of them that were not there before, by path."""
        files: list[StagedPayload] = []
        to_pack: dict[str, StagedPayload] = {}
        for item in staged:
            path, payload = item.line.row.rel_path, item.packed
            row = self._row_of(item) or recorded.get(path)
            if path in to_pack or self._is_whole(row):
                if payload is None:
                    _discard(item.temp_path)
            elif payload is None:
                files.append(item)
            else:
                if row is None and not os.path.lexists(f"{self._root}/{path}"):
                    to_pack[path] = item
                else:
                    self._write_staged(item, payload)
                    files.append(attrs.evolve(item, packed=None))
        fresh = self._pack(to_pack)
        self._sync_files([item.temp_path for item in files])
        fault_point("bronze.synced")
        return fresh | {item.line.row.rel_path: item for item in files if self._finish(item)}

    def _row_of(self, item: StagedPayload) -> BronzeManifestRow | None:
        place = self._packed.get(item.line.row.rel_path)
        return None if place is None else item.at(place).line.row

    def _is_whole(self, row: BronzeManifestRow | None) -> bool:
        """Whether a packed payload is there, byte for byte."""
        if row is None or not row.pack:
            return False
        try:
            check_payload(self._config.bronze, row)
        except DamageFound:
            return False
        return True

    def _pack(self, items: Mapping[str, StagedPayload]) -> dict[str, StagedPayload]:
        """Append payloads to packs; with their places, by path."""
        if not items:
            return {}
        places, packs, folders = self._packs.append(
            [
                ToPack(
                    folder=dataset_folder(item.line.row.request),
                    run_id=item.line.row.run_id,
                    rel_path=path,
                    payload_hash=item.line.row.payload_hash,
                    payload=item.packed or b"",
                )
                for path, item in items.items()
            ]
        )
        if self._config.fsync != "none":
            sync_all(packs)
            sync_all(dict.fromkeys(folders))
        fault_point("pack.synced")
        return {path: item.at(place) for (path, item), place in zip(items.items(), places, strict=True)}

    def close(self) -> None:
        """Close the journals and the packs."""
        self._packs.close()
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
            write_all(handle, payload, point="bronze.half")
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
