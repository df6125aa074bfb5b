"""The records of one JSON payload, read exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sbf_core.dataset.columns import Column
from sbf_core.dataset.json_path import rows_path, source_path
from sbf_core.dataset.json_steps import Index, Name, Position, RowIndex, RowsPath, SourcePath, Wildcard, step
from sbf_core.errors import FieldGone, PayloadRefused, excerpt
from sbf_core.payload.json_text import EXACT, FLAT, NoNumber
from sbf_core.payload.json_values import getter, is_absent, text_of
from sbf_core.payload.json_walk import Level, Row, Unreachable, kind_of, nothing_there, rows_of
from sbf_core.payload.json_window import Window
from sbf_core.payload.model import PayloadFile, Reading, Record, Slot
from sbf_core.unicode_text import is_unicode

_RAW_CHARACTERS_MAX = 200
#: Columns of these types take no ``NaN`` for a value, whatever it is spelled like.
_TAKES_ANY_TEXT = "VARCHAR"


def records(reading: Reading, file: PayloadFile) -> Iterator[Record]:
    """Every record of a payload.

    A payload whose rows are a list under plain names, and whose columns are taken from the rows alone, is read element
    by element, in the memory that its longest element needs. Others are loaded whole.

    Raises:
        PayloadRefused: it is no JSON, holds no rows where they are declared, or none of its rows has a field that must
            be there.
    """
    path = rows_path(reading.rows_at)
    sources = [[source_path(source) for source in slot.sources] for slot in reading.slots]
    plan = RowPlan(reading.slots, sources, path, takes_texts_alike=reading.format.decimal == ".")
    with Window(file) as window:
        if not _is_streamed(path, sources):
            document = window.document()
            for row in rows_of(document, path):
                yield plan.record(document, row)
        elif plan.fields is not None:
            yield from _flat_records(window, path, plan)
        else:
            for row in _streamed_rows(window, path):
                yield plan.record(None, row)
    plan.check_found()


class RowPlan:
    """How the values of the slots are taken from rows, and which of them were found at all."""

    def __init__(
        self,
        slots: Sequence[Slot],
        sources: Sequence[Sequence[SourcePath]],
        path: RowsPath,
        *,
        takes_texts_alike: bool,
    ) -> None:
        self.slots = slots
        self.getters = [[getter(source) for source in choices] for choices in sources]
        self.takes_any_text = [slot.column.type == _TAKES_ANY_TEXT for slot in slots]
        self.is_found = [False] * len(slots)
        self.row_count = 0
        self.kind = row_kind(sources)
        self.path = path
        names = [choices[0].field for choices in sources]
        plain = [name for name in names if name is not None]
        #: Name of the field of each slot, where each has one name and no more, and numbers are read as texts are.
        self.fields = plain if len(plain) == len(slots) and all(len(choices) == 1 for choices in sources) else None
        if not takes_texts_alike:
            self.fields = None

    def record(self, document: Any, row: Row) -> Record:
        """The record of one row."""
        self.row_count += 1
        if self.kind is not None and not isinstance(row.value, self.kind):
            if not row.trail:
                raise self.other_kind(row)
            return Record(row.place, [None] * len(self.slots), "no_row", raw_of(row.value))
        values: list[str | None] = []
        fault = ""
        for number, choices in enumerate(self.getters):
            try:
                values.append(self._value(number, choices, document, row))
            except Unreachable as error:
                values.append(None)
                self.is_found[number] = True
                fault = fault or f"{error}:{self.slots[number].column.name}"
        return Record(row.place, values, fault, raw_of(row.value) if fault else "")

    def _value(self, number: int, choices: Sequence[Callable[[Any, Row], Any]], document: Any, row: Row) -> str | None:
        for get in choices:
            value = get(document, row)
            if is_absent(value):
                continue
            self.is_found[number] = True
            if value is not None:
                if not self.takes_any_text[number]:
                    return text_of(value) if not isinstance(value, (dict, list)) else _nested(value)
                if isinstance(value, NoNumber):
                    raise Unreachable("no_json")
                return text_of(value)
        return None

    def other_kind(self, row: Row) -> PayloadRefused:
        """The one row is no object, or no list."""
        fix = (
            f"for the elements of a list declare rows_at={row.place + '[*]'!r}"
            if isinstance(row.value, list)
            else "declare rows_at, where the rows are"
        )
        wanted = "a list" if self.kind is list else "an object"
        what = f"{row.place} is {kind_of(row.value)}, and the columns ask {wanted}"
        return PayloadRefused(f"holds no rows at {self.path.text!r}: {what}", fix=fix)

    def check_found(self) -> None:
        """Raise ``PayloadRefused`` where a field that must be there is in no row."""
        if not self.row_count:
            return
        for slot, is_found in zip(self.slots, self.is_found, strict=True):
            if not is_found and is_required(slot.column):
                names = " or ".join(repr(source) for source in slot.sources)
                what = (
                    f"none of its {self.row_count} rows has {names}, which the column {slot.column.name!r} is made of"
                )
                fix = "declare its new name with also=, or optional=True where payloads may lack it"
                raise FieldGone(what, column=slot.column.name, fix=slot.column.fix or fix)


def _nested(value: Any) -> str | None:
    """The text of an object or list for a column that takes none:
    whatever is wrong within, it is no value of the type.
    """
    try:
        return text_of(value)
    except Unreachable:
        return "{...}" if isinstance(value, dict) else "[...]"


def raw_of(value: Any) -> str:
    """What a faulty row holds, short, for the reject."""
    try:
        text = text_of(value)
    except Unreachable:
        text = repr(value)
    return excerpt("null" if text is None else text, _RAW_CHARACTERS_MAX).encode("utf-8", "replace").decode()


def row_kind(sources: Sequence[Sequence[SourcePath]]) -> type | None:
    """What rows must be: objects or lists; None where the columns do not say, or say both."""
    kinds: set[type | None] = set()
    for choices in sources:
        for source in choices:
            if not source.from_root and not source.up and not source.is_key:
                first = source.segments[0] if source.segments else None
                kinds.add(
                    dict
                    if isinstance(first, Name)
                    else list
                    if isinstance(first, (Index, Position, RowIndex))
                    else None
                )
    return kinds.pop() if len(kinds) == 1 else None


def _is_streamed(path: RowsPath, sources: Sequence[Sequence[SourcePath]]) -> bool:
    *names, last = path.segments or (None,)
    if not isinstance(last, Wildcard) or not all(isinstance(name, Name) for name in names):
        return False
    needs_more = (
        source.from_root or source.up or any(isinstance(segment, (RowIndex, Position)) for segment in source.segments)
        for choices in sources
        for source in choices
    )
    return not any(needs_more)


def _enter(window: Window, path: RowsPath, names: Sequence[str], place: str) -> Iterator[tuple[str, str]]:
    """Go to where the rows are, and give the place and the first letter there, once; whoever asks on has read the rows.
    Then to the document's end.
    """
    letter = window.next()
    if not names:
        yield place, letter
        return
    if letter != "{":
        raise nothing_there(path, f"{place} is {kind_of(window.value(EXACT))}")
    found = False
    others: list[str] = []
    for name in window.members():
        if name != names[0]:
            others.append(name)
            window.value(FLAT)
        elif found:
            raise PayloadRefused(f"the object at {place} holds the name {name!r} twice")
        else:
            found = True
            yield from _enter(window, path, names[1:], place + step(name))
    if not found:
        raise nothing_there(path, f"{place} is {kind_of(dict.fromkeys(others))}")


def _streamed_rows(window: Window, path: RowsPath) -> Iterator[Row]:
    for place, letter in _enter(window, path, _names(path), "$"):
        if letter == "[":
            for index, (value, _, _) in enumerate(window.elements(EXACT)):
                yield Row(f"{place}[{index}]", value, (Level(index, value, 0),))
        else:
            yield from _named_rows(window, path, place, letter)
    window.finish()


def _names(path: RowsPath) -> list[str]:
    return [segment.name for segment in path.segments if isinstance(segment, Name)]


def _named_rows(window: Window, path: RowsPath, place: str, letter: str) -> Iterator[Row]:
    last = path.segments[-1]
    if letter != "{" or (isinstance(last, Wildcard) and last.list_only):
        raise nothing_there(path, f"{place} is {kind_of(window.value(EXACT))}")
    seen: set[str] = set()
    for name in window.members():
        if name in seen:
            raise PayloadRefused(f"the object at {place} holds the name {name!r} twice")
        seen.add(name)
        value = window.value(EXACT)
        yield Row(place + step(name), value, (Level(name, value, None),))


def _flat_records(window: Window, path: RowsPath, plan: RowPlan) -> Iterator[Record]:
    """The usual shape, with as few calls as can be: a list of objects, and columns that are fields of them."""
    fields = plan.fields or []
    waiting = dict(enumerate(fields))
    for place, letter in _enter(window, path, _names(path), "$"):
        if letter != "[":
            for named in _named_rows(window, path, place, letter):
                yield plan.record(None, named)
            continue
        index = -1
        for index, (row, text, start) in enumerate(window.elements(FLAT)):
            texts = _texts(row, fields) if type(row) is dict else None
            if (
                texts is None
            ):  # null, a number, an object with a name twice, a nested value: rare, and read again with all care
                value, _ = EXACT.raw_decode(text, start)
                yield plan.record(None, Row(f"{place}[{index}]", value, (Level(index, value, 0),)))
                continue
            if waiting:
                for number in [number for number, name in waiting.items() if name in row]:
                    del waiting[number]
                    plan.is_found[number] = True
            yield Record(f"{place}[{index}]", texts)
        plan.row_count = index + 1
    window.finish()


def _texts(row: dict[str, Any], fields: list[str]) -> list[str | None] | None:
    """The fields of a row, each a text or none; None where one is something else."""
    values: list[Any] = list(map(row.get, fields))
    try:
        if "".join(values).isascii():
            return values
    except TypeError:
        pass  # one is none, or no text
    for number, value in enumerate(values):
        if type(value) is str:
            if not value.isascii() and not is_unicode(value):
                return None
        elif value is True or value is False:
            values[number] = "true" if value else "false"
        elif value is not None:
            return None
    return values


def is_required(column: Column) -> bool:
    """Whether a payload is refused in which no row has the field. One that may be NULL may be absent: many vendors
    leave such fields out.
    """
    return not column.optional and not column.may_lack
