"""Values that the ledger is made of."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import lru_cache
from pathlib import PurePosixPath

import attrs

from sbf_core.dataset_id import DatasetId, dataset_id_of
from sbf_core.errors import DamageFound
from sbf_core.failures import FailureKind
from sbf_core.ops.pack_place import why_no_place
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult, is_extension
from sbf_core.safe_paths import why_no_name, why_outside
from sbf_core.value import Value

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Base 32 as RFC 4648 has it, in small letters, two at a time.
_LETTERS = [one + other for one in "abcdefghijklmnopqrstuvwxyz234567" for other in "abcdefghijklmnopqrstuvwxyz234567"]
#: Where the journals are, below Bronze: no payload may take the place of one.
JOURNAL_FOLDER = "_journal"


def bronze_file_id(rel_path: str) -> str:
    """The id of a Bronze file: 60 bits of the SHA-256 of its relative path, as 12 letters and digits.

    Twelve bytes are what DuckDB keeps inside a string value, so that the id costs a silver row no heap. It comes
    from the path, hence a rebuild on another machine gives the same one.
    """
    bits = int.from_bytes(hashlib.sha256(rel_path.encode()).digest()[:8], "big") >> 4
    return "".join([_LETTERS[bits >> place & 1023] for place in (50, 40, 30, 20, 10, 0)])


@attrs.frozen(kw_only=True)
class BronzeManifestRow(Value):
    """One payload on disk, as ``ops.bronze_manifest`` knows it.

    Attributes:
        bronze_file_id: see ``bronze_file_id``.
        run_id: the run that fetched it.
        domain, source, dataset, discriminator, ticker: what it holds.
        from_date, to_date: the days that were asked for.
        address: where it came from, without secrets.
        rel_path: path below the Bronze folder, with ``/``.
        payload_hash: SHA-256 of the payload, 64 hex digits.
        content_length_bytes: size of the payload.
        extension: how it is to be read.
        status_code: HTTP status, None for files.
        fetched_at: when the answer was complete; aware.
        elapsed_seconds: how long the answer took.
        part, parts: its place in a set of payloads that belong together, and how many there are; 0 where it stands
            alone.
        etag, last_modified: what the vendor gave to ask whether the payload changed.
        cursor: where the request went on, see ``RunRequest``.
        pack, pack_offset: the pack that holds it, below the Bronze folder, and where it begins there; empty and 0 for a
            file of its own, which is at ``rel_path``.
    """

    bronze_file_id: str
    run_id: str
    domain: str
    source: str
    dataset: str
    discriminator: str = ""
    ticker: str | None = None
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    address: str
    rel_path: str
    payload_hash: str
    content_length_bytes: int
    extension: str
    status_code: int | None = None
    fetched_at: dt.datetime
    elapsed_seconds: float = 0.0
    part: int = 0
    parts: int = 0
    etag: str | None = None
    last_modified: str | None = None
    cursor: str = ""
    pack: str = ""
    pack_offset: int = 0

    @classmethod
    def of(
        cls, result: RunResult, *, rel_path: str | PurePosixPath, payload_hash: str, content_length_bytes: int
    ) -> BronzeManifestRow:
        """The row of a result that was written to ``rel_path``."""
        request = result.request
        path = str(rel_path)
        return cls(
            bronze_file_id=bronze_file_id(path),
            run_id=request.run_id,
            domain=request.domain,
            source=request.source,
            dataset=request.dataset,
            discriminator=request.discriminator,
            ticker=request.ticker,
            from_date=request.from_date,
            to_date=request.to_date,
            address=result.address,
            rel_path=path,
            payload_hash=payload_hash,
            content_length_bytes=content_length_bytes,
            extension=result.extension,
            status_code=result.status_code,
            fetched_at=result.fetched_at,
            elapsed_seconds=result.elapsed_seconds,
            part=result.part,
            parts=result.parts,
            etag=result.headers.get("etag"),
            last_modified=result.headers.get("last-modified"),
            cursor=request.cursor,
        )

    @property
    def request(self) -> RunRequest:
        """What was asked for when this came back."""
        return RunRequest(
            run_id=self.run_id,
            domain=self.domain,
            source=self.source,
            dataset=self.dataset,
            discriminator=self.discriminator,
            ticker=self.ticker,
            from_date=self.from_date,
            to_date=self.to_date,
            cursor=self.cursor,
        )

    @property
    def identity(self) -> DatasetId:
        """Which dataset it is of."""
        return dataset_id_of(self.domain, self.source, self.dataset, self.discriminator)

    @property
    def dataset_id(self) -> str:
        """The identity as text, as ``DatasetKeymapEntry.id``."""
        return str(self.identity)

    @property
    def key(self) -> str:
        """The series of fetches it belongs to, as ``DatasetKeymapEntry.key``."""
        return self.identity.series(self.ticker)

    @property
    def why_unsafe(self) -> str:
        """Why a row that was read, from a journal or the ledger, was not written by sbf; empty where nothing speaks
        against it.

        Each of its texts that becomes a part of a path is looked at here, once, for all who join it to a folder.
        """
        names = (self.run_id, self.domain, self.source, self.dataset, self.extension)
        return why_unsafe(
            self.rel_path, self.bronze_file_id, names, self.payload_hash, self.content_length_bytes
        ) or why_no_place(self.pack, self.pack_offset, self.rel_path, self.content_length_bytes)


def why_unsafe(
    rel_path: str, file_id: str, names: tuple[str, str, str, str, str], payload_hash: str, byte_count: int
) -> str:
    """See ``BronzeManifestRow.why_unsafe``; ``names`` are run, domain, source, dataset and extension."""
    why = why_outside(rel_path)
    if why:
        return f"its path {rel_path!r:.120} leads out of Bronze: {why}"
    if rel_path.partition("/")[0].lower() == JOURNAL_FOLDER:
        return "its path is in the place of the journals"
    if file_id != bronze_file_id(rel_path):
        return f"its id {file_id!r:.40} is not that of its path"
    why = _why_no_names(names)
    if why:
        return why
    if not _SHA256.fullmatch(str(payload_hash)) or byte_count < 0:
        return "its hash or its number of bytes is none"
    return ""


@lru_cache(maxsize=4096)  # payloads of a run and dataset share them
def _why_no_names(names: tuple[str, str, str, str, str]) -> str:
    *others, extension = names
    for what, name in zip(("run_id", "domain", "source", "dataset"), others, strict=True):
        why = why_no_name(name)
        if why:
            return f"its {what} can be no name of a file: {why}"
    return "" if is_extension(str(extension)) else f"its extension {extension!r:.40} is none"


def checked_row(row: BronzeManifestRow) -> BronzeManifestRow:
    """A row of the ledger, if sbf can have written it: a database may have come with a backup.

    Raises ``DamageFound``.
    """
    why = row.why_unsafe
    if why:
        raise damaged_ledger(why, row.bronze_file_id)
    return row


def damaged_ledger(why: str, file_id: str) -> DamageFound:
    """What is raised for a row of the ledger that sbf did not write."""
    fix = "the database was changed by others: make it again with `sbf rebuild`"
    return DamageFound(f"the ledger is damaged: {why}", where=f"ops.bronze_manifest, payload {file_id!r:.40}", fix=fix)


@attrs.frozen(kw_only=True)
class FailedFetch(Value):
    """A request that brought no payload, or the payload that was there already.

    Attributes:
        request: what was asked.
        address: where, without secrets.
        fetched_at: when the answer was complete; aware.
        status: a ``WorkStatus``.
        error: why it brought none; None where nothing is wrong.
        kind: the kind of that; None without an error.
    """

    request: RunRequest
    address: str
    fetched_at: dt.datetime
    status: str
    error: str | None = None
    kind: FailureKind | None = None


@attrs.frozen(kw_only=True)
class SeriesState(Value):
    """What the ledger knows of one series of fetches (a dataset, or a dataset and ticker).

    Attributes:
        checked_at: when it was last fetched with success, changed or not; aware.
        to_date: the last day asked for.
        coverage_from, coverage_to: first and last row date in silver.
        again_from: the vendor restated the past: the first day to fetch again; None if it did not.
        unknown_since: the vendor has nothing of it, and never had; None where it has, or nobody knows; aware.
        has_failed: what came last could not be promoted. Known only of series that are asked for once.
    """

    checked_at: dt.datetime | None = None
    to_date: dt.date | None = None
    coverage_from: dt.date | None = None
    coverage_to: dt.date | None = None
    again_from: dt.date | None = None
    unknown_since: dt.datetime | None = None
    has_failed: bool = False


@attrs.frozen(kw_only=True)
class RowCounts(Value):
    """Row accounting: ``seen = inserted + updated + unchanged + rejected``;
    ``closed`` rows vanished from a snapshot.
    """

    seen: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    closed: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(**{name: getattr(self, name) + getattr(other, name) for name in attrs.fields_dict(RowCounts)})

    @property
    def written(self) -> int:
        """Rows that changed silver."""
        return self.inserted + self.updated + self.closed
