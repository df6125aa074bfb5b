"""A first look at each payload, before the engine reads it: is it what was recorded, unpacked, and as it was declared?

One cheap look a file, never a look at each row. What is found here costs only the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import attrs

from sbf_core.bronze.file_reader import check_payload, own_place, read_fresh, read_payload
from sbf_core.dataset.archive import Archive
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Parquet
from sbf_core.duck.engine_errors import first_line
from sbf_core.errors import PayloadRefused, SbfError, UsageError, printable
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.json_look import SMALL_BYTES
from sbf_core.payload.listing import lists
from sbf_core.payload.model import Look, PayloadFile, Reading, Slot
from sbf_core.payload.unpack import is_packed, unpacked
from sbf_core.runs.request import TICKER_SEPARATOR
from sbf_core.silver.reading import BatchFile
from sbf_core.value import Value

#: Payloads up to this size are read once, for hash and look together; larger ones are looked at where they are.
READ_BYTES_MAX = 1 << 20
#: The same, where a hook is asked first: then the bytes of a whole batch wait for its answer.
_HELD_BYTES_MAX = 65_536


_RECORD_BY_RECORD = ContextVar("record_by_record", default=False)


@contextmanager
def record_by_record() -> Iterator[None]:
    """Inside, every payload is read record by record and none by the engine: a second reading, for whoever compares."""
    token = _RECORD_BY_RECORD.set(True)
    try:
        yield
    finally:
        _RECORD_BY_RECORD.reset(token)


@attrs.frozen(kw_only=True)
class Inspected(Value):
    """What the look at a payload found.

    Attributes:
        file: the payload, with the path to read.
        extension: of its bytes, unpacked.
        payload: the bytes, if they are few and were not packed.
        look: what its format says; None where a hook reads it, or no format is known.
        is_listing: it lists what there is, and holds no rows, see ``DataRules.listing_fields``.
        members: of an archive, what the look at each of its files found; ``file`` and ``look`` are then those of the
            first. Their ids are that of the payload with a number behind, see ``payload_of``.
        parts: of a member, those of its name.
    """

    file: BatchFile
    extension: str
    payload: bytes | None = None
    look: Look | None = None
    is_listing: bool = False
    members: tuple[Inspected, ...] = ()
    parts: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def file_id(self) -> str:
        """The payload's id in the manifest."""
        return self.file.row.bronze_file_id

    @property
    def payload_file(self) -> PayloadFile:
        """The unpacked bytes, for a format."""
        path, held = self.file.path, self.payload
        if held is None and self.look is not None and self.look.file.place == path:
            held = self.look.payload
        size = Path(path).stat().st_size if held is None else len(held)
        return PayloadFile(
            file_id=self.file.row.bronze_file_id, path=path, extension=self.extension, byte_count=size, held=held
        )


def payload_of(file_id: str) -> str:
    """The id of the payload that a file is, or is a member of."""
    return file_id.partition(".")[0]


def record_counts(looks: Sequence[Look]) -> dict[str, int | None]:
    """How many records payloads have, by id; None where that is not known of all of a payload."""
    counts: dict[str, int | None] = {}
    for look in looks:
        payload = payload_of(look.file.file_id)
        known = counts.get(payload, 0)
        counts[payload] = None if known is None or look.record_count is None else known + look.record_count
    return counts


def inspect(
    entry: DatasetKeymapEntry,
    row: BronzeManifestRow,
    *,
    bronze: Path,
    staging: Path,
    fresh: bool,
    is_context: bool = False,
    as_declared: bool = True,
    known: set[str] | None = None,
) -> Inspected:
    """Look at one payload.

    Args:
        entry: its dataset.
        row: its manifest row.
        bronze: where the payloads are.
        staging: where unpacked bytes may be written.
        fresh: this process has just written it, so that its hash need not be checked again.
        is_context: see ``BatchFile``.
        as_declared: the payload is read as the declaration says; else a hook is asked first, and nothing is looked
            at before it asks.
        known: see ``place_inside``.

    Raises:
        DamageFound: the file is not what was recorded.
        PayloadRefused: it is no data of the declared kind.
    """
    _check_series(entry, row)
    if not row.pack and row.content_length_bytes > (READ_BYTES_MAX if as_declared else _HELD_BYTES_MAX):
        with _checked_beside(bronze, row, fresh=fresh):
            return _looked_into(entry, row, None, bronze, staging, is_context=is_context, as_declared=as_declared)
    payload = read_fresh(bronze, row) if fresh else read_payload(bronze, row, known=known)
    return _looked_into(entry, row, payload, bronze, staging, is_context=is_context, as_declared=as_declared)


def _check_series(entry: DatasetKeymapEntry, row: BronzeManifestRow) -> None:
    """Refuse a payload of a series that another declaration named: its parts would be read wrongly, or are none."""
    if not entry.parts:
        return
    if row.ticker is None:
        what = f"it was asked for otherwise: of no {'file' if entry.each_file is not None else 'row'}"
        raise PayloadRefused(what, fix="declare it as it was, or give the dataset another name")
    try:
        for series in row.ticker.split(TICKER_SEPARATOR):
            entry.each(series)
    except UsageError as error:
        raise PayloadRefused(f"it was asked for otherwise: {error.what}", fix=error.fix) from None


@contextmanager
def _checked_beside(bronze: Path, row: BronzeManifestRow, *, fresh: bool) -> Iterator[None]:
    """Inside, a large payload is looked at while another thread hashes it, which leaves Python's lock alone.

    What is damaged is told as damage, whatever the look says.
    """
    if fresh:
        yield
        return
    with ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(check_payload, bronze, row)
        try:
            yield
        finally:
            hashed.result()


def _looked_into(
    entry: DatasetKeymapEntry,
    row: BronzeManifestRow,
    payload: bytes | None,
    bronze: Path,
    staging: Path,
    *,
    is_context: bool,
    as_declared: bool,
) -> Inspected:
    extension = row.extension
    plain = own_place(bronze, row)
    if row.pack and payload is not None:  # most of them are read from memory; whoever wants a file then writes it
        plain = f"{staging}{os.sep}{row.bronze_file_id}.{extension}"
        if not as_declared or is_packed(extension) or len(payload) >= SMALL_BYTES:
            Path(plain).write_bytes(payload)
    if entry.archive is not None:
        return _archived(entry, entry.archive, row, plain, staging, is_context=is_context, as_declared=as_declared)
    if is_packed(extension):
        inner, extension = unpacked(Path(plain), extension, member=entry.member, target=staging / row.bronze_file_id)
        plain, payload = str(inner), None
    file = BatchFile(row=row, path=plain, is_context=is_context)
    item = Inspected(file=file, extension=extension, payload=payload)
    fields = entry.is_data.listing_fields
    if fields and lists(Path(plain).read_bytes() if payload is None else payload, fields):
        return attrs.evolve(item, payload=None, is_listing=True)
    return looked_at(entry, item, staging=staging) if as_declared else item


def _archived(
    entry: DatasetKeymapEntry, archive: Archive, row: BronzeManifestRow, plain: str, staging: Path, *, is_context: bool,
    as_declared: bool,
) -> Inspected:  # fmt: skip
    """An archive by the first of its members, with all of them."""
    if not as_declared:
        what = "is an archive of many files, which are read as they are declared, and the plugin has the hook promote"
        raise PayloadRefused(what, fix="declare the dataset in a plugin without that hook, or leave archive out")
    from sbf_core.payload.archive import members_of  # few payloads are archives of many files

    found = members_of(Path(plain), row.extension, archive, target=staging / row.bronze_file_id)
    looked = []
    for number, one in enumerate(found):
        if not one.path.stat().st_size and entry.is_data.may_be_empty:
            continue
        own = attrs.evolve(row, bronze_file_id=f"{row.bronze_file_id}.m{number}", extension=one.extension)
        item = Inspected(
            file=BatchFile(row=own, path=str(one.path), is_context=is_context), extension=one.extension,
            parts=archive.values(one.name) or {},
        )  # fmt: skip
        try:
            looked.append(attrs.evolve(looked_at(entry, item, staging=staging), parts=item.parts))
        except PayloadRefused as error:
            raise PayloadRefused(f"holds {printable(one.name)!r}, which {error.what}", fix=error.fix) from error
    file = BatchFile(row=row, path=plain, is_context=is_context)
    if not looked:
        return Inspected(file=file, extension=found[0].extension)
    fields = tuple(dict.fromkeys(name for one in looked if one.look is not None for name in one.look.fields))
    first = looked[0]
    look = None if first.look is None else attrs.evolve(first.look, is_regular=False, record_count=None, fields=fields)
    file = attrs.evolve(file, path=first.file.path)
    return Inspected(file=file, extension=first.extension, look=look, members=tuple(looked))


def looked_at(
    entry: DatasetKeymapEntry, item: Inspected, *, staging: Path, slots: tuple[Slot, ...] | None = None
) -> Inspected:
    """A payload with what its format says of it; as it is, where no format is known. Raises ``PayloadRefused``."""
    reading = reading_of(entry, item.extension, slots=slots)
    if reading is None:
        return item
    look = reader_of(reading.format.kind).look(reading, item.payload_file, item.payload, staging=staging)
    return Inspected(file=item.file, extension=item.extension, look=look, is_listing=item.is_listing)


def regular_of(reading: Reading, looks: Sequence[Look]) -> list[Look]:
    """The payloads that the engine may read."""
    if _RECORD_BY_RECORD.get() and reading.format.kind != Parquet.kind:  # which the engine alone can read
        return []
    return [look for look in looks if look.is_regular]


def refusal(error: Exception) -> str:
    """One line that says why a payload was refused."""
    if isinstance(error, SbfError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return printable(first_line(error))
    return printable(f"{type(error).__name__}: {error}")
