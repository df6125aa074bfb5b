"""Warehouses of a plugin whose datasets are declared otherwise than it declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.errors import UsageError
from sbf_core.failures import FailureKind
from sbf_core.ops.promotions import ALL_PROMOTIONS
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.testing.outcome import Note
from sbf_core.testing.scratch import ScratchHome
from sbf_core.testing.subject import Filled, Subject
from sbf_core.value import Value

#: A dataset with more recorded rows takes more than two seconds for a check: 30,000 rows are promoted in about 0.3.
ROWS_MAX = 30_000
_OWN = "as-declared"
_UNTOLD = "the run does not say so"
#: Columns of a dataset under another declaration; None where it cannot be declared so.
Redeclare = Callable[[Subject, DatasetKeymapEntry], DatasetKeymapEntry | None]


class RedeclaredManager(PluginManager):
    """The plugin of a subject, and those whose payloads it reads, some of whose datasets are declared otherwise.

    Args:
        subject: the plugin under check.
        entries: the other declarations, by identity.
    """

    def __init__(self, subject: Subject, entries: Mapping[str, DatasetKeymapEntry]) -> None:
        self._name = subject.name
        self._entries = entries
        records = [subject.manager.records[name] for name in subject.plugins]
        points = [record.point for record in records if record.point is not None]
        super().__init__(points, options=subject.options, named=None)
        if subject.plugin is not None:
            self.register(subject.plugin, name=subject.name)

    def call(self, record: PluginRecord, hook: str, *, doing: str, safe: str, **arguments: Any) -> Any:
        """See ``PluginManager.call``."""
        answer = super().call(record, hook, doing=doing, safe=safe, **arguments)
        if hook == "datasets" and record.name == self._name:
            return [self._entries.get(entry.id, entry) for entry in answer]
        return answer


@attrs.frozen(kw_only=True)
class Changed(Value):
    """What became of a declaration that changed over a warehouse that was filled before.

    Attributes:
        entry: the dataset as it is declared now.
        held: the line that says that its table waits; empty where it was made again.
        differences: between its tables and those of a warehouse that was always declared so; of a held one, between its
            tables and what they were.
        errors: what else the run said, and did not say of a warehouse that was always declared so.
        rows_before: rows that the payloads held as it was declared before.
        rows_after: rows that they hold as it is declared now; a declaration never decides how many these are.
        home: the warehouse.
    """

    entry: DatasetKeymapEntry
    held: str
    differences: tuple[str, ...]
    errors: tuple[str, ...]
    rows_before: int
    rows_after: int
    home: ScratchHome


def changed_datasets(
    subject: Subject, name: str, *, before: Redeclare | None = None, after: Redeclare | None = None
) -> Iterator[Changed | Note]:
    """Fill a warehouse under one declaration, change that, and compare with a warehouse that was always declared so.

    Args:
        subject: the plugin under check.
        name: of the change, for folders.
        before: the declarations at first; the plugin's own when absent.
        after: those that hold then; the plugin's own when absent.
    """
    own: dict[str, DatasetKeymapEntry] = {}
    other: dict[str, DatasetKeymapEntry] = {}
    small = small_datasets(subject)
    for entry in subject.recorded:
        if entry.id not in small:
            yield Note(f"{entry.id} has more than {ROWS_MAX:,} recorded rows: it would take too long")
            continue
        redeclared = (before or after or _same)(subject, entry)
        if redeclared is None:
            yield Note(f"{entry.id} has no column for it")
        else:
            own[entry.id], other[entry.id] = entry, redeclared
    if not own:
        return
    first, then = (other, own) if before is not None else (own, other)
    old = _as_declared(subject) if before is None else _filled(subject, f"{name}-before", first)
    always = _as_declared(subject) if after is None else _filled(subject, f"{name}-always", then)
    home = old.home.copy(subject.place(f"{name}-changed")).with_plugins(RedeclaredManager(subject, then))
    context = home.promoted(plugins=(subject.name,))
    home.settle()
    waiting = {table for (table,) in home.ask("SELECT table_name FROM ops.held_tables")}
    for entry in then.values():
        of_it = [failure for failure in context.failures if failure.dataset == entry.id]
        lines = [str(failure) for failure in of_it if failure.kind is FailureKind.HELD]
        held = next(iter(lines), _UNTOLD) if entry.silver_table in waiting else ""
        against = old.home if held else always.home
        tables = [f"silver.{entry.silver_table}", f"silver.{entry.silver_table}_history"]
        differences = subject.differences(home, against, tables=tables)
        expected = {held, *always.context.errors}
        yield Changed(
            entry=entry,
            held=held,
            differences=tuple(differences),
            errors=tuple(line for line in map(str, of_it) if line not in expected),
            rows_before=_rows_seen(old.home, entry),
            rows_after=_rows_seen(always.home, entry),
            home=home,
        )


def _rows_seen(home: ScratchHome, entry: DatasetKeymapEntry) -> int:
    query = f"SELECT sum(rows_seen) FROM {ALL_PROMOTIONS} WHERE silver_table = ?"
    return int(home.ask(query, [entry.silver_table])[0][0] or 0)


def values_of(home: ScratchHome, entry: DatasetKeymapEntry) -> tuple[Any, ...]:
    """How many rows a table has, and a sum over all of their values, whatever its columns are called."""
    names = ", ".join(f"t.{quoted(column.name)}" for column in entry.columns)
    return home.ask(f"SELECT count(*), sum(hash({names})) FROM silver.{quoted(entry.silver_table)} AS t")[0]


def small_datasets(subject: Subject) -> frozenset[str]:
    """Datasets whose recording is promoted in a moment."""
    counted = dict(
        subject.filled.home.ask(f"SELECT silver_table, sum(rows_seen) FROM {ALL_PROMOTIONS} GROUP BY silver_table")
    )
    return frozenset(entry.id for entry in subject.recorded if 0 < (counted.get(entry.silver_table) or 0) <= ROWS_MAX)


def _filled(subject: Subject, name: str, entries: Mapping[str, DatasetKeymapEntry]) -> Filled:
    """A warehouse of the recording as ``entries`` declares it."""
    read = {entry.payload_ids[0] for entry in entries.values()}
    vintages = [vintage for vintage in subject.vintages if vintage.request.dataset_id in read]
    # its payloads and their journal are a home without a database: quicker than to ask for them again
    home = ScratchHome(subject.record_again(name, vintages), RedeclaredManager(subject, entries))
    filled = Filled(home=home, context=home.promoted(plugins=(subject.name,)))
    home.settle()
    return filled


def _as_declared(subject: Subject) -> Filled:
    """The same as the plugin declares it, of small datasets; all changes begin or end with it."""
    if _OWN not in subject.shared:
        small = small_datasets(subject)
        subject.shared[_OWN] = _filled(subject, _OWN, {one.id: one for one in subject.entries if one.id in small})
    return subject.shared[_OWN]


def _same(subject: Subject, entry: DatasetKeymapEntry) -> DatasetKeymapEntry:
    del subject
    return entry


def with_columns(entry: DatasetKeymapEntry, columns: Sequence[Column]) -> DatasetKeymapEntry | None:
    """The dataset with other columns; None where that is no sound declaration."""
    try:
        return attrs.evolve(entry, columns=tuple(columns), charts=(), restated=None, restated_column="")
    except UsageError:
        return None


def plain_columns(entry: DatasetKeymapEntry) -> list[Column]:
    """Columns that no rule of the dataset speaks of, the last one first."""
    bound = entry.cut_column.cut_at if entry.cut_column is not None else None
    return [
        column
        for column in reversed(entry.columns)
        if not (column.key or column.row_date or column.known_from or column.from_request or column.name == bound)
    ]


def always_there(subject: Subject, entry: DatasetKeymapEntry, columns: Sequence[Column]) -> list[Column]:
    """Those of some columns that have a value in every recorded row."""
    if not columns:
        return []
    counts = ", ".join(f"count(*) - count({quoted(column.name)})" for column in columns)
    table = quoted(entry.silver_table)
    (lacking,) = subject.filled.home.ask(
        f"SELECT {counts} FROM (FROM silver.{table} UNION ALL BY NAME SELECT * EXCLUDE (known_to, _deleted) FROM "
        f"silver.{quoted(entry.silver_table + '_history')} WHERE NOT _deleted)"
    )
    return [column for column, count in zip(columns, lacking, strict=True) if not count]
