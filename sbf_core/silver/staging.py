"""Payloads to the temporary table ``stage``: typed, checked, each row with its file and its times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import NAME
from sbf_core.dataset.formats import Json
from sbf_core.duck.engine_errors import ENGINE_ERRORS, is_inputs_fault
from sbf_core.errors import PayloadRefused
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.model import Look, Reading
from sbf_core.payload.relation import NO_FAULT, slots_from
from sbf_core.silver.cast_steps import Marks
from sbf_core.silver.hook_rows import HookRows, records_source
from sbf_core.silver.inspection import Inspected, looked_at, payload_of, record_counts, refusal, regular_of
from sbf_core.silver.parsing import records_of, write_records
from sbf_core.silver.reading import AskPlan, BatchFile
from sbf_core.silver.source import make_batch_file
from sbf_core.silver.staged_rows import described, judged_rows, rows_of, selected
from sbf_core.silver.straight import StraightHabit
from sbf_core.silver.told import Told, told_of
from sbf_core.value import Entity, Value

#: Where more payloads than this have rows that are not plain, it is quicker to read all of them with care at once.
_UNCLEAR_SHARE_MAX = 0.3
#: How numbers are written where no format says it.
_PLAIN = Json()


@attrs.define(kw_only=True)
class Habits(Entity):
    """What the batches of a dataset have shown so far. It saves time, and changes no row.

    Attributes:
        is_plain: nearly all payloads were read by ``plain_select``.
        straight: whether they went straight into the table.
    """

    is_plain: bool = True
    straight: StraightHabit = attrs.field(factory=StraightHabit)


@attrs.frozen(kw_only=True)
class Staged(Value):
    """What staging gave.

    Attributes:
        items: the payloads that are in ``stage``.
        errors: per file id why a payload is not.
        fields: field names that the payloads hold.
        told: what is in ``stage`` of them; empty where nobody looked.
    """

    items: tuple[Inspected, ...]
    errors: dict[str, str]
    fields: tuple[str, ...]
    told: Mapping[str, Told] = attrs.field(factory=dict)

    @property
    def row_count(self) -> int:
        """How many rows are in ``stage``."""
        return sum(one.rows for one in self.told.values())

    @property
    def has_rejects(self) -> bool:
        """Whether some of them are rejected."""
        return any(one.rejected for one in self.told.values())


def stage_batch(
    conn: duckdb.DuckDBPyConnection,
    entry: DatasetKeymapEntry,
    items: Sequence[Inspected],
    *,
    staging: Path,
    ask_plan: AskPlan,
    habits: Habits,
) -> Staged:
    """Fill ``stage`` and ``batch_file``; a payload that cannot be read is left out, and costs only itself.

    Payloads that the look found regular are read by the engine in one go. The others, and those whose outcome can be
    doubted, are read record by
    record, exactly: both ways give the same rows.

    Raises:
        PluginFault: the plugin's SELECT is not one SELECT, or lacks ``_file``.
    """
    items = [item for item in items if not item.is_listing]
    stage = _Stage(conn, entry, staging, habits)
    if ask_plan is not None:
        make_batch_file(conn, entry, items)
        hook = HookRows(conn, entry, items, staging=staging)
        plan = hook.asked(ask_plan)
        if plan is not None:
            errors = stage.fill_from_hook(hook, plan)
            return stage.done(items, errors)
        outcomes = [_looked(entry, item, staging) for item in items]
        errors = {item.file_id: look for item, look in zip(items, outcomes, strict=True) if isinstance(look, str)}
        looked = [look for look in outcomes if isinstance(look, Inspected)]
    else:
        looked, errors = list(items), {}
    errors |= stage.fill(looked)
    return stage.done(looked, errors)


def staged_of(items: Sequence[Inspected], errors: dict[str, str], told: Mapping[str, Told] | None = None) -> Staged:
    """What staging gave, of the payloads that are there."""
    fields = dict.fromkeys(name for item in items if item.look is not None for name in item.look.fields)
    return Staged(items=tuple(items), errors=errors, fields=tuple(fields), told=told or {})


def straight_rows(
    conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected], *, staging: Path
) -> str | None:
    """SQL of the rows of payloads as ``stage`` has them, see ``plain_select``, and the table ``batch_file``;
    None where any payload must be read otherwise.
    """
    extensions = {item.extension for item in items}
    reading = reading_of(entry, items[0].extension) if len(extensions) == 1 else None
    looks = [item.look for item in items if item.look is not None and not item.is_listing and not item.members]
    if reading is None or len(regular_of(reading, looks)) < len(items):
        return None
    make_batch_file(conn, entry, items)
    return rows_of(conn, entry, reading, *selected(reading, looks, staging, typed=True), plainly=True)


def _looked(entry: DatasetKeymapEntry, item: Inspected, staging: Path) -> Inspected | str:
    try:
        return looked_at(entry, item, staging=staging)
    except PayloadRefused as error:
        return refusal(error)


class _Stage:
    """The temporary table ``stage`` while it is filled."""

    def __init__(
        self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, staging: Path, habits: Habits
    ) -> None:
        self._conn = conn
        self._entry = entry
        self._staging = staging
        self._habits = habits
        self._is_there = False
        self._told: dict[str, Told] | None = None
        self._filed: Sequence[Inspected] | None = None
        self._alone: BatchFile | None = None

    def fill(self, items: Sequence[Inspected]) -> dict[str, str]:
        """Read payloads as they are declared; returns why some cannot be read, by id."""
        parts = [part for item in items for part in item.members or (item,)]
        has_members = any(item.members for item in items)
        make_batch_file(self._conn, self._entry, parts)
        self._filed = items
        self._alone = items[0].file if len(items) == 1 else None
        errors: dict[str, str] = {}
        by_extension: dict[str, list[Inspected]] = {}
        for one in parts:
            by_extension.setdefault(one.extension, []).append(one)
        for extension, part in by_extension.items():
            reading = reading_of(self._entry, extension)
            if reading is None:
                what = f"payloads of the kind {extension!r} need a format= of the dataset, or the hook promote"
                errors |= {payload_of(item.file_id): what for item in part}
                continue
            errors |= self._fill_reading(reading, part)
        self._ensure()
        if has_members:
            make_batch_file(self._conn, self._entry, items)  # from here on a payload is one again
        return errors

    def _fill_reading(self, reading: Reading, items: Sequence[Inspected]) -> dict[str, str]:
        reader = reader_of(reading.format.kind)
        looks = [item.look for item in items if item.look is not None]
        regular = regular_of(reading, looks)
        again = {look.file.file_id for look in looks} - {look.file.file_id for look in regular}
        if regular:
            try:
                self._take_regular(reading, regular)
                doubtful = self._doubtful(regular)
                self._remove(doubtful)
                again |= {look.file.file_id for look in looks if payload_of(look.file.file_id) in doubtful}
            except (*ENGINE_ERRORS, PayloadRefused) as error:
                if not is_inputs_fault(error):
                    raise
                again = {look.file.file_id for look in looks}  # one of them is not what the look took it for
                self._remove({payload_of(look.file.file_id) for look in regular})
        if not again:
            return {}
        target = self._staging / "records.ndjson"
        payloads = [
            (item.file_id, partial(records_of, reader, reading, item.payload_file, item.parts.get(NAME, "")))
            for item in items
            if item.file_id in again
        ]
        errors, _ = write_records(payloads, reading.slots, target, decimal=reading.format.decimal)
        self._take(reading, records_source([slot.name for slot in reading.slots], target), {})
        whole = {payload_of(file_id): what for file_id, what in errors.items()}
        if whole.keys() != errors.keys():
            self._remove(set(whole))  # the other members of an archive of which one cannot be read
        return whole

    def _take_regular(self, reading: Reading, looks: Sequence[Look]) -> None:
        """Rows of regular payloads into ``stage``: as plain ones, and those payloads that have others with all care."""
        closely = list(looks)
        if self._habits.is_plain:
            unclear = self._take_plainly(reading, looks)
            closely = (
                closely if unclear is None else [look for look in looks if payload_of(look.file.file_id) in unclear]
            )
            self._habits.is_plain = len(closely) <= _UNCLEAR_SHARE_MAX * len(looks)
        if closely:
            self._take(reading, *selected(reading, closely, self._staging))

    def _take_plainly(self, reading: Reading, looks: Sequence[Look]) -> set[str] | None:
        """As ``_take``, for rows whose fields are plain; returns the payloads with others, none of whose rows is then
        there. None: a text is no number where only numbers could be read, and nothing is there.
        """
        try:
            self._take(reading, *selected(reading, looks, self._staging, typed=True), plainly=True)
        except duckdb.ConversionException:
            return None
        unclear = {file_id for file_id, told in self._counted().items() if told.unclear}
        self._remove(unclear)
        return unclear

    def _take(self, reading: Reading, source: str, types: Mapping[str, str], *, plainly: bool = False) -> None:
        """Typed rows of a relation of payloads into ``stage``."""
        self._put(rows_of(self._conn, self._entry, reading, source, types, plainly=plainly, alone=self._alone))

    def _insert(self, source: str, types: Mapping[str, str], *, marks: Marks, moments_are_utc: bool) -> None:
        self._put(judged_rows(self._entry, source, types, marks=marks, moments_are_utc=moments_are_utc))

    def _put(self, rows: str) -> None:
        into = "INSERT INTO stage" if self._is_there else "CREATE OR REPLACE TEMP TABLE stage AS"
        self._conn.execute(f"{into} {rows}")
        self._is_there, self._told = True, None

    def _doubtful(self, looks: Sequence[Look]) -> set[str]:
        """Files that the engine may have read otherwise than they are written: it saw another number of records, or
        texts that it may have printed itself.
        """
        counted = self._counted()
        expected = record_counts(looks)
        return {file_id for file_id, told in counted.items() if told.doubtful} | {
            file_id
            for file_id, count in expected.items()
            if count is not None and (counted[file_id].rows if file_id in counted else 0) != count
        }

    def _counted(self) -> dict[str, Told]:
        """What is in ``stage``, by payload; asked once, as long as nothing comes or goes."""
        if self._told is None:
            self._told = told_of(self._conn, self._entry)
        return self._told

    def _remove(self, file_ids: set[str]) -> None:
        if file_ids and self._is_there:
            self._conn.execute(
                "DELETE FROM stage WHERE stage._bronze_file_id IN (SELECT unnest(?))", [sorted(file_ids)]
            )
            self._told = None

    def fill_from_hook(self, hook: HookRows, plan: object) -> dict[str, str]:
        """Rows that a hook gives. A payload with which its SELECT fails is left out, and costs only itself."""
        reading = reading_of(self._entry, "json")
        assert reading is not None
        try:
            self._take_from_hook(reading, hook, plan)
            self._ensure()
            return hook.errors
        except (*ENGINE_ERRORS, PayloadRefused) as error:
            if not is_inputs_fault(error):
                raise
        good = []
        for item in hook.items:
            try:
                self._is_there = False
                self._take_from_hook(reading, hook.of([item]), plan)
                good.append(item)
            except (*ENGINE_ERRORS, PayloadRefused) as error:
                if not is_inputs_fault(error):
                    raise
                hook.errors[item.file_id] = refusal(error).split("\n", maxsplit=1)[0][:400]
        self._is_there = False
        if good:
            self._take_from_hook(reading, hook.of(good), plan)
        self._ensure()
        return hook.errors

    def _take_from_hook(self, reading: Reading, hook: HookRows, plan: object) -> None:
        source = hook.source(plan)
        if source.is_select:
            relation, types = slots_from(reading, described(self._conn, source.sql), source.sql, strict=False)
            self._insert(relation, types, marks=reading.format, moments_are_utc=True)
            for faults in source.faults:
                self._insert(faults, {}, marks=reading.format, moments_are_utc=True)
        else:
            self._insert(source.sql, described(self._conn, source.sql), marks=reading.format, moments_are_utc=False)

    def _ensure(self) -> None:
        """An empty table, where no payload gave anything."""
        if not self._is_there:
            self._insert(
                f"SELECT CAST(NULL AS VARCHAR) AS _file, {NO_FAULT} WHERE false",
                {},
                marks=_PLAIN,
                moments_are_utc=False,
            )

    def done(self, items: Sequence[Inspected], errors: dict[str, str]) -> Staged:
        """What came of it; a payload that gave no record is none, unless the dataset says that it may be."""
        counted = self._counted()
        if not self._entry.is_data.may_be_empty:
            for file_id in self._ids():
                if file_id not in counted:
                    errors.setdefault(
                        file_id, "holds no rows; if that is an answer, declare is_data=DataRules(may_be_empty=True)"
                    )
        return staged_of([item for item in items if item.file_id not in errors], errors, counted)

    def _ids(self) -> list[str]:
        """The payloads in ``batch_file`` that are to be promoted."""
        if self._filed is not None:
            return [item.file_id for item in self._filed if not item.file.is_context]
        sql = "SELECT b.bronze_file_id FROM batch_file AS b WHERE NOT b.is_context"
        return [file_id for (file_id,) in self._conn.execute(sql).fetchall()]
