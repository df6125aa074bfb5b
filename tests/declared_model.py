"""What a silver table must be: all payloads, read one after the other with one declaration. Plain Python, no sbf.

The only thing it takes from sbf is the shape of a declaration, so that both can be told the same.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, Json

#: A row as the vendor writes it; every payload has every field.
Row = Mapping[str, str | None]
FIELDS = ("id", "day", "amt", "alt", "note", "grade")
KINDS = ("DECIMAL(9,2)", "BIGINT", "DOUBLE", "VARCHAR")
Value = str | int | float | Decimal | dt.date | None
Values = tuple[Value, ...]


@attrs.frozen(kw_only=True)
class Declared:
    """A declaration, as far as the machine changes it."""

    key: tuple[str, ...] = ("id", "day")
    amount: str = "amt"
    former_amounts: tuple[str, ...] = ()
    kind: str = "DECIMAL(9,2)"
    source: str = ""
    nullable: bool = True
    missing: tuple[str, ...] = ()
    thousands: str = ""
    note: bool = True
    grade: bool = False
    semantics: str = "upsert"
    on_duplicate: str = "reject"
    share: float = 1.0
    version: int = 1
    dataset: str = "eod"
    former: tuple[str, ...] = ()
    table: str = "px"
    former_tables: tuple[str, ...] = ()
    keep_view: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of datasets whose payloads are its own."""
        return (self.dataset, *self.former)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return ("id", "day", self.amount, *(["note"] if self.note else []), *(["grade"] if self.grade else []))

    @property
    def facts(self) -> Declared:
        """What decides the rows: not the name of the table."""
        return attrs.evolve(self, table="", former_tables=(), keep_view=False)

    def entry(self) -> DatasetKeymapEntry:
        """The same, as a plugin declares it."""
        shapes = {
            "id": {"type": "VARCHAR"}, "day": {"type": "DATE", "row_date": True},
            "note": {"type": "VARCHAR", "nullable": True}, "grade": {"type": "VARCHAR"},
            self.amount: {
                "type": self.kind, "nullable": self.nullable, "source": self.source,
                "missing": self.missing, "renamed_from": self.former_amounts,
            },
        }  # fmt: skip
        columns = [Column(name=name, key=name in self.key, **shapes[name]) for name in self.columns]
        former = (*(f"prices/fake/{name}" for name in self.former), *(f"silver.{name}" for name in self.former_tables))
        return DatasetKeymapEntry(
            domain="prices", source="fake", dataset=self.dataset, silver_table=self.table,
            columns=columns, semantics=self.semantics, on_duplicate=self.on_duplicate,
            format=Json(thousands=self.thousands) if self.thousands else None,
            reject_share_max=self.share, promote_version=self.version, renamed_from=former,
            keep_view=self.keep_view, is_data=DataRules(may_be_empty=True),
            refresh_after_hours=0.5, first_date=dt.date(2020, 1, 1),
            lookback_days=36_500,  # all days in one stretch: one answer a run
        )  # fmt: skip


@attrs.define
class Came:
    """What became of a payload."""

    seen: int = 0
    inserted: int = 0
    updated: int = 0
    rejects: Counter[tuple[str, str | None]] = attrs.field(factory=Counter)
    status: str = "ok"
    days: list[dt.date] = attrs.field(factory=list)

    @property
    def rejected(self) -> int:
        """How many of its rows."""
        return self.rejects.total()


@attrs.define
class Table:
    """A table with its history: per key its versions, each an hour and values,
    or None from when on it was not there.
    """

    declared: Declared
    versions: dict[Values, list[tuple[int, Values | None]]] = attrs.field(factory=dict)
    came: dict[int, Came] = attrs.field(factory=dict)

    @property
    def current(self) -> dict[Values, tuple[int, Values]]:
        """The rows that hold now."""
        return {key: (chain[-1][0], chain[-1][1]) for key, chain in self.versions.items() if chain[-1][1] is not None}

    @property
    def history(self) -> list[tuple[Values, int, Values | None, int | None]]:
        """The others, each with its key, and the hour that ended it."""
        found = []
        for key, chain in self.versions.items():
            ends = [*(hour for hour, _ in chain[1:]), None]
            found += [
                (key, hour, values, end)
                for (hour, values), end in zip(chain, ends, strict=True)
                if end is not None or values is None
            ]
        return found

    @property
    def watermark(self) -> list[tuple[dt.date | None, dt.date | None]]:
        """First and last day; nothing where no payload was good."""
        good = [came for came in self.came.values() if came.status == "ok"]
        days = [day for came in good for day in came.days]
        return [(min(days, default=None), max(days, default=None))] if good else []


def hooked(version: int, row: Row) -> Row:
    """What the plugin's hook makes of a row: the third part of its versions reads as declared."""
    note = row["note"]
    return row if version % 3 == 1 or note is None else {**row, "note": note + ("!" if version % 3 == 2 else "?")}


def _read(text: str | None, kind: str, declared: Declared) -> tuple[Value, str]:
    """The value of a text, or why it has none."""
    if text is None:
        return None, ""
    if kind == "VARCHAR":
        return text, ""
    if kind == "DATE":
        try:
            return dt.date.fromisoformat(text), ""
        except ValueError:
            return None, "unparsable"
    if "," in text and not declared.thousands:
        return None, "thousands_mark"
    digits = text.replace(",", "")
    if not digits.replace(".", "").isdigit():
        return None, "unparsable"
    if kind == "BIGINT":
        return (int(digits), "") if "." not in digits else (None, "not_an_integer")
    return (float(digits) if kind == "DOUBLE" else Decimal(digits)), ""


def _typed(row: Row, declared: Declared) -> tuple[dict[str, Value], tuple[str, str | None] | None]:
    """The values of a row, and why it is rejected: what the first column that does not fit says."""
    values: dict[str, Value] = {}
    reason: tuple[str, str | None] | None = None
    kinds = {"id": "VARCHAR", "day": "DATE", "note": "VARCHAR", "grade": "VARCHAR", declared.amount: declared.kind}
    for name in declared.columns:
        sources = [declared.source or name, *declared.former_amounts] if name == declared.amount else [name]
        text = row[next(source for source in sources if source in row)]
        if name == declared.amount and text in declared.missing:
            text = None
        values[name], wrong = _read(text, kinds[name], declared)
        if (
            values[name] is None
            and not wrong
            and name != "note"
            and not (name == declared.amount and declared.nullable)
        ):
            wrong = "missing_key" if name in declared.key else "missing"
        if wrong and reason is None:
            reason = (wrong, name)
    return values, reason


def read(declared: Declared, payloads: Mapping[int, Sequence[Row]]) -> Table:
    """All payloads, each at its hour, with one declaration."""
    table = Table(declared)
    for hour in sorted(payloads):
        _take(table, hour, [hooked(declared.version, row) for row in payloads[hour]])
    return table


def _take(table: Table, hour: int, rows: Sequence[Row]) -> None:
    declared, came = table.declared, Came(seen=len(rows))
    table.came[hour] = came
    keyed = [name for name in declared.columns if name in declared.key]
    others = [name for name in declared.columns if name not in declared.key]
    typed = [_typed(row, declared) for row in rows]
    keys = [tuple(values[name] for name in keyed) for values, _ in typed]
    said = [tuple(values[name] for name in others) for values, _ in typed]
    reasons = [reason for _, reason in typed]
    live: dict[Values, Values] = {}
    for key in dict.fromkeys(key for key, reason in zip(keys, reasons, strict=True) if reason is None):
        places = [place for place, one in enumerate(keys) if one == key and reasons[place] is None]
        told = [said[place] for place in places]
        counts = told[-1] if declared.on_duplicate == "last" else told[0]
        if declared.on_duplicate == "reject" and len(set(told)) > 1:
            wrong = places
        else:
            live[key] = counts
            wrong = [place for place in places if said[place] != counts]
        for place in wrong:
            reasons[place] = ("duplicate_key", None)
    keyless = declared.semantics == "snapshot" and any(
        None in key for key, reason in zip(keys, reasons, strict=True) if reason is not None
    )
    if sum(reason is not None for reason in reasons) > declared.share * len(rows) or keyless:
        came.rejects.update(reason or ("file_refused", None) for reason in reasons)
        came.status = "failed"
        return
    if declared.semantics == "append":
        held = {key: table.versions[key][-1][1] for key in live if key in table.versions}
        for place, key in enumerate(keys):
            if reasons[place] is None and key in held and said[place] != held[key]:
                reasons[place] = ("append_only", None)
        live = {key: values for key, values in live.items() if key not in held}
    came.rejects.update(reason for reason in reasons if reason is not None)
    day = declared.columns.index("day")
    assert day == 1
    came.days = [
        values["day"]  # type: ignore[misc]
        for (values, _), reason in zip(typed, reasons, strict=True)
        if reason is None
    ]
    for key, values in live.items():
        chain = table.versions.setdefault(key, [])
        if not chain or chain[-1][1] != values:
            came.inserted += not chain
            came.updated += bool(chain)
            chain.append((hour, values))
    if declared.semantics == "snapshot" and live:
        for key in table.current.keys() - set(keys):
            table.versions[key].append((hour, None))


def must_wait(old: Table, new: Table) -> bool:
    """Whether a table must not be made again by itself: its declaration takes too little,
    or rows would go that no reject tells of.
    """
    good = [hour for hour, came in old.came.items() if came.status == "ok"]
    before = sum(old.came[hour].seen - old.came[hour].rejected for hour in good)
    read_again = [new.came[hour] for hour in good if hour in new.came]
    after = sum(came.seen - came.rejected for came in read_again if came.status == "ok")
    rejected = max(sum(came.rejected for came in read_again) - sum(old.came[hour].rejected for hour in good), 0)
    if before - after > new.declared.share * before:
        return True
    names = [name for name in old.declared.columns if name in old.declared.key]
    shared = [name for name in names if name in new.declared.columns]
    there = {tuple(row[name] for name in shared) for row in rows_of(new)}
    gone = sum(tuple(row[name] for name in shared) not in there for row in rows_of(old))
    return max(gone, len(old.current) - len(new.current)) > rejected


def rows_of(table: Table) -> list[dict[str, Value]]:
    """The rows that hold now, by column."""
    return [_row(table.declared, key, values) for key, (_, values) in table.current.items()]


def _row(declared: Declared, key: Values, values: Values | None) -> dict[str, Value]:
    keyed = [name for name in declared.columns if name in declared.key]
    others = [name for name in declared.columns if name not in declared.key]
    return {**dict(zip(keyed, key, strict=True)), **dict(zip(others, values or [None] * len(others), strict=True))}


def whole_rows(table: Table) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Current rows with their hour; superseded ones with the hours since and until, and whether the key was gone."""
    names = table.declared.columns
    current = [(*_in_order(table.declared, key, values, names), hour) for key, (hour, values) in table.current.items()]
    history = [
        (*_in_order(table.declared, key, values, names), hour, end, values is None)
        for key, hour, values, end in table.history
    ]
    return current, history


def _in_order(declared: Declared, key: Values, values: Values | None, names: Sequence[str]) -> Values:
    row = _row(declared, key, values)
    return tuple(row[name] for name in names)
