"""What a dead run left: closed, adopted or moved aside. Twice is the same as once.

A payload that was journalled is whole and durable: it is recorded as its run would have done, and promoted by the run
at work. What has no line in a journal goes to quarantine, with a record, and is fetched again. Each step can be
repeated, and the last one says that it was done; so recovery itself may be killed anywhere.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import attrs

from sbf_core.bronze.file_reader import stored_of
from sbf_core.bronze.journal import cut_torn_tail, journal_files, read_journal_start, run_of_copy, torn_tail
from sbf_core.bronze.journal_line import JournalLine
from sbf_core.bronze.listing import is_payload, is_temporary, payload_files, relative
from sbf_core.bronze.paths import JOURNAL_FOLDER
from sbf_core.bronze.quarantine import QuarantineReason, move_to_quarantine, put_in_quarantine, quarantined_files
from sbf_core.counted import counted
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.scratch import remove_dead_scratch
from sbf_core.errors import DamageFound
from sbf_core.faults import fault_point
from sbf_core.ops.pack_place import is_pack
from sbf_core.ops.recoveries import RecoveredRun
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.ops.service import OpsService
from sbf_core.safe_paths import inside
from sbf_core.value import Value

_ADOPT_AT_ONCE = 5000


@attrs.frozen(kw_only=True)
class Recovered(Value):
    """What recovery did.

    Attributes:
        runs_closed: runs that had not ended well, or that only their journal knew.
        payloads_adopted: journalled payloads that the ledger did not know.
        files_quarantined: half-written files and orphans that were moved aside.
        damages: what it could not put right, one line each; ``sbf verify`` says more.
    """

    runs_closed: int = 0
    payloads_adopted: int = 0
    files_quarantined: int = 0
    damages: tuple[str, ...] = ()


def recover(
    ops: OpsService,
    config: DuckDbConfig,
    *,
    everything: bool = False,
    alive: str = "",
    logger: logging.Logger | None = None,
) -> Recovered:
    """Put right what a dead run left, and take in journals that the ledger does not know.

    Call it while holding the home.

    Looks at files only if a run did not end well, or a journal is there whose run is not on record (after the
    database was lost or replaced by an older copy). Idempotent. Where the payloads belong to another home, no file
    is touched.

    Args:
        ops: the facade.
        config: where the home is.
        everything: look at all files and journals, whatever the ledger says of its runs.
        alive: the run that does it, if it is on record already.
        logger: told what was done.

    Writes ops.file_ingestions, ops.bronze_manifest, ops.data_dates, ops.gold_manifest, ops.quarantine, ops.recoveries.
    """
    _clear(config.staging)
    remove_dead_scratch(config)
    unclean = ops.recovery.unclean_runs() - {alive}
    journals = {path.stem: path for path in journal_files(config.bronze)}
    known_runs = ops.recovery.known_runs() if journals else frozenset[str]()
    unknown = journals.keys() - known_runs
    copies = {run_id: original for run_id in sorted(unknown) if (original := run_of_copy(journals[run_id]))}
    damages = [
        f"{journals.pop(run_id)} is a copy of the journal of run {original}; `sbf repair` moves it aside"
        for run_id, original in copies.items()
    ]
    unknown -= copies.keys()
    if not unclean and not unknown and not everything:
        return Recovered(damages=tuple(damages))
    fault_point("recover.start")
    ours = config.bronze_folder is None
    concerned = [path for run_id, path in journals.items() if everything or run_id in unclean or run_id in unknown]
    for path in concerned if ours else ():
        mend_torn_journal(config, path)
    fault_point("recover.mended")
    lines: dict[str, list[JournalLine]] = {}
    broken: set[str] = set()
    for path in concerned:
        lines[path.stem], damage = read_journal_start(path)
        damages += [damage] if damage else []
        broken |= {path.stem} if damage else set()
    paths = ops.recovery.known_paths()
    journalled = {line.row.rel_path for run_lines in lines.values() for line in run_lines}
    moved = move_strays(config, paths | journalled, packs=_pack_ends(ops, lines, but=broken)) if ours else 0
    fault_point("recover.moved")
    quarantined = record_quarantined(ops, config)
    fault_point("recover.quarantined")
    fresh = _fresh(lines, paths)
    missing = _adopt(ops, config, (row for rows in fresh.values() for row in rows))
    if missing:
        number = counted(len(missing), "journalled payload is", "journalled payloads are")
        damages.append(f"{number} missing, the first is {missing[0]}")
    fault_point("recover.adopted")
    runs = [
        _recovered_run(run_id, lines.get(run_id, []), len(fresh.get(run_id, ())), unknown=run_id in unknown)
        for run_id in sorted(unclean | unknown)
    ]
    ops.recovery.record_recovery(runs, files_quarantined=max(moved, quarantined), alive=alive)
    fault_point("recover.done")
    if not runs and not moved and not any(fresh.values()):
        return Recovered(damages=tuple(damages))
    done = Recovered(
        runs_closed=len(runs),
        payloads_adopted=sum(run.payloads_adopted for run in runs),
        files_quarantined=quarantined,
        damages=tuple(damages),
    )
    is_new = not known_runs and not unclean and not moved
    _tell(done, logger or logging.getLogger("sbf.recovery"), is_new=is_new)
    return done


def _tell(done: Recovered, logger: logging.Logger, *, is_new: bool) -> None:
    """What was done. Where the ledger is new, as in a rebuild, nothing died: it learns what there is."""
    if is_new:
        logger.info("Journals read. runs=%s | payloads=%s", done.runs_closed, done.payloads_adopted)
        return
    logger.warning(
        "Recovered. runs_closed=%s | payloads_adopted=%s | files_quarantined=%s",
        done.runs_closed,
        done.payloads_adopted,
        done.files_quarantined,
    )


def _fresh(lines: Mapping[str, list[JournalLine]], known: frozenset[str]) -> dict[str, list[BronzeManifestRow]]:
    """Payloads that the ledger does not know, by run. One that came twice is of the run that kept it first."""
    seen = set(known)
    fresh: dict[str, list[BronzeManifestRow]] = {}
    for run_id, run_lines in sorted(lines.items()):
        fresh[run_id] = [line.row for line in run_lines if line.row.rel_path not in seen]
        seen.update(row.rel_path for row in fresh[run_id])
    return fresh


def _clear(staging: Path) -> None:
    """Scratch files of a promotion that is over."""
    for path in staging.iterdir() if staging.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def mend_torn_journal(config: DuckDbConfig, path: Path) -> bool:
    """Take the cut-off last line of a journal to quarantine; whether there was one."""
    try:
        torn = torn_tail(path)
    except DamageFound:
        return False  # told by whoever reads its lines
    if torn:
        put_in_quarantine(
            config.quarantine, torn, original=f"{JOURNAL_FOLDER}/{path.name}", reason=QuarantineReason.TORN_LINE
        )
        cut_torn_tail(path)
    return bool(torn)


def _pack_ends(
    ops: OpsService, lines: Mapping[str, list[JournalLine]], *, but: Collection[str]
) -> dict[str, int | None]:
    """The packs that are known, and where the last payload of each ends that its journal names; None where nobody may
    cut it: the journal was not read, or ends in damage. The ledger alone is no reason to cut anything.
    """
    ends: dict[str, int | None] = dict.fromkeys(ops.recovery.known_packs())
    for run_id, run_lines in lines.items():
        for row in (line.row for line in run_lines):
            if row.pack:
                end = ends.get(row.pack) or 0
                ends[row.pack] = None if run_id in but else max(end, stored_of(row).end)
    return ends


def move_strays(config: DuckDbConfig, known: frozenset[str] | set[str], *, packs: Mapping[str, int | None]) -> int:
    """Move temporary files, and payloads that neither ledger nor journal knows, to quarantine; returns how many.

    Args:
        config: where the home is.
        known: paths of payloads.
        packs: where the last known payload of each pack ends, and what follows it is moved, too; None: nobody knows.
    """
    moved = 0
    for entry in payload_files(config.bronze):
        if is_pack(path := relative(config.bronze, entry)) and path in packs:
            end = packs[path]
            moved += end is not None and cut_pack(config, path, end)
            continue
        if is_temporary(entry.name):
            reason = QuarantineReason.HALF_WRITTEN
        elif is_pack(path) or (is_payload(entry.name) and path not in known):
            reason = QuarantineReason.ORPHAN
        else:
            continue
        move_to_quarantine(config.quarantine, Path(entry.path), original=path, reason=reason)
        moved += 1
    return moved


def cut_pack(config: DuckDbConfig, path: str, end: int) -> bool:
    """Take to quarantine what a crash left in a pack behind the last payload that is known; whether there was any."""
    place = inside(config.bronze, path)
    if not place.is_file() or place.stat().st_size <= end:
        return False
    with place.open("rb") as file:
        file.seek(end)
        put_in_quarantine(config.quarantine, file.read(), original=path, reason=QuarantineReason.HALF_WRITTEN)
    place.chmod(0o600)
    with place.open("r+b") as file:
        file.truncate(end)
        os.fsync(file.fileno())
    return True


def record_quarantined(ops: OpsService, config: DuckDbConfig) -> int:
    """Record what is in quarantine and not on record yet; returns how many files."""
    if not config.quarantine.is_dir():
        return 0
    files = [attrs.asdict(file) for file in quarantined_files(config.quarantine, known=ops.recovery.known_quarantine())]
    ops.recovery.record_quarantine(files)
    return len(files)


def _adopt(ops: OpsService, config: DuckDbConfig, rows: Iterable[BronzeManifestRow]) -> list[str]:
    """Record journalled payloads, oldest first, many at once; returns the paths of those that are not there."""
    missing: list[str] = []
    there: list[BronzeManifestRow] = []
    pack_sizes: dict[str, int] = {}
    bronze = str(config.bronze)  # texts cost a tenth of paths as objects
    for row in sorted(rows, key=lambda row: (row.fetched_at, row.bronze_file_id)):
        end = row.pack_offset + row.content_length_bytes
        if row.pack and row.pack not in pack_sizes:
            pack_sizes[row.pack] = _size(f"{bronze}{os.sep}{row.pack}")
        if (row.pack and end <= pack_sizes[row.pack]) or _size(f"{bronze}{os.sep}{row.rel_path}") >= 0:
            there.append(row)
        else:
            missing.append(row.rel_path)
    for start in range(0, len(there), _ADOPT_AT_ONCE):
        ops.record_fetched(there[start : start + _ADOPT_AT_ONCE], [])
    return missing


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return -1


def _recovered_run(run_id: str, lines: list[JournalLine], adopted: int, *, unknown: bool) -> RecoveredRun:
    times = [line.row.fetched_at for line in lines]
    started_at, last = _started_at(run_id, times), max(times, default=None)
    replayed = (
        started_at is not None and last is not None and last < started_at
    )  # then the times are those of the recording
    return RecoveredRun(
        run_id=run_id,
        payloads_adopted=adopted,
        unknown=unknown,
        started_at=started_at,
        finished_at=None if replayed else last,
    )


def _started_at(run_id: str, times: list[dt.datetime]) -> dt.datetime | None:
    """A run's id begins with the moment of its start."""
    try:
        return dt.datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return min(times, default=None)
