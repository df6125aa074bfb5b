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

from sbf_core.dataset.json_steps import Index, Name, Segment
from sbf_core.duck.identifiers import literal, literal_list, quoted
from sbf_core.payload.json_doubt import ABOVE, KEY, OF_ROW, doubt
from sbf_core.payload.json_shape import Choice, Compiled, Layout, compiled
from sbf_core.payload.model import DOUBTFUL, Look, Reading
from sbf_core.payload.relation import owner_of
from sbf_core.value import Value

_JOINED_OBJECT_BYTES_MAX = 1 << 20
_OBJECT_BYTES_USUAL = 1 << 24
_NOTHING = "CAST(NULL AS VARCHAR)"


def select(reading: Reading, looks: Sequence[Look], staging: Path) -> str:
    """SQL of one relation over regular payloads: ``_file``, ``_place`` and ``_raw`` (NULL), ``_fault`` (NULL or
    ``doubtful``) and the slots.

    Small payloads are joined into one file in ``staging``, large ones are read as they are, see ``owner_of``.
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
            parts.append(_rows(paths, reading, _direct(paths, reading, large)))
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
    options = (
        f"columns={columns}, format='unstructured', records=true, hive_partitioning=false, "
        f"maximum_object_size={_JOINED_OBJECT_BYTES_MAX}"
    )
    reader = f"read_json({literal(str(target))}, {options})"
    owned = f"CASE WHEN j.{quoted(secret)} IS NULL THEN error('a payload is more than one JSON value') ELSE true END"
    return f"SELECT j.{quoted(secret)} AS _file, j.r FROM {reader} AS j WHERE {owned}"


@attrs.frozen
class _Relation(Value):
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


def _direct(paths: Compiled, reading: Reading, looks: Sequence[Look]) -> _Relation:
    """Large payloads, read as they are; a list is read element by element."""
    mark = secrets.token_hex(4)  # a field of a payload may be called as any column of ours
    name, file = f"path_{mark}", f"file_{mark}"
    files = literal_list([look.file.place for look in looks])
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
    options = (
        f"columns={columns}, format='{form}', records={records}, hive_partitioning=false, "
        f"filename={literal(name)}{size}"
    )
    owner = owner_of(reading, looks, f"r.{name}")
    sql = f"SELECT {owner.file_id} AS {file}, r.* EXCLUDE ({name}) FROM read_json({files}, {options}) AS r{owner.join}"
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
        expression = _expression(base, paths.parts[level])
        columns = [f"t{table}.{file} AS _file", *(f"t{table}.{name}" for name in carried), *taken]
        if paths.kinds[level] == "{":
            names = f"map_keys({expression})"
            is_twice = f"len(list_distinct({names})) < len({names})"  # the engine's older version does not see it
            entries = (
                f"CASE WHEN {is_twice} THEN error('an object holds a name twice') ELSE map_entries({expression}) END"
            )
            columns.append(f"unnest({entries}) AS e")
            next_base, next_key = '."value"', '."key"'
        else:
            columns.append(f"unnest({expression}) AS e")
            next_base, next_key = "", ""
            if any(choice.is_key and choice.level == level + 1 for choices in paths.choices for choice in choices):
                columns.append(f"unnest(range(len({expression}))) AS i")
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


def _origin(choices: Sequence[Choice], last: int) -> str:
    first = choices[0]  # all are from there, see ``compiled``
    if first.is_key:
        return KEY
    return OF_ROW if first.level == last else ABOVE


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
