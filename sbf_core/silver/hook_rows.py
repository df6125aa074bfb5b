"""Rows that a plugin's hook ``promote`` gives: by SQL over the relation ``batch``, or by Python over the bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import attrs
import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Json
from sbf_core.duck.engine_errors import ENGINE_ERRORS, first_line
from sbf_core.duck.identifiers import literal, literal_list, quoted, quoted_list
from sbf_core.errors import PayloadRefused, PluginFault, SbfError
from sbf_core.payload.formats import reader_of, reading_of
from sbf_core.payload.json_document import document_text
from sbf_core.payload.model import DOUBTFUL, Look, Reading, Slot, slots_of
from sbf_core.silver.inspection import Inspected, looked_at, refusal, regular_of
from sbf_core.silver.parsing import write_hook_rows, write_records
from sbf_core.silver.reading import AskPlan, ParseRows, PromotionBatch, PromotionPlan, SelectRows, WrittenRows
from sbf_core.value import Value

#: The engine's buffer for one JSON value.
_OBJECT_BYTES_USUAL = 1 << 24
_RECORD_COLUMNS = ("_file", "_place", "_fault", "_raw")


@attrs.frozen(kw_only=True)
class HookSource(Value):
    """A relation of rows.

    Attributes:
        sql: gives ``_file`` and fields by the vendor's names, or slots.
        is_select: it is the plugin's SELECT.
        faults: relations of records that the SELECT was not given, because they are no rows.
    """

    sql: str
    is_select: bool
    faults: tuple[str, ...] = ()


def records_source(names: Sequence[str], path: Path) -> str:
    """The records in a file that ``write_records`` has written."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in (*_RECORD_COLUMNS, *names))
    return (
        f"SELECT {quoted_list((*_RECORD_COLUMNS, *names))} FROM read_json({literal(str(path))}, columns={{{columns}}}, "
        f"format='newline_delimited', hive_partitioning=false)"
    )


class HookRows:
    """One batch that a hook reads.

    Args:
        conn: for the relation ``batch``.
        entry: the dataset.
        items: the payloads, not looked into.
        staging: takes files that the engine reads.
    """

    def __init__(
        self, conn: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry, items: Sequence[Inspected], *, staging: Path
    ) -> None:
        self._conn = conn
        self._entry = entry
        self.items = list(items)
        self._staging = staging
        self.errors: dict[str, str] = {}
        self._faults: tuple[str, ...] = ()
        self._fields: tuple[str, ...] | None = None
        self._names: tuple[str, ...] = ()

    def of(self, items: Sequence[Inspected]) -> HookRows:
        """The same for fewer payloads; their errors are told together."""
        part = HookRows(self._conn, self._entry, items, staging=self._staging)
        part.errors, part._names = self.errors, self._names
        return part

    def asked(self, ask_plan: AskPlan) -> PromotionPlan | None:
        """What the hook answers; payloads are looked into only if it asks for their fields."""
        assert ask_plan is not None
        if not self.items:
            return None
        batch = PromotionBatch(
            files=tuple(item.file for item in self.items), extension=self.items[0].extension, describe=self.describe
        )
        return ask_plan(batch)

    def source(self, plan: object) -> HookSource:
        """The relation of the rows. Raises ``PluginFault`` for an answer that is none, and ``PayloadRefused`` where no
        payload can be read.
        """
        if isinstance(plan, WrittenRows):
            self.errors |= {
                file_id: text
                for file_id, text in plan.errors.items()
                if file_id in {item.file_id for item in self.items}
            }
            return HookSource(sql=self._written(plan.path), is_select=False)
        if isinstance(plan, ParseRows):
            target = self._staging / "parsed.ndjson"
            files = [(item.file_id, Path(item.file.path)) for item in self.items]
            decimal = self._entry.decimal
            self.errors |= write_hook_rows(plan.parse, files, slots_of(self._entry), target, decimal=decimal)
            return HookSource(sql=self._written(target), is_select=False)
        self.describe()
        return HookSource(sql=self._checked_select(plan), is_select=True, faults=self._faults)

    def _written(self, path: Path) -> str:
        listed = literal_list([item.file_id for item in self.items])
        return (
            f"SELECT w.* FROM ({records_source([slot.name for slot in slots_of(self._entry)], path)}) AS w WHERE "
            f"list_contains({listed}, w._file)"
        )

    def describe(self) -> tuple[str, ...]:
        """Make the relation ``batch`` and tell its fields."""
        if self._fields is None:
            self._fields = self._described()
        return self._fields

    def _described(self) -> tuple[str, ...]:
        extension = self.items[0].extension
        if extension == "json" and self._entry.format is None:
            self._show(self._documents())
            return ("document",)
        reading = reading_of(self._entry, extension, slots=())
        if reading is None:
            return ()
        looks = self._looks()
        if not looks:
            raise PayloadRefused(
                "no payload of the batch can be read: " + "; ".join(dict.fromkeys(self.errors.values()))
            )
        if extension == "parquet":
            return self._show(reader_of("parquet").select(reading, looks, self._staging))
        return self._show(self._tables(reading, looks))

    def _show(self, source: str) -> tuple[str, ...]:
        self._conn.execute(f"CREATE OR REPLACE TEMP VIEW batch AS {source}")
        return tuple(row[0] for row in self._conn.execute("DESCRIBE batch").fetchall() if row[0] != "_file")

    def _looks(self) -> list[Look]:
        looks = []
        for item in self.items:
            try:
                inspected = looked_at(self._entry, item, staging=self._staging, slots=())
            except SbfError as error:
                if not isinstance(error, PayloadRefused):
                    raise
                self.errors[item.file_id] = refusal(error)
                continue
            assert inspected.look is not None
            looks.append(inspected.look)
            self._conn.execute(
                "UPDATE batch_file SET path = ? WHERE batch_file.bronze_file_id = ?",
                [inspected.look.file.place, item.file_id],
            )
        return looks

    def _documents(self) -> str:
        """JSON for a plugin's own SELECT: one row a payload, the whole of it in ``document``, with each number as the
        vendor's text.
        """
        target = self._staging / "documents.ndjson"
        longest = 0
        with target.open("w", encoding="ascii", newline="\n") as out:
            for item in self.items:
                try:
                    document = document_text(Path(item.file.path))
                except PayloadRefused as error:
                    self.errors[item.file_id] = refusal(error)
                    continue
                longest = max(longest, out.write(json.dumps({"_file": item.file_id, "document": document}) + "\n"))
        columns = "{'_file': 'VARCHAR', 'document': 'VARCHAR'}"
        size = max(_OBJECT_BYTES_USUAL, longest + 1)
        reader = (
            f"read_json({literal(str(target))}, columns={columns}, format='newline_delimited', "
            f"hive_partitioning=false, maximum_object_size={size})"
        )
        return f"SELECT d._file, CAST(d.document AS JSON) AS document FROM {reader} AS d"

    def _tables(self, reading: Reading, looks: Sequence[Look]) -> str:
        """Payloads with fields by name, every field as text; a field that some of them lack is NULL there. Records that
        are no rows become ``faults``.
        """
        self._names = names = self._names or tuple(dict.fromkeys(name for look in looks for name in look.fields))
        slots = tuple(
            Slot(name=f"f{place}", column=Column(name="any", type="VARCHAR", nullable=True, optional=True, source=name))
            for place, name in enumerate(names)
        )
        whole = attrs.evolve(reading, slots=slots)
        reader = reader_of(reading.format.kind)
        known = {look.file.file_id for look in looks}
        again = [
            look
            for item in self.items
            if item.file_id in known
            for look in [looked_at(self._entry, item, staging=self._staging, slots=slots).look]
            if look is not None
        ]
        parts = []
        regular = regular_of(whole, again)
        doubtful = (
            self._doubtful(reader.select(whole, regular, self._staging))
            if regular and reading.format.kind == Json.kind
            else set()
        )
        regular = [look for look in regular if look.file.file_id not in doubtful]
        if regular:
            parts.append(reader.select(whole, regular, self._staging))
        others = known - {look.file.file_id for look in regular}
        if others:
            target = self._staging / "records.ndjson"
            payloads = [
                (item.file_id, partial(reader.records, whole, item.payload_file))
                for item in self.items
                if item.file_id in others
            ]
            errors, _ = write_records(payloads, slots, target, decimal=reading.format.decimal, is_typed=False)
            self.errors |= errors
            parts.append(records_source([slot.name for slot in slots], target))
        source = " UNION ALL BY NAME ".join(f"({part})" for part in parts)
        self._faults = (f"SELECT w._file, w._place, w._fault, w._raw FROM ({source}) AS w WHERE w._fault IS NOT NULL",)
        shown = ", ".join(f"w.{slot.name} AS {quoted(name)}" for slot, name in zip(slots, _unlike(names), strict=True))
        return f"SELECT w._file{', ' if shown else ''}{shown} FROM ({source}) AS w WHERE w._fault IS NULL"

    def _doubtful(self, source: str) -> set[str]:
        """Files that the engine may have read otherwise than they are written: they are read record by record."""
        result = self._conn.execute(
            f"SELECT DISTINCT w._file FROM ({source}) AS w WHERE w._fault = {literal(DOUBTFUL)}"
        )
        return {file_id for (file_id,) in result.fetchall()}

    def _checked_select(self, plan: object) -> str:
        if not isinstance(plan, SelectRows):
            raise PluginFault(
                f"promote answered {type(plan).__name__}", fix="answer SelectRows(...), ParseRows(...) or None"
            )
        sql = plan.sql.strip().rstrip(";")
        wrapped = f"SELECT * FROM ({sql}\n) AS answer"
        for text in (sql, wrapped):
            try:
                statements = self._conn.extract_statements(text)
            except ENGINE_ERRORS as error:
                raise PluginFault(f"promote's SQL cannot be parsed: {first_line(error)}") from error
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise PluginFault("promote's SQL is not one SELECT")
        if "_file" not in {row[0] for row in self._conn.execute(f"DESCRIBE {wrapped}").fetchall()}:
            raise PluginFault("promote's SELECT does not give _file", fix="pass the column _file of batch on")
        return wrapped


def _unlike(names: Sequence[str]) -> list[str]:
    """Names that SQL can tell apart: a field without a name, or one that differs in case only from another, gets its
    place behind it.
    """
    seen: set[str] = set()
    distinct = []
    for place, name in enumerate(names, start=1):
        shown = name or f"column{place}"
        while shown.lower() in seen or shown == "_file":
            shown = f"{shown}_{place}"
        seen.add(shown.lower())
        distinct.append(shown)
    return distinct
