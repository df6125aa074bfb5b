"""Delimited text: CSV and its kin, in the declared dialect.

What a cheap look shows to be regular (see ``delimited_shape``) the engine reads, with every option given. Everything
else is read by Python, exactly (see ``delimited_records``). An empty field, in quotes or not, is no value in both.
Blanks around a field are a part of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs

from sbf_core.dataset.formats import Csv
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.errors import FieldGone, PayloadRefused
from sbf_core.payload.by_identity import by_identity
from sbf_core.payload.delimited_dialect import Dialect, Head, dialect_of, head_of, shown
from sbf_core.payload.delimited_records import RecordReader
from sbf_core.payload.delimited_shape import shape_of
from sbf_core.payload.model import Look, PayloadFile, Reading, Record, Slot
from sbf_core.payload.relation import NO_FAULT, owner_of
from sbf_core.payload.text import Utf8Text, check_utf8, utf8_part, utf8_text
from sbf_core.value import Value

_USUAL_DELIMITERS = {",": ",", ";": ";", "\t": "\\t", "|": "|"}
_NAMES_SHOWN_MAX = 40
_COPY_BYTES = 1 << 20
_SHOWN_BYTES = 1024
#: The engine reads a file in parts from this size on, and then has to find out where a record begins.
_WHOLE_BYTES_MAX = 1 << 20
_EMPTY_IS_NULL = "nullif(r.c{place}, '')"


@attrs.frozen(kw_only=True)
class Layout(Value):
    """What must be equal for files to be read by one call of the engine's reader.

    Attributes:
        csv: the dialect.
        places: of the field of each slot, None where the payload lacks it.
        field_count: fields a record.
        skip: lines above the first record.
        line_end: of all lines; files of another one would be read as one long line, or not at all.
        is_parallel: whether the reader may begin in the middle, which it cannot do surely where fields hold line ends.
        is_bare: see ``Shape``: then no field is empty in quotes, and the engine reads each number that it takes for a
            double as it is written.
    """

    csv: Csv
    places: tuple[int | None, ...]
    field_count: int
    skip: int
    line_end: bytes
    is_parallel: bool
    is_bare: bool


@by_identity
def places_of(reading: Reading, names: tuple[str, ...], first_line: str) -> tuple[int | None, ...]:
    """Where the field of each slot stands among the names of a header.

    Raises:
        PayloadRefused: a declared field is not there, or stands there twice.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    slot_places: list[int | None] = []
    missing: list[Slot] = []
    for slot in reading.slots:
        source = next((source for source in slot.sources if source in places), None)
        if source is None:  # a header that ends with a separator has an empty name, which no column asked for
            slot_places.append(None)
            missing += [] if slot.column.optional else [slot]
            continue
        if names.count(source) > 1:
            fix = "nobody can know which is meant: declare the names, header=(...) with skip_rows=1"
            raise PayloadRefused(f"its header names {source!r} twice", fix=fix)
        slot_places.append(places[source])
    if missing:
        raise _without(reading, names, missing, first_line)
    if reading.slots and all(place is None for place in slot_places):
        raise _without(reading, names, reading.slots, first_line)
    return tuple(slot_places)


def _without(reading: Reading, names: Sequence[str], missing: Sequence[Slot], first_line: str) -> PayloadRefused:
    csv = cast(Csv, reading.format)
    has = ", ".join(names[:_NAMES_SHOWN_MAX]) + (" ..." if len(names) > _NAMES_SHOWN_MAX else "")
    other = max((mark for mark in _USUAL_DELIMITERS if mark != csv.delimiter), key=first_line.count)
    count = first_line.count(other)
    if count > first_line.count(csv.delimiter):
        mark = _USUAL_DELIMITERS[other]
        times = "once" if count == 1 else f"{count} times"
        what = f"its header holds '{mark}' {times}, and more of them than {csv.delimiter!r}: {first_line}"
        return PayloadRefused(what, fix=f"declare format=Csv(delimiter='{mark}')")
    if len(missing) == len(reading.slots) and len(missing) > 1 and not missing[0].column.fix:
        if "\0" in first_line:
            fix = 'declare its encoding; is it encoding="utf-16-le" or "utf-16-be"?'
            return PayloadRefused("its first line holds NUL characters and no declared field", fix=fix)
        fix = "declare skip_rows= for lines above the header, header=(...) for a file without one, or the delimiter"
        return PayloadRefused(f"its first line names no declared field: {first_line}", fix=fix)
    column = missing[0].column
    lacks = ", ".join(repr(slot.column.source_name) for slot in missing)
    wanted = column.source_name
    near = next((name for name in names if name.casefold() == wanted.casefold()), "its name in the file")
    fix = f"for {column.name} declare source={near!r}, also=({near!r},), or optional=True if files may lack it"
    return FieldGone(f"its header lacks {lacks}; it has {has}", column=column.name, fix=column.fix or fix)


class DelimitedReader:
    """The reader of ``Csv``; see ``FormatReader`` for the contract."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path | None = None) -> Look:
        """See ``FormatReader.look``. ``records`` is to be given the payload itself, never a copy that a look names."""
        csv = cast(Csv, reading.format)
        dialect = dialect_of(csv)
        with utf8_text(file.path, csv.encoding, payload=payload, staging=staging) as text:
            head = _head(dialect, text, csv.encoding)
            places = places_of(reading, head.names, _first_line(text, head))
            line_end, end = head.line_end, _last_record_end(text, head)
            _check_around(text, head, end, csv.encoding)
            shape = shape_of(dialect, text, head, line_end, end)
            # where lines are skipped down to none the engine takes the last of them for a record
            is_empty = shape is not None and shape.record_count == 0
            is_regular = shape is not None and not is_empty
            ready = _engine_file(dialect, text, head, line_end, end, file, staging) if is_regular else None
        if text.copy is not None and (ready is None or ready[0].path != text.copy):
            text.copy.unlink()
        if shape is None or ready is None:
            return Look(file=file, is_regular=False, record_count=0 if is_empty else None, fields=head.names)
        layout = Layout(
            csv=csv,
            places=places,
            field_count=len(head.names),
            skip=ready[1],
            line_end=line_end,
            is_parallel=not shape.breaks_in_quotes or file.byte_count < _WHOLE_BYTES_MAX,
            is_bare=shape.is_bare,
        )
        return Look(file=ready[0], is_regular=True, layout=layout, record_count=shape.record_count, fields=head.names)

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """See ``FormatReader.select``. Files of one layout are read by one call of the engine's reader."""
        groups: dict[Layout, list[Look]] = {}
        for look in looks:
            groups.setdefault(cast(Layout, look.layout), []).append(look)
        typed = typed and all(layout.is_bare for layout in groups)  # a union has one type for each slot
        return " UNION ALL ".join(_select(reading, layout, group, typed=typed) for layout, group in groups.items())

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """See ``FormatReader.types``. Those of one layout are given to the engine's reader."""
        layouts = {cast(Layout, look.layout) for look in looks}
        if len(layouts) != 1:
            return {}
        layout = layouts.pop()
        doubles = _doubles(reading, layout) if typed and layout.is_bare else frozenset()
        pairs = zip(reading.slots, layout.places, strict=True)
        slots = {slot.name: "DOUBLE" if place in doubles else "VARCHAR" for slot, place in pairs}
        return dict.fromkeys(("_file", "_place", "_fault", "_raw"), "VARCHAR") | slots

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """See ``FormatReader.records``. Faults are ``ragged``, ``bad_quote`` and ``header_again``."""
        csv = cast(Csv, reading.format)
        with utf8_text(file.path, csv.encoding) as text:
            check_utf8(text, csv.encoding)
            head = head_of(dialect_of(csv), text)
            places = places_of(reading, head.names, _first_line(text, head))
            yield from RecordReader(dialect=dialect_of(csv), data=text.data, head=head, wanted=places)


def record_count(csv: Csv, payload: bytes) -> int:
    """How many records a payload has, damaged ones among them.

    Raises:
        PayloadRefused: it is no text in this dialect.
    """
    dialect = dialect_of(csv)
    with utf8_text(Path(), csv.encoding, payload=payload) as text:
        check_utf8(text, csv.encoding)
        return sum(1 for _ in RecordReader(dialect=dialect, data=text.data, head=head_of(dialect, text), wanted=()))


def _head(dialect: Dialect, text: Utf8Text, encoding: str) -> Head:
    try:
        return head_of(dialect, text)
    except UnicodeDecodeError:
        check_utf8(text, encoding)  # says which byte it is
        raise


def _check_around(text: Utf8Text, head: Head, end: int, encoding: str) -> None:
    """What stands above and below the records the engine never reads, and a byte that is none refuses the payload
    there, too.
    """
    around = text.data[text.start : head.start], text.data[max(end, head.start) : len(text.data)]
    try:
        for part in around if text.is_original else ():
            part.decode(utf8_part(encoding))
    except UnicodeDecodeError:
        check_utf8(text, encoding)  # says which byte it is
        raise


def _first_line(text: Utf8Text, head: Head) -> str:
    """The header as a message shows it; of a file without one its first record."""
    line = text.data[head.header_at : min(head.header_at + _SHOWN_BYTES, head.end)].splitlines()
    return shown(line[0].decode("utf-8", "replace")) if line else ""


def _last_record_end(text: Utf8Text, head: Head) -> int:
    """Behind the last byte that is no line end."""
    end = head.end
    while end > head.start and text.data[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return end


def _engine_file(
    dialect: Dialect, text: Utf8Text, head: Head, line_end: bytes, end: int, file: PayloadFile, staging: Path | None
) -> tuple[PayloadFile, int] | None:
    """What the engine reads of a regular payload, and how many lines it has to skip.

    It is the payload, or a copy of its records; None where there is no place for a copy.
    """
    behind = text.data[end : len(text.data)]
    line_count = len(behind) // len(line_end) if line_end else 0
    ends_plainly = behind == line_end * line_count and (line_count <= 1 or len(head.names) > 1)
    stands = text.is_original or text.copy is not None
    if stands and head.is_plain and ends_plainly:
        return (attrs.evolve(file, path=text.copy) if text.copy is not None else file), head.line - 1
    if staging is None:
        return None
    with tempfile.NamedTemporaryFile(dir=staging, suffix=".csv", delete=False) as target:
        target.write(dialect.delimiter.join([b"x"] * len(head.names)) + (line_end or b"\n"))
        for piece in text.slices(head.start, end, _COPY_BYTES):
            target.write(piece)
        byte_count = target.tell()
    return attrs.evolve(file, path=Path(target.name), byte_count=byte_count), 1


def _select(reading: Reading, layout: Layout, looks: Sequence[Look], *, typed: bool) -> str:
    csv = layout.csv
    doubles = _doubles(reading, layout) if typed else frozenset()
    kinds = ["DOUBLE" if place in doubles else "VARCHAR" for place in range(layout.field_count)]
    columns = ", ".join(f"'c{place}': '{kind}'" for place, kind in enumerate(kinds))
    options = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": "false",
        "skip": str(layout.skip),
        "delim": literal(csv.delimiter),
        "quote": literal(csv.quote),
        "escape": literal(csv.escape if csv.quote else ""),
        "comment": "''",
        "nullstr": literal_list(("", *csv.null)),
        "allow_quoted_nulls": "false",
        "strict_mode": "true",
        "null_padding": "false",
        "ignore_errors": "false",
        "encoding": "'utf-8'",
        "parallel": "true" if layout.is_parallel else "false",
        "hive_partitioning": "false",  # a folder called name=value would take the place of a column
        "filename": "'_path'",
    }
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    reader = f"read_csv({literal_list(look.file.place for look in looks)}, {given})"
    value = "r.c{place}" if layout.is_bare else _EMPTY_IS_NULL
    slots = [
        f"{'CAST(NULL AS VARCHAR)' if place is None else value.format(place=place)} AS {slot.name}"
        for slot, place in zip(reading.slots, layout.places, strict=True)
    ]
    owner = owner_of(reading, looks, "r._path")
    fields = ", ".join([f"{owner.file_id} AS _file", NO_FAULT, *slots])
    return f"SELECT {fields} FROM {reader} AS r{owner.join}"


def _doubles(reading: Reading, layout: Layout) -> frozenset[int]:
    """Places of fields that the engine may read as doubles: those that nothing but DOUBLE columns take."""
    has_marks = layout.csv.decimal != "." or bool(layout.csv.thousands)
    doubles: set[int] = set()
    others: set[int] = set()
    for slot, place in zip(reading.slots, layout.places, strict=True):
        if place is not None:
            is_double = slot.column.type == "DOUBLE" and not slot.column.missing and not has_marks
            (doubles if is_double else others).add(place)
    return frozenset(doubles - others)


READER = DelimitedReader()
