"""SQL that reads regular JSON payloads: the paths of a dataset compiled to types for ``read_json`` and to expressions
over them.

Nothing is left to the engine to decide: ``columns=`` names every field with its type, which is text except for DOUBLE
columns. The engine keeps whole numbers of any length, but brings every other number to a double before it makes a text
of it (``1.10`` is ``1.1``): where that could be seen, the row has the fault ``doubtful``, and its payload is read again
by ``json_records``.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import attrs

from sbf_core.dataset.json_path import Index, Name, RowsPath, Segment, SourcePath, Wildcard, rows_path, source_path
from sbf_core.duck.identifiers import literal, literal_list, quoted
from sbf_core.payload.json_doubt import ABOVE, KEY, OF_ROW, doubt
from sbf_core.payload.model import Look, Reading, Slot

_JOINED_OBJECT_BYTES_MAX = 1 << 20
_OBJECT_BYTES_USUAL = 1 << 24
_NOTHING = "CAST(NULL AS VARCHAR)"
#: The fault of a row that must be read again, exactly.
DOUBTFUL = "doubtful"


@attrs.frozen
class Layout:
    """What payloads that one ``select`` reads have in common.

    Attributes:
        kinds: for each wildcard of ``rows_at``, ``[`` where it goes over a list and ``{`` where it goes over an object.
        is_careful: DOUBLE columns are read as text, because the engine would take ``true`` for a number.
    """

    kinds: str
    is_careful: bool = False


class _Node:
    """What is wanted of one value of the document."""

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.element: _Node | None = None
        self.member: _Node | None = None
        self.leaves: set[str] = set()

    def child(self, segment: Segment) -> _Node | None:
        if isinstance(segment, Name):
            return self.names.setdefault(segment.name, _Node())
        if isinstance(segment, Index):
            self.element = self.element or _Node()
            return self.element
        return None

    def walk(self, segments: Sequence[Segment]) -> _Node | None:
        node: _Node | None = self
        for segment in segments:
            node = node.child(segment) if node is not None else None
        return node

    def shape(self) -> str | None:
        """Its type for the engine; None where it would have to be two things at once, or has names that the engine
        takes for one.
        """
        if bool(self.names) + (self.element is not None) + (self.member is not None) + bool(self.leaves) != 1:
            return None
        if self.leaves:
            return "DOUBLE" if self.leaves == {"DOUBLE"} else "VARCHAR"
        if self.element is not None:
            inner = self.element.shape()
            return inner and f"{inner}[]"
        if self.member is not None:
            inner = self.member.shape()
            return inner and f"MAP(VARCHAR, {inner})"
        if "" in self.names or len({name.lower() for name in self.names}) < len(self.names):
            return None
        shapes = {name: node.shape() for name, node in self.names.items()}
        return (
            None
            if None in shapes.values()
            else "STRUCT(" + ", ".join(f"{quoted(name)} {shape}" for name, shape in shapes.items()) + ")"
        )


@attrs.frozen
class _Choice:
    """One source of a slot: the level that it is read at (0 is the document), and the steps from there, or the key of
    the level.
    """

    level: int
    segments: tuple[Segment, ...]
    is_key: bool = False


@attrs.frozen
class Compiled:
    """The paths of a reading, for payloads of one layout."""

    parts: tuple[tuple[Segment, ...], ...]
    kinds: str
    choices: tuple[tuple[_Choice, ...], ...]
    root: _Node


def compiled(reading: Reading, layout: Layout) -> Compiled | None:
    """The paths of a reading as the engine can follow them; None where it cannot."""
    path = rows_path(reading.rows_at)
    parts = _parts(path)
    if parts is None or len(layout.kinds) != len(parts) - 1:
        return None
    root = _Node()
    levels = [root]
    for part, kind in zip(parts, layout.kinds, strict=False):
        holder = levels[-1].walk(part)
        if holder is None:
            return None
        inner = _Node()
        if kind == "[":
            holder.element = inner
        else:
            holder.member = inner
        levels.append(inner)
    slots: list[tuple[_Choice, ...]] = []
    for slot in reading.slots:
        choices = tuple(_choice(source_path(source), parts) for source in slot.sources)
        for choice in choices:
            if choice.is_key:
                continue
            node = levels[choice.level].walk(choice.segments)
            if node is None:
                return None
            node.leaves.add("DOUBLE" if _is_read_as_double(slot, reading, layout) else "VARCHAR")
        slots.append(choices)
    if not levels[-1].walk(parts[-1]) or root.shape() is None:
        return None
    return Compiled(parts, layout.kinds, tuple(slots), root)


def _parts(path: RowsPath) -> tuple[tuple[Segment, ...], ...] | None:
    parts: list[list[Segment]] = [[]]
    for segment in path.segments:
        if isinstance(segment, Wildcard):
            parts.append([])
        elif isinstance(segment, (Name, Index)):
            parts[-1].append(segment)
        else:
            return None
    return tuple(tuple(part) for part in parts)


def _choice(source: SourcePath, parts: Sequence[tuple[Segment, ...]]) -> _Choice:
    last = len(parts) - 1
    if source.from_root:
        return _Choice(0, source.segments)
    return _Choice(last - source.up, source.segments if source.up else (*parts[-1], *source.segments), source.is_key)


def reads_doubles(reading: Reading) -> bool:
    """Whether a payload without ``true`` and ``false`` would be read with fields as DOUBLE."""
    return any(_is_read_as_double(slot, reading, Layout("")) for slot in reading.slots)


def _is_read_as_double(slot: Slot, reading: Reading, layout: Layout) -> bool:
    has_marks = reading.format.decimal != "." or bool(reading.format.thousands)
    return slot.column.type == "DOUBLE" and not layout.is_careful and not slot.column.missing and not has_marks


def select(reading: Reading, looks: Sequence[Look], staging: Path) -> str:
    """SQL of one relation over regular payloads: ``_file``, ``_place`` and ``_raw`` (NULL), ``_fault`` (NULL or
    ``doubtful``) and the slots.

    Small payloads are joined into one file in ``staging``, large ones are read as they are, each found in the table
    ``batch_file`` by its path.
    """
    layouts: dict[Layout, list[Look]] = {}
    for look in looks:
        assert isinstance(look.layout, Layout)
        layouts.setdefault(look.layout, []).append(look)
    parts: list[str] = []
    for layout, members in layouts.items():
        paths = compiled(reading, layout)
        assert paths is not None, "a look that found the paths regular"
        small = [look for look in members if look.payload is not None]
        large = [look for look in members if look.payload is None]
        if small:
            parts.append(_rows(paths, reading, _Relation(_joined(paths, small, staging), "t0.r", 0)))
        if large:
            parts.append(_rows(paths, reading, _direct(paths, large)))
    return " UNION ALL ".join(f"({part})" for part in parts)


def _joined(paths: Compiled, looks: Sequence[Look], staging: Path) -> str:
    """Small payloads as objects ``{<secret>: file id, "r": payload}`` of one file, as a relation of ``_file`` and
    ``r``.

    A payload that closes its object and opens another could put rows under a wrong file. It cannot know the secret, so
    its object has no file id, and the query fails; each payload is then read alone.
    """
    secret = secrets.token_hex(8)
    target = staging / f"joined-{secret}.ndjson"
    opening = f'{{"{secret}":"%s","r":'.encode()
    with target.open("wb", buffering=1 << 20) as joined:
        for look in looks:
            assert look.payload is not None
            joined.write(opening % look.file.file_id.encode())
            joined.write(look.payload.removeprefix(b"\xef\xbb\xbf"))
            joined.write(b"}\n")
    columns = _columns({secret: "VARCHAR", "r": paths.root.shape() or ""})
    options = f"columns={columns}, format='unstructured', records=true, hive_partitioning=false, maximum_object_size={_JOINED_OBJECT_BYTES_MAX}"
    reader = f"read_json({literal(str(target))}, {options})"
    owned = f"CASE WHEN j.{quoted(secret)} IS NULL THEN error('a payload is more than one JSON value') ELSE true END"
    return f"SELECT j.{quoted(secret)} AS _file, j.r FROM {reader} AS j WHERE {owned}"


@attrs.frozen
class _Relation:
    """Where the rows are taken from.

    Attributes:
        sql: a SELECT, which is named ``t0``.
        value: what stands for the value of a level in it.
        level: which: 0 for the document, 1 for what its first wildcard selects.
        file: its column with the id of the payload.
    """

    sql: str
    value: str
    level: int
    file: str = "_file"


def _direct(paths: Compiled, looks: Sequence[Look]) -> _Relation:
    """Large payloads, read as they are; a list is read element by element."""
    mark = secrets.token_hex(4)  # a field of a payload may be called as any column of ours
    name, file = f"path_{mark}", f"file_{mark}"
    files = literal_list([str(look.file.path) for look in looks])
    is_list = paths.kinds[:1] == "[" and not paths.parts[0]
    root = paths.root.element if is_list else paths.root
    assert root is not None
    size = (
        ""
        if is_list
        else f", maximum_object_size={max(_OBJECT_BYTES_USUAL, *(look.file.byte_count + 1 for look in looks))}"
    )
    is_struct = bool(root.names)
    columns = _columns(
        {field: node.shape() or "" for field, node in root.names.items()} if is_struct else {"j": root.shape() or ""}
    )
    form = "array" if is_list else "unstructured"
    records = "true" if is_struct else "false"
    options = f"columns={columns}, format='{form}', records={records}, hive_partitioning=false, filename={literal(name)}{size}"
    taken = f"f.bronze_file_id AS {file}, r.* EXCLUDE ({name})"
    sql = f"SELECT {taken} FROM read_json({files}, {options}) AS r JOIN batch_file AS f ON f.path = r.{name}"
    return _Relation(sql, "t0" if is_struct else "t0.j", 1 if is_list else 0, file)


def _columns(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: {literal(sql_type)}" for name, sql_type in types.items()) + "}"


def _rows(paths: Compiled, reading: Reading, start: _Relation) -> str:
    """From the value that ``start`` gives down to the rows: one SELECT for each wildcard, which carries on what was
    taken above.
    """
    last = len(paths.parts) - 1
    relation, base, level, file = start.sql, start.value, start.level, start.file
    carried: list[str] = []
    table, key = 0, ""
    while True:
        taken = [
            f"{key if choice.is_key else _expression(base, choice.segments)} AS c{number}_{place}"
            for number, choices in enumerate(paths.choices)
            for place, choice in enumerate(choices)
            if choice.level == level
        ]
        if level == last:
            break
        found = _expression(base, paths.parts[level])
        columns = [f"t{table}.{file} AS _file", *(f"t{table}.{name}" for name in carried), *taken]
        if paths.kinds[level] == "{":
            names = f"map_keys({found})"
            is_twice = f"len(list_distinct({names})) < len({names})"  # the engine's older version does not see it
            entries = f"CASE WHEN {is_twice} THEN error('an object holds a name twice') ELSE map_entries({found}) END"
            columns.append(f"unnest({entries}) AS e")
            next_base, next_key = '."value"', '."key"'
        else:
            columns.append(f"unnest({found}) AS e")
            next_base, next_key = "", ""
            if any(choice.is_key and choice.level == level + 1 for choices in paths.choices for choice in choices):
                columns.append(f"unnest(range(len({found}))) AS i")
                next_key = "i"
        relation, file = f"SELECT {', '.join(columns)} FROM ({relation}) AS t{table}", "_file"
        carried += [column.rpartition(" AS ")[2] for column in taken]
        table += 1
        level += 1
        key = f"CAST(t{table}.i AS VARCHAR)" if next_key == "i" else f"t{table}.e{next_key}"
        base = f"t{table}.e{next_base}"
    columns = [f"t{table}.{file} AS _file", *(f"t{table}.{name}" for name in carried), *taken]
    inner = f"SELECT {', '.join(columns)} FROM ({relation}) AS t{table}"
    slots = [
        _coalesced(number, len(choices)) + f" AS {slot.name}"
        for number, (slot, choices) in enumerate(zip(reading.slots, paths.choices, strict=True))
    ]
    relation = f"SELECT g._file, {', '.join(slots)} FROM ({inner}) AS g"
    condition = doubt(reading.slots, [_origin(choices, last) for choices in paths.choices], "h")
    fault = f"CASE WHEN {condition} THEN {literal(DOUBTFUL)} END" if condition else _NOTHING
    first = f"h._file, {_NOTHING} AS _place, {fault} AS _fault, {_NOTHING} AS _raw"
    return f"SELECT {first}, h.* EXCLUDE (_file) FROM ({relation}) AS h"


def _origin(choices: Sequence[_Choice], last: int) -> str:
    if any(choice.level == last and not choice.is_key for choice in choices):
        return OF_ROW
    return KEY if any(choice.is_key for choice in choices) else ABOVE


def _coalesced(number: int, count: int) -> str:
    names = [f"g.c{number}_{place}" for place in range(count)]
    return names[0] if count == 1 else f"coalesce({', '.join(names)})"


def _expression(base: str, segments: Sequence[Segment]) -> str:
    text = base
    for segment in segments:
        if isinstance(segment, Name):
            text = f"{text}.{quoted(segment.name)}"
        else:
            assert isinstance(segment, Index)
            text = f"({text})[{segment.index + (segment.index >= 0)}]"
    return text
